"""Whole tables: copies, names, columns put side by side. Rows stay as they are."""

from __future__ import annotations

from typing import Any

from jupyter_mlops.export.graph import Unsupported
from jupyter_mlops.export.program.cells import Cell, Tracer, is_missing, plain
from jupyter_mlops.export.program.registry import function, method
from jupyter_mlops.export.program.selection import picked, spread
from jupyter_mlops.export.program.symbols import Rows, Symbol

__all__ = ["beside"]


@method("DataFrame Series ndarray sparse", "copy")
def _copy(t: Tracer, out: Any, x: Symbol, deep: bool = True) -> list[Cell]:
    return list(x.cells)


@method("DataFrame Series", "infer_objects")
def _same(t: Tracer, out: Any, x: Symbol) -> list[Cell]:
    return list(x.cells)


@method("DataFrame Series", "reset_index")
def _reset_index(t: Tracer, out: Any, x: Symbol, drop: bool = False) -> list[Cell]:
    if not drop:
        raise Unsupported("the row labels as a column; use drop=True")
    return list(x.cells)


@method("DataFrame", "drop")
def _drop(
    t: Tracer,
    out: Any,
    x: Symbol,
    labels: Any = None,
    *,
    axis: Any = 0,
    index: Any = None,
    columns: Any = None,
    errors: str = "raise",
) -> list[Cell]:
    if index is not None or (labels is not None and axis in (0, "index")):
        raise Unsupported("rows are dropped")
    wanted = labels if columns is None else columns
    return picked(x, lambda template: template.drop(columns=wanted, errors=errors))


@method("DataFrame", "rename")
def _rename(
    t: Tracer,
    out: Any,
    x: Symbol,
    mapper: Any = None,
    *,
    index: Any = None,
    columns: Any = None,
    axis: Any = None,
    errors: str = "ignore",
) -> list[Cell]:
    if index is not None or (mapper is not None and axis in (None, 0, "index")):
        raise Unsupported("rows are renamed")
    return list(x.cells)


@method("Series", "rename")
def _rename_series(t: Tracer, out: Any, x: Symbol, index: Any = None) -> list[Cell]:
    if not isinstance(index, str):
        raise Unsupported("rows are renamed")
    return list(x.cells)


@method("DataFrame", "add_prefix", "add_suffix")
def _affix(t: Tracer, out: Any, x: Symbol, text: str) -> list[Cell]:
    return list(x.cells)


@method("DataFrame", "filter")
def _filter(
    t: Tracer, out: Any, x: Symbol, items: Any = None, like: Any = None, regex: Any = None, axis: Any = None
) -> list[Cell]:
    if axis in (0, "index"):
        raise Unsupported("rows are chosen")
    return picked(x, lambda template: template.filter(items=items, like=like, regex=regex))


@method("DataFrame", "select_dtypes")
def _select_dtypes(t: Tracer, out: Any, x: Symbol, include: Any = None, exclude: Any = None) -> list[Cell]:
    return picked(x, lambda template: template[list(out.columns)])


@method("DataFrame", "reindex")
def _reindex(
    t: Tracer, out: Any, x: Symbol, labels: Any = None, *, columns: Any = None, axis: Any = None, fill_value: Any = float("nan")
) -> list[Cell]:
    wanted = columns if columns is not None else labels if axis in (1, "columns") else None
    if wanted is None or not x.shadow.columns.is_unique:
        raise Unsupported("rows are put in another order")
    cells = dict(zip(x.shadow.columns, x.cells, strict=True))
    new = t.constant(fill_value, t.base(x.cells[0]))
    return [cells.get(label, new) for label in out.columns]


@method("DataFrame", "sort_index")
def _sort_index(t: Tracer, out: Any, x: Symbol, *, axis: Any = 0, **how: Any) -> list[Cell]:
    if axis not in (1, "columns"):
        raise Unsupported("rows are put in another order")
    return picked(x, lambda template: template.sort_index(axis=1, **how))


@method("DataFrame", "get")
def _get(t: Tracer, out: Any, x: Symbol, key: Any, default: Any = None) -> Any:
    return t.caller.item(x, key) if key in x.shadow.columns else default


@method("DataFrame", "insert")
def _insert(t: Tracer, out: Any, x: Symbol, loc: int, column: Any, value: Any, allow_duplicates: bool = False) -> None:
    x.cells.insert(loc, spread(t, value, 1, x.cells[0], len(x.shadow))[0])


@method("DataFrame", "assign")
def _assign(t: Tracer, out: Any, x: Symbol, /, **new: Any) -> Any:
    made = Symbol(x.shadow.copy(), list(x.cells))
    for name, value in new.items():
        if callable(value) and not isinstance(value, Symbol):
            value = t.caller.call(value, (made,), {})
        t.caller.set_item(made, name, value)
    return made


@method("DataFrame Series", "pipe")
def _pipe(t: Tracer, out: Any, x: Symbol, func: Any, /, *args: Any, **kwargs: Any) -> Any:
    return t.caller.call(func, (x, *args), kwargs)


@method("DataFrame", "join")
def _join(
    t: Tracer, out: Any, x: Symbol, other: Any, on: Any = None, how: str = "left", lsuffix: str = "", rsuffix: str = ""
) -> list[Cell]:
    if not isinstance(other, Symbol) or on is not None or how != "left":
        raise Unsupported("a join with a table of its own rows")
    return [*x.cells, *other.cells]


@method("Series", "to_frame")
def _to_frame(t: Tracer, out: Any, x: Symbol, name: Any = None) -> list[Cell]:
    return list(x.cells)


@method("DataFrame", "squeeze")
def _squeeze(t: Tracer, out: Any, x: Symbol, axis: Any = None) -> list[Cell]:
    return list(x.cells)


@method("ndarray", "reshape")
def _reshape(t: Tracer, out: Any, x: Symbol, *shape: Any) -> list[Cell]:
    wanted = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    if (
        (wanted == (-1, 1) and len(x.cells) == 1)
        or (wanted == (-1,) and len(x.cells) == 1)
        or (wanted == (-1, len(x.cells)) and not x.flat)
    ):
        return list(x.cells)
    raise Unsupported(f"reshape{wanted}")


@method("ndarray", "ravel", "flatten")
def _ravel(t: Tracer, out: Any, x: Symbol, order: str = "C") -> list[Cell]:
    if len(x.cells) != 1:
        raise Unsupported("several columns in one")
    return list(x.cells)


@method("sparse", "toarray", "todense", "tocsr", "tocsc")
def _dense(t: Tracer, out: Any, x: Symbol) -> list[Cell]:
    return list(x.cells)


@method(
    "DataFrame Series", "dropna", "drop_duplicates", "sample", "head", "tail", "query", "sort_values", "nlargest", "nsmallest"
)
def _rows(t: Tracer, out: Any, x: Symbol, *args: Any, **kwargs: Any) -> list[Cell]:
    raise Unsupported("rows are chosen or dropped")


# -- functions ----------------------------------------------------------------------------------------------------------


def _beside(objects: Any) -> list[Cell]:
    cells: list[Cell] = []
    for one in objects:
        if not isinstance(one, Symbol):
            raise Unsupported("a table of its own rows beside the columns")
        cells += one.cells
    return cells


@function("pandas.concat")
def _concat(
    t: Tracer, out: Any, objs: Any, *, axis: Any = 0, join: str = "outer", ignore_index: bool = False, sort: bool = False
) -> list[Cell]:
    if axis not in (1, "columns") or isinstance(objs, dict):
        raise Unsupported("rows are put below one another")
    return _beside(objs)


@function("numpy.concatenate")
def _concatenate(t: Tracer, out: Any, arrays: Any, axis: Any = 0) -> list[Cell]:
    if axis not in (1, -1):
        raise Unsupported("rows are put below one another")
    return beside(out, arrays)


@function("numpy.hstack", "numpy.column_stack")
def _hstack(t: Tracer, out: Any, tup: Any) -> list[Cell]:
    if len(out.shape) != 2:
        raise Unsupported("rows are put below one another")
    return beside(out, tup)


@function("scipy.hstack")
def _sparse_hstack(t: Tracer, out: Any, blocks: Any, format: Any = None, dtype: Any = None) -> list[Cell]:  # noqa: A002 - scipy's name
    if any(isinstance(one, Symbol) and one.flat for one in blocks):
        raise Unsupported("a vector as a row of a sparse matrix")
    return beside(out, blocks)


def beside(out: Any, arrays: Any) -> list[Cell]:
    """The cells of arrays side by side."""
    cells = _beside(arrays)
    if out.dtype.kind in "US" and any(cell.kind != "text" for cell in cells):
        raise Unsupported("numpy makes texts of numbers here")
    return cells


@function("numpy.array", "numpy.asarray", "numpy.ascontiguousarray")
def _array(t: Tracer, out: Any, a: Any, dtype: Any = None) -> list[Cell]:
    from jupyter_mlops.export.program.missing import convert

    if not isinstance(a, Symbol):
        raise Unsupported("an array of several columns")
    if dtype is None:
        return list(a.cells)
    return [convert(t, cell, before, out.dtype, dtype) for cell, before in zip(a.cells, a.dtypes(), strict=True)]


@function("numpy.squeeze", "numpy.ravel")
def _np_flat(t: Tracer, out: Any, a: Symbol) -> list[Cell]:
    if len(a.cells) != 1:
        raise Unsupported("several columns in one")
    return list(a.cells)


@function("pandas.DataFrame")
def _frame(t: Tracer, out: Any, data: Any = None, index: Any = None, columns: Any = None, dtype: Any = None) -> list[Cell]:
    if dtype is not None or (index is not None and not isinstance(index, Rows)):
        raise Unsupported("a frame with a dtype or with row labels of its own")
    if isinstance(data, dict):
        if columns is not None:
            raise Unsupported("a frame of some columns of a dictionary")
        like = next((one.cells[0] for one in data.values() if isinstance(one, Symbol)), None)
        if like is None:
            raise Unsupported("a frame that has no column of the rows")
        return [spread(t, one, 1, like, len(out))[0] for one in data.values()]
    if not isinstance(data, Symbol):
        raise Unsupported("a frame of a list")
    if data.kind in ("DataFrame", "Series") and columns is not None:
        if data.kind == "Series":
            raise Unsupported("a frame of a series by another name")
        return picked(data, lambda template: template[list(columns)])
    return list(data.cells)


@function("pandas.Series")
def _series(t: Tracer, out: Any, data: Any = None, index: Any = None, dtype: Any = None, name: Any = None) -> list[Cell]:
    if index is not None and not isinstance(index, Rows):
        raise Unsupported("a series with row labels of its own")
    if isinstance(data, Symbol):
        if dtype is None:
            return list(data.cells)
        from jupyter_mlops.export.program.missing import convert

        return [convert(t, data.cell, data.dtypes()[0], out.dtype, dtype)]
    if isinstance(index, Rows) and dtype is None and (isinstance(plain(data), (bool, int, float, str)) or is_missing(data)):
        raise Unsupported("a constant column made of row labels")
    raise Unsupported("a series of a list")


@function("schema.complete")
def _complete(t: Tracer, out: Any, raw: Symbol, columns: Any) -> list[Cell]:
    """Exactly these columns; one that a request does not bring holds the value given for it."""
    cells = dict(zip(raw.shadow.columns, raw.cells, strict=True))
    return [cells[name] if name in cells else _placeholder(t, value, raw.cells[0]) for name, value in columns.items()]


def _placeholder(t: Tracer, value: Any, like: Cell) -> Cell:
    try:
        return t.constant(value, t.base(like))
    except Unsupported:  # a date, say: whoever asks for it is refused
        return Cell(like.block, "mixed")
