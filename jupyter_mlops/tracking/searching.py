"""Searches in one experiment of an MLflow store: the newest runs, all of them, or the best ones by a bound; see `listing`."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import UsageError
from jupyter_mlops.tracking.store import sqlite_file, store

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

__all__ = ["PAGE", "RunRow", "Search", "quoted", "row_of", "search", "store_exists"]

PAGE = 1000  # runs of one request
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


class Search:
    """Searches in one experiment."""

    def __init__(self, client: MlflowClient, experiment_id: str, name: str) -> None:
        self.client, self.id, self.names = client, experiment_id, {experiment_id: name}

    def newest(self, limit: int, condition: str, kinds: Sequence[str]) -> list[RunRow]:
        """The newest runs that meet a condition and are of one of the kinds, if some are given."""
        return self._each(limit, condition, kinds, lambda row: (-row.start_time, row.run_id), self._pages)

    def pages(self, first: int, size: int) -> Iterator[list[RunRow]]:
        """All runs, the newest first."""
        many, token = first, None
        while True:
            page = self.client.search_runs([self.id], max_results=many, page_token=token)
            if page:
                yield [row_of(one, self.names) for one in page]
            many, token = size, page.token
            if not token:
                return

    def best(self, metric: str, maximize: bool, limit: int, condition: str, kinds: Sequence[str]) -> list[RunRow]:
        """The runs with the best values, without those that have no number."""
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
            size = min(limit - len(rows), PAGE)
            page = self.client.search_runs([self.id], condition, max_results=size, order_by=list(order), page_token=token)
            rows.update((row.run_id, row) for row in (row_of(one, self.names) for one in page))
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
def search(uri: str, experiment: str) -> Iterator[Search | _Nothing]:
    """The searches of an experiment; they find nothing where it does not exist."""
    if not store_exists(uri):
        yield _Nothing()
        return
    from mlflow.exceptions import MlflowException

    with store(uri) as client:
        found = client.get_experiment_by_name(experiment)
        if found is None or found.lifecycle_stage == "deleted":
            yield _Nothing()
            return
        try:
            yield Search(client, str(found.experiment_id), experiment)
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

    def pages(self, *_: object) -> Iterator[list[RunRow]]:
        yield from ()


def store_exists(uri: str) -> bool:
    """Whether there is something to ask: MLflow would make a database that is not there, only to find it empty."""
    file = sqlite_file(uri)
    return file is None or file.exists()


def row_of(run: Run, names: Mapping[str, str]) -> RunRow:
    """MLflow's run as a row; `names` are those of experiments, by id."""
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
