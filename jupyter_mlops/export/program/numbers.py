"""Methods and functions of numbers: numpy's element-wise functions, rounding, bounds, statistics of a row."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from jupyter_mlops.export.converters.functions import BINARY, UNARY
from jupyter_mlops.export.converters.numeric import clip as clip_tensor
from jupyter_mlops.export.graph import Graph, Unsupported
from jupyter_mlops.export.program.arithmetic import checked, is_bool, numeric, operand, operate
from jupyter_mlops.export.program.cells import Cell, Tracer, is_missing, plain
from jupyter_mlops.export.program.registry import function, method
from jupyter_mlops.export.program.symbols import Symbol, contains_symbol, shadow_of, width_of

__all__ = ["round_half_even"]

_METHODS = {
    "add": "add", "radd": "add", "sub": "sub", "subtract": "sub", "mul": "mul", "multiply": "mul", "div": "truediv",
    "divide": "truediv", "truediv": "truediv", "floordiv": "floordiv", "mod": "mod", "pow": "pow", "eq": "eq", "ne": "ne",
    "lt": "lt", "le": "le", "gt": "gt", "ge": "ge",
}  # fmt: skip


def round_half_even(g: Graph, x: str, decimals: int) -> str:
    """np.round: scaled, rounded half to even, scaled back."""
    if decimals == 0:
        return g.op("Round", x)
    factor = g.number(10.0 ** abs(decimals))
    first, last = ("Mul", "Div") if decimals > 0 else ("Div", "Mul")
    return g.op(last, g.op("Round", g.op(first, x, factor)), factor)


def _named(name: str) -> Callable[..., Any]:
    def run(t: Tracer, out: Any, x: Symbol, other: Any, fill_value: Any = None, axis: Any = "columns") -> Any:
        if fill_value is not None or axis not in ("columns", 1, 0, "index"):
            raise Unsupported("fill_value or an axis")
        made, cells = operate(t, _METHODS[name], *((other, x) if name.startswith("r") else (x, other)))
        if not (made.equals(out) if hasattr(made, "equals") else True):
            raise Unsupported("an axis along the rows")
        return cells

    return run


for _name in _METHODS:
    method("Series DataFrame", _name)(_named(_name))


def _elementwise(t: Tracer, x: Symbol, make: Callable[[Graph, str], str], check: bool = True) -> list[Cell]:
    """One function of numbers on every column, wide tables in one node."""
    for cell, dtype in zip(x.cells, x.dtypes(), strict=True):
        if cell.kind != "number" or not numeric(dtype):
            raise Unsupported(f"numbers are needed, not a column of {dtype}")
        if check and dtype.kind in "fiu":
            checked(dtype)
    if not all(numeric(d) for d in x.dtypes()):
        raise Unsupported("a column that is not all numbers")
    return t.table(make(t.g, t.matrix(x.cells)), len(x.cells))


def _unary(name: str) -> Callable[..., Any]:
    def run(t: Tracer, out: Any, x: Any) -> list[Cell]:
        if any(d.kind == "b" for d in x.dtypes() if numeric(d)) and name not in ("isnan", "logical_not"):
            raise Unsupported("a function of numbers on booleans")  # numpy computes it in float16
        return _elementwise(t, x, UNARY[name])

    return run


for _name in UNARY:
    function(f"numpy.{_name}")(_unary(_name))


_UFUNCS = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "truediv", "true_divide": "truediv", "power": "pow",
    "greater": "gt", "greater_equal": "ge", "less": "lt", "less_equal": "le", "equal": "eq", "not_equal": "ne",
    "logical_and": "and_", "logical_or": "or_", "bitwise_and": "and_", "bitwise_or": "or_", "remainder": "mod",
    "mod": "mod", "floor_divide": "floordiv",
}  # fmt: skip


def _ufunc(name: str) -> Callable[..., Any]:
    def run(t: Tracer, out: Any, a: Any, b: Any) -> Any:
        return operate(t, _UFUNCS[name], a, b)[1]

    return run


for _name in _UFUNCS:
    function(f"numpy.{_name}")(_ufunc(_name))


@function("numpy.maximum", "numpy.minimum")
def _refused_extreme(t: Tracer, out: Any, a: Any, b: Any) -> list[Cell]:
    """Both hand a missing value on; which of the two it is, is seen by the result."""
    import numpy as np

    x, y = (shadow_of(one) for one in (a, b))
    name = "maximum" if np.array_equal(np.maximum(x, y), out, equal_nan=True) else "minimum"
    if np.array_equal(np.maximum(x, y), np.minimum(x, y), equal_nan=True):
        raise Unsupported("maximum or minimum of equal columns")
    width = width_of(out)
    made = []
    for left, right, dtype in zip(
        operand(t, a, out, width),
        operand(t, b, out, width),
        Symbol(out, []).dtypes() if hasattr(out, "columns") else [out.dtype] * width,
        strict=True,
    ):
        checked(dtype)
        sides = [t.number(one) if isinstance(one, Cell) else t.g.number(t.exact(one)) for one in (left, right)]
        made.append(Cell(BINARY[name](t.g, *sides)))
    return made


@method("Series DataFrame ndarray", "round")
def _round(t: Tracer, out: Any, x: Symbol, decimals: Any = 0) -> list[Cell]:
    if not isinstance(decimals, int):
        raise Unsupported("another number of decimals for each column")
    if all(numeric(d) and d.kind in "iu" for d in x.dtypes()) and decimals >= 0:
        return list(x.cells)
    if any(not numeric(d) or d.kind != "f" for d in x.dtypes()):
        raise Unsupported("rounding of anything but floats")
    return _elementwise(t, x, lambda g, tensor: round_half_even(g, tensor, decimals))


@function("numpy.round", "numpy.around", "numpy.round_")
def _np_round(t: Tracer, out: Any, a: Symbol, decimals: int = 0) -> list[Cell]:
    made: list[Cell] = _round(t, out, a, decimals)
    return made


@method("Series DataFrame ndarray", "abs")
def _abs(t: Tracer, out: Any, x: Symbol) -> list[Cell]:
    return _elementwise(t, x, UNARY["absolute"])


def _bounds(low: Any, high: Any) -> tuple[float, float]:
    if any(
        contains_symbol(one) or (one is not None and (not isinstance(one, (int, float)) or is_missing(one)))
        for one in (low, high)
    ):
        raise Unsupported("bounds that are no constants")
    return (-math.inf if low is None else float(low), math.inf if high is None else float(high))


@method("Series DataFrame ndarray", "clip")
def _clip(t: Tracer, out: Any, x: Symbol, lower: Any = None, upper: Any = None, **named: Any) -> list[Cell]:
    if named.keys() - {"min", "max"}:  # numpy's names
        raise Unsupported(f"clip with {', '.join(named)}")
    low, high = _bounds(plain(named.get("min", lower)), plain(named.get("max", upper)))
    return _elementwise(t, x, lambda g, tensor: clip_tensor(g, tensor, low, high))


@function("numpy.clip")
def _np_clip(t: Tracer, out: Any, a: Symbol, a_min: Any = None, a_max: Any = None) -> list[Cell]:
    made: list[Cell] = _clip(t, out, a, a_min, a_max)
    return made


@method("Series", "between")
def _between(t: Tracer, out: Any, x: Symbol, left: Any, right: Any, inclusive: str = "both") -> list[Cell]:
    low = operate(t, "ge" if inclusive in ("both", "left") else "gt", x, left)[1][0]
    high = operate(t, "le" if inclusive in ("both", "right") else "lt", x, right)[1][0]
    return [t.truth(t.g.op("And", t.holds(low), t.holds(high)))]


@method("DataFrame", "sum", "any", "all", "min", "max", "mean")
def _across(t: Tracer, out: Any, x: Symbol, axis: Any = 0, skipna: bool = True) -> list[Cell]:
    """Along the columns of a row; what it is, is seen by the frame's own method."""
    g = t.g
    if axis not in (1, "columns") or not skipna:
        raise Unsupported("a statistic over rows")
    if not all(numeric(d) for d in x.dtypes()):
        raise Unsupported("a statistic of texts")
    matrix = t.matrix(x.cells)
    missing = g.op("IsNaN", matrix)
    for name in ("sum", "any", "all"):
        if not getattr(x.shadow, name)(axis=1).equals(out):
            continue
        if name == "sum":
            checked(out.dtype)
            return [Cell(g.sum(g.op("Where", missing, g.number(0.0), matrix)))]
        if any(not is_bool(d) for d in x.dtypes()):
            raise Unsupported("any or all of numbers")
        return [t.truth(g.cast(g.op("ReduceMax" if name == "any" else "ReduceMin", matrix, g.ints(1), keepdims=1), "bool"))]
    raise Unsupported("this statistic of a row")
