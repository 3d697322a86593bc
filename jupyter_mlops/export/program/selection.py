"""Which columns: items, loc and iloc, read and written. Rows are never chosen."""

from __future__ import annotations

from typing import Any

from jupyter_mlops.export.graph import Unsupported
from jupyter_mlops.export.program.cells import Cell, Tracer
from jupyter_mlops.export.program.symbols import Accessor, Rows, Symbol, contains_symbol, shadow_of

__all__ = ["get_item", "picked", "set_item", "spread"]

_ALL = slice(None)


def picked(x: Symbol, choose: Any) -> list[Cell]:
    """The cells that a choice of columns leaves: it is made on a frame that holds the columns' positions."""
    import numpy as np
    import pandas as pd

    template = pd.DataFrame([range(len(x.cells))], columns=x.shadow.columns, dtype=object)
    chosen = choose(template)
    positions = np.asarray(chosen, dtype=object).ravel().tolist()
    if not all(isinstance(at, int) for at in positions):
        raise Unsupported("columns that are not there")
    return [x.cells[at] for at in positions]


def _every(rows: Any) -> bool:
    return isinstance(rows, slice) and rows == _ALL


def get_item(x: Symbol | Accessor, key: Any) -> tuple[Any, Any]:
    """What `x[key]` is: the real object and its cells, or a finished symbol."""
    import numpy as np

    if isinstance(x, Accessor):
        frame: Symbol = x.symbol
        if x.name not in ("loc", "iloc"):
            raise Unsupported(f"a single value by {x.name}")
        rows, columns = key if isinstance(key, tuple) and len(key) == 2 else (key, _ALL)
        if frame.kind != "DataFrame" or not _every(rows) or contains_symbol(columns):
            raise Unsupported("rows are chosen")
        out = getattr(frame.shadow, x.name)[:, columns]
        return out, picked(frame, lambda template: getattr(template, x.name)[:, columns])
    if contains_symbol(key):
        raise Unsupported("rows are chosen")
    if x.kind == "DataFrame":
        if isinstance(key, slice) or (isinstance(key, (list, np.ndarray)) and len(key) and isinstance(key[0], (bool, np.bool_))):
            raise Unsupported("rows are chosen")
        out = x.shadow[key]
        cells = picked(x, lambda template: template[key])
        if type(out).__name__ == "Series":
            return None, Symbol(out, cells, owner=(x, key))
        return out, cells
    if x.kind in ("ndarray", "sparse") and not x.flat and isinstance(key, tuple) and len(key) == 2 and _every(key[0]):
        chosen = np.arange(len(x.cells))[key[1]]
        return x.shadow[key], [x.cells[int(at)] for at in np.atleast_1d(chosen)]
    if x.kind == "ndarray" and x.flat and isinstance(key, tuple) and len(key) == 2 and _every(key[0]) and key[1] is None:
        return x.shadow[key], list(x.cells)
    raise Unsupported("rows are chosen")


def spread(t: Tracer, value: Any, width: int, like: Cell, rows: int) -> list[Cell]:
    """The cells of what is assigned to `width` columns: columns, or one value for all rows."""
    if isinstance(value, Symbol):
        if len(value.cells) != width:
            raise Unsupported(f"{len(value.cells)} columns for {width}")
        return list(value.cells)
    if contains_symbol(value):
        raise Unsupported("row labels as values")
    if hasattr(value, "__len__") and not isinstance(value, str):
        raise Unsupported("values that were recorded row by row")
    return [t.constant(value, t.base(like))] * width


def set_item(t: Tracer, x: Symbol | Accessor, key: Any, value: Any) -> None:
    """x[key] = value"""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if isinstance(x, Accessor):
            _set_located(t, x, key, value)
        elif x.kind == "DataFrame":
            _set_columns(t, x, key, value)
        elif x.kind == "ndarray" and not x.flat:
            _set_array(t, x, key, value)
        else:
            raise Unsupported("a change of single rows")


def _set_columns(t: Tracer, x: Symbol, key: Any, value: Any) -> None:
    if contains_symbol(key) or isinstance(key, slice):
        raise Unsupported("a change of some rows; use loc with a condition")
    if isinstance(value, Symbol) and value.kind == "sparse":
        raise Unsupported("a sparse matrix as columns")
    labels = list(key) if isinstance(key, list) or type(key).__name__ == "Index" else [key]
    cells = spread(t, value, len(labels), x.cells[0], len(x.shadow))
    if not x.shadow.columns.is_unique:
        raise Unsupported("columns of the same name")
    _aligned(x, value)
    x.shadow[key] = shadow_of(value)
    for label, cell in zip(labels, cells, strict=True):
        at = int(x.shadow.columns.get_loc(label))
        if at < len(x.cells):
            x.cells[at] = cell
        else:
            x.cells.append(cell)
    if len(x.cells) != x.shadow.shape[1]:
        raise Unsupported("columns that are made on the way")


def _aligned(x: Symbol, value: Any) -> None:
    if isinstance(value, Symbol) and hasattr(value.shadow, "index") and not value.shadow.index.equals(x.shadow.index):
        raise Unsupported("rows of another order")


def _set_located(t: Tracer, x: Accessor, key: Any, value: Any) -> None:
    """frame.loc[condition, columns] = value"""
    frame: Symbol = x.symbol
    if x.name not in ("loc", "iloc") or frame.kind != "DataFrame" or not isinstance(key, tuple) or len(key) != 2:
        raise Unsupported("a change of some rows")
    rows, columns = key
    if contains_symbol(columns) or isinstance(rows, Rows):
        raise Unsupported("a change of some rows")
    if x.name == "loc" and not isinstance(columns, (slice, list)) and columns not in frame.shadow.columns:
        if not _every(rows):
            # A new column: missing where the condition does not hold
            frame.shadow[columns] = float("nan")
            frame.cells.append(t.constant(float("nan"), t.base(frame.cells[0])))
    positions = [int(at) for at in _positions(frame, columns, x.name)] if _known(frame, columns, x.name) else []
    if not positions and _every(rows) and not isinstance(columns, (slice, list)):
        _set_columns(t, frame, columns, value)
        return
    new = spread(t, value, len(positions), frame.cells[0], len(frame.shadow))
    _aligned(frame, value)
    if not _every(rows):
        if not isinstance(rows, Symbol) or not rows.flat or rows.shadow.dtype != bool:
            raise Unsupported("rows that are chosen by anything but a condition")
        condition = t.holds(rows.cell)
        new = [t.where(condition, one, frame.cells[at]) for at, one in zip(positions, new, strict=True)]
    getattr(frame.shadow, x.name)[shadow_of(rows), columns] = shadow_of(value)
    for at, one in zip(positions, new, strict=True):
        frame.cells[at] = one


def _known(frame: Symbol, columns: Any, name: str) -> bool:
    try:
        _positions(frame, columns, name)
    except (KeyError, IndexError):
        return False
    return True


def _positions(frame: Symbol, columns: Any, name: str) -> list[Any]:
    import numpy as np
    import pandas as pd

    template = pd.DataFrame([range(len(frame.cells))], columns=frame.shadow.columns)
    return list(np.asarray(getattr(template, name)[:, columns]).ravel().tolist())


def _set_array(t: Tracer, x: Symbol, key: Any, value: Any) -> None:
    import numpy as np

    if not isinstance(key, tuple) or len(key) != 2 or not _every(key[0]) or contains_symbol(key[1]):
        raise Unsupported("a change of some rows of an array")
    positions = np.atleast_1d(np.arange(len(x.cells))[key[1]]).tolist()
    cells = spread(t, value, len(positions), x.cells[0], x.shadow.shape[0])
    given = (
        value.shadow.dtype if isinstance(value, Symbol) and hasattr(value.shadow, "dtype") else np.asarray(shadow_of(value)).dtype
    )
    if x.shadow.dtype != object and np.result_type(x.shadow.dtype, given) != x.shadow.dtype:
        raise Unsupported(f"values of {given} written into an array of {x.shadow.dtype}")
    x.shadow = x.shadow.copy()
    x.shadow[key] = shadow_of(value)
    for at, cell in zip(positions, cells, strict=True):
        x.cells[at] = cell
