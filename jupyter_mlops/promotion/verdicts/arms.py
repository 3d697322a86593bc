"""Which version does better on requests of its own, once their true labels are known (A/B)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Arm", "Contrast", "compare_arms"]

Score = Callable[["NDArray[Any]", "NDArray[Any]"], float]


@dataclass(frozen=True)
class Arm:
    """How a version did on its requests: its score, with the bounds of an interval."""

    version: str
    rows: int
    score: float
    low: float
    high: float


@dataclass(frozen=True)
class Contrast:
    """How much more an arm scores than the first one, with the bounds of an interval; more is better.

    Attributes
    ----------
    verdict
        ``better`` and ``worse``: the whole interval lies on one side of 0.
    """

    version: str
    difference: float
    low: float
    high: float
    verdict: Literal["better", "worse", "inconclusive"]


def compare_arms(
    arms: Mapping[str, tuple[NDArray[Any], NDArray[Any]]], score: Score, *, confidence: float = 0.95, resamples: int = 2000,
    seed: int = 0,
) -> tuple[list[Arm], list[Contrast]]:  # fmt: skip
    """Percentile intervals of each arm's score, and of the differences to the first arm.

    The arms answered different requests, so that each is resampled by itself. The interval holds for one look: whoever looks every
    day and stops at the first difference finds one too often.

    Parameters
    ----------
    arms
        By version: truth and answers, of shape (rows,) each; the first one is compared with.
    score
        Of truth and answers; more is better.

    Raises
    ------
    ValueError
        An arm has no rows, or hardly a resample of it can be scored.

    References
    ----------
    Efron, Tibshirani: An Introduction to the Bootstrap, 1993, chapters 13 and 16.
    """
    import numpy as np

    tail = (1 - confidence) / 2
    bounds = [tail, 1 - tail]
    drawn = {}
    for number, (version, (truth, answers)) in enumerate(arms.items()):
        drawn[version] = _resampled(version, truth, answers, score, resamples, np.random.default_rng([seed, number]))
    rows = [
        Arm(version, len(truth), float(score(truth, answers)), *(float(one) for one in np.quantile(drawn[version], bounds)))
        for version, (truth, answers) in arms.items()
    ]
    first = rows[0]
    contrasts = []
    for arm in rows[1:]:
        count = min(len(drawn[first.version]), len(drawn[arm.version]))
        low, high = np.quantile(drawn[arm.version][:count] - drawn[first.version][:count], bounds)
        verdict: Literal["better", "worse", "inconclusive"] = "better" if low > 0 else "worse" if high < 0 else "inconclusive"
        contrasts.append(Contrast(arm.version, arm.score - first.score, float(low), float(high), verdict))
    return rows, contrasts


def _resampled(version: str, truth: Any, answers: Any, score: Score, resamples: int, random: Any) -> NDArray[Any]:
    import numpy as np

    count = len(truth)
    if not count or len(answers) != count:
        raise ValueError(f"version {version} has {count} labels and {len(answers)} answers")
    found = []
    for _ in range(resamples):
        at = random.integers(0, count, count)
        try:
            one = score(truth[at], answers[at])
        except ValueError:  # one class only, say
            continue
        if np.isfinite(one):
            found.append(one)
    if len(found) < resamples / 2:
        raise ValueError(f"version {version} has too few rows to be scored: only {len(found)} of {resamples} resamples could be")
    return np.array(found)
