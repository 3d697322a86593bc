"""The fitted state of the features: from what was seen in the notebook's run to the files of the project."""

from __future__ import annotations

import importlib
import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.workflows.captured import _cells_equal, _Unpickler, build_where_possible

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["describe_state", "needed_columns", "write_state"]

_PROBED = 150  # rows, of those asked about and of the whole table, on which the columns that a request must bring are found
_TURNS = 3  # how often the values of a column change
_NEUTRAL = {"O": "", "i": 0, "u": 0, "f": 0.0, "b": False}  # by kind of dtype
_SHOWN = 60  # characters of a value in the README


def write_state(folder: Path, project: Path, package: str, entries: list[dict[str, Any]]) -> None:
    """Write ``model/state`` of a project, with the generated package's own code.

    Parameters
    ----------
    folder
        Where the run left ``observed.pkl``.
    entries
        Dicts of `StateEntry`.
    """
    with (folder / "observed.pkl").open("rb") as file:
        seen: list[bytes | None] = pickle.load(file)  # noqa: S301 - written by our own observer in this very conversion
    helpers = f"{package}.helpers" if (project / "src" / package / "helpers.py").exists() else None
    module = importlib.import_module(f"{package}.state")

    def value(index: int) -> Any:
        data = seen[index]
        assert data is not None
        return _Unpickler(io.BytesIO(data), helpers).load()

    values: dict[str, Any] = {}
    scopes: dict[str, dict[str, Any]] = {}
    passes: dict[str, dict[Any, dict[str, Any]]] = {}
    origin: dict[str, dict[str, Any]] = {}
    for entry in entries:
        made = value(entry["indexes"][0]) if entry["keys"] is None else dict(
            zip(map(_key, entry["keys"]), map(value, entry["indexes"]), strict=True)
        )  # fmt: skip
        if entry["passes"] is not None:
            for key, index in zip(map(_key, entry["passes"]), entry["indexes"], strict=True):
                passes.setdefault(entry["scope"], {}).setdefault(key, {})[entry["name"]] = value(index)
        elif entry["scope"]:
            scopes.setdefault(entry["scope"], {})[entry["name"]] = made
        else:
            values[entry["name"]] = made
        origin.setdefault(entry["scope"] or entry["name"], {k: entry[k] for k in ("cell", "line", "code")})
    values.update({scope: module.FeatureState(inner) for scope, inner in scopes.items()})
    values.update({scope: {key: module.FeatureState(v) for key, v in inner.items()} for scope, inner in passes.items()})
    state = project / "model" / "state"
    for old in state.glob("*"):
        old.unlink()
    module.FeatureState(values, origin).save(state)
    module.FeatureState.load(state)  # what cannot be read again is no state


def _key(key: Any) -> Any:
    return tuple(map(_key, key)) if isinstance(key, list) else key


def needed_columns(build: Any, rows: pd.DataFrame, table: pd.DataFrame) -> tuple[list[str], dict[str, str]]:
    """Columns of the raw table that a request must bring, and those that may hold any value.

    A column is free when the features are the same without it. It is filled in when the code needs it to be there, but
    the features are the same whatever it holds: the target, most often.

    Parameters
    ----------
    rows
        Raw rows that the model was asked about.
    table
        The whole raw table: a column that matters for rows of training only is needed as well.

    Returns
    -------
    (list of str, dict)
        Needed columns in the table's order; the value that each filled column gets, as source text.
    """
    import pandas as pd

    some = pd.concat([_evenly(rows, _PROBED), _evenly(table, _PROBED)])
    some = some[~some.index.duplicated()] if table.index.is_unique else some
    whole, positions = build_where_possible(build, some)
    some = some.iloc[positions]

    def same(changed: pd.DataFrame) -> bool:
        try:
            made = build(changed)
            return len(made) == len(whole) and bool(_cells_equal(whole, made).all())
        except Exception:
            return False

    names = [str(name) for name in some.columns]
    # What a column holds goes from row to row through rare, extreme and usual values: a row that changes tells that it is needed.
    varied = {name: _varied(table[name], len(some)) for name in names}
    idle = [name for name in names if all(same(some.assign(**{name: values})) for values in varied[name])]
    for turn in range(_TURNS):
        if idle and not same(some.assign(**{name: varied[name][turn] for name in idle})):
            return names, {}  # two columns that stand in for one another
    free = _droppable(idle, lambda group: same(some.drop(columns=group)))
    filled: dict[str, Any] = {}
    for name in idle:
        if name in free:
            continue
        neutral = _NEUTRAL.get(table[name].dtype.kind)  # what stands in the code should be nobody's name
        usual = table[name].mode().iloc[0] if table[name].notna().any() else None
        value = neutral if neutral is not None and same(some.assign(**{name: neutral})) else usual
        filled[name] = value.item() if hasattr(value, "item") else value
    if not same(some.drop(columns=free).assign(**filled)):
        return names, {}
    return [name for name in names if name not in idle], {n: _source(v) for n, v in filled.items()}


def _varied(column: pd.Series, count: int) -> list[pd.Series]:
    """Values to put into a whole column, in turns: each row gets another one each time."""
    import pandas as pd

    counts = column.dropna().value_counts()
    values = [*counts.index[-2:], *counts.index[:3]]
    if len(values) and pd.api.types.is_numeric_dtype(column.dtype):
        values += [column.min(), column.max()]
    if column.isna().any() or not values:
        values.append(None)
    made = []
    for turn in range(_TURNS):
        series = pd.Series([values[(at + turn) % len(values)] for at in range(count)])
        made.append(series.astype(column.dtype).set_axis(range(count)).array)
    return made


def _droppable(names: list[str], works: Callable[[list[str]], bool]) -> list[str]:
    """As many columns as can be left out together: halves of a group that cannot are tried by themselves."""
    if not names or works(names):
        return names
    if len(names) == 1:
        return []
    middle = len(names) // 2
    left = _droppable(names[:middle], works)
    return left + _droppable(names[middle:], lambda group: works([*left, *group]))


def _evenly(table: pd.DataFrame, count: int) -> pd.DataFrame:
    import numpy as np

    return table.iloc[np.unique(np.linspace(0, len(table) - 1, count).astype(int))] if len(table) else table


def _source(value: Any) -> str:
    """A cell of a table as Python."""
    if hasattr(value, "isoformat"):
        return f"pd.{type(value).__name__}({value.isoformat()!r})"
    return repr(value)


def describe_state(project: Path, package: str) -> list[dict[str, Any]]:
    """The state as rows of a table: name, value or shape, cell, code."""
    state = importlib.import_module(f"{package}.state").FeatureState.load(project / "model" / "state")
    return [
        {"name": name, "value": _shown(value), "cell": None, "line": None, "code": "", **state.origin.get(name, {})}
        for name, value in state.values.items()
    ]


def _shown(value: Any) -> str:
    kind = type(value).__name__
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict) and value and all(not isinstance(v, (str, int, float, bool, type(None))) for v in value.values()):
        return f"{len(value)} × {type(next(iter(value.values()))).__name__}, by {', '.join(map(str, list(value)[:4]))}{', ...' if len(value) > 4 else ''}"
    if hasattr(value, "shape") and value.shape:
        return f"{kind} {' × '.join(map(str, value.shape))}"
    if hasattr(value, "get_params"):
        return f"fitted {kind}"
    text = " ".join(str(value).split())
    if len(text) <= _SHOWN:
        return text
    return f"{kind} of {len(value)}: {text[: _SHOWN - 20]}..." if hasattr(value, "__len__") else f"{text[:_SHOWN]}..."
