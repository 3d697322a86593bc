"""Categories: frozen levels, dummies, codes, bins, values by group."""

from __future__ import annotations

import math
from typing import Any

from jupyter_mlops.export.graph import Unsupported
from jupyter_mlops.export.program.cells import Cell, Tracer, is_missing, plain
from jupyter_mlops.export.program.registry import function, method
from jupyter_mlops.export.program.symbols import Symbol, contains_symbol

__all__ = ["category_codes", "restrict"]


def restrict(t: Tracer, cell: Cell, levels: list[Any]) -> Cell:
    """The value where it is one of the levels, else missing."""
    levels = [plain(one) for one in levels]
    if any(isinstance(one, str) != (cell.kind == "text") for one in levels):
        raise Unsupported("levels of another type than the column")
    made = t.pick(t.code(cell, levels), levels, math.nan)
    return made if made.domain else t.alike(made, cell)[0]


@function("state.with_levels")
def _with_levels(t: Tracer, out: Any, values: Symbol, levels: Any) -> list[Cell]:
    if isinstance(levels, dict):
        return [
            restrict(t, cell, list(levels[label])) if label in levels else cell
            for label, cell in zip(values.shadow.columns, values.cells, strict=True)
        ]
    return [restrict(t, values.cell, list(levels))]


@function("state.codes_of")
def _codes_of(t: Tracer, out: Any, values: Symbol, levels: Any) -> list[Cell]:
    if any(is_missing(one) for one in levels):
        raise Unsupported("a missing value among the levels")
    return [_code(t, values.cell, list(levels))]


def _code(t: Tracer, cell: Cell, levels: list[Any]) -> Cell:
    return Cell(t.g.cast(t.code(cell, levels), "double"), domain=tuple(range(-1, len(levels))))


@method("cat", "codes")
def _cat_codes(t: Tracer, out: Any, x: Symbol) -> list[Cell]:
    return category_codes(t, x.cell, x.shadow.cat.categories)


def category_codes(t: Tracer, cell: Cell, categories: Any) -> list[Cell]:
    """Position of each value among the categories, -1 for a missing one."""
    if cell.domain is None:
        raise Unsupported("a category column whose levels are not known")
    return [_code(t, cell, list(categories))]


@function("pandas.Categorical")
def _categorical(
    t: Tracer, out: Any, values: Symbol, categories: Any = None, ordered: Any = None, dtype: Any = None
) -> list[Cell]:
    if categories is None and getattr(dtype, "categories", None) is None:
        raise Unsupported("a category of levels that are those of the other rows")
    return [restrict(t, values.cell, list(out.categories))]


def _dummies(t: Tracer, cell: Cell, dtype: Any, drop_first: bool) -> list[Cell]:
    import numpy as np
    import pandas as pd

    if not isinstance(dtype, pd.CategoricalDtype):
        raise Unsupported("dummies of levels that are those of the other rows")
    levels = list(dtype.categories)
    first = 1 if drop_first else 0
    if len(levels) <= first:
        return []
    code = t.code(cell, levels)
    hits = t.g.op("Equal", code, t.g.const(np.arange(first, len(levels), dtype=np.int64).reshape(1, -1)))
    return t.table(t.g.cast(hits, "double"), len(levels) - first, domain=(False, True))


@function("pandas.get_dummies")
def _get_dummies(
    t: Tracer, out: Any, data: Symbol, prefix: Any = None, prefix_sep: Any = "_", dummy_na: bool = False, columns: Any = None,
    sparse: bool = False, drop_first: bool = False, dtype: Any = None,
) -> list[Cell]:  # fmt: skip
    import pandas as pd

    if dummy_na or sparse:
        raise Unsupported("dummy_na or sparse")
    if any(getattr(d, "kind", "") == "f" and d.itemsize < 4 for d in ([out.dtypes.iloc[0]] if len(out.columns) else [])):
        raise Unsupported("dummies as half floats")
    if data.kind == "Series":
        return _dummies(t, data.cell, data.shadow.dtype, drop_first)
    labels = list(data.shadow.columns)
    types = dict(zip(labels, data.dtypes(), strict=True))
    if columns is None:
        columns = [
            n
            for n in labels
            if getattr(types[n], "kind", "") == "O"
            or isinstance(types[n], pd.CategoricalDtype)
            or pd.api.types.is_string_dtype(types[n])
        ]
    cells = dict(zip(labels, data.cells, strict=True))
    made = [cells[name] for name in labels if name not in columns]
    for name in columns:
        made += _dummies(t, cells[name], types[name], drop_first)
    return made


@function("pandas.cut")
def _cut(
    t: Tracer, out: Any, x: Symbol, bins: Any, right: bool = True, labels: Any = None, retbins: bool = False, precision: int = 3,
    include_lowest: bool = False, duplicates: str = "raise", ordered: bool = True,
) -> list[Cell]:  # fmt: skip
    import numpy as np
    import pandas as pd

    if retbins or not np.ndim(bins) or contains_symbol((bins, labels)):
        raise Unsupported("bins that are cut anew")
    cell, g = x.cell, t.g
    if isinstance(bins, pd.IntervalIndex):
        raise Unsupported("bins as intervals")
    edges = np.asarray(bins, dtype=np.float64)
    if duplicates == "drop":
        edges = np.unique(edges)
    if len(edges) < 2 or (np.diff(edges) <= 0).any():
        raise Unsupported("bins that do not ascend")
    count = len(edges) - 1
    tensor = t.number(cell)
    passed = g.op("Greater" if right else "GreaterOrEqual", tensor, g.row(edges))
    position = g.sum(g.cast(passed, "int64"))
    if include_lowest:
        position = g.op("Where", g.op("Equal", tensor, g.number(float(edges[0]))), g.ints(1), position)
    nothing = g.op("Or", g.op("Less", position, g.ints(1)), g.op("Greater", position, g.ints(count)))
    code = g.op("Where", nothing, g.ints(-1), g.op("Sub", position, g.ints(1)))
    if labels is False:
        return [t.pick(code, list(range(count)), math.nan)]
    names = list(range(count)) if labels is None else list(labels)
    if labels is None:
        raise Unsupported("bins without labels, which are intervals")
    return [t.pick(code, names, math.nan)]


@function("state.by_group")
def _by_group(t: Tracer, out: Any, frame: Symbol, keys: Any, table: Any) -> list[Cell]:
    """A value for each row, found in a series by the row's key columns."""
    import pandas as pd

    names = [keys] if isinstance(keys, str) else list(keys)
    cells = dict(zip(frame.shadow.columns, frame.cells, strict=True))
    if not isinstance(table, pd.Series) or not table.index.is_unique:
        raise Unsupported("a table of groups of another form")
    if len(names) == 1:
        index = [key[0] if isinstance(key, tuple) else key for key in table.index]
        if any(is_missing(key) for key in index):
            raise Unsupported("a group of missing values")
        return [t.pick(t.code(cells[names[0]], index), list(table.array), math.nan)]
    if not isinstance(table.index, pd.MultiIndex) or table.index.nlevels != len(names):
        raise Unsupported("a table of groups of another form")
    rows = [tuple(map(plain, key)) for key in table.index]
    if any(is_missing(one) for key in rows for one in key):
        raise Unsupported("a group of missing values")
    g = t.g
    combined, size, codes = "", 1, []
    for at, name in enumerate(names):
        levels = list(dict.fromkeys(key[at] for key in rows))
        code = g.cast(t.code(cells[name], levels), "double")
        known = g.op("Where", g.op("Less", code, g.number(0.0)), g.number(math.nan), code)
        scaled = g.op("Mul", known, g.number(float(size)))
        combined = scaled if not combined else g.op("Add", combined, scaled)
        codes.append({level: position * size for position, level in enumerate(levels)})
        size *= len(levels)
    numbers = [sum(codes[at][one] for at, one in enumerate(key)) for key in rows]
    return [t.pick(t.code(Cell(combined), numbers), list(table.array), math.nan)]
