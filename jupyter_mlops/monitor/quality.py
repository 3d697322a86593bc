"""How well the model predicts, now that labels are known, against how well it did on the reference.

A drop that the data's drift does not explain away is *concept drift*: the same rows have other labels by now.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["QualityReport"]


@dataclass(frozen=True)
class QualityReport:
    """A score of the window's labelled rows beside that of the reference; in the score's own unit.

    Attributes
    ----------
    rows
        Labelled rows that were scored; `labelled` is how many there are.
    difference, low, high
        The window's score less the reference's, with the bounds of an interval.
    verdict
        ``worse``: the whole interval lies on the bad side, by more than the margin.
    """

    score: str
    less_is_better: bool
    rows: int
    value: float
    reference_rows: int
    reference: float
    difference: float
    low: float
    high: float
    margin: float
    confidence: float
    verdict: Literal["worse", "not worse", "inconclusive"]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)
