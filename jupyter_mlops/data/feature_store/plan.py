"""What of a project a feature repository holds: pure data, decided before anything is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from jupyter_mlops.errors import UsageError

__all__ = ["Feature", "FeaturePlan", "plan_features"]

_TYPES = {"float": "Float64", "integer": "Int64", "boolean": "Bool", "string": "String", "datetime": "UnixTimestamp"}
# Kinds of the file's column that hold a column of the model's kind without loss.
_HELD_BY = {"float": ("float", "integer"), "integer": ("integer", "float")}
_PREFIX = "model_"  # as in the project's store.py
_RESERVED = frozenset({"event_timestamp", "event_timestamp_of_row"})  # the second one is that of the project's store.py


@dataclass(frozen=True)
class Feature:
    """A column, and its type as Feast calls it."""

    name: str
    type: str


@dataclass(frozen=True)
class FeaturePlan:
    """A feature repository before any file of it exists.

    Attributes
    ----------
    columns
        Raw columns that the source holds.
    request
        Raw columns that come with a request.
    inputs
        Columns of the model's input, as the on-demand view calls them; none where the input is no table.
    ttl
        Seconds after which values count as missing; 0 is never.
    source, project
        Places of the file and of the project, relative to the repository.
    """

    title: str
    name: str
    version: str
    package: str
    entity: str
    entity_type: str
    timestamp: str
    ttl: int
    columns: tuple[Feature, ...]
    request: tuple[Feature, ...]
    inputs: tuple[Feature, ...]
    source: str
    project: str

    @property
    def types(self) -> tuple[str, ...]:
        """Names of Feast's types that are used."""
        return tuple(sorted({one.type for one in (*self.columns, *self.request, *self.inputs)}))


def plan_features(
    about: Mapping[str, Any], signature: Mapping[str, Any], kinds: Mapping[str, str], *, entity: str, timestamp: str, ttl: int,
    request: Collection[str], source: str, project: str,
) -> FeaturePlan:  # fmt: skip
    """Decide about each raw column: stored, or brought by the request.

    Parameters
    ----------
    about, signature
        Of the project: `metadata.json` and `signature.json`.
    kinds
        Of the source's columns.
    request
        Columns that come with the request although the source has them.

    Raises
    ------
    UsageError
        A column is named that there is none of, Feast cannot hold one, or none is left to store.
    """
    raw = {one["name"]: one for one in signature["raw"]["inputs"]}
    if unknown := sorted(set(request) - set(raw)):
        raise UsageError(f"The model takes no column {', '.join(unknown)}; it takes {', '.join(raw)}. Change --request.")
    apart = {entity, timestamp, *request}
    stored = [one for name, one in raw.items() if name in kinds and name not in apart]
    if not stored:
        raise UsageError(
            f"The source has none of the columns that the model takes ({', '.join(raw)}). Name another one: --source FILE."
        )
    for one in stored:
        _check(one, kinds[one["name"]], raw)
    brought = [one for name, one in raw.items() if name != entity and one not in stored]
    model = signature.get("model") or {}
    table = model.get("layout", "frame") == "frame" and model.get("inputs")
    return FeaturePlan(
        title=str(about.get("notebook") or about["name"]), name=about["name"], version=str(about.get("model_version") or about["version"]),
        package=about["package"], entity=entity, entity_type="INT64" if kinds[entity] == "integer" else "STRING", timestamp=timestamp,
        ttl=ttl, columns=_features(stored), request=_features(brought),
        inputs=tuple(Feature(_PREFIX + one.name, one.type) for one in _features(model["inputs"])) if table else (),
        source=source, project=project,
    )  # fmt: skip


def _features(columns: Collection[Mapping[str, Any]]) -> tuple[Feature, ...]:
    return tuple(Feature(one["name"], "Float32" if one["dtype"] == "float32" else _TYPES[one["kind"]]) for one in columns)


def _check(column: Mapping[str, Any], kind: str, raw: Collection[str]) -> None:
    name, wanted = column["name"], column["kind"]
    if kind not in _HELD_BY.get(wanted, (wanted,)):
        raise UsageError(
            f"The column {name!r} is of kind {wanted} in the model and {kind} in the source. Store it as the notebook reads it."
        )
    # Online, Feast gives the time of a value as <name>__ts.
    if name in _RESERVED or any(sign in name for sign in ":@") or (name.endswith("__ts") and name.removesuffix("__ts") in raw):
        raise UsageError(
            f"Feast takes no feature called {name!r}. Rename the column in the notebook, or let the request bring it: --request."
        )
