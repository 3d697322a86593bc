"""A suite learned from a table: what holds in it, with room for other rows of the same kind.

What every such table should have is critical (columns, types, missing values, wide ranges, known categories with some tolerance);
what another sample may break by chance or for a good reason is a warning (rare new categories, quantiles, distribution).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jupyter_mlops.data.expectations.suite import Expectation, Suite
from jupyter_mlops.data.expectations.values import plain

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["learn_suite"]

_FEW = 10  # rows; with fewer, only the schema says anything
_LEVELS = 40  # a column with more different values has no set of categories
_SPAN = 0.1  # of the range seen, on each side of it
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_DEVIATIONS = 4.0  # standard errors that another sample of the same kind may be away
_ENOUGH = 50  # rows for quantiles; twice as many for a distribution
_UNSEEN = 0.01  # share that an expected distribution leaves to values that it does not have
_ID = re.compile(r"(^|_|\b)(id|ids|key|uuid|guid|code|nr|no|number)$|(?<=[a-z])(Id|ID|Key)$", re.ASCII)


def learn_suite(frame: pd.DataFrame, name: str) -> Suite:
    """Learn a suite.

    Parameters
    ----------
    frame
        With distinct columns named by text (`judge.named_by_text`); any dtypes, any number of rows.

    Returns
    -------
    Suite
        In the order of the columns.
    """
    learned = [Expectation("expect_table_columns_to_match_set", {"column_set": list(frame.columns), "exact_match": False})]
    for column in frame.columns:
        learned += _column(frame[column], column)
    return Suite(name, tuple(learned))


def _column(series: pd.Series, name: str) -> Iterator[Expectation]:
    rows = len(series)
    present = series.dropna()
    if (kind := _type_name(series, present)) is not None:
        yield Expectation("expect_column_values_to_be_of_type", {"column": name, "type_": kind})
    if not rows:
        return
    yield from _missing(rows, len(present), name)
    if len(present) < _FEW:
        return
    try:
        levels = present.nunique()
    except TypeError:  # lists, dicts: nothing that compares
        return
    what = _nature(present)
    unique = levels == rows and _exact(present) and (what == "text" or (what == "number" and bool(_ID.search(name))))
    if what == "number":
        values = present.to_numpy(dtype=float)
        finite = _finite(values)
        whole = _whole(present)
        if len(finite) >= _FEW and not unique:
            yield from _range(finite, whole, name, below=values.min() < finite.min(), above=values.max() > finite.max())
            if levels > _LEVELS or (levels > 10 and not whole):
                yield from _quantiles(finite, name)
                yield from _binned(finite, name)
    elif what == "date":
        yield _dates(present, name)
    if what in ("text", "level", "bool") and levels <= _LEVELS and len(present) >= 5 * levels:
        yield from _categories(present, what, name)
    elif what == "text":
        yield from _lengths(present, name)
    if unique:
        yield Expectation("expect_column_values_to_be_unique", {"column": name}, "warning")


def _finite(values: Any) -> Any:
    import numpy as np

    return values[np.isfinite(values)]


def _type_name(series: pd.Series, present: pd.Series) -> str | None:
    """The type as Great Expectations compares it, None for a mix."""
    import pandas as pd

    dtype = series.dtype
    if dtype.kind == "O" and not isinstance(dtype, (pd.CategoricalDtype, pd.StringDtype)):
        kinds = {type(value).__name__ for value in present.head(100_000)}
        return kinds.pop() if len(kinds) == 1 and kinds <= {"str", "bool"} else None
    if isinstance(dtype, pd.CategoricalDtype):
        return "CategoricalDtypeType"
    if isinstance(dtype, pd.DatetimeTZDtype):
        return "Timestamp"
    if isinstance(dtype, pd.StringDtype):
        return "str"
    if str(dtype).startswith(("datetime64", "timedelta64")):
        return str(dtype)
    if dtype.kind == "b":
        return "bool"
    return str(dtype).lower() if dtype.kind in "iuf" else None


def _nature(present: pd.Series) -> str:
    """number, date, bool, level (categories), text, or mixed."""
    import pandas as pd

    dtype = present.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "level"
    if pd.api.types.is_bool_dtype(dtype):
        return "bool"
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return "date"
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype):
        return "number"
    kinds = {type(value) for value in present.head(100_000)}
    if kinds == {str}:
        return "text"
    return "bool" if kinds == {bool} else "mixed"


def _whole(present: pd.Series) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_integer_dtype(present.dtype))


def _exact(present: pd.Series) -> bool:
    """Whether equal values mean the same thing: measured numbers may all differ without being names."""
    return present.dtype.kind in "iuO" or not hasattr(present.dtype, "kind")


def _missing(rows: int, present: int, name: str) -> Iterator[Expectation]:
    if present == rows:
        yield Expectation("expect_column_values_to_not_be_null", {"column": name})
        return
    share = present / rows
    if present == 0:
        yield Expectation("expect_column_values_to_be_null", {"column": name}, "warning")
        return
    room = _DEVIATIONS * math.sqrt(share * (1 - share) / rows) + 0.01
    mostly = math.floor(100 * (share - room)) / 100
    if mostly > 0:
        yield Expectation("expect_column_values_to_not_be_null", {"column": name, "mostly": mostly})


def _range(values: Any, whole: bool, name: str, *, below: bool, above: bool) -> Iterator[Expectation]:
    """`below` and `above`: infinities lie there, so that side has no bound."""
    low, high = float(values.min()), float(values.max())
    room = _SPAN * (high - low) or max(abs(high) * _SPAN, 1.0)
    bottom, top = _rounded(low - room, room, up=False), _rounded(high + room, room, up=True)
    if low >= 0 and high > 0:  # what is never negative stays so
        bottom = max(bottom, 0.0)
    if high <= 0 and low < 0:
        top = min(top, 0.0)
    bounds = (math.floor(bottom), math.ceil(top)) if whole else (bottom, top)
    kwargs: dict[str, Any] = {"column": name}
    kwargs |= {} if below else {"min_value": bounds[0]}
    kwargs |= {} if above else {"max_value": bounds[1]}
    if len(kwargs) > 1:
        yield Expectation("expect_column_values_to_be_between", kwargs)


def _rounded(value: float, room: float, *, up: bool) -> float:
    """A number with few digits, outwards."""
    digits = 1 - math.floor(math.log10(room)) if room > 0 and math.isfinite(room) else 0
    scale = 10.0**digits
    if not math.isfinite(scale) or scale == 0 or not math.isfinite(value * scale):
        return value
    rounded = (math.ceil if up else math.floor)(value * scale) / scale
    return round(rounded, max(digits, 0))


def _dates(present: pd.Series, name: str) -> Expectation:
    """New rows are later as a rule: a date out of the range is a warning."""
    low, high = present.min(), present.max()
    room = _SPAN * (high - low)
    kwargs = {"column": name, "min_value": plain((low - room).floor("D")), "max_value": plain((high + room).ceil("D"))}
    return Expectation("expect_column_values_to_be_between", kwargs, "warning")


def _categories(present: pd.Series, what: str, name: str) -> Iterator[Expectation]:
    counts = present.value_counts()
    counts = counts[counts > 0]
    levels = sorted(
        (plain(level) for level in counts.index),
        key=lambda level: (str(type(level)), level if isinstance(level, (int, float)) else str(level)),
    )
    if what != "bool":
        yield Expectation("expect_column_values_to_be_in_set", {"column": name, "value_set": levels, "mostly": 0.95})
        yield Expectation("expect_column_values_to_be_in_set", {"column": name, "value_set": levels}, "warning")
    if len(present) < 2 * _ENOUGH or len(levels) < 2:
        return
    # Counted from one half, so that no level of the table has a share of zero.
    smooth = {plain(level): (int(count) + 0.5) / (len(present) + 0.5 * len(counts)) for level, count in counts.items()}
    weights = _summing_to_one([smooth[level] for level in levels])
    yield Expectation(
        "expect_column_kl_divergence_to_be_less_than",
        {
            "column": name, "partition_object": {"values": levels, "weights": weights},
            "threshold": _threshold(len(levels), len(present)), "tail_weight_holdout": _UNSEEN,
        },
        "warning",
    )  # fmt: skip


def _lengths(present: pd.Series, name: str) -> Iterator[Expectation]:
    lengths = present.astype(str).str.len()
    low, high = int(lengths.min()), int(lengths.max())
    kwargs = {"column": name, "min_value": min(low, 1), "max_value": math.ceil(1.5 * high) + 1}
    yield Expectation("expect_column_value_lengths_to_be_between", kwargs, "warning")


def _quantiles(values: Any, name: str) -> Iterator[Expectation]:
    """Ranges by order statistics: ranks that a sample's quantile stays between, and some of the spread on top."""
    import numpy as np

    if len(values) < _ENOUGH:
        return
    ordered = np.sort(values)
    count = len(ordered)
    spread = float(ordered[int(0.95 * (count - 1))] - ordered[int(0.05 * (count - 1))]) or float(ordered[-1] - ordered[0])
    ranges = []
    for q in _QUANTILES:
        off = _DEVIATIONS * math.sqrt(q * (1 - q) / count)
        low, high = (ordered[min(count - 1, max(0, round(p * (count - 1))))] for p in (q - off, q + off))
        room = 0.05 * spread
        ranges.append([_rounded(float(low) - room, room, up=False), _rounded(float(high) + room, room, up=True)])
    kwargs = {"column": name, "quantile_ranges": {"quantiles": list(_QUANTILES), "value_ranges": ranges}}
    yield Expectation("expect_column_quantile_values_to_be_between", kwargs, "warning")


def _binned(values: Any, name: str) -> Iterator[Expectation]:
    """The distribution over tenths of the values; what lies outside of them has a small share."""
    import numpy as np

    if len(values) < 2 * _ENOUGH:
        return
    edges = np.unique(np.quantile(values, np.linspace(0, 1, 11)))
    if len(edges) < 4:
        return
    counts = np.histogram(values, edges)[0] + 0.5
    share = counts / counts.sum() * (1 - _UNSEEN)
    weights = [round(float(w), 6) for w in share]
    tail = (1 - sum(weights)) / 2
    partition = {
        "bins": [float(f"{edge:.15g}") for edge in edges],
        "weights": weights,
        "tail_weights": [tail, 1 - sum(weights) - tail],
    }
    kwargs = {"column": name, "partition_object": partition, "threshold": _threshold(len(weights), len(values))}
    yield Expectation("expect_column_kl_divergence_to_be_less_than", kwargs, "warning")


def _threshold(cells: int, rows: int) -> float:
    """A divergence that chance does not reach: its mean over samples is (cells - 1) / 2 rows."""
    return round(max(0.1, 2 * cells / rows), 3)


def _summing_to_one(weights: list[float]) -> list[float]:
    rounded = [round(weight, 6) for weight in weights]
    largest = rounded.index(max(rounded))
    rounded[largest] = round(rounded[largest] + 1 - sum(rounded), 6)
    return rounded
