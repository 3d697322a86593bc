"""Attributes, items, operators and calls, where a column is involved."""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Callable
from types import FunctionType
from typing import Any

from jupyter_mlops.export.graph import Unsupported
from jupyter_mlops.export.program import element_calls, elements, selection
from jupyter_mlops.export.program.arithmetic import operate
from jupyter_mlops.export.program.cells import MOST_LEVELS, Cell, Tracer
from jupyter_mlops.export.program.functions import Function, source_of
from jupyter_mlops.export.program.levels import category_codes
from jupyter_mlops.export.program.registry import Operation, find_function, find_method
from jupyter_mlops.export.program.symbols import (
    Accessor,
    Element,
    Method,
    Record,
    Rows,
    Symbol,
    contains_symbol,
    shadow_of,
    width_of,
)

__all__ = ["Caller"]

_ACCESSORS = {"str", "dt", "cat", "loc", "iloc", "at", "iat"}
_CONCRETE = {"columns", "dtypes", "dtype", "name", "ndim", "categories", "ordered"}


class Caller:
    """What the interpreter asks for everything that is not plain Python."""

    def __init__(self, tracer: Tracer, package: str, rows: int) -> None:
        self.t = tracer
        self.package = package
        self.rows = rows
        self.run: Callable[[Function, tuple[Any, ...], dict[str, Any]], Any]
        self.interpreter: Any = None
        tracer.caller = self

    # -- attributes and items -------------------------------------------------------------------------------------------

    def attribute(self, value: Any, name: str) -> Any:
        """value.name"""
        if isinstance(value, Symbol):
            return self._symbol_attribute(value, name)
        if isinstance(value, Accessor):
            if name in _CONCRETE:
                return getattr(getattr(value.symbol.shadow, value.name), name)
            found = getattr(type(getattr(value.symbol.shadow, value.name)), name, None)
            if found is not None and not callable(found):
                return self._method(value, name, (), {})
            return Method(value, name)
        if isinstance(value, Record):
            return elements.record_attribute(value, name)
        if isinstance(value, Element):
            return Method(value, name)
        if isinstance(value, (Rows, Method)):
            raise Unsupported("the row labels or the number of rows")
        return getattr(value, name)

    def _symbol_attribute(self, value: Symbol, name: str) -> Any:
        if value.kind == "DataFrame" and name in value.shadow.columns and not hasattr(type(value.shadow), name):
            return self.item(value, name)
        if name in _CONCRETE:
            return getattr(value.shadow, name)
        if name == "shape":
            return (Rows(None), *value.shadow.shape[1:])
        if name == "empty":
            return value.shadow.shape[-1] == 0 and not value.flat
        if name == "index":
            return Rows(value.shadow.index)
        if name == "codes" and value.kind == "Categorical":
            return self.wrap(value.shadow.codes, category_codes(self.t, value.cell, value.shadow.categories))
        if name == "values":
            return self._method(value, "to_numpy", (), {})
        if name in _ACCESSORS:
            return Accessor(value, name)
        return Method(value, name)

    def item(self, value: Any, key: Any) -> Any:
        """value[key]"""
        if isinstance(value, Accessor) and value.name == "str":
            return self._method(value, "__getitem__", (key,), {})
        if isinstance(value, (Symbol, Accessor)):
            return self.wrap(*selection.get_item(value, key))
        if isinstance(value, (Element, Record)):
            return elements.get_item(self.t, value, key)
        if isinstance(key, Element):
            return elements.look_up(self.t, value, key)
        if type(value).__name__ == "CClass" and isinstance(key, tuple):  # np.c_[a, b]
            from jupyter_mlops.export.program.tables import beside

            return self.wrap(value[shadow_of(key)], beside(value[shadow_of(key)], key))
        if contains_symbol(key):
            raise Unsupported("a lookup with a column as the key")
        return value[key]

    def set_item(self, value: Any, key: Any, new: Any) -> None:
        """value[key] = new"""
        if isinstance(value, (Symbol, Accessor)):
            selection.set_item(self.t, value, key, new)
        elif isinstance(value, (Element, Record, Rows)) or contains_symbol(key):
            raise Unsupported("a change of a single value")
        else:
            value[key] = new

    def delete_item(self, value: Any, key: Any) -> None:
        """del value[key]"""
        if isinstance(value, Symbol):
            made = self._method(value, "drop", (), {"columns": [key]})
            value.shadow, value.cells = made.shadow, made.cells
        else:
            del value[key]

    def set_attribute(self, value: Any, name: str, new: Any) -> None:
        """value.name = new"""
        if not isinstance(value, Symbol):
            raise Unsupported(f"a change of the attribute {name}")
        if value.kind == "DataFrame" and name in value.shadow.columns:
            self.set_item(value, name, new)
        elif name in ("columns", "name") and not contains_symbol(new):
            setattr(value.shadow, name, new)
        elif name == "index" and isinstance(new, Rows):
            pass
        else:
            raise Unsupported(f"a change of the attribute {name}")

    # -- operators ------------------------------------------------------------------------------------------------------

    def operate(self, name: str, *operands: Any) -> Any:
        """An operator by its name in `operator`."""
        if any(isinstance(one, Element) for one in operands):
            return elements.operate(self.t, name, *operands)
        if any(isinstance(one, Symbol) for one in operands):
            return self.wrap(*operate(self.t, name, *operands))
        if any(map(contains_symbol, operands)) and not all(isinstance(one, (list, tuple)) for one in operands):
            raise Unsupported("the row labels or the number of rows")
        return getattr(operator, name)(*operands)

    def element_truth(self, value: Element) -> str:
        """Python's truth of a value, a boolean tensor."""
        return elements.truth(self.t, value)

    def identical(self, left: Any, right: Any, wanted: bool) -> bool:
        """left is right"""
        if isinstance(left, Element) or isinstance(right, Element):
            if left is None or right is None:  # a missing value is nan
                return not wanted
            raise Unsupported("`is` with a value of a row")
        return (left is right) == wanted

    def within(self, left: Any, right: Any) -> Any:
        """left in right"""
        if isinstance(left, Element) or isinstance(right, Element):
            return elements.within(self.t, left, right)
        if isinstance(right, Symbol):
            if right.kind != "DataFrame":
                raise Unsupported("a search among rows")
            return left in right.shadow.columns
        if isinstance(left, Symbol):
            raise Unsupported("a search for a whole column")
        return left in right

    # -- calls ----------------------------------------------------------------------------------------------------------

    def call(self, called: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """called(*args, **kwargs)"""
        if isinstance(called, Method):
            if isinstance(called.receiver, Element):
                return element_calls.method(self.t, called.receiver, called.name, args, kwargs)
            return self._method(called.receiver, called.name, args, kwargs)
        if isinstance(called, Function):
            return self.run(called, args, kwargs)
        if not contains_symbol(args) and not contains_symbol(kwargs):
            return called(*args, **kwargs)
        if _has_element((*args, *kwargs.values())) or isinstance(getattr(called, "__self__", None), Element):
            found = element_calls.function(self.t, called, args, kwargs)
            if found is not NotImplemented:
                return found
        else:
            found = self._builtin(called, args)
            if found is not NotImplemented:
                return found
            registered = find_function(called)
            if registered is not None:
                return self._apply(registered, called, args, kwargs)
            fitted = getattr(called, "__self__", None)
            if hasattr(fitted, "get_params"):
                from jupyter_mlops.export.program.fitted import call_fitted

                return self.wrap(*call_fitted(self.t, fitted, called.__name__, args, kwargs))
        owner = getattr(called, "__self__", None)
        if type(owner) in (list, dict, set) or (isinstance(called, type) and self.ours(called)):
            return called(*args, **kwargs)
        if isinstance(called, FunctionType) and self.ours(called):
            return self.run(self.function(called), args, kwargs)
        raise Unsupported(f"{getattr(called, '__qualname__', called)} of a column")

    def ours(self, called: Any) -> bool:
        """Whether a function or class is the generated package's."""
        return str(getattr(called, "__module__", "")).split(".")[0] == self.package.split(".")[0]

    def function(self, called: FunctionType) -> Function:
        """A function of the generated package, to be walked."""
        from jupyter_mlops.export.program.expressions import Scope

        module = str(called.__module__).split(".")[-1]
        named = [
            (called.__kwdefaults__[name],) if called.__kwdefaults__ and name in called.__kwdefaults__ else None
            for name in called.__code__.co_varnames[called.__code__.co_argcount :][: called.__code__.co_kwonlyargcount]
        ]
        scope = Scope(called.__globals__, None, module)
        return Function(source_of(called), scope, module, list(called.__defaults__ or ()), named, self.run)

    def _builtin(self, called: Any, args: tuple[Any, ...]) -> Any:
        """The few built-in functions that ask for no value of a row."""
        first = args[0] if args else None
        if called is isinstance and not isinstance(first, Element):
            return isinstance(shadow_of(first), args[1])
        if called is type:
            return type(shadow_of(first))
        if called in (print, id):
            return None
        if called in (list, set, tuple, sorted, enumerate) and isinstance(first, Symbol) and first.kind == "DataFrame":
            return called(list(first.shadow.columns), *args[1:])
        if called in (list, tuple, dict, zip, enumerate, reversed) and not any(isinstance(a, (Symbol, Rows)) for a in args):
            return called(*args)
        if called is len and not isinstance(first, (Symbol, Rows)):
            return len(first)
        if called is hasattr:
            return hasattr(shadow_of(first), args[1])
        if called is getattr and isinstance(first, Symbol):
            return self.attribute(first, args[1])
        return NotImplemented

    def _method(self, receiver: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        symbol: Symbol = receiver.symbol if isinstance(receiver, Accessor) else receiver
        kind = receiver.name if isinstance(receiver, Accessor) else symbol.kind
        found = find_method(kind, name)
        if found is None:
            raise Unsupported(f"{kind}.{name} has no counterpart in ONNX")
        in_place = bool(kwargs.get("inplace", False))
        kwargs = {key: one for key, one in kwargs.items() if key not in ("inplace", "copy")}
        shadow = getattr(symbol.shadow, kind) if isinstance(receiver, Accessor) else symbol.shadow
        takes_arguments = callable(getattr(type(shadow), name, None))

        def ask(of: Any) -> Any:
            found_there = getattr(of, name)  # `dt.year` is no method
            return found_there(*shadow_of(args), **shadow_of(kwargs)) if takes_arguments else found_there

        out = _really(lambda: ask(shadow), f"{kind}.{name}")
        try:
            cells = self._cells(found, out, symbol, args, kwargs)
        except Unsupported as error:
            if not found.tabulates or contains_symbol(args) or contains_symbol(kwargs):
                raise
            cells = self._tabulated(
                symbol, lambda series: ask(getattr(series, kind) if isinstance(receiver, Accessor) else series), error
            )
        made = self.wrap(out, cells)
        if not in_place:
            return made
        symbol.shadow, symbol.cells = made.shadow, made.cells
        if symbol.owner is not None:
            frame, label = symbol.owner
            selection.set_item(self.t, frame, label, made)
        return None

    def _apply(self, found: Operation, called: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        kwargs = {key: one for key, one in kwargs.items() if key != "copy"}
        out = _really(lambda: called(*shadow_of(args), **shadow_of(kwargs)), str(getattr(called, "__name__", called)))
        bound = _bound(found, (self.t, out, *args), kwargs)
        return self.wrap(out, found.run(*bound.args, **bound.kwargs))

    def _cells(self, found: Operation, out: Any, symbol: Symbol, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        bound = _bound(found, (self.t, out, symbol, *args), kwargs)
        return found.run(*bound.args, **bound.kwargs)

    def _tabulated(self, symbol: Symbol, ask: Callable[[Any], Any], error: Unsupported) -> list[Cell]:
        """One question to pandas for each value that the column can have, and one for a missing value."""
        import pandas as pd

        domain = symbol.cells[0].domain if len(symbol.cells) == 1 and symbol.kind == "Series" else None
        if domain is None or len(domain) > MOST_LEVELS or symbol.cell.kind not in ("text", "number"):
            raise error
        if elements.has_none(symbol):
            raise error
        results: list[Any] = []
        raises: list[int] = []
        for position, value in enumerate([*domain, math.nan]):
            try:
                series = pd.Series([value], dtype=object).astype(symbol.shadow.dtype)
                results.append(ask(series).iloc[0])
            except Exception:  # whatever the notebook's code raises, it raises in production too
                results.append(math.nan)
                raises.append(position)
        t, cell = self.t, symbol.cell
        code = t.code(cell, domain)
        t.refuse(t.g.op("And", t.g.op("Less", code, t.g.ints(0)), t.g.op("Not", t.missing(cell))))
        for position in raises:
            t.refuse(t.missing(cell) if position == len(domain) else t.g.op("Equal", code, t.g.ints(position)))
        return [t.pick(code, results[:-1], results[-1])]

    def wrap(self, out: Any, cells: Any) -> Any:
        """The result of an operation; it must have the same rows, and a cell for each column."""
        if not isinstance(cells, list):
            return cells
        if not hasattr(out, "shape") or not out.shape or out.shape[0] != self.rows:
            raise Unsupported("rows are added or dropped, or put together")
        if width_of(out) != len(cells):
            raise Unsupported(f"it gives {width_of(out)} columns, not {len(cells)}")
        if hasattr(out, "index") and not out.index.equals(self.index):
            raise Unsupported("the order or the labels of rows change")
        return Symbol(out, cells)

    @property
    def index(self) -> Any:
        """The labels of the sample rows."""
        import pandas as pd

        return pd.RangeIndex(self.rows)


def _has_element(values: Any) -> bool:
    return any(isinstance(v, (Element, Record)) or (isinstance(v, (list, tuple)) and _has_element(v)) for v in values)


def _bound(found: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]) -> inspect.BoundArguments:
    try:
        return inspect.signature(found.run).bind(*args, **kwargs)
    except TypeError as error:
        raise Unsupported(f"these arguments ({error})") from error


def _really(ask: Callable[[], Any], what: str) -> Any:
    """What pandas makes of the sample rows."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ask()
        except Unsupported:
            raise
        except Exception as error:
            raise Unsupported(f"{what} fails on the sample rows: {type(error).__name__}: {str(error)[:200]}") from error
