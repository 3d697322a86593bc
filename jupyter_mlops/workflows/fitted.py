"""The fitted state of the features: from what was seen in the notebook's run to the files of the project."""

from __future__ import annotations

import importlib
import io
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.workflows.captured import _cells_equal, _Unpickler

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["describe_state", "load_columns", "needed_columns", "save_columns", "write_state"]

_PROBED = 60  # rows on which the columns that a request must bring are found
_SHOWN = 60  # characters of a value in the README


def write_state(
    folder: Path, project: Path, package: str, entries: list[dict[str, Any]], columns: dict[str, Any] | None
) -> None:
    """Write ``model/state`` of a project, with the generated package's own code.

    Parameters
    ----------
    folder
        Where the run left ``observed.pkl``.
    entries
        Dicts of `StateEntry`.
    columns
        Columns of the raw table in order, with the value of those that a request does not bring; None leaves them out.
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
    origin: dict[str, dict[str, Any]] = {}
    for entry in entries:
        made = value(entry["indexes"][0]) if entry["keys"] is None else dict(
            zip(map(_key, entry["keys"]), map(value, entry["indexes"]), strict=True)
        )  # fmt: skip
        if entry["scope"]:
            scopes.setdefault(entry["scope"], {})[entry["name"]] = made
        else:
            values[entry["name"]] = made
        origin.setdefault(entry["scope"] or entry["name"], {k: entry[k] for k in ("cell", "line", "code")})
    values.update({scope: module.FeatureState(inner) for scope, inner in scopes.items()})
    if columns is not None:
        values["raw_columns"] = columns
        origin["raw_columns"] = {"code": "columns of the raw table, and what stands for those that the model does not get"}
    state = project / "model" / "state"
    for old in state.glob("*"):
        old.unlink()
    module.FeatureState(values, origin).save(state)
    module.FeatureState.load(state)  # what cannot be read again is no state


def _key(key: Any) -> Any:
    return tuple(map(_key, key)) if isinstance(key, list) else key


def save_columns(folder: Path, columns: dict[str, Any]) -> None:
    """Keep for the next attempt what `needed_columns` found."""
    (folder / "columns.pkl").write_bytes(pickle.dumps(columns))


def load_columns(folder: Path) -> dict[str, Any]:
    """What `save_columns` kept."""
    found: dict[str, Any] = pickle.loads((folder / "columns.pkl").read_bytes())  # noqa: S301 - our own file
    return found


def needed_columns(build: Any, rows: pd.DataFrame) -> tuple[list[str], dict[str, Any]]:
    """Columns of the raw table that a request must bring, and those that may hold any value.

    A column is free when the features are the same without it. It is filled in when the code needs it to be there, but
    the features are the same whatever it holds: the target, most often.

    Returns
    -------
    (list of str, dict)
        Needed columns in the table's order; the value that each filled column gets.
    """
    import numpy as np

    some = rows.iloc[np.unique(np.linspace(0, len(rows) - 1, _PROBED).astype(int))]
    whole = build(some)

    def same(table: pd.DataFrame) -> bool:
        try:
            made = build(table)
            return len(made) == len(whole) and bool(_cells_equal(whole, made).all())
        except Exception:
            return False

    names = [str(name) for name in some.columns]
    free = [name for name in names if same(some.drop(columns=[name]))]
    if not same(some.drop(columns=free)):  # two columns that stand in for one another
        free = []
    kept = some.drop(columns=free)
    filled: dict[str, Any] = {}
    for name in kept.columns:
        present = rows[name].dropna()
        if not len(present):
            continue
        usual = present.mode().iloc[0]
        others = [v for v in (present.iloc[0], present.iloc[-1], *present.unique()[:4])]
        changed = [kept.assign(**{name: kept[name].map(lambda _, v=v: v)}) for v in (usual, *others)]
        if all(same(table) for table in changed):
            filled[name] = usual.item() if hasattr(usual, "item") else usual
    if filled and not same(kept.assign(**filled)):
        filled = {}
    return [name for name in names if name not in free and name not in filled], filled


def describe_state(project: Path, package: str) -> list[dict[str, Any]]:
    """The state as rows of a table: name, value or shape, cell, code."""
    state = importlib.import_module(f"{package}.state").FeatureState.load(project / "model" / "state")
    return [
        {"name": name, "value": _shown(value), **{"cell": None, "line": None, "code": "", **state.origin.get(name, {})}}
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
