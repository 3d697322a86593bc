"""Values by value: map, replace, isin, choices by condition, texts read as numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_mlops.export.graph import Unsupported
from jupyter_mlops.export.program import elements
from jupyter_mlops.export.program.arithmetic import numeric
from jupyter_mlops.export.program.cells import Cell, Tracer, is_missing, plain
from jupyter_mlops.export.program.registry import function, method
from jupyter_mlops.export.program.symbols import Symbol, contains_symbol
from jupyter_mlops.export.program.texts import spaces_class

__all__ = ["by_table", "parse_number"]


def by_table(t: Tracer, cell: Cell, table: Mapping[Any, Any], default: Any = math.nan) -> Cell:
    """table.get(value, default) for each value; a missing one is found under a missing key."""
    keys = [key for key in table if not is_missing(key)]
    gaps = [table[key] for key in table if is_missing(key)]
    made = t.pick(t.code(cell, keys), [table[key] for key in keys], default)
    if gaps or not is_missing(default):
        missing = t.constant(gaps[0] if gaps else default, t.base(cell))
        made = t.where(t.missing(cell), missing, made)
    return made


@method("Series", "map", tabulates=True)
def _map(t: Tracer, out: Any, x: Symbol, arg: Any, na_action: str | None = None) -> list[Cell]:
    import collections

    import pandas as pd

    if contains_symbol(arg):
        raise Unsupported("a map by a column")
    cell = x.cell
    if isinstance(arg, pd.Series):
        if not arg.index.is_unique:
            raise Unsupported("a map by a series with equal labels")
        return [by_table(t, cell, dict(zip(arg.index, arg.array, strict=True)))]
    if isinstance(arg, dict):
        if isinstance(arg, collections.Counter):
            return [by_table(t, cell, arg, 0)]
        if hasattr(arg, "__missing__"):
            raise Unsupported("a map by a dictionary that makes its values")
        return [by_table(t, cell, arg)]
    made = elements.apply(t, x, arg, (), {})
    if na_action == "ignore":
        made = t.where(t.missing(cell), t.constant(math.nan, t.base(cell)), made)
    return [made]


@method("Series", "apply", tabulates=True)
def _apply(
    t: Tracer, out: Any, x: Symbol, /, func: Any, convert_dtype: Any = True, args: tuple[Any, ...] = (), **kwargs: Any
) -> list[Cell]:
    if isinstance(func, str) or contains_symbol((args, kwargs)):
        raise Unsupported("a function by its name")
    return [elements.apply(t, x, func, args, kwargs)]


@method("DataFrame", "apply")
def _apply_rows(
    t: Tracer,
    out: Any,
    x: Symbol,
    /,
    func: Any,
    axis: Any = 0,
    raw: bool = False,
    result_type: Any = None,
    args: tuple[Any, ...] = (),
    **kwargs: Any,
) -> Any:
    if raw or result_type is not None or contains_symbol((args, kwargs)):
        raise Unsupported("apply with these arguments")
    if axis in (1, "columns"):
        return [elements.apply_rows(t, x, func, args, kwargs)]
    cells = []
    for at, label in enumerate(x.shadow.columns):
        one = t.caller.call(func, (Symbol(x.shadow.iloc[:, at], [x.cells[at]]), *args), kwargs)
        if not isinstance(one, Symbol):
            raise Unsupported(f"a function that gives no column for {label!r}")
        cells.append(one.cell)
    return cells


@method("DataFrame", "map", "applymap")
def _apply_cells(t: Tracer, out: Any, x: Symbol, func: Any, na_action: Any = None) -> list[Cell]:
    if na_action is not None:
        raise Unsupported("na_action")
    return [elements.apply(t, Symbol(x.column(at), [cell]), func, (), {}) for at, cell in enumerate(x.cells)]


@method("Series DataFrame", "isin")
def _isin(t: Tracer, out: Any, x: Symbol, values: Any) -> list[Cell]:
    if contains_symbol(values) or isinstance(values, dict):
        raise Unsupported("isin of columns")
    return [t.truth(t.among(cell, list(values))) for cell in x.cells]


def _pairs(to_replace: Any, value: Any) -> dict[Any, Any]:
    import pandas as pd

    if isinstance(to_replace, (dict, pd.Series)) and value is None:
        return dict(to_replace.items())
    many = isinstance(to_replace, (list, tuple))
    if many and isinstance(value, (list, tuple)):
        return dict(zip(to_replace, value, strict=True))
    if value is None and not many:
        raise Unsupported("replace without a value")
    return dict.fromkeys(to_replace, value) if many else {to_replace: value}


def _replaced(t: Tracer, cell: Cell, table: dict[Any, Any]) -> Cell:
    """Values that are keys become theirs, others stay."""
    table = {plain(k): plain(v) for k, v in table.items()}
    missing = [v for k, v in table.items() if is_missing(k)]
    known = {k: v for k, v in table.items() if not is_missing(k) and isinstance(k, str) == (cell.kind == "text")}
    if cell.kind not in ("text", "number"):
        raise Unsupported("dates that are replaced")
    made = cell
    if known:
        code = t.code(cell, list(known))
        chosen = t.pick(code, list(known.values()), math.nan)
        if chosen.domain == ():
            chosen = t.alike(chosen, cell)[0]
        hit = t.g.op("GreaterOrEqual", code, t.g.ints(0))
        if chosen.kind == cell.kind:
            rest = (
                cell if cell.domain is None else Cell(**{**vars(cell), "domain": tuple(v for v in cell.domain if v not in known)})
            )
            if cell.edits and cell.domain is not None and not rest.domain and cell.filled is None:
                made = chosen
            else:
                made = t.where(hit, chosen, rest)
        elif chosen.kind == "number":
            # What no key is stays a text, which scikit-learn does not take for a number: the row is refused
            t.refuse(t.g.op("Not", t.g.op("Or", hit, t.missing(cell))))
            made = chosen
        else:
            raise Unsupported("numbers that become texts")
    if missing:
        made = t.where(t.missing(cell), t.constant(missing[0], t.base(cell)), made)
    return made


@method("Series", "replace", tabulates=True)
def _replace(
    t: Tracer, out: Any, x: Symbol, to_replace: Any = None, value: Any = None, *, regex: bool = False, limit: Any = None
) -> list[Cell]:
    if regex or limit is not None or contains_symbol((to_replace, value)):
        raise Unsupported("replace by a pattern")
    return [_replaced(t, x.cell, _pairs(to_replace, value))]


@method("DataFrame", "replace")
def _replace_all(
    t: Tracer, out: Any, x: Symbol, to_replace: Any = None, value: Any = None, *, regex: bool = False, limit: Any = None
) -> list[Cell]:
    if regex or limit is not None or contains_symbol((to_replace, value)):
        raise Unsupported("replace by a pattern")
    labels = list(x.shadow.columns)
    nested = isinstance(to_replace, dict) and any(isinstance(v, dict) for v in to_replace.values())
    if nested:
        return [
            _replaced(t, c, to_replace[label]) if label in to_replace else c for label, c in zip(labels, x.cells, strict=True)
        ]
    if isinstance(to_replace, dict) and value is not None:
        raise Unsupported("replace by column")
    table = _pairs(to_replace, value)
    out_cells = []
    for cell, dtype in zip(x.cells, x.dtypes(), strict=True):
        met = [k for k in table if isinstance(k, str) == (cell.kind == "text") or is_missing(k)]
        out_cells.append(
            _replaced(t, cell, {k: table[k] for k in met}) if met and (cell.kind == "text" or numeric(dtype)) else cell
        )
    return out_cells


# -- choices ------------------------------------------------------------------------------------------------------------


def _cell_of(t: Tracer, value: Any, like: Cell) -> Cell:
    if isinstance(value, Symbol):
        return value.cell
    if contains_symbol(value) or (isinstance(value, (Sequence, Mapping)) and not isinstance(value, str)):
        raise Unsupported("values that were recorded row by row")
    return t.constant(value, t.base(like))


def _condition(t: Tracer, value: Any) -> str:
    if not isinstance(value, Symbol):
        raise Unsupported("a condition that is no column")
    return t.holds(value.cell)


def _one_kind(t: Tracer, out: Any, cells: list[Cell]) -> None:
    """numpy makes texts of numbers, and "nan" of a missing value, where both come together."""
    import numpy as np

    if isinstance(out, np.ndarray) and out.dtype.kind in "US" and any(c.kind != "text" for c in cells):
        raise Unsupported("numpy makes texts of numbers and missing values here")


@function("numpy.where")
def _where(t: Tracer, out: Any, condition: Any, x: Any = None, y: Any = None) -> list[Cell]:
    if x is None or y is None:
        raise Unsupported("where without values")
    some = next(one for one in (condition, x, y) if isinstance(one, Symbol)).cell
    if not isinstance(condition, Symbol):
        raise Unsupported("a condition that is no column")
    cells = [_cell_of(t, one, some) for one in (x, y)]
    _one_kind(t, out, cells)
    return [t.where(_condition(t, condition), *cells)]


@function("numpy.select")
def _select(t: Tracer, out: Any, condlist: Any, choicelist: Any, default: Any = 0) -> list[Cell]:
    some = condlist[0].cell
    made = _cell_of(t, default, some)
    choices = [_cell_of(t, one, some) for one in choicelist]
    _one_kind(t, out, [made, *choices])
    for condition, chosen in reversed(list(zip(condlist, choices, strict=True))):
        made = t.where(_condition(t, condition), chosen, made)
    return [made]


@method("Series", "where")
def _keep(t: Tracer, out: Any, x: Symbol, cond: Any, other: Any = math.nan) -> list[Cell]:
    return [t.where(_condition(t, cond), x.cell, _cell_of(t, other, x.cell))]


@method("Series", "mask")
def _mask(t: Tracer, out: Any, x: Symbol, cond: Any, other: Any = math.nan) -> list[Cell]:
    return [t.where(_condition(t, cond), _cell_of(t, other, x.cell), x.cell)]


# -- texts as numbers ---------------------------------------------------------------------------------------------------


def parse_number(t: Tracer, cell: Cell, *, whole: bool = False, coerce: bool = False) -> Cell:
    """The number that a text stands for.

    A text that is a plain numeral is read; what Python would read but is not plain ("1_000", Arabic digits, "inf") is
    refused at run time rather than guessed. With `coerce`, what is certainly no number is missing.
    """
    if cell.domain is not None and (cell.edits or len(cell.domain) <= 1000):
        return _tabulated_number(t, cell, whole, coerce)
    g, text = t.g, t.tensor(cell)
    space = spaces_class()
    digits = r"[0-9]{1,15}" if whole else r"(?:[0-9]{1,200}(?:\.[0-9]{0,200})?|\.[0-9]{1,200})(?:[eE][+-]?[0-9]{1,2})?"
    plain_number = g.op("RegexFullMatch", text, pattern=rf"{space}*[+-]?{digits}{space}*")
    gap = t.missing(cell)
    nothing = gap
    if coerce:
        other = g.op("RegexFullMatch", text, pattern=rf"(?s).*[^\p{{Nd}}+\-._eEiInNfFaAtTyY{space[1:-1]}].*")
        no_digit = g.op("RegexFullMatch", text, pattern=r"(?s)[^\p{Nd}]*")
        word = g.op("RegexFullMatch", text, pattern=r"(?si).*(?:inf|nan).*")
        nothing = g.op("Or", g.op("Or", gap, other), g.op("And", no_digit, g.op("Not", word)))
    elif not whole:
        pass
    t.refuse(g.op("Not", g.op("Or", plain_number, g.op("And", nothing, g.op("Not", gap)) if whole else nothing)))
    # Blanks that only Python skips are taken away by reading the numeral alone
    token = g.op("Where", plain_number, text, t.text("nan"))
    return Cell(g.cast(_first_token(t, token), "double"))


def _first_token(t: Tracer, text: str) -> str:
    """The text without the blanks around it; it has none inside."""
    g = t.g
    words = g.op(
        "Tokenizer",
        g.flat(text),
        domain="com.microsoft",
        mark=0,
        pad_value="#",
        tokenexp=r"[^" + spaces_class()[1:-1] + "]+",
        mincharnum=1,
    )
    return g.columns(words, [0])


def _tabulated_number(t: Tracer, cell: Cell, whole: bool, coerce: bool) -> Cell:
    import pandas as pd

    results, bad = [], []
    for at, value in enumerate(cell.domain or ()):
        try:
            results.append(
                pd.to_numeric(pd.Series([value]), errors="coerce").iloc[0] if coerce else (int(value) if whole else float(value))
            )
        except ValueError:
            results.append(math.nan)
            bad.append(at)
    code = t.code(cell, list(cell.domain or ()))
    t.refuse(t.g.op("And", t.g.op("Less", code, t.g.ints(0)), t.g.op("Not", t.missing(cell))))
    for at in bad:
        t.refuse(t.g.op("Equal", code, t.g.ints(at)))
    if whole:
        t.refuse(t.missing(cell))
    return t.pick(code, results, math.nan)
