"""Pages of an experiment's runs for the sidebar, sorted and filtered over all of them; and runs side by side."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from jupyter_mlops.errors import UsageError
from jupyter_mlops.tracking.listing import RunRow, best_runs
from jupyter_mlops.tracking.store import check_reachable, shown
from jupyter_mlops.workflows.runs import experiment_notes
from jupyter_mlops.workflows.runs_compared import compared_runs
from jupyter_mlops.workflows.runs_filter import NO_FILTER, RunsFilter, number_of, read_filter
from jupyter_mlops.workflows.runs_index import RunsIndex, runs_index
from jupyter_mlops.workflows.runs_table import FIXED, Column, Kind, RunsTable, json_values, table, value_of

__all__ = ["compared_runs", "runs_page"]

_LIMIT = 1000  # runs of a page
_BEST = 1000  # places up to which the best runs are asked of MLflow while the index fills
_KINDS: dict[str, Kind] = {"metric": "metric", "param": "param", "tag": "tag"}
_VIEWS = 16  # sorted and filtered lists of an index that are kept


def runs_page(
    uri: str, experiment: str, *, offset: int = 0, limit: int = 100, sort: str = "", descending: bool = True,
    filter_text: str = "", refresh: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Some runs of an experiment; the message ``RunsPage``.

    The first call answers with the first page while a thread reads the others (``complete`` is false then).

    Parameters
    ----------
    sort
        Key of a column; empty: the newest first. Runs without a value come last, whatever the direction.
    filter_text
        As `runs_filter.read_filter` reads it.
    refresh
        Read all runs again, for what else would be noticed only after a while: runs that were deleted or delivered late.

    Raises
    ------
    UsageError
        The filter cannot be read, there is no such column, or the page is none.
    TrackingError
        The store does not answer.
    """
    if offset < 0 or not 1 <= limit <= _LIMIT:
        raise UsageError(f"A page begins at 0 or later and has 1 to {_LIMIT} runs, not {limit} from {offset}.")
    chosen = read_filter(filter_text)
    by = _column(sort)
    check_reachable(uri)
    index = runs_index(uri, experiment)
    best: list[RunRow] | None = None
    with index.undisturbed():
        index.update(offset + limit, refresh=refresh)
        complete = index.complete
        if by is not None and by.kind == "metric" and not index.filled and chosen == NO_FILTER and offset + limit <= _BEST:
            best = best_runs(uri, experiment, by.title, maximize=descending, limit=offset + limit)
            index.add(best)
        view = _views_of(index).get(index, by, descending, chosen)
    rows = view.rows if best is None else _first(best, view.rows, by)
    shown_rows = rows[offset : offset + limit]
    notes = experiment_notes(uri, experiment, empty=not rows, filtered=bool(view.table.rows))
    if complete and view.table.rows:
        notes += chosen.unknown(view.table.rows, [one.title for one in view.table.columns])
    return {
        "experiment": experiment,
        "trackingUri": shown(uri),
        "columns": [_column_dict(one) for one in view.table.columns],
        "rows": [_row_dict(view.table, row) for row in shown_rows],
        "offset": offset,
        "matching": len(view.rows),
        "known": len(view.table.rows),
        "complete": complete,
        "notes": notes,
    }


def _column(key: str) -> Column | None:
    """The column of a key, whether or not a run has a value for it."""
    if not key:
        return None
    kind, colon, title = key.partition(":")
    if colon and title and kind in _KINDS:
        return Column(key, title, _KINDS[kind], numeric=kind == "metric")
    if key in FIXED:
        return FIXED[key]
    raise UsageError(
        f"There is no column {key!r} to sort by. Give name, when, status, duration, or metric:NAME, param:NAME, tag:NAME."
    )


def _first(best: Sequence[RunRow], known: Sequence[RunRow], by: Column | None) -> list[RunRow]:
    """The best runs of all, then those of the known ones that have no number."""
    ids = {row.run_id for row in best}
    rest = [row for row in known if row.run_id not in ids and by is not None and _rank(row, by) is None]
    return [*best, *rest]


def _rank(row: RunRow, by: Column) -> float | str | None:
    """What a run is sorted by; None for what comes last."""
    value = value_of(row, by)
    if by.numeric:
        number = number_of(value)
        return None if number is None or math.isnan(number) else number
    return None if value is None else str(value).casefold()


def _sorted(rows: Sequence[RunRow], by: Column, descending: bool) -> list[RunRow]:
    """Runs in the order of a column, the newest first where values are equal; those without a value last."""
    ranked = [(rank, row) for row in rows if (rank := _rank(row, by)) is not None]
    ranked.sort(key=lambda pair: pair[0], reverse=descending)
    have = {row.run_id for _, row in ranked}
    return [*(row for _, row in ranked), *(row for row in rows if row.run_id not in have)]


def _column_dict(one: Column) -> dict[str, Any]:
    return {
        "key": one.key, "title": one.title, "kind": one.kind, "numeric": one.numeric, "lower": one.lower, "shown": one.shown,
    }  # fmt: skip


def _row_dict(found: RunsTable, row: RunRow) -> dict[str, Any]:
    return {
        "id": row.run_id, "name": row.name, "status": row.status, "parent": row.parent, "link": found.link(row),
        "started": row.start_time, "values": json_values(found, row),
    }  # fmt: skip


@dataclass(frozen=True)
class _View:
    """The runs of an index in one order; `table` has all of them."""

    table: RunsTable
    rows: Sequence[RunRow]


class _Views:
    """What was sorted and filtered since an index changed last, so that scrolling does not do it again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version = -1
        self._kept: dict[tuple[str, bool, RunsFilter], _View] = {}
        self._table: RunsTable | None = None

    def get(self, index: RunsIndex, by: Column | None, descending: bool, chosen: RunsFilter) -> _View:
        with self._lock:
            version, rows = index.rows()
            if self._table is None or version != self._version:
                # The columns are those of all runs, so that they stay where they are while one sorts and filters.
                self._version, self._table = version, table(index.uri, index.experiment, rows)
                self._kept.clear()
            key = ("" if by is None else by.key, descending, chosen)
            if key not in self._kept:
                if len(self._kept) >= _VIEWS:
                    self._kept.clear()
                matching = [row for row in rows if chosen.matches(row)] if chosen != NO_FILTER else rows
                if by is not None:
                    # The table knows whether the values of a parameter are numbers.
                    by = next((one for one in self._table.columns if one.key == by.key), by)
                    matching = _sorted(matching, by, descending)
                elif not descending:
                    matching = matching[::-1]
                self._kept[key] = _View(self._table, matching)
            return self._kept[key]


_views: WeakKeyDictionary[RunsIndex, _Views] = WeakKeyDictionary()
_making = threading.Lock()


def _views_of(index: RunsIndex) -> _Views:
    with _making:
        return _views.setdefault(index, _Views())
