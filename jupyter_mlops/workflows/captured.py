"""What the notebook's run left, read back where pandas is already loaded; and its rows matched with the raw table."""

from __future__ import annotations

import importlib
import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["Captured", "Matched", "build_where_possible", "differing_columns", "load_captured", "load_estimator", "match_rows"]


_CLOSE = 1e-9  # relative difference of two features that are the same number
_MOST_FAILING = 500  # rows that training left out since nothing can be computed of them
_ENOUGH = 0.3  # share of rows that must be found again where others were made up by resampling


@dataclass
class Captured:
    """Tables, the rows that the model was asked about, and its answers."""

    frames: dict[str, pd.DataFrame]
    values: dict[str, Any]
    input: Any  # rows handed to predict (a sample of them), or None
    result: np.ndarray | None
    probabilities: np.ndarray | None
    refit: bool  # the model was fitted again after those answers
    fit_input: Any
    where: list[Any] | None
    renamed: dict[str, dict[str, Any]] = field(default_factory=dict)  # raw table -> its columns whose names are no text
    numbered: bool = False  # the model's input has columns whose names are no text
    evaluation: dict[str, Any] = field(default_factory=dict)  # what the notebook measured about `input`, see `Evaluations.about`

    @property
    def model_input(self) -> Any:
        """Rows in the form in which the model takes them."""
        return self.input if self.input is not None else self.fit_input

    @property
    def layout(self) -> str:
        """ "frame", "array" or "series"."""
        value = self.model_input
        if hasattr(value, "columns"):
            return "frame"
        if hasattr(value, "iloc") or isinstance(value, (list, tuple)) or getattr(value, "ndim", 2) == 1:
            return "series"
        return "array"


class _Unpickler(pickle.Unpickler):
    """Classes and functions of the notebook live in the generated package now."""

    def __init__(self, file: Any, helpers: str | None) -> None:
        super().__init__(file)
        self.helpers = helpers

    def find_class(self, module: str, name: str) -> Any:
        if module == "__main__" and self.helpers is not None:
            found: Any = importlib.import_module(self.helpers)
            for part in name.split("."):
                found = getattr(found, part)
            return found
        return super().find_class(module, name)


def _odd_names(table: Any) -> dict[str, Any]:
    """Names of a frame's columns that are no text, by what they are called in a request."""
    return {str(name): name for name in table.columns if not isinstance(name, str)} if hasattr(table, "columns") else {}


def _with_text_names(table: Any) -> Any:
    """JSON knows columns by text only."""
    return table.set_axis([str(name) for name in table.columns], axis=1) if _odd_names(table) else table


def load_captured(folder: Path) -> Captured:
    """Read `capture.pkl`, which a kernel that this conversion started has written."""
    with (folder / "capture.pkl").open("rb") as file:
        data = pickle.load(file)  # noqa: S301 - written by our own recorder in this very conversion
    renamed = {name: odd for name, frame in data["frames"].items() if (odd := _odd_names(frame))}
    numbered = bool(_odd_names(data["input"] if data["input"] is not None else data["fit_input"]))
    for place in ("input", "fit_input"):
        data[place] = _with_text_names(data[place])
    data["frames"] = {name: _with_text_names(frame) for name, frame in data["frames"].items()}
    return Captured(
        frames=data["frames"], values=data["values"], input=data["input"], result=data["result"],
        probabilities=data["probabilities"], refit=data["refit"], fit_input=data["fit_input"], where=data["where"],
        renamed=renamed, numbered=numbered, evaluation=data.get("evaluation", {}),
    )  # fmt: skip


def load_estimator(folder: Path, helpers: str | None, name: str = "estimator") -> Any:
    """The notebook's fitted model; its own classes come from the generated package's helpers. None where it was not kept."""
    path = folder / f"{name}.pkl"
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return _Unpickler(file, helpers).load()


@dataclass(frozen=True)
class Matched:
    """Rows of the raw table that belong to rows of the model's input.

    `raw` has one row for each position in `positions` (of the recorded input). `reason` says why there are none.
    """

    raw: pd.DataFrame | None
    positions: np.ndarray | None
    reason: str = ""
    columns: tuple[str, ...] = ()  # model columns that differ


def _cells_equal(a: Any, b: Any) -> np.ndarray:
    """Row by row: are two model inputs of the same length equal? NaN equals NaN; numbers compare as numbers."""
    import numpy as np
    import pandas as pd

    if hasattr(a, "columns"):
        equal = np.ones(len(a), dtype=bool)
        for name in a.columns:
            equal &= _column_equal(a[name], b[name])
        return equal
    if hasattr(a, "toarray"):
        a, b = a.toarray(), b.toarray()
    left, right = pd.DataFrame(np.asarray(a)), pd.DataFrame(np.asarray(b))
    equal = np.ones(len(left), dtype=bool)
    for position in left.columns:
        equal &= _column_equal(left[position], right[position])
    return equal


def _column_equal(a: Any, b: Any) -> np.ndarray:
    import numpy as np
    import pandas as pd

    missing_a, missing_b = pd.isna(a).to_numpy(), pd.isna(b).to_numpy()
    if pd.api.types.is_numeric_dtype(a.dtype) and pd.api.types.is_numeric_dtype(b.dtype):
        left, right = a.to_numpy(dtype=float, na_value=np.nan), b.to_numpy(dtype=float, na_value=np.nan)
        with np.errstate(invalid="ignore"):  # a product of matrices differs in its last bits with the number of rows
            same = (left == right) | (np.abs(left - right) <= _CLOSE * np.abs(right))
    else:
        same = a.astype(object).to_numpy() == b.astype(object).to_numpy()
    return np.asarray(same | (missing_a & missing_b), dtype=bool)


def differing_columns(a: Any, b: Any) -> tuple[str, ...]:
    """Columns in which two frames of the same length differ."""
    if not hasattr(a, "columns"):
        return ()
    return tuple(str(n) for n in a.columns if n not in b.columns or not _column_equal(a[n], b[n]).all())


def match_rows(build: Any, raw: pd.DataFrame, model_input: Any, *, synthetic: bool = False) -> Matched:
    """Find, for each recorded row of the model's input, the raw row that gives it.

    Rows are found by index where the notebook kept it, else by content: a raw row belongs to a recorded row when the
    feature program makes exactly that row of it.

    Parameters
    ----------
    synthetic
        The notebook resamples, so that some recorded rows were never in the raw table: they are left out.
    """
    import numpy as np

    count = model_input.shape[0] if hasattr(model_input, "shape") else len(model_input)
    indexed = hasattr(model_input, "index") and raw.index.is_unique and model_input.index.isin(raw.index).all()
    if indexed:
        rows = raw.loc[model_input.index]
        try:
            built = build(rows)
        except Exception as error:
            return Matched(None, None, f"build_features fails on raw rows: {type(error).__name__}: {error}")
        if _same_shape(built, model_input) and _cells_equal(model_input, built).all():
            return Matched(rows, np.arange(count))
    try:
        everything = build(raw)
    except Exception as error:
        return Matched(None, None, f"build_features fails on raw rows: {type(error).__name__}: {error}")
    if not _same_width(everything, model_input):
        return Matched(None, None, f"build_features makes {_width(everything)} columns, the model takes {_width(model_input)}")
    places = _places(everything, model_input)
    found = np.array([at for at, place in enumerate(places) if place is not None], dtype=int)
    if len(found) == count or (synthetic and len(found) >= max(_ENOUGH * count, 1)):
        rows = raw.iloc[[place for place in places if place is not None]]
        own = model_input.iloc[found] if hasattr(model_input, "iloc") else _taken(model_input, found)
        again = build(rows)
        if not (_same_shape(own, again) and len(rows) == _length(again) and _cells_equal(own, again).all()):
            return Matched(None, None, "the features of a row depend on the other rows")
        return Matched(rows, found)
    if indexed and _same_shape(built, model_input):
        equal = _cells_equal(model_input, built)
        return Matched(
            None, None, f"{int((~equal).sum())} of {count} rows differ from the notebook's own model input",
            differing_columns(model_input, built),
        )  # fmt: skip
    return Matched(
        None, None, f"{count - len(found)} of the {count} rows that the model was asked about are not made of raw rows alone"
    )


def _taken(value: Any, positions: Any) -> Any:
    return value[positions] if hasattr(value, "shape") else [value[at] for at in positions]


def _length(value: Any) -> int:
    return int(value.shape[0]) if hasattr(value, "shape") else len(value)


def build_where_possible(build: Any, raw: pd.DataFrame) -> tuple[Any, list[int]]:
    """The features of all rows that have any, and their positions: training may have left out those that have none.

    Raises
    ------
    Exception
        What `build` raised, where it fails on most rows.
    """
    try:
        return build(raw), list(range(len(raw)))
    except Exception:
        if len(raw) < 2:
            raise
    parts: list[tuple[Any, list[int]]] = []
    failed: list[Exception] = []

    def visit(start: int, stop: int) -> None:
        try:
            parts.append((build(raw.iloc[start:stop]), list(range(start, stop))))
        except Exception as error:
            if stop - start == 1:
                failed.append(error)
                if len(failed) > _MOST_FAILING or (len(failed) > 20 and not parts):
                    raise
                return
            middle = (start + stop) // 2
            visit(start, middle)
            visit(middle, stop)

    visit(0, len(raw))
    if not parts:
        raise failed[0]
    return _stack([part for part, _ in parts]), [position for _, positions in parts for position in positions]


def _stack(parts: list[Any]) -> Any:
    import numpy as np
    import pandas as pd

    if hasattr(parts[0], "iloc"):
        return pd.concat(parts)
    if hasattr(parts[0], "toarray"):
        from scipy.sparse import vstack

        return vstack(parts).tocsr()
    return np.concatenate(parts) if hasattr(parts[0], "shape") else [row for part in parts for row in part]


def _same_shape(a: Any, b: Any) -> bool:
    if hasattr(a, "columns"):
        return hasattr(b, "columns") and list(a.columns) == list(b.columns) and len(a) == len(b)
    return bool(getattr(a, "shape", ())[1:] == getattr(b, "shape", ())[1:])


def _width(value: Any) -> int:
    shape = getattr(value, "shape", None)
    return int(shape[1]) if shape is not None and len(shape) > 1 else 1


def _same_width(a: Any, b: Any) -> bool:
    if hasattr(a, "columns") and hasattr(b, "columns"):
        return list(a.columns) == list(b.columns)
    return _width(a) == _width(b)


def _keys(value: Any, digits: int | None) -> list[Any]:
    """One hashable key per row; numbers by value (to so many significant digits), missing as None."""
    import pandas as pd

    if hasattr(value, "toarray"):
        value = value.toarray()
    frame = value.to_frame() if isinstance(value, pd.Series) else pd.DataFrame(value)
    columns = []
    for column in (frame.iloc[:, at] for at in range(frame.shape[1])):
        if not pd.api.types.is_numeric_dtype(column.dtype):
            columns.append([None if m else v for v, m in zip(column.astype(object), column.isna(), strict=True)])
            continue
        numbers = column.to_numpy(dtype=float, na_value=float("nan")).tolist()
        columns.append([None if v != v else v if digits is None else float(f"{v:.{digits}g}") for v in numbers])
    return list(zip(*columns, strict=True))


def _places(built: Any, model_input: Any) -> list[int | None]:
    """Position in `built` of each row of the model's input: exactly, else where it agrees to nine digits."""
    places: list[int | None] = []
    for digits in (None, 9):
        where: dict[Any, int] = {}
        for position, key in enumerate(_keys(built, digits)):
            where.setdefault(key, position)
        tried = [where.get(key) for key in _keys(model_input, digits)]
        places = tried if not places else [a if a is not None else b for a, b in zip(places, tried, strict=True)]
        if None not in places:
            break
    return places
