"""Filling missing values."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from jupyter_mlops.export.compiler import Compiler, transforms
from jupyter_mlops.export.graph import Unsupported
from jupyter_mlops.export.values import Part, Value

__all__: list[str] = []


def _is_nan(value: Any) -> bool:
    return (isinstance(value, float) and math.isnan(value)) or type(value).__name__ == "NAType"


def _missing(c: Compiler, part: Part, marker: Any) -> str | None:
    """Boolean tensor: which values count as missing; None when none can."""
    g = c.graph
    if part.kind == "string":
        if isinstance(marker, str):
            return g.op("Equal", part.tensor, g.const([[marker]]))
        if marker is None or _is_nan(marker):
            # scikit-learn's imputer tells None from nan: missing_values=nan leaves None alone, and the reverse
            seen = part.null or ("none" if marker is None else "nan")
            matches = (seen == "none") == (marker is None)
            return g.op("Equal", part.tensor, g.const([[c.null_string]])) if matches else None
        raise Unsupported(f"missing_values={marker!r} in a text column")
    if marker is None or _is_nan(marker):
        return g.op("IsNaN", part.tensor)
    if isinstance(marker, str):
        raise Unsupported(f"missing_values={marker!r} in a column of numbers")
    return g.op("Equal", part.tensor, g.number(float(marker)))


@transforms("sklearn.SimpleImputer")
def simple_imputer(c: Compiler, est: Any, x: Value) -> Value:
    """Replace missing values by the column's statistic; columns without any are dropped, as in scikit-learn."""
    import numpy as np

    g = c.graph
    marker = est.missing_values
    single = x.single
    if all(part.kind == "double" for part in x.parts) and not est.add_indicator and not single:
        fast = _all_numbers(c, est, x)
        if fast is not None:
            return fast
    parts = []
    for index in range(x.width):
        part = x.column(g, index)
        statistic = est.statistics_[index]
        if _is_nan(statistic):
            if not est.keep_empty_features:
                continue
            raise Unsupported("keep_empty_features with a column that has no value")
        where = _missing(c, part, marker)
        if where is None:
            parts.append(part)
        elif part.kind == "string":
            if not isinstance(statistic, str):
                raise Unsupported(f"a text column is filled with {statistic!r}")
            filled = g.op("Where", where, g.const([[statistic]]), part.tensor)
            parts.append(replace(part, tensor=filled))
        else:
            if isinstance(statistic, str):
                raise Unsupported(f"a column of numbers is filled with the text {statistic!r}")
            filling = float(np.float32(statistic)) if single else float(statistic)
            kept = part.precision if single else "double"
            parts.append(Part(g.op("Where", where, g.number(filling), part.tensor), 1, precision=kept))
    filled_value = Value(tuple(parts))
    if not est.add_indicator:
        return filled_value
    return Value.beside([filled_value, _indicate(c, est.indicator_, x)])


def _all_numbers(c: Compiler, est: Any, x: Value) -> Value | None:
    """All columns in two nodes, the usual case."""
    import numpy as np

    marker = est.missing_values
    statistics = est.statistics_
    if not all(isinstance(value, (int, float, np.number)) and not _is_nan(float(value)) for value in statistics):
        return None
    if not (marker is None or isinstance(marker, (int, float, np.number)) or _is_nan(marker)):
        return None
    g = c.graph
    matrix = x.matrix(g)
    where = _missing(c, Part(matrix, x.width), marker)
    assert where is not None
    return Value.of(g.op("Where", where, g.row(np.asarray(statistics, dtype=np.float64)), matrix), x.width)


def _indicate(c: Compiler, indicator: Any, x: Value) -> Value:
    parts = []
    for index in (int(i) for i in indicator.features_):
        part = x.column(c.graph, index)
        where = _missing(c, part, indicator.missing_values)
        if where is None:
            raise Unsupported("an indicator for a missing value that cannot be told from others")
        parts.append(Part(c.graph.cast(where, "double"), 1, precision="narrow"))
    return Value(tuple(parts))


@transforms("sklearn.MissingIndicator")
def missing_indicator(c: Compiler, est: Any, x: Value) -> Value:
    """1 where the value is missing."""
    return _indicate(c, est, x)
