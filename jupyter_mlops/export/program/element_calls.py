"""Methods of texts and library functions, called on a value of the row."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from types import FunctionType
from typing import Any

from jupyter_mlops.export.converters.functions import UNARY
from jupyter_mlops.export.graph import Unsupported
from jupyter_mlops.export.program.cells import Cell, Tracer, is_missing
from jupyter_mlops.export.program.elements import Pieces, boolean, element, floats_of, operate, present, text, truth
from jupyter_mlops.export.program.symbols import Element, Record, contains_symbol

__all__ = ["function", "method"]

_EDITS = {"lower": 0, "upper": 0, "strip": 1, "lstrip": 1, "rstrip": 1}


def method(t: Tracer, value: Element, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """value.name(*args), a method of str."""
    from jupyter_mlops.export.program import strings
    from jupyter_mlops.export.program.texts import Edit

    if isinstance(value, Pieces) or kwargs or contains_symbol(args):
        raise Unsupported(f"{name} with these arguments")
    cell = present(t, value)
    if name in _EDITS and len(args) <= _EDITS[name]:
        return text(strings.edit(t, cell, Edit(name, args if args else (None,) if _EDITS[name] else ())))
    if name == "replace" and len(args) == 2 and len(args[0]) == 1 and len(args[1]) <= 1:
        return text(strings.edit(t, cell, Edit("replace", args)))
    if name in ("startswith", "endswith") and len(args) == 1:
        return boolean(t, (strings.beginning if name == "startswith" else strings.ending)(t, cell, args[0]))
    if name == "split" and len(args) == 1:
        return Pieces(replace(cell, kind="pieces"), object, source=cell, separator=args[0])
    raise Unsupported(f"str.{name} has no counterpart in ONNX")


def _is_instance(t: Tracer, value: Element, kinds: Any) -> Any:
    import numpy as np

    wanted = kinds if isinstance(kinds, tuple) else (kinds,)
    if isinstance(value, Pieces):
        return list in wanted
    if value.cell.kind == "text":
        there = t.g.op("Not", t.missing(value.cell))
        if str in wanted and float in wanted:
            return True
        return boolean(t, there) if str in wanted else boolean(t, t.missing(value.cell)) if float in wanted else False
    dtype = np.dtype(value.dtype)
    if (value.boxed and dtype.kind != "f") or dtype.kind == "O":
        raise Unsupported("the type of a number")
    python = {"f": float, "i": int, "b": bool}.get(dtype.kind)
    if python is None or (value.boxed and any(issubclass(one, np.generic) for one in wanted)):
        raise Unsupported("the type of a number")
    return issubclass(python, wanted)


def _extreme(t: Tracer, name: str, args: tuple[Any, ...]) -> Any:
    """min and max keep the first where the comparison fails."""
    best = args[0]
    for one in args[1:]:
        better = operate(t, "lt" if name == "min" else "gt", one, best)
        cells = [one.cell if isinstance(one, Element) else t.constant(one, t.base(better.cell)) for one in (one, best)]
        best = Element(t.where(t.holds(better.cell), *cells), float)
    return best


_DOMAINS: dict[str, Callable[[Tracer, str], str]] = {
    "log": lambda t, x: t.g.op("LessOrEqual", x, t.g.number(0.0)),
    "log2": lambda t, x: t.g.op("LessOrEqual", x, t.g.number(0.0)),
    "log10": lambda t, x: t.g.op("LessOrEqual", x, t.g.number(0.0)),
    "log1p": lambda t, x: t.g.op("LessOrEqual", x, t.g.number(-1.0)),
    "sqrt": lambda t, x: t.g.op("Less", x, t.g.number(0.0)),
    "exp": lambda t, x: t.g.op("Greater", x, t.g.number(709.0)),
    "fabs": lambda t, x: t.never(Cell(x)),
    "floor": lambda t, x: t.g.op("Or", t.g.op("IsNaN", x), t.g.op("IsInf", x)),
    "ceil": lambda t, x: t.g.op("Or", t.g.op("IsNaN", x), t.g.op("IsInf", x)),
}


def function(t: Tracer, called: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A library function on values of the row; NotImplemented for what is no such function."""
    import pandas as pd

    from jupyter_mlops.export.program import strings
    from jupyter_mlops.export.program.lookups import by_table, parse_number
    from jupyter_mlops.export.program.missing import convert

    name, first = getattr(called, "__name__", ""), args[0] if args else None
    module = str(getattr(called, "__module__", "") or "").split(".")[0]
    owner = getattr(called, "__self__", None)
    if isinstance(owner, dict) and name == "get" and isinstance(first, Element) and not kwargs:
        default = args[1] if len(args) > 1 else None
        if (hasattr(owner, "__missing__") and type(owner).__name__ not in ("Counter", "defaultdict")) or isinstance(
            default, Element
        ):
            raise Unsupported("a lookup with this default")
        if any(is_missing(key) for key in owner):
            raise Unsupported("a missing value as a key")
        return element(by_table(t, first.cell, owner, math.nan if default is None else default))
    if called is isinstance:
        return _is_instance(t, first, args[1]) if isinstance(first, Element) else NotImplemented
    if called in (min, max) and len(args) > 1 and not kwargs:
        return _extreme(t, name, args)
    if called in (list, tuple, zip, dict, enumerate, print):
        return called(*args) if not isinstance(first, (Element, Record)) else NotImplemented
    if not isinstance(first, Element) or kwargs or isinstance(first, Pieces):
        return NotImplemented
    cell = first.cell
    if called in (pd.isna, pd.isnull, pd.notna, pd.notnull) or (
        name in ("isnan",) and module in ("numpy", "math") and cell.kind == "number"
    ):
        gap = t.missing(cell)
        return boolean(t, t.g.op("Not", gap) if name in ("notna", "notnull") else gap)
    if len(args) > 1:
        return NotImplemented if isinstance(called, FunctionType) else _refuse(called)
    if called is len:
        return element(strings.length(t, present(t, first)), whole=True)
    if called is str:
        import numpy as np

        return text(convert(t, cell, np.dtype(first.dtype), np.dtype(object), str))
    if called is bool:
        return boolean(t, truth(t, first))
    if called in (int, float):
        if cell.kind == "text":
            if called is int:
                present(t, first)
            return element(parse_number(t, cell, whole=called is int), whole=called is int)
        import numpy as np

        floats_of(first)
        after = np.dtype(int if called is int else float)
        return Element(convert(t, cell, np.dtype(float), after, called), after)
    if called is abs or called is round:
        floats = floats_of(first)
        if called is round:
            import numpy as np

            return Element(convert(t, Cell(t.g.op("Round", t.number(cell))), np.dtype(float), np.dtype(int), int), np.dtype(int))
        return Element(Cell(UNARY["absolute"](t.g, t.number(cell))), first.dtype if floats or first.dtype is not bool else int)
    if module in ("numpy", "math") or type(called).__name__ == "ufunc":
        if name not in UNARY or cell.kind != "number":
            return _refuse(called)
        floats_of(first)
        number = t.number(cell)
        if module == "math":
            if name not in _DOMAINS:
                return _refuse(called)
            t.refuse(_DOMAINS[name](t, number))
        return element(Cell(UNARY[name](t.g, number)), whole=module == "math" and name in ("floor", "ceil"))
    return NotImplemented


def _refuse(called: Any) -> Any:
    raise Unsupported(f"{getattr(called, '__name__', called)} of a value of the row")
