"""Several runs side by side; for two of them also what differs in code, data, git and packages."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from jupyter_mlops.errors import NotFoundError, UsageError
from jupyter_mlops.tracking.directions import lower_is_better
from jupyter_mlops.tracking.listing import RunRow, runs_by_id
from jupyter_mlops.tracking.listing_artifacts import read_artifacts
from jupyter_mlops.tracking.store import check_reachable, shown
from jupyter_mlops.workflows.comparison import Comparison, ValuePair, compare
from jupyter_mlops.workflows.runs_table import run_link

__all__ = ["compared_runs"]

_MOST = 10
_STATES = {
    "changed": "changed",
    "only_a": "only in the first run",
    "only_b": "only in the second run",
    "unknown": "version unknown",
}


def compared_runs(uri: str, run_ids: Sequence[str]) -> dict[str, Any]:
    """Put 2 to 10 runs side by side; the message ``RunsComparison``.

    Raises
    ------
    UsageError
        There are too few or too many ids.
    NotFoundError
        One is of no run.
    TrackingError
        The store does not answer.
    """
    ids = list(dict.fromkeys(run_ids))
    if not 2 <= len(ids) <= _MOST:
        raise UsageError(f"2 to {_MOST} runs can be put side by side, not {len(ids)}. Select others.")
    check_reachable(uri)
    found = runs_by_id(uri, ids)
    if missing := [one for one in ids if one not in found]:
        raise NotFoundError(f"There is no run {missing[0]!r} at {shown(uri)}: it may have been deleted. Refresh the list.")
    rows = [found[one] for one in ids]
    differences: list[dict[str, str]] = []
    notes: list[str] = []
    if len(rows) == 2:
        pair = compare(uri, rows[0], rows[1], *(read_artifacts(uri, one.run_id) for one in rows))
        differences = [{"title": title, "text": text} for title, text in _differences(pair)]
        notes = list(pair.notes)
    return {
        "runs": [
            {"id": row.run_id, "name": row.name, "status": row.status, "started": row.start_time,
             "link": run_link(uri, row.experiment_id, row.run_id)}
            for row in rows
        ],
        "params": [_param(name, [row.params.get(name) for row in rows]) for name in _names([list(row.params) for row in rows])],
        "metrics": [_metric(name, rows) for name in _names([list(row.metrics) for row in rows])],
        "differences": differences,
        "notes": notes,
    }  # fmt: skip


def _names(lists: Sequence[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(name for names in lists for name in names))


def _param(name: str, values: list[str | None]) -> dict[str, Any]:
    return {"name": name, "values": values, "same": len(set(values)) == 1}


def _metric(name: str, rows: Sequence[RunRow]) -> dict[str, Any]:
    lower = lower_is_better(name)
    values = [value if (value := row.metrics.get(name)) is not None and math.isfinite(value) else None for row in rows]
    known = [value for value in values if value is not None]
    best = None
    if len(known) > 1:
        top = min(known) if lower else max(known)
        best = values.index(top) if known.count(top) == 1 else None
    return {"name": name, "values": values, "lower": lower, "best": best}


def _differences(pair: Comparison) -> Iterator[tuple[str, str]]:
    for code in pair.code:
        if code.diff:
            yield "Code of the cell" if code.what == "cell" else "Notebook", code.diff
    data = [f"{one.path}: {_STATES[one.state]}" + _versions(one.a, one.b) for one in pair.data if one.state != "same"]
    if data:
        yield "Data", "\n".join(data)
    for title, pairs in (("Git", pair.git), ("Packages", pair.environment or ())):
        if lines := [_line(one) for one in pairs if not one.same]:
            yield title, "\n".join(lines)


def _versions(a: str | None, b: str | None) -> str:
    return f" ({a[:12]} → {b[:12]})" if a and b else ""


def _line(one: ValuePair) -> str:
    return f"{one.name}: {one.a or 'none'} → {one.b or 'none'}"
