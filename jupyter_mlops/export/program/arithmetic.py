"""Operators and numpy's element-wise functions, in double, and only where pandas computes in double or int64 as well."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from jupyter_mlops.export.converters.functions import BINARY
from jupyter_mlops.export.graph import Graph, Unsupported
from jupyter_mlops.export.program.cells import Cell, Tracer, is_missing, plain
from jupyter_mlops.export.program.symbols import Symbol, contains_symbol, shadow_of, width_of

__all__ = ["COMPARISONS", "binary", "checked", "is_bool", "numeric", "operand", "operate"]

COMPARISONS = {"eq", "ne", "lt", "le", "gt", "ge"}
_LOGIC = {"and_": "And", "or_": "Or", "xor": "Xor"}


def checked(dtype: Any) -> None:
    """Refuse a dtype in which pandas rounds or overflows otherwise than doubles do."""
    import numpy as np

    if isinstance(dtype, np.dtype):
        if dtype.kind in "iu" and dtype.itemsize == 8 and dtype.kind == "i":
            return
        if dtype.kind == "f" and dtype.itemsize == 8:
            return
    raise Unsupported(f"it computes in {dtype}, which doubles do not repeat")


def numeric(dtype: Any) -> bool:
    """Whether the values of a dtype are numbers or booleans."""
    import numpy as np

    return isinstance(dtype, np.dtype) and dtype.kind in "fiub"


def is_bool(dtype: Any) -> bool:
    """Whether a dtype is that of booleans without missing values."""
    return getattr(dtype, "kind", "") == "b"


def _remainder(g: Graph, a: str, b: str) -> str:
    """Python's and numpy's a % b for b != 0: the sign of the divisor."""
    rest = g.op("Mod", a, b, fmod=1)
    zero = g.number(0.0)
    differs = g.op("And", g.op("Not", g.op("Equal", rest, zero)), g.op("Xor", g.op("Less", rest, zero), g.op("Less", b, zero)))
    return g.op("Where", differs, g.op("Add", rest, b), rest)


def _divide_floor(g: Graph, a: str, b: str) -> str:
    """a // b for b != 0, as numpy computes it: the rest is taken off first."""
    quotient = g.op("Div", g.op("Sub", a, _remainder(g, a, b)), b)
    floor = g.op("Floor", quotient)
    nearer = g.op("Greater", g.op("Sub", quotient, floor), g.number(0.5))
    return g.op("Where", nearer, g.op("Add", floor, g.number(1.0)), floor)


_TENSOR: dict[str, Callable[[Graph, str, str], str]] = {
    "add": BINARY["add"], "sub": BINARY["subtract"], "mul": BINARY["multiply"], "truediv": BINARY["divide"],
    "pow": BINARY["power"], "mod": _remainder, "floordiv": _divide_floor,
    **{name: BINARY[full] for name, full in (
        ("eq", "equal"), ("lt", "less"), ("le", "less_equal"), ("gt", "greater"), ("ge", "greater_equal"))},
    "ne": lambda g, a, b: g.cast(g.op("Not", g.op("Equal", a, b)), "double"),
}  # fmt: skip


def operate(t: Tracer, name: str, a: Any, b: Any = None) -> tuple[Any, Any]:
    """An operator of Python on one or two columns or tables: what pandas makes of it, and the cells."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ask = getattr(operator, name)
        try:
            out = ask(shadow_of(a)) if b is None and name in ("neg", "pos", "invert") else ask(shadow_of(a), shadow_of(b))
        except Exception as error:
            raise Unsupported(f"it fails on the sample rows: {type(error).__name__}: {str(error)[:200]}") from error
    if name in ("neg", "pos", "invert"):
        return out, _sign(t, name, a, out)
    if not hasattr(out, "shape") or len(out.shape) == 0:
        raise Unsupported("it gives no column")
    width = width_of(out)
    left, right = operand(t, a, out, width), operand(t, b, out, width)
    if width > 4 and name in _TENSOR and (block := _block(t, name, a, b, left, right, out)) is not None:
        return out, block
    dtypes = (
        list(out.dtypes)
        if hasattr(out, "dtypes") and width_of(out) == len(getattr(out, "columns", [0])) and hasattr(out, "columns")
        else [out.dtype] * width
    )
    sides = [_dtypes(one, width) for one in (a, b)]
    return out, [
        binary(t, name, x, y, dtype, (sides[0][i], sides[1][i]))
        for i, (x, y, dtype) in enumerate(zip(left, right, dtypes, strict=True))
    ]


def _dtypes(value: Any, width: int) -> list[Any]:
    if isinstance(value, Symbol):
        found = value.dtypes()
        return found if len(found) == width else found * width
    return [None] * width


def operand(t: Tracer, value: Any, out: Any, width: int) -> list[Any]:
    """One cell or constant for each column of the result."""
    import numpy as np
    import pandas as pd

    if isinstance(value, Symbol):
        if hasattr(value.shadow, "index") and hasattr(out, "index") and not value.shadow.index.equals(out.index):
            raise Unsupported("rows are aligned by their labels")
        if value.kind == "DataFrame" and list(value.shadow.columns) != list(getattr(out, "columns", value.shadow.columns)):
            raise Unsupported("columns are aligned by their names")
        if len(value.cells) == width:
            return list(value.cells)
        if len(value.cells) == 1 and not value.flat:
            return list(value.cells) * width
        raise Unsupported("tables of different shapes")
    if contains_symbol(value):
        raise Unsupported("row labels as numbers")
    if isinstance(value, pd.Series):
        if not hasattr(out, "columns") or not set(out.columns) <= set(value.index):
            raise Unsupported("values that were recorded row by row")
        return [plain(value[label]) for label in out.columns]
    if isinstance(value, (list, tuple, np.ndarray)) and np.ndim(value) > 0:
        if hasattr(out, "columns") or len(out.shape) == 2:
            array = np.asarray(value)
            if array.size == width:
                return [plain(one) for one in array.ravel()]
        raise Unsupported("values that were recorded row by row")
    return [plain(value)] * width


def _block(t: Tracer, name: str, a: Any, b: Any, left: list[Any], right: list[Any], out: Any) -> list[Cell] | None:
    """Wide tables of numbers in one node."""
    sides = []
    if not all(numeric(dtype) for one in (a, b) if isinstance(one, Symbol) for dtype in one.dtypes()):
        return None
    if name in ("mod", "floordiv", "pow", "truediv") and not isinstance(a, Symbol):
        return None
    if name not in COMPARISONS:
        for dtype in out.dtypes if hasattr(out, "columns") else [out.dtype]:
            checked(dtype)
    if name in ("mod", "floordiv") and (isinstance(b, Symbol) or not all(right)):
        return None
    for side in (left, right):
        if all(isinstance(one, Cell) for one in side):
            sides.append(t.matrix(side))
        elif all(isinstance(one, (bool, int, float)) for one in side):
            sides.append(t.g.row([t.exact(one) for one in side]))
        else:
            return None
    return t.table(_TENSOR[name](t.g, *sides), len(left))


def binary(t: Tracer, name: str, a: Any, b: Any, dtype: Any, given: tuple[Any, Any]) -> Cell:
    """One column; `dtype` is the result's, `given` those of the operands (None: a constant)."""
    import numpy as np

    g = t.g
    cells = [one for one in (a, b) if isinstance(one, Cell)]
    kinds = {cell.kind for cell in cells}
    if "date" in kinds or "span" in kinds:
        from jupyter_mlops.export.program.dates import date_operator

        return date_operator(t, name, a, b)
    if name in COMPARISONS and "text" in kinds:
        return _compare_texts(t, name, a, b)
    if "text" in kinds:
        return _concatenate(t, name, a, b)
    if name in _LOGIC:
        if any(one is not None and not is_bool(one) for one in given) or any(not isinstance(x, (Cell, bool)) for x in (a, b)):
            raise Unsupported("and/or of anything but booleans without missing values")
        sides = [t.holds(one) if isinstance(one, Cell) else t.g.const(np.array([[one]])) for one in (a, b)]
        return t.truth(g.op(_LOGIC[name], *sides))
    if name not in _TENSOR:
        raise Unsupported(f"the operator {name}")
    for one in (a, b):
        if not isinstance(one, Cell) and not isinstance(one, (bool, int, float)) and not is_missing(one):
            if name in ("eq", "ne"):
                return t.truth(t.never(cells[0])) if name == "eq" else t.truth(g.op("Not", t.never(cells[0])))
            raise Unsupported(f"numbers and {one!r}")
    if any(isinstance(one, np.dtype) and one.kind == "O" for one in given) and name not in ("eq", "ne", "add", "sub", "mul"):
        raise Unsupported("numbers in an object column: convert it with astype first")
    if any(one is not None and not isinstance(one, np.dtype) for one in given):
        raise Unsupported(f"a column of dtype {next(one for one in given if one is not None and not isinstance(one, np.dtype))}")
    if name not in COMPARISONS:
        if not (isinstance(dtype, np.dtype) and dtype.kind == "O"):
            checked(dtype)
    elif any(isinstance(one, np.dtype) and one.kind == "f" and one.itemsize < 8 for one in given):
        raise Unsupported("it compares float32 values")
    if name in ("mod", "floordiv") and (isinstance(b, Cell) or b == 0 or is_missing(b)):
        raise Unsupported("the divisor is no constant other than 0")
    x, y = (t.number(one) if isinstance(one, Cell) else g.number(math.nan if is_missing(one) else t.exact(one)) for one in (a, b))
    made = _TENSOR[name](g, x, y)
    return Cell(made, domain=(False, True) if name in COMPARISONS else _combined(name, a, b))


def _combined(name: str, a: Any, b: Any) -> tuple[Any, ...] | None:
    """All values of the result where there are few."""
    sides = [one.domain if isinstance(one, Cell) else (one,) for one in (a, b)]
    if any(one is None for one in sides) or math.prod(len(one or ()) for one in sides) > 2000:
        return None
    try:
        return tuple(dict.fromkeys(getattr(operator, name)(x, y) for x in sides[0] or () for y in sides[1] or ()))
    except (ArithmeticError, TypeError, ValueError):
        return None


def _compare_texts(t: Tracer, name: str, a: Any, b: Any) -> Cell:
    if name not in ("eq", "ne"):
        raise Unsupported("the order of texts")
    g = t.g
    if isinstance(a, Cell) and isinstance(b, Cell):
        if {a.kind, b.kind} != {"text"}:
            raise Unsupported("texts and numbers")
        equal = g.op("And", g.op("Equal", t.tensor(a), t.tensor(b)), g.op("Not", t.missing(a)))
    else:
        cell, constant = (a, b) if isinstance(a, Cell) else (b, a)
        equal = t.never(cell) if is_missing(constant) else t.among(cell, [constant])
    return t.truth(g.op("Not", equal) if name == "ne" else equal)


def _concatenate(t: Tracer, name: str, a: Any, b: Any) -> Cell:
    """Texts one after the other; missing where one of them is."""
    if name != "add" or any(not isinstance(one, str) and not (isinstance(one, Cell) and one.kind == "text") for one in (a, b)):
        raise Unsupported(f"{name} of texts")
    g = t.g
    joined = g.op("StringConcat", *(t.tensor(one) if isinstance(one, Cell) else t.text(one) for one in (a, b)))
    for one in (a, b):
        if isinstance(one, Cell):
            joined = g.op("Where", t.missing(one), t.text(t.null), joined)
    return Cell(joined, "text", domain=_combined(name, a, b))


def _sign(t: Tracer, name: str, a: Symbol, out: Any) -> list[Cell]:
    cells = []
    for cell, dtype in zip(a.cells, a.dtypes(), strict=True):
        if name == "invert":
            if not is_bool(dtype):
                raise Unsupported("~ of anything but booleans without missing values")
            cells.append(t.truth(t.g.op("Not", t.holds(cell))))
            continue
        checked(dtype)
        cells.append(Cell(t.g.op("Neg", t.number(cell))) if name == "neg" else cell)
    return cells
