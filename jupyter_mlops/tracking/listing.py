"""Runs of an experiment, the newest or the best, without what makes MLflow's search slow.

MLflow finds the newest of 10,000 runs in a tenth of a second. Asked to sort by a metric, it joins every run with every
value of that metric (on SQLite without an index: 10,000 x 10,000 pairs, 8 s). The best runs are therefore found by a
bound: a random sample says above which value a few hundred runs lie, and only those are sorted. Nothing is cached, so
deleted runs are gone, running ones are up to date, and a run that is delivered late is in its place.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import UsageError
from jupyter_mlops.tracking.spool import spooled_runs
from jupyter_mlops.tracking.store import shown, store

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

__all__ = ["RunRow", "best_run", "best_runs", "experiment_names", "find_run", "latest_runs", "quoted", "waiting_runs"]

_PAGE = 1000  # runs of one request
_ALL = 1_000_000
_SAMPLE = 50  # runs that say where the bounds lie
_MARGIN = 1.3  # how many times more runs than asked for should lie above the first bound
_BAND = 400  # runs that MLflow may have to sort at once
_KIND = "mlops.kind"


@dataclass(frozen=True)
class RunRow:
    """A run as a row of a table.

    Attributes
    ----------
    start_time, end_time
        Milliseconds since 1970.
    metrics
        The latest value of each; NaN where that was recorded.
    parent
        Id of the run that it is nested in.
    """

    run_id: str
    name: str
    status: str
    start_time: int
    end_time: int | None
    experiment: str
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    parent: str | None = None
    experiment_id: str = ""


def latest_runs(
    uri: str, experiment: str, *, limit: int = 100, filter_string: str = "", kinds: Sequence[str] = ()
) -> list[RunRow]:
    """The newest runs of an experiment, the newest first; none if there is no such experiment.

    Parameters
    ----------
    filter_string
        In MLflow's language, such as ``metrics.auc > 0.8 and params.model = 'tree'``.
    kinds
        Only these values of the tag ``mlops.kind``: cell, rerun, sweep.

    Raises
    ------
    UsageError
        The filter cannot be read.
    TrackingError
        The store refused.
    """
    with _search(uri, experiment) as search:
        return search.newest(limit, filter_string, kinds)


def best_runs(
    uri: str, experiment: str, metric: str, *, maximize: bool, limit: int = 100, filter_string: str = "",
    kinds: Sequence[str] = (),
) -> list[RunRow]:  # fmt: skip
    """The runs with the best values of a metric, the best first, the newest first where values are equal.

    Runs without a number for it are left out. Parameters and errors are those of `latest_runs`.
    """
    with _search(uri, experiment) as search:
        return search.best(metric, maximize, limit, filter_string, kinds)


def best_run(
    uri: str, experiment: str, metric: str, *, maximize: bool, filter_string: str = "", kinds: Sequence[str] = ()
) -> RunRow | None:
    """The run with the best value of a metric; see `best_runs`."""
    found = best_runs(uri, experiment, metric, maximize=maximize, limit=1, filter_string=filter_string, kinds=kinds)
    return found[0] if found else None


def experiment_names(uri: str) -> list[str]:
    """Names of the experiments of a store, the last changed first."""
    if not _exists(uri):
        return []
    with store(uri) as client:
        return [str(one.name) for one in client.search_experiments(max_results=_PAGE, order_by=["last_update_time DESC"])]


def find_run(uri: str, reference: str, *, experiment: str | None = None) -> RunRow:
    """The run of that id, that beginning of an id, or that name (the newest run, where several have it).

    Parameters
    ----------
    experiment
        Look for names here first.

    Raises
    ------
    UsageError
        There is none, or several ids begin so.
    """
    reference = reference.strip()
    if not reference or not _exists(uri):
        raise UsageError(f"There is no run {reference!r} at {shown(uri)}. `jupyter mlops runs` lists them.")
    with store(uri) as client:
        names = {str(one.experiment_id): str(one.name) for one in client.search_experiments(max_results=_PAGE)}
        ids = list(names)

        def ask(condition: str, where: list[str], limit: int) -> list[RunRow]:
            return [_row(one, names) for one in client.search_runs(where, condition, max_results=limit)] if where else []

        if _is_hexadecimal(reference) and len(reference) >= 4:
            found = ask(f"attributes.run_id LIKE '{reference.lower()}%'", ids, 6)
            if len(found) > 1:
                several = ", ".join(f"{one.run_id[:12]} ({one.name})" for one in found[:5])
                raise UsageError(f"Several runs begin with {reference!r}: {several}. Give more of the id.")
            if found:
                return found[0]
        if not {"'", '"'} <= set(reference):  # MLflow's filters cannot hold both
            same = f"attributes.run_name = {quoted(reference)}"
            first = [one for one, name in names.items() if name == experiment]
            found = ask(same, first, 1) or ask(same, ids, 1)
            if found:
                return found[0]
    raise UsageError(
        f"There is no run {reference!r} at {shown(uri)}: no id begins so, and none has that name. `jupyter mlops runs` lists them."
    )


def waiting_runs(uri: str, experiment: str) -> int:
    """How many runs of an experiment wait on disk, unknown to MLflow so far."""
    count = 0
    for folder in spooled_runs():
        try:
            head = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # delivered in this moment
        count += head.get("uri") == uri and head.get("experiment") == experiment and not head.get("run_id")
    return count


class _Search:
    """Searches in one experiment."""

    def __init__(self, client: MlflowClient, experiment_id: str, name: str) -> None:
        self.client, self.id, self.names = client, experiment_id, {experiment_id: name}

    def newest(self, limit: int, condition: str, kinds: Sequence[str]) -> list[RunRow]:
        return self._each(limit, condition, kinds, lambda row: (-row.start_time, row.run_id), self._pages)

    def best(self, metric: str, maximize: bool, limit: int, condition: str, kinds: Sequence[str]) -> list[RunRow]:
        if limit < 1:
            return []
        sign = -1.0 if maximize else 1.0

        def find(limit: int, condition: str) -> list[RunRow]:
            return self._best(metric, maximize, limit, condition)

        return self._each(limit, condition, kinds, lambda row: (sign * row.metrics[metric], -row.start_time, row.run_id), find)

    def _each(self, limit: int, condition: str, kinds: Sequence[str], key: Any, find: Any) -> list[RunRow]:
        """What is found for each kind, together: MLflow's filters have no OR."""
        if len(kinds) < 2:
            return list(find(limit, _and(condition, *(f"tags.`{_KIND}` = '{kind}'" for kind in kinds))))
        rows: list[RunRow] = []
        for kind in dict.fromkeys(kinds):
            rows += find(limit, _and(condition, f"tags.`{_KIND}` = '{kind}'"))
        return sorted(rows, key=key)[:limit]

    def _pages(self, limit: int, condition: str, order: Sequence[str] = ()) -> list[RunRow]:
        rows, _ = self._ask(limit, condition, order)
        return rows

    def _ask(self, limit: int, condition: str, order: Sequence[str] = ()) -> tuple[list[RunRow], bool]:
        """Up to `limit` runs, and whether there are more."""
        rows: dict[str, RunRow] = {}  # a run that begins between two pages moves others to the next one
        token: str | None = None
        while len(rows) < limit:
            size = min(limit - len(rows), _PAGE)
            page = self.client.search_runs([self.id], condition, max_results=size, order_by=list(order), page_token=token)
            rows.update((row.run_id, row) for row in (_row(one, self.names) for one in page))
            token = page.token
            if not token:
                break
        return list(rows.values()), bool(token)

    def _best(self, metric: str, maximize: bool, limit: int, condition: str) -> list[RunRow]:
        name = _identifier("metrics", metric)
        better, worse, sign = (">", "<", -1.0) if maximize else ("<", ">", 1.0)
        by_value = [f"{name} {'DESC' if maximize else 'ASC'}"]

        def ask(limit: int, *bounds: str, order: Sequence[str] = ()) -> tuple[list[RunRow], bool]:
            rows, more = self._ask(limit, _and(condition, *bounds), order)
            return [row for row in rows if _is_number(row.metrics.get(metric))], more

        def ranked(rows: list[RunRow]) -> list[RunRow]:
            return sorted(rows, key=lambda row: (sign * row.metrics[metric], -row.start_time, row.run_id))[:limit]

        # Ids are random: the first ones by id are a sample that no trend in time can spoil.
        anything = f"{name} >= {_literal(-sys.float_info.max)}"
        sample, more = ask(_SAMPLE, anything, order=["attributes.run_id ASC"])
        if not more:
            return ranked(sample)
        total = _estimated_count(sample)
        if 2 * limit >= total:
            return ranked(ask(_ALL, anything)[0])  # most of them are needed anyway
        values = sorted((row.metrics[metric] for row in sample), reverse=maximize)
        step = max(1, min(math.ceil(limit * _MARGIN / total * len(values)), math.ceil(_BAND / total * len(values))))
        rows: list[RunRow] = []
        bands: list[str] = []  # what lies above the current band is in `rows`
        position = -1
        while len(rows) < limit and position < len(values) - 1:
            position = min(position + step, len(values) - 1)
            bound = values[position]
            position = len(values) - 1 - values[::-1].index(bound)  # the last of equal ones
            tied = values.count(bound) > 1  # it may be the value of all runs: those need no sorting
            rows += ask(limit - len(rows), f"{name} {better}{'' if tied else '='} {_literal(bound)}", *bands, order=by_value)[0]
            if tied and len(rows) < limit:
                rows += ask(limit - len(rows), f"{name} = {_literal(bound)}")[0]
            bands = [f"{name} {worse} {_literal(bound)}"]
        if len(rows) < limit:
            rows += ask(limit - len(rows), anything, *bands, order=by_value)[0]
        return ranked(rows)


@contextmanager
def _search(uri: str, experiment: str) -> Iterator[_Search | _Nothing]:
    """The searches of an experiment; they find nothing where it does not exist."""
    if not _exists(uri):
        yield _Nothing()
        return
    from mlflow.exceptions import MlflowException

    with store(uri) as client:
        found = client.get_experiment_by_name(experiment)
        if found is None or found.lifecycle_stage == "deleted":
            yield _Nothing()
            return
        try:
            yield _Search(client, str(found.experiment_id), experiment)
        except MlflowException as error:
            if error.error_code != "INVALID_PARAMETER_VALUE":
                raise
            raise UsageError(
                f"MLflow cannot read the filter: {error.message} Write it as "
                "metrics.auc > 0.8 and params.model = 'tree' and tags.`git.branch` = 'main'."
            ) from None


class _Nothing:
    def newest(self, *_: object) -> list[RunRow]:
        return []

    best = newest


def _exists(uri: str) -> bool:
    """Whether there is something to ask: MLflow would make a database that is not there, only to find it empty."""
    if not uri.startswith("sqlite:///"):
        return True
    path = uri.removeprefix("sqlite:///").split("?")[0]
    return path in ("", ":memory:") or Path(path).exists()


def _row(run: Run, names: Mapping[str, str]) -> RunRow:
    info, data = run.info, run.data
    tags = data.tags
    return RunRow(
        run_id=str(info.run_id),
        name=str(info.run_name or tags.get("mlflow.runName") or info.run_id),
        status=str(info.status),
        start_time=int(info.start_time or 0),
        end_time=int(info.end_time) if info.end_time else None,
        experiment=names.get(str(info.experiment_id), str(info.experiment_id)),
        params=data.params,
        metrics=data.metrics,
        tags=tags,
        parent=tags.get("mlflow.parentRunId"),
        experiment_id=str(info.experiment_id),
    )


def _estimated_count(sample: Sequence[RunRow]) -> float:
    """How many runs there are, from the first ones by id, since ids are spread evenly."""
    try:
        reached = int(max(row.run_id for row in sample)[:12], 16) / 16**12
    except ValueError:  # ids of another kind
        return 50.0 * len(sample)
    return len(sample) / max(reached, 1e-9)


def _and(*conditions: str) -> str:
    return " and ".join(one for one in conditions if one)


def _identifier(kind: str, key: str) -> str:
    """A name in MLflow's filters, in backticks or else in quotes."""
    if "`" not in key:
        return f"{kind}.`{key}`"
    if '"' not in key:
        return f'{kind}."{key}"'
    raise UsageError(f'MLflow cannot search for {key!r}, which holds both ` and ".')


def quoted(value: str) -> str:
    """A text as MLflow's filters read it: they know no escapes, but two kinds of quotes.

    Raises
    ------
    UsageError
        The text holds both.
    """
    if "'" in value and '"' in value:
        raise UsageError(f"MLflow cannot search for {value!r}, which holds both kinds of quotes.")
    return f'"{value}"' if "'" in value else f"'{value}'"


def _literal(value: float) -> str:
    """A number as MLflow's filters read it, exactly; they know no plus sign."""
    return repr(float(value)).replace("e+", "e")


def _is_number(value: float | None) -> bool:
    return value is not None and not math.isnan(value)


def _is_hexadecimal(text: str) -> bool:
    return all(letter in "0123456789abcdefABCDEF-" for letter in text)
