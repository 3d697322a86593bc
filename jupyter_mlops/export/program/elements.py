"""Functions that are applied to each value or to each row: Python's own semantics, on one value of a column.

They differ from those of a whole column: a missing text is a float that has no methods, a division by zero raises, and a
decision is taken for each value by itself (see `paths`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from jupyter_mlops.export.graph import Unsupported
from jupyter_mlops.export.program.cells import Cell, Tracer, is_missing, plain
from jupyter_mlops.export.program.functions import Function
from jupyter_mlops.export.program.paths import explore
from jupyter_mlops.export.program.symbols import Element, Record, Symbol, contains_symbol

__all__ = [
    "Pieces", "apply", "apply_rows", "boolean", "element", "floats_of", "get_item", "has_none", "look_up", "operate", "present",
    "record_attribute", "text", "truth", "within",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Pieces(Element):
    """text.split(separator)"""

    source: Cell = field(default_factory=lambda: Cell(""))
    separator: str = ""


def has_none(x: Symbol) -> bool:
    """Whether a column holds None: requests have nan in its place, which a function may tell from it."""
    import numpy as np

    return bool(x.shadow.dtype == object and any(value is None for value in np.asarray(x.shadow, dtype=object)))


# -- applying -----------------------------------------------------------------------------------------------------------


def apply(t: Tracer, x: Symbol, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Cell:
    """The function's value for each value of a series."""
    if x.kind != "Series":
        raise Unsupported("a function applied to anything but a series")
    if has_none(x):
        raise Unsupported("a function of a column that holds None, where requests hold nan")
    return _run(t, func, (Element(x.cell, x.shadow.dtype), *args), kwargs)


def apply_rows(t: Tracer, x: Symbol, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Cell:
    """The function's value for each row of a frame."""
    return _run(t, func, (Record(x), *args), kwargs)


def _run(t: Tracer, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Cell:
    caller = t.caller
    if isinstance(func, FunctionType):
        if not caller.ours(func):
            raise Unsupported(f"the function {func.__qualname__}")
        func = caller.function(func)
    if getattr(func, "__objclass__", None) is str and isinstance(args[0], Element):
        from jupyter_mlops.export.program.element_calls import method

        return _cell(t, method(t, args[0], func.__name__, args[1:], kwargs), args[0])
    if not isinstance(func, Function):
        return _cell(t, caller.call(func, args, kwargs), args[0])
    interpreter = caller.interpreter

    def once(paths: Any) -> Any:
        before, interpreter.paths = interpreter.paths, paths
        try:
            return interpreter.call(func, args, kwargs)
        finally:
            interpreter.paths = before

    made: Cell | None = None
    for condition, value, failed in reversed(explore(t.g, once)):
        if failed:
            t.guards.append(condition or t.g.cast(t.full(1.0, _like(t, args[0])), "bool"))
            continue
        one = _cell(t, value, args[0])
        made = one if made is None or condition is None else t.where(condition, one, made)
    if made is None:
        raise Unsupported("a function that raises for every value")
    return made


def _like(t: Tracer, value: Any) -> str:
    return t.base(value.table.cells[0] if isinstance(value, Record) else value.cell)


def _cell(t: Tracer, value: Any, like: Any) -> Cell:
    if isinstance(value, Pieces):
        raise Unsupported("a list for each row")
    if isinstance(value, Element):
        return value.cell
    if contains_symbol(value):
        raise Unsupported("a table for each row")
    return t.constant(math.nan if value is None else value, _like(t, like))


# -- items --------------------------------------------------------------------------------------------------------------


def record_attribute(row: Record, name: str) -> Any:
    """row.name"""
    if name in row.table.shadow.columns:
        return _of_record(row, name)
    raise Unsupported(f"{name} of a row")


def _of_record(row: Record, key: Any) -> Element:
    import numpy as np

    table = row.table
    if (
        contains_symbol(key)
        or isinstance(key, (list, slice))
        or key not in table.shadow.columns
        or not table.shadow.columns.is_unique
    ):
        raise Unsupported("a part of a row")
    at = int(table.shadow.columns.get_loc(key))
    column = Symbol(table.column(at), [table.cells[at]])
    if has_none(column):
        raise Unsupported("a function of a column that holds None, where requests hold nan")
    kinds = table.dtypes()
    alike = all(isinstance(d, np.dtype) and d.kind in "fiub" for d in kinds)
    return Element(
        column.cell, np.result_type(*kinds) if alike else kinds[at], boxed=alike
    )  # rows of one dtype hold numpy's scalars


def get_item(t: Tracer, value: Any, key: Any) -> Any:
    """row[column], text[position], pieces[position]"""
    from jupyter_mlops.export.program import strings

    if isinstance(value, Record):
        return _of_record(value, key)
    if contains_symbol(key):
        raise Unsupported("a position that depends on the row")
    if isinstance(value, Pieces):
        if not isinstance(key, int):
            raise Unsupported("several pieces of a text")
        one, short = strings.split(t, value.source, value.separator, key)
        t.refuse(short)
        return text(one)
    cell = present(t, value)
    if isinstance(key, slice):
        return text(strings.piece(t, cell, key))
    if key in (0, -1):
        t.refuse(strings.matches(t, cell, ()))
        return text(strings.piece(t, cell, slice(0, 1) if key == 0 else slice(-1, None)))
    raise Unsupported("a letter in the middle")


def look_up(t: Tracer, table: Any, key: Element) -> Element:
    """table[value]: a value that is no key raises."""
    import pandas as pd

    from jupyter_mlops.export.program.lookups import by_table

    if isinstance(table, pd.Series):
        table = dict(zip(table.index, table.array, strict=True)) if table.index.is_unique else None
    if not isinstance(table, dict) or hasattr(table, "__missing__"):
        raise Unsupported("a lookup by the value of a row")
    if any(is_missing(one) for one in table):
        raise Unsupported("a missing value as a key")
    t.refuse(t.g.op("Less", t.code(key.cell, list(table)), t.g.ints(0)))
    return element(by_table(t, key.cell, table))


# -- values -------------------------------------------------------------------------------------------------------------


def text(cell: Cell) -> Element:
    """A text as a value of the row."""
    return Element(cell, object)


def element(cell: Cell, whole: bool = False) -> Element:
    """A column's value, with the type that Python gives it."""
    import numpy as np

    if cell.kind == "text":
        return text(cell)
    known = cell.domain is not None and all(isinstance(one, int) for one in cell.domain)
    return Element(cell, np.dtype(np.int64 if whole or known else np.float64))


def boolean(t: Tracer, tensor: str) -> Element:
    """A boolean tensor as a value of the row."""
    return Element(t.truth(tensor), bool)


def present(t: Tracer, value: Any) -> Cell:
    """A text that is there: a missing one is a float, without the methods of a text."""
    if not isinstance(value, Element) or value.cell.kind != "text":
        raise Unsupported("a text is needed")
    t.refuse(t.missing(value.cell))
    return value.cell


def truth(t: Tracer, value: Element) -> str:
    """bool(value)"""
    if isinstance(value, Pieces):
        raise Unsupported("a decision on a list")
    if value.cell.kind == "text":
        return t.g.op("Not", t.among(value.cell, [""]))
    return t.holds(value.cell)


def floats_of(value: Any) -> bool:
    """Whether a number is a float; refused where doubles do not compute as it does."""
    import numpy as np

    if isinstance(value, Element):
        dtype = value.dtype
        if (
            not (isinstance(dtype, np.dtype) or dtype is bool)
            or np.dtype(dtype).kind not in "fib"
            or np.dtype(dtype).itemsize not in (1, 8)
        ):
            raise Unsupported(f"a number of dtype {dtype}")
        return np.dtype(dtype).kind == "f"
    if not isinstance(value, (bool, int, float)):
        raise Unsupported(f"a number is needed, not {value!r}")
    return isinstance(value, float)


def operate(t: Tracer, name: str, *operands: Any) -> Any:
    """An operator of Python on values of the row and constants."""
    import numpy as np

    from jupyter_mlops.export.program.arithmetic import COMPARISONS, binary

    operands = tuple(plain(one) if not isinstance(one, Element) else one for one in operands)
    cells = [one.cell if isinstance(one, Element) else one for one in operands]
    texts = [isinstance(one, str) or (isinstance(one, Cell) and one.kind == "text") for one in cells]
    if len(operands) == 1:
        if name not in ("neg", "pos") or texts[0]:
            raise Unsupported(f"the operator {name}")
        floats = floats_of(operands[0])
        number = t.number(cells[0])
        return Element(Cell(t.g.op("Neg", number) if name == "neg" else number), np.dtype(float if floats else int))
    if any(contains_symbol(one) and not isinstance(one, Element) for one in operands) or any(one is None for one in operands):
        if name in ("eq", "ne") and any(one is None for one in operands):
            return name == "ne"
        raise Unsupported("a value of the row and a whole column")
    if name in ("eq", "ne") and any(texts):
        if all(texts):
            return Element(binary(t, name, cells[0], cells[1], np.dtype(bool), (None, None)), bool)
        return name == "ne"  # a text and a number are never equal
    if any(texts):
        if name != "add" or not all(texts):
            raise Unsupported(f"{name} of texts")
        for one in operands:
            if isinstance(one, Element):
                present(t, one)
        return text(binary(t, name, cells[0], cells[1], np.dtype(object), (None, None)))
    floats = any(floats_of(one) for one in operands)
    if name == "truediv":
        floats = True
        divisor = operands[1]
        if isinstance(divisor, Element) and not any(isinstance(one, Element) and one.boxed for one in operands):
            t.refuse(t.g.op("Equal", t.number(divisor.cell), t.g.number(0.0)))
        elif not isinstance(divisor, Element) and divisor == 0:
            raise Unsupported("a division by zero")
    if name == "pow" and not (isinstance(operands[1], (int, float)) and operands[1] in (0.5, 1, 2, 3)):
        raise Unsupported("a power")
    if name == "pow" and operands[1] == 0.5:
        t.refuse(t.g.op("Less", t.number(cells[0]), t.g.number(0.0)))  # Python makes a complex number
        floats = True
    result = np.dtype(bool if name in COMPARISONS else float if floats else int)
    given = tuple(np.dtype(np.float64) if isinstance(one, Cell) else None for one in cells)
    if name in ("and_", "or_", "xor"):
        given = tuple(np.dtype(one.dtype) if isinstance(one, Element) else None for one in operands)
    boxed = any(isinstance(one, Element) and one.boxed for one in operands)
    return Element(
        binary(t, name, cells[0], cells[1], np.dtype(np.float64), (given[0], given[1])),
        bool if result.kind == "b" else result,
        boxed=boxed,
    )


def within(t: Tracer, left: Any, right: Any) -> Any:
    """left in right"""
    from jupyter_mlops.export.program.strings import matches
    from jupyter_mlops.export.program.texts import containing

    if isinstance(right, Element):
        if not isinstance(left, str):
            raise Unsupported("a search for a text that depends on the row")
        return boolean(t, matches(t, present(t, right), containing(left)))
    if not isinstance(left, Element) or isinstance(right, str) or contains_symbol(right):
        raise Unsupported("a search in this")
    keys = list(right)
    if any(is_missing(one) for one in keys):
        raise Unsupported("a missing value in a list")
    return boolean(t, t.among(left.cell, keys))
