"""Quantiles and distances of counts, as services export them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, log

__all__ = ["plus", "psi", "quantile", "shift_p_value"]

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
