"""Edge rows: real rows, each with one value moved to where models go wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from jupyter_mlops.export.parity import Predictions
    from jupyter_mlops.signature import Column, Signature

__all__ = ["accepted", "edge_rows"]

TEXTS = ("unseen category", "", " ", "Zürich Ünïcödé", "ПРИВЕТ мир", "東京", "É\u0301", "null", "1e5", "a" * 300)


def _numbers(values: Any, kind: str) -> Iterator[float]:
    """Extremes of a column, then the neighbours of its values, where split thresholds lie."""
    import numpy as np

    seen = np.asarray(values, dtype=np.float64)
    seen = np.unique(seen[np.isfinite(seen)])
    low, high = (float(seen[0]), float(seen[-1])) if len(seen) else (0.0, 1.0)
    yield from (low, high, 0.0, -1.0, 10 * high, -10 * abs(low) - 1, float(2**24 + 1), float(-(2**24) - 1))
    middle = seen[len(seen) // 2 : len(seen) // 2 + 2]
    if kind == "integer":
        yield from (float(low - 1), float(high + 1))
        return
    yield from (1e-12, -1e-12, 0.1, 1 / 3)
    for value in middle.tolist():
        yield from (float(np.nextafter(value, np.inf)), float(np.nextafter(value, -np.inf)))
    if len(middle) == 2:  # trees split halfway between two neighbouring values
        half = float(middle[0] + (middle[1] - middle[0]) / 2)
        yield from (half, float(np.nextafter(half, np.inf)), float(np.float32(half)), float(np.nextafter(half, -np.inf)))


def _null(values: Any) -> Any:
    """The missing value that this column uses: None stays None, anything else is NaN."""
    import numpy as np

    if getattr(getattr(values, "dtype", None), "kind", "") == "O" and any(value is None for value in values):
        return None
    return np.nan


def _values(column: Column, values: Any) -> Iterator[Any]:
    """The edge values of one column, in the order of what is found most often."""
    import pandas as pd

    yield _null(values)
    dtype = values.dtype
    if column.kind == "datetime":
        present = values.dropna()
        if len(present):
            yield from (present.min(), present.max(), present.max() + pd.Timedelta(days=3650))
    elif column.kind == "string":
        yield from TEXTS
        if column.categories:
            yield from (str(column.categories[0]).upper(), str(column.categories[-1]) + " ")
    elif column.kind == "boolean":
        yield from (True, False)
    elif isinstance(dtype, pd.CategoricalDtype):
        yield from dtype.categories
    else:
        yield from _numbers(values.to_numpy(dtype=float, na_value=float("nan")), column.kind)


def _put(frame: Any, name: Any, row: int, value: Any) -> Any | None:
    """The column with `value` at `row` in the column's own dtype, or None when that dtype cannot hold it."""
    import pandas as pd

    column = frame[name]
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        if not pd.isna(value) and value not in dtype.categories:
            return None  # a frame with this dtype cannot hold it
    elif getattr(dtype, "kind", "") in "iu" and not isinstance(dtype, pd.api.extensions.ExtensionDtype):
        import numpy as np

        if pd.isna(value):
            return None  # an integer column has no missing value; the request schema refuses it
        limits = np.iinfo(dtype)
        if not limits.min <= value <= limits.max or int(value) != value:
            return None
        value = int(value)
    elif getattr(dtype, "kind", "") == "b" and pd.isna(value):
        return None
    cell = pd.Series([value], index=[column.index[row]], dtype=object)
    try:
        return cell.astype(dtype) if dtype.kind != "O" else cell
    except (ValueError, TypeError, OverflowError):
        return None


def edge_rows(raw: Any, signature: Signature, *, limit: int = 200, seed: int = 0) -> Any:
    """Rows that differ from real ones in one value each.

    One null per column, an unseen category and odd texts per string column, extremes and threshold neighbours per
    number. Rows keep the frame's dtypes: what a column cannot hold is left out.

    Parameters
    ----------
    raw
        Real rows: a DataFrame; a 2-d array or a Series come back as such.
    signature
        Schema of these rows.
    limit
        At most this many rows; columns take turns, so that each gets its most telling values.
    seed
        Which real rows are taken.
    """
    import numpy as np
    import pandas as pd

    if not isinstance(raw, pd.DataFrame):
        frame = pd.DataFrame(raw) if not isinstance(raw, list) else pd.DataFrame({0: pd.Series(raw, dtype=object)})
        rows = edge_rows(frame, signature, limit=limit, seed=seed)
        if isinstance(raw, np.ndarray):
            return rows.to_numpy(dtype=raw.dtype) if raw.ndim == 2 else rows.iloc[:, 0].to_numpy(dtype=raw.dtype)
        return rows.iloc[:, 0].tolist() if isinstance(raw, list) else rows.iloc[:, 0].rename(raw.name)
    if not len(raw):
        return raw
    generator = np.random.default_rng(seed)
    queues: list[tuple[Any, Iterator[Any]]] = [
        (name, _values(column, raw[name])) for name, column in zip(raw.columns, signature.inputs, strict=True)
    ]
    wanted: list[tuple[Any, Any]] = []
    while queues and len(wanted) < limit:
        alive = []
        for name, queue in queues:
            value = next(queue, queue)
            if value is queue:
                continue
            alive.append((name, queue))
            if _put(raw, name, 0, value) is not None and len(wanted) < limit:
                wanted.append((name, value))
        queues = alive
    picked = generator.integers(0, len(raw), size=len(wanted))
    base = raw.iloc[picked].reset_index(drop=True)
    columns = {}
    for name in base.columns:
        column = base[name].copy()
        for row, (target, value) in enumerate(wanted):
            if target == name:
                put = _put(raw, name, 0, value)
                assert put is not None, "wanted holds values that the column takes"
                column.iloc[row] = put.iloc[0]
        columns[name] = column
    out = pd.DataFrame(columns) if columns else base
    return out.astype({name: raw[name].dtype for name in raw.columns})


def accepted(predict: Callable[[Any], Predictions], rows: Any) -> np.ndarray:
    """Which rows are predicted without an error, as a boolean array: in one call, else row by row."""
    import numpy as np

    def take(start: int, stop: int) -> Any:
        return rows.iloc[start:stop] if hasattr(rows, "iloc") else rows[start:stop]

    keep = np.zeros(len(rows), dtype=bool)

    def visit(start: int, stop: int) -> None:
        if start >= stop:
            return
        try:
            predict(take(start, stop))
        except Exception:  # whatever the notebook's objects raise means that they do not take these rows
            if stop - start > 1:
                middle = (start + stop) // 2
                visit(start, middle)
                visit(middle, stop)
            return
        keep[start:stop] = True

    visit(0, len(rows))
    if keep.any() and not keep.all():
        try:
            predict(rows[keep])
        except Exception:  # taken by themselves, but not together: what such rows mean depends on the others
            keep[:] = False
    return keep
