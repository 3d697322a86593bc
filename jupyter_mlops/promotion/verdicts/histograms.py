"""Quantiles and distances of counts, as services export them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, log, sqrt

__all__ = ["balanced", "plus", "psi", "psi_at_least", "quantile", "shift_p_value"]

_HALF = 0.5  # added to each count of a PSI, which knows no zero


def plus(one: Sequence[int], other: Sequence[int]) -> tuple[int, ...]:
    """Two histograms of the same buckets as one; an empty one has none yet."""
    if not one or not other:
        return tuple(one or other)
    return tuple(a + b for a, b in zip(one, other, strict=True))


def quantile(counts: Sequence[int], bounds: Sequence[float], q: float) -> float:
    """A quantile, linear within its bucket, as Prometheus' ``histogram_quantile`` has it.

    Parameters
    ----------
    counts
        Of each bucket, not cumulative; one more than `bounds`, the last for all beyond.
    bounds
        Upper bounds, ascending.

    Returns
    -------
    float
        Infinite when it lies beyond the last bound; 0 when nothing was counted.
    """
    total = sum(counts)
    if not total:
        return 0.0
    wanted, below, lower = q * total, 0, 0.0
    for count, upper in zip(counts, [*bounds, inf], strict=True):
        if count and below + count >= wanted:
            return upper if upper == inf else lower + (upper - lower) * max(0.0, wanted - below) / count
        below, lower = below + count, upper
    return inf


def balanced(one: Mapping[str, float], other: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """Two histograms as if of as many answers each: the harmonic mean, with which the variance of their difference is the same.

    Histograms of times with other shares of the traffic may be added so: what is asked by night does not look like a change then.
    """
    a, b = sum(one.values()), sum(other.values())
    if not a or not b:
        return {}, {}
    size = 2 * a * b / (a + b)
    return {name: count * size / a for name, count in one.items()}, {name: count * size / b for name, count in other.items()}


def psi(expected: Mapping[str, float], found: Mapping[str, float]) -> float:
    """Population stability index: 0 for equal shares; 0.1 is some change, 0.25 a large one."""
    names = expected.keys() | found.keys()
    if not names:
        return 0.0
    before, after = (sum(one.values()) + _HALF * len(names) for one in (expected, found))
    total = 0.0
    for name in names:
        p, q = (expected.get(name, 0) + _HALF) / before, (found.get(name, 0) + _HALF) / after
        total += (q - p) * log(q / p)
    return total


def psi_at_least(expected: Mapping[str, float], found: Mapping[str, float], deviations: float = 2.0) -> float:
    """What the population stability index is at least: less what chance alone gives it, and so many standard errors.

    Standard error by the delta method from the two multinomial samples; under equal shares, the mean of the index is
    (K - 1) (1/n + 1/m) for K names (Yurdakul and Naranjo, 2020, Journal of Risk Model Validation 14(4)).
    """
    names = expected.keys() | found.keys()
    if not names:
        return 0.0
    n, m = (sum(one.values()) + _HALF * len(names) for one in (expected, found))
    shares = [((expected.get(name, 0) + _HALF) / n, (found.get(name, 0) + _HALF) / m) for name in names]
    of_expected = [(p, -log(q / p) + 1 - q / p) for p, q in shares]
    of_found = [(q, log(q / p) + 1 - p / q) for p, q in shares]
    error = sqrt(_variance(of_expected) / n + _variance(of_found) / m)
    return psi(expected, found) - (len(names) - 1) * (1 / n + 1 / m) - deviations * error


def _variance(weighted: Sequence[tuple[float, float]]) -> float:
    mean = sum(weight * value for weight, value in weighted)
    return sum(weight * (value - mean) ** 2 for weight, value in weighted)


def shift_p_value(expected: Mapping[str, float], found: Mapping[str, float]) -> float:
    """How likely two samples of one distribution would differ so much (chi-square test of homogeneity); 1 without counts."""
    from scipy.stats import chi2_contingency

    # Rare answers are taken together: the test's distribution holds for counts of five and more.
    names = sorted(expected.keys() | found.keys(), key=lambda name: expected.get(name, 0) + found.get(name, 0))
    share = sum(found.values()) / max(1, sum(found.values()) + sum(expected.values()))
    if not 0 < share < 1:
        return 1.0
    columns: list[list[float]] = [[0, 0]]
    for name in names:
        a, b = expected.get(name, 0), found.get(name, 0)
        if min(share, 1 - share) * sum(columns[-1]) >= 5:
            columns.append([0, 0])
        columns[-1][0] += a
        columns[-1][1] += b
    if len(columns) > 1 and min(share, 1 - share) * sum(columns[-1]) < 5:
        rest = columns.pop()
        columns[-1] = [columns[-1][0] + rest[0], columns[-1][1] + rest[1]]
    if len(columns) < 2:
        return 1.0
    return float(chi2_contingency([list(row) for row in zip(*columns, strict=True)], correction=False).pvalue)
