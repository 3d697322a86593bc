"""Missing values, and conversions between dtypes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from jupyter_mlops.export.graph import Unsupported
from jupyter_mlops.export.program.arithmetic import checked, numeric
from jupyter_mlops.export.program.cells import Cell, Tracer, is_missing, plain
from jupyter_mlops.export.program.registry import function, method
from jupyter_mlops.export.program.symbols import Symbol, contains_symbol

__all__ = ["convert", "fill"]


def fill(t: Tracer, cell: Cell, value: Any) -> Cell:
    """The value in place of a missing one; `value` is a constant or a cell."""
    if not isinstance(value, Cell):
        value = plain(value)
        if is_missing(value):
            return cell
        if cell.kind == "text" and cell.edits:
            if not isinstance(value, str):
                raise Unsupported(f"{value!r} in a column of texts")
            return cell if cell.filled is not None else replace(cell, filled=value, domain=None)
        if cell.kind in ("date", "span"):
            raise Unsupported("dates that are filled")
        if isinstance(value, str) != (cell.kind == "text") and cell.domain != ():
            raise Unsupported(f"{value!r} in a column of {cell.kind}s")
        value = t.constant(value, t.base(cell))
    return t.where(t.missing(cell), value, cell)


@method("Series DataFrame", "fillna")
def _fillna(
    t: Tracer,
    out: Any,
    x: Symbol,
    value: Any = None,
    *,
    method: Any = None,
    axis: Any = None,
    limit: Any = None,
    downcast: Any = None,
) -> list[Cell]:
    import pandas as pd

    if method is not None or limit is not None or value is None:
        raise Unsupported("values of neighbouring rows")
    for cell, dtype in zip(x.cells, x.dtypes(), strict=True):
        if isinstance(dtype, pd.CategoricalDtype) and cell.domain is None:
            raise Unsupported("a category column whose levels are not known")
    if isinstance(value, Symbol):
        if len(value.cells) != len(x.cells) or value.kind != x.kind:
            raise Unsupported("a fill by a table of another shape")
        return [fill(t, cell, other) for cell, other in zip(x.cells, value.cells, strict=True)]
    if contains_symbol(value):
        raise Unsupported("a fill by columns")
    if isinstance(value, (dict, pd.Series)):
        if x.kind != "DataFrame":
            raise Unsupported("a fill by row labels")
        return [fill(t, c, value[label]) if label in value else c for label, c in zip(x.shadow.columns, x.cells, strict=True)]
    return [fill(t, cell, value) for cell in x.cells]


@method("Series DataFrame", "isna", "isnull")
@function("pandas.isna", "pandas.isnull")
def _isna(t: Tracer, out: Any, x: Symbol) -> list[Cell]:
    return [t.truth(t.missing(cell)) for cell in x.cells]


@method("Series DataFrame", "notna", "notnull")
@function("pandas.notna", "pandas.notnull")
def _notna(t: Tracer, out: Any, x: Symbol) -> list[Cell]:
    return [t.truth(t.g.op("Not", t.missing(cell))) for cell in x.cells]


@method("Series DataFrame ndarray", "astype")
def _astype(t: Tracer, out: Any, x: Symbol, dtype: Any, *, errors: str = "raise") -> list[Cell]:
    if errors != "raise" or contains_symbol(dtype):
        raise Unsupported("astype with errors")
    cells = []
    made = list(out.dtypes) if hasattr(out, "columns") else [out.dtype] * len(x.cells)
    for label, cell, before, after in zip(getattr(x.shadow, "columns", x.cells), x.cells, x.dtypes(), made, strict=True):
        asked = dtype.get(label) if isinstance(dtype, dict) else dtype
        cells.append(cell if asked is None else convert(t, cell, before, after, asked))
    return cells


def convert(t: Tracer, cell: Cell, before: Any, after: Any, asked: Any) -> Cell:
    """One column in another dtype."""
    import numpy as np
    import pandas as pd

    from jupyter_mlops.export.program.levels import restrict
    from jupyter_mlops.export.program.lookups import parse_number

    if isinstance(asked, pd.CategoricalDtype) and asked.categories is not None:
        return restrict(t, cell, list(asked.categories))
    if isinstance(after, pd.CategoricalDtype):
        if isinstance(before, pd.CategoricalDtype):
            return cell
        raise Unsupported('astype("category"): its levels are those of the other rows')
    if after == before:
        return (
            cell if asked not in (str, "str") or (cell.kind == "text" and not _has_gaps(t, cell)) else _to_text(t, cell, before)
        )
    if asked in (str, "str", "string"):
        return _to_text(t, cell, before)
    if not isinstance(after, np.dtype) or cell.kind in ("date", "span"):
        raise Unsupported(f"astype({after}) of {before}")
    if after.kind == "O":
        return cell
    if cell.kind == "text":
        if after.kind not in "fi" or after.itemsize < 8:
            raise Unsupported(f"texts as {after}")
        return parse_number(t, cell, whole=after.kind == "i")
    if after.kind == "b":
        return t.truth(t.holds(cell))
    if after.kind == "f":
        if after.itemsize < 8 and numeric(before) and (before.kind == "f" or before.itemsize > 2):
            return Cell(t.g.cast(t.g.cast(t.number(cell), {4: "float", 2: "float16"}[after.itemsize]), "double"))
        return cell
    if after.kind in "iu":
        if after.itemsize < 8:
            if not (numeric(before) and (before.kind == "b" or (before.kind in "iu" and np.can_cast(before, after)))):
                limits = np.iinfo(after)
                known = cell.domain is not None and all(limits.min <= v <= limits.max for v in cell.domain)
                if not known:
                    raise Unsupported(f"numbers as {after}, which may overflow")
        elif after.kind == "u":
            raise Unsupported("numbers as uint64")
        number = t.number(cell)
        if numeric(before) and before.kind in "iub":
            return cell
        bad = t.g.op("Or", t.g.op("IsNaN", number), t.g.op("IsInf", number))
        t.refuse(bad)  # pandas: Cannot convert non-finite values (NA or inf) to integer
        cut = t.g.op("Where", t.g.op("Less", number, t.g.number(0.0)), t.g.op("Ceil", number), t.g.op("Floor", number))
        domain = None if cell.domain is None else tuple(dict.fromkeys(int(v) for v in cell.domain))
        return Cell(cut, domain=domain)
    raise Unsupported(f"astype({after})")


def _has_gaps(t: Tracer, cell: Cell) -> bool:
    return cell.filled is None


def _to_text(t: Tracer, cell: Cell, before: Any) -> Cell:
    """str(value): a missing text becomes "nan"."""
    if cell.kind == "text":
        return fill(t, cell, "nan")
    if (
        cell.domain is not None
        and all(isinstance(v, (bool, int)) for v in cell.domain)
        and numeric(before)
        and before.kind in "iub"
    ):
        values = [bool(v) if before.kind == "b" else int(v) for v in cell.domain]
        return t.pick(t.code(cell, list(cell.domain)), [str(v) for v in values], "nan")
    if not numeric(before) or before.kind != "i" or cell.width == 0:
        raise Unsupported(f"the texts of numbers of dtype {before}")
    checked(before)
    t.refuse(t.missing(cell))  # beside a missing value pandas writes integers as floats
    return Cell(t.g.cast(t.g.cast(t.number(cell), "int64"), "string"), "text")


@method("ndarray Series DataFrame", "to_numpy")
def _to_numpy(t: Tracer, out: Any, x: Symbol, dtype: Any = None) -> list[Cell]:
    if x.kind == "Series" and dtype is not None:
        return [convert(t, x.cell, x.shadow.dtype, out.dtype, dtype)]
    if dtype is not None:
        raise Unsupported("to_numpy with a dtype")
    return list(x.cells)


@function("pandas.to_numeric")
def _to_numeric(t: Tracer, out: Any, arg: Symbol, errors: str = "raise") -> list[Cell]:
    from jupyter_mlops.export.program.lookups import parse_number

    if errors not in ("raise", "coerce"):
        raise Unsupported(f"errors={errors!r}")
    cell = arg.cell
    return [parse_number(t, cell, coerce=errors == "coerce") if cell.kind == "text" else Cell(t.number(cell), domain=cell.domain)]
