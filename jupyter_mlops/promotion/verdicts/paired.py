"""Is one model better than another? Both asked about the same rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Interval", "Rule", "judge", "paired_bootstrap"]

Rule = Literal["better", "not worse"]
Score = Callable[["NDArray[Any]", "NDArray[Any]"], float]


@dataclass(frozen=True)
class Interval:
    """How much better the challenger scores than the champion, in the score's own unit: more is better.

    Attributes
    ----------
    low, high
        Bounds of a two-sided interval of `confidence`; `low` is a lower bound of (1 + confidence) / 2.
    rows
        That both were asked about.
    """

    difference: float
    low: float
    high: float
    champion: float
    challenger: float
    rows: int
    confidence: float


def paired_bootstrap(
    truth: NDArray[Any], champion: NDArray[Any], challenger: NDArray[Any], score: Score, *, confidence: float = 0.9,
    resamples: int = 2000, seed: int = 0,
) -> Interval:  # fmt: skip
    """Percentile interval for the difference of two scores on the same rows.

    Rows are drawn with their answers of both models, so that what is hard for both cancels out: with 2,000 rows and models
    that differ in 8% of them, two percentage points are found nine times of ten.

    Parameters
    ----------
    truth, champion, challenger
        Shape (rows,) or (rows, outputs): what was true, and what each model answered.
    score
        Of truth and answers; more is better. A resample that it cannot judge (one class only, say) is left out.
    confidence
        Of the two-sided interval.
    seed
        The same one gives the same interval.

    Raises
    ------
    ValueError
        The rows do not match, there are none, or hardly a resample can be judged.

    References
    ----------
    Efron, Tibshirani: An Introduction to the Bootstrap, 1993, chapter 13.
    """
    import numpy as np

    rows = len(truth)
    if not rows or len(champion) != rows or len(challenger) != rows:
        raise ValueError(f"{rows} rows, {len(champion)} answers of the champion, {len(challenger)} of the challenger")
    random = np.random.default_rng(seed)
    differences = []
    for _ in range(resamples):
        drawn = random.integers(0, rows, rows)
        try:
            difference = score(truth[drawn], challenger[drawn]) - score(truth[drawn], champion[drawn])
        except ValueError:
            continue
        if np.isfinite(difference):
            differences.append(difference)
    if len(differences) < resamples / 2:
        raise ValueError(
            f"only {len(differences)} of {resamples} resamples of {rows} rows could be scored: there are too few rows"
        )
    tail = (1 - confidence) / 2
    low, high = np.quantile(differences, [tail, 1 - tail])
    before, after = float(score(truth, champion)), float(score(truth, challenger))
    return Interval(after - before, float(low), float(high), before, after, rows, confidence)


def judge(found: Interval, rule: Rule, margin: float = 0.0) -> Literal["passed", "failed", "inconclusive"]:
    """The verdict: an interval on both sides of the line is an answer of its own.

    Parameters
    ----------
    rule
        ``better`` asks for more than the champion's score, ``not worse`` for at most `margin` less.
    """
    line = 0.0 if rule == "better" else -margin
    if found.low > line:
        return "passed"
    if found.high < line:
        return "failed"
    # Two models that answer alike are not worse, and not better either.
    if found.low == found.high == line:
        return "passed" if rule == "not worse" else "failed"
    return "inconclusive"
