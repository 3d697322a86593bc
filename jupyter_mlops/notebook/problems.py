"""What was found in a user's notebook, as values that are collected and shown together."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["Problem", "Severity"]

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Problem:
    """One finding in a notebook.

    Parameters
    ----------
    code
        Stable kebab-case name of the kind of problem, such as ``"no-model"``.
    severity
        ``"error"`` stops a conversion, ``"warning"`` is for a person to look at, ``"info"`` says what was decided.
    message
        What is wrong, in one sentence.
    cell
        1-based position of the cell among all cells of the notebook (markdown included), or None for the whole file.
    line
        1-based line within the cell's source, or None.
    fix
        What to do about it, in one sentence.
    """

    code: str
    severity: Severity
    message: str
    cell: int | None = None
    line: int | None = None
    fix: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        where = "" if self.cell is None else f"cell {self.cell}" + ("" if self.line is None else f", line {self.line}") + ": "
        return f"{self.severity}: {where}{self.message}" + (f" {self.fix}" if self.fix else "") + f" [{self.code}]"
