"""Feast, in a process of its own: it costs seconds to import, and the project's code comes with it.

    python -m jupyter_mlops.data.feature_store.worker ACTION ARGUMENTS RESULT

Arguments and result are JSON; an error that the user can do something about is ``{"error": text}``.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ACTIONS", "main"]

_SAMPLE, _COMPUTED = 200, 20  # entities that are read both ways, and through the feature program


class _Refused(Exception):
    """The message says what to do."""


def _table(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The raw table as the project's own code binds it."""
    store = importlib.import_module(f"{arguments['package']}.store")
    if not hasattr(store, "raw_table"):
        raise _Refused("No stage of the project gives the raw table alone. Name a file with the columns: --source FILE.")
    try:
        table = store.raw_table()
    except FileNotFoundError as error:
        raise _Refused(f"The training data is not here ({error}). Name a file with the columns: --source FILE.") from None
    _read_times(table, arguments["timestamp"])
    table.to_parquet(arguments["target"], index=False)
    return {}


def _read_times(table: pd.DataFrame, name: str) -> None:
    """Dates, and times as ISO 8601 writes them, become times; what else it may be is said when the file is looked at."""
    import pandas as pd

    if name in table and table[name].dtype == object:
        with suppress(ValueError, TypeError):
            table[name] = pd.to_datetime(table[name], format="ISO8601")


def _publish(arguments: Mapping[str, Any]) -> dict[str, Any]:
    from feast import Entity, FeatureService, FeatureStore
    from feast.base_feature_view import BaseFeatureView
    from feast.data_source import DataSource

    repository = Path(arguments["repository"])
    sys.path.insert(0, str(repository))
    made = vars(importlib.import_module("definitions")).values()
    store = FeatureStore(repo_path=str(repository))
    objects: list[Any] = [one for one in made if isinstance(one, Entity | DataSource | BaseFeatureView | FeatureService)]
    store.apply(objects)
    if store.project == arguments["package"]:  # the online store lies in this folder, and is new with it
        return _filled(store, repository, arguments)
    _empty(store)  # what a publication that was killed has left under this name
    try:
        return _filled(store, repository, arguments)
    except BaseException:
        _empty(store)
        raise


def _filled(store: Any, repository: Path, arguments: Mapping[str, Any]) -> dict[str, Any]:
    until = _materialize(store, arguments["since"], None)
    return {"until": until, **_compare(store, repository, arguments)}


def _empty(store: Any) -> None:
    """Remove what the online store holds of this project."""
    store.provider.teardown_infra(store.project, store.list_feature_views(), store.list_entities())


def _materialize_again(arguments: Mapping[str, Any]) -> dict[str, Any]:
    from feast import FeatureStore

    store = FeatureStore(repo_path=arguments["repository"])
    view = _view(store, arguments)
    filled = max((end for _, end in view.materialization_intervals), default=None)
    if arguments["until"] and filled is not None and _utc(arguments["until"]) < filled:
        raise _Refused(
            f"The online store is filled until {filled.isoformat(timespec='seconds')}; --until {arguments['until']} would put older "
            "values in place of newer ones. Leave it away."
        )
    since = arguments["since"] or _first(Path(arguments["repository"]), view)
    return {"since": since, "until": _materialize(store, since, arguments["until"])}


def _materialize(store: Any, since: str, until: str | None) -> str:
    end = _utc(until) if until else datetime.now(UTC)
    # Feast's interval is open at its beginning.
    store.materialize(start_date=_utc(since) - timedelta(seconds=1), end_date=end)
    return end.isoformat(timespec="seconds")


def _status(arguments: Mapping[str, Any]) -> dict[str, Any]:
    from feast import FeatureStore

    store = FeatureStore(repo_path=arguments["repository"])
    view = _view(store, arguments)
    filled = max((end for _, end in view.materialization_intervals), default=None)
    return {
        "project": store.project, "entity": view.entity_columns[0].name, "timestamp": view.batch_source.timestamp_field,
        "source": view.batch_source.path, "ttl": int(view.ttl.total_seconds()) if view.ttl else 0, "tags": dict(view.tags),
        "columns": [field.name for field in view.features], "online": store.config.online_store.type,
        "inputs": [field.name for one in store.list_on_demand_feature_views() for field in one.features],
        "request": [
            field.name for one in store.list_on_demand_feature_views() for source in one.source_request_sources.values()
            for field in source.schema
        ],
        "filled": None if filled is None else filled.isoformat(timespec="seconds"),
    }  # fmt: skip


ACTIONS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "table": _table, "publish": _publish, "materialize": _materialize_again, "status": _status,
}  # fmt: skip


# -- the proof ----------------------------------------------------------------------------------------------------------


def _compare(store: Any, repository: Path, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Entities read online and as a training frame of this moment, which must be the same; then through the feature program."""
    import pandas as pd
    import pyarrow.parquet as pq

    package = arguments["package"]
    ours = importlib.import_module(f"{package}.store").Store(repository)
    column = pq.read_table(repository / arguments["source"], columns=[ours.entity])[ours.entity].unique()
    keys = column.take(list(range(0, len(column), max(1, len(column) // _SAMPLE)))[:_SAMPLE]).to_pylist()
    now = pd.DataFrame({ours.entity: keys, ours.timestamp: datetime.now(UTC)})
    trained = ours.training_frame(now)[list(ours.columns)]
    found = ours.read(keys)
    typed = importlib.import_module(f"{package}.schema").raw_column
    online = pd.DataFrame({name: typed(name, [(one.values or {}).get(name) for one in found]) for name in ours.columns})
    _same(trained, online, keys, ours.entity, "the training frame and the online store")
    computed = 0
    if arguments["inputs"] and not arguments["request"]:
        computed = min(_COMPUTED, len(keys))
        # Feast's own read: it gives the on-demand view what is too old as well.
        rows = [{ours.entity: key} for key in keys[:computed]]
        asked = store.get_online_features([f"{package}_input:{name}" for name in arguments["inputs"]], rows).to_df()
        known = store.get_online_features([f"{package}:{name}" for name in ours.columns], rows).to_df()
        own = importlib.import_module(f"{package}.store").model_input(known)[arguments["inputs"]]
        _same(own, asked, keys, ours.entity, "the feature program and the on-demand view")
    return {"compared": len(keys), "computed": computed, "stale": sum(one.stale for one in found)}


def _same(first: pd.DataFrame, second: pd.DataFrame, keys: list[Any], entity: str, what: str) -> None:
    for name in first.columns:
        one, other = first[name].astype(object).tolist(), second[name].astype(object).tolist()
        for key, left, right in zip(keys, one, other, strict=False):
            both_missing = _missing(left) and _missing(right)
            if not both_missing and left != right:
                raise _Refused(f"{what} differ: {name} of {entity} {key!r} is {left!r} and {right!r}. Nothing was published.")


def _missing(value: Any) -> bool:
    return value is None or bool(value != value)


# -- small things -------------------------------------------------------------------------------------------------------


def _view(store: Any, arguments: Mapping[str, Any]) -> Any:
    views = store.list_feature_views()
    if not views:
        raise _Refused(f"{arguments['repository']} holds no feature view. Publish first: jupyter mlops features publish.")
    return next((one for one in views if one.name == store.project), views[0])


def _first(repository: Path, view: Any) -> str:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    field = view.batch_source.timestamp_field
    column = pq.read_table(repository / view.batch_source.path, columns=[field])[field]
    return str(pc.min(column).as_py().isoformat())


def _utc(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def main(arguments: list[str]) -> int:
    """Run an action; returns the exit code."""
    action, given, result = arguments
    try:
        found = ACTIONS[action](json.loads(given))
    except _Refused as error:
        found = {"error": str(error)}
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "feast":
            raise
        found = {"missing": "feast"}
    except Exception as error:
        if not isinstance(error, ConnectionError) and type(error).__module__.split(".")[0] != "redis":
            raise
        found = {
            "error": f"The online store does not answer as it should: {str(error).rstrip('.')}. See to it, and do the same again."
        }
    Path(result).write_text(json.dumps(found, default=str), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
