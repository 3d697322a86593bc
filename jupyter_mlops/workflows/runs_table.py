"""The table of runs as plain data: which columns there are, which are worth showing, and how values are written."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from jupyter_mlops.tracking.directions import lower_is_better
from jupyter_mlops.tracking.listing import RunRow
from jupyter_mlops.tracking.store import page_link, shown

__all__ = [
    "FIXED",
    "TAGS",
    "Column",
    "Kind",
    "RunsTable",
    "Value",
    "data_versions",
    "duration_text",
    "git_text",
    "json_values",
    "number_text",
    "run_link",
    "table",
    "value_of",
    "value_text",
]

Kind = Literal["name", "when", "status", "duration", "metric", "param", "tag"]
Value = str | float | None

_METRICS, _PARAMS = 8, 8  # columns that are shown unasked; the others can be chosen
_MEASURES = ("duration_seconds", "peak_memory_mib")  # of every run, and no result of it
TAGS = ("git", "data", "notebook", "kind")
_WIDTH = 28  # characters of a value in text


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    key
        Unique in the table: the title, with the kind before it for metrics, parameters and tags.
    numeric
        Its values are sorted as numbers.
    lower
        For metrics: whether lower is better.
    shown
        Worth a place on the screen; the others can be asked for.
    """

    key: str
    title: str
    kind: Kind
    numeric: bool = False
    lower: bool | None = None
    shown: bool = True


# Columns that every run has a value for, by their keys.
FIXED: Mapping[str, Column] = {
    one.key: one
    for one in (
        Column("name", "name", "name"),
        Column("when", "when", "when", numeric=True),
        Column("status", "status", "status"),
        Column("duration", "duration", "duration", numeric=True),
    )
}


@dataclass(frozen=True)
class RunsTable:
    """Runs and the columns in which they differ.

    Attributes
    ----------
    sort
        The metric by which the rows are ordered, the best first; None: the newest first.
    notes
        What else there is to know, each a sentence.
    """

    uri: str
    experiment: str
    rows: Sequence[RunRow]
    columns: Sequence[Column]
    sort: str | None = None
    notes: Sequence[str] = field(default=())

    def values(self, row: RunRow) -> list[Value]:
        """A row's values in the order of the columns: times in ms, durations in seconds, None where there is none."""
        return [value_of(row, column) for column in self.columns]

    def link(self, row: RunRow) -> str | None:
        """The run's page in MLflow, where the store is a server."""
        return run_link(self.uri, row.experiment_id, row.run_id)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; NaN becomes the text ``nan``."""
        return {
            "tracking_uri": shown(self.uri),
            "experiment": self.experiment,
            "sort": self.sort,
            "notes": list(self.notes),
            "runs": [
                {
                    "run_id": row.run_id, "name": row.name, "status": row.status, "start_time": row.start_time,
                    "end_time": row.end_time, "parent": row.parent, "link": self.link(row), "params": dict(row.params),
                    "metrics": {k: v if math.isfinite(v) else str(v) for k, v in row.metrics.items()}, "tags": dict(row.tags),
                }
                for row in self.rows
            ],
        }  # fmt: skip

    def text(self, width: int | None = None) -> str:
        """The table for a terminal: as many columns as fit, the others are named below.

        Parameters
        ----------
        width
            Characters of a line; the terminal's by default.
        """
        width = width or shutil.get_terminal_size((140, 24)).columns
        if not self.rows:
            return "\n".join([f"No runs in experiment {self.experiment!r} at {shown(self.uri)}.", *self.notes])
        cells: list[list[str]] = [["run", *(row.run_id[:8] for row in self.rows)]]
        rights = [False]
        left: list[str] = []
        used = len(cells[0][1])
        for column in self.columns:
            if not column.shown:
                continue
            texts = [column.title, *(_cut(value_text(value_of(row, column), column), _WIDTH) for row in self.rows)]
            size = max(map(len, texts)) + 2
            if left or used + size > width:
                left.append(column.title)
                continue
            used += size
            cells.append(texts)
            rights.append(column.numeric)
        widths = [max(map(len, texts)) for texts in cells]
        lines = [
            "  ".join(
                text.rjust(size) if right else text.ljust(size)
                for text, size, right in zip(line, widths, rights, strict=True)
            ).rstrip()
            for line in zip(*cells, strict=True)
        ]  # fmt: skip
        lines.insert(1, "  ".join("-" * size for size in widths))
        if left:
            lines.append(f"Not shown for lack of width: {', '.join(left)}. --json has everything.")
        return "\n".join([*lines, *self.notes])


def table(uri: str, experiment: str, rows: Sequence[RunRow], *, sort: str | None = None, notes: Iterable[str] = ()) -> RunsTable:
    """Choose the columns for these runs."""
    return RunsTable(uri, experiment, rows, tuple(_columns(rows, sort)), sort, tuple(notes))


def _columns(rows: Sequence[RunRow], sort: str | None) -> Iterable[Column]:
    yield from FIXED.values()
    metrics = [one for one in _keys(row.metrics for row in rows) if one not in _MEASURES]
    metrics.sort(key=lambda name: name.startswith("training_"))  # autologging's: less telling than the notebook's own
    if sort is not None and sort not in _MEASURES:
        metrics = [sort, *(one for one in metrics if one != sort)]
    for position, name in enumerate([*metrics, *(one for one in _MEASURES if any(one in row.metrics for row in rows))]):
        shown_now = name == sort or (position < _METRICS and name not in _MEASURES)
        yield Column(f"metric:{name}", name, "metric", numeric=True, lower=lower_is_better(name), shown=shown_now)
    params = _keys(row.params for row in rows)
    differing = [one for one in params if len(rows) < 2 or len({row.params.get(one) for row in rows}) > 1]
    for name in [*differing, *(one for one in params if one not in set(differing))]:
        shown_now = name in differing[:_PARAMS]
        yield Column(f"param:{name}", name, "param", numeric=_all_numbers(row.params.get(name) for row in rows), shown=shown_now)
    for name in TAGS:
        column = Column(f"tag:{name}", name, "tag")
        values = {value_of(row, column) for row in rows}
        if values != {None} and rows:
            yield Column(f"tag:{name}", name, "tag", shown=len(values) > 1 and name != "kind")


def _keys(mappings: Iterable[Mapping[str, Any]]) -> list[str]:
    """All names: those of most runs first, else in their own order."""
    counts: dict[str, int] = {}
    for mapping in mappings:
        for name in mapping:
            counts[name] = counts.get(name, 0) + 1
    order = {name: place for place, name in enumerate(counts)}
    return sorted(counts, key=lambda name: (-counts[name], order[name]))


def _all_numbers(values: Iterable[str | None]) -> bool:
    found = False
    for value in values:
        if value is None or value in ("", "None"):
            continue
        try:
            float(value)
        except ValueError:
            return False
        found = True
    return found


def value_of(row: RunRow, column: Column) -> Value:
    """A run's value for a column; None where it has none."""
    if column.kind == "metric":
        return row.metrics.get(column.title)
    if column.kind == "param":
        return row.params.get(column.title)
    if column.kind == "tag" and column.title not in TAGS:
        return row.tags.get(column.title)
    return _FIELDS[column.title](row)


def _duration(row: RunRow) -> float | None:
    return None if row.end_time is None else max(0.0, (row.end_time - row.start_time) / 1000)


def git_text(tags: Mapping[str, str]) -> str | None:
    """The commit, with a star where the work tree differed from it."""
    commit = tags.get("git.commit") or tags.get("mlflow.source.git.commit")
    return None if not commit else commit[:8] + ("*" if tags.get("git.dirty", "").lower() == "true" else "")


def data_versions(tags: Mapping[str, str]) -> dict[str, str]:
    """The data files that a run's tags name, and their versions."""
    found = sorted(item for item in tags.items() if item[0].startswith("data."))
    return {key.removeprefix("data."): value for key, value in found}


def _data(row: RunRow) -> str | None:
    found = [f"{name} {value.removeprefix('md5:')[:8]}" for name, value in data_versions(row.tags).items()]
    return ", ".join(found) or None


_FIELDS: dict[str, Callable[[RunRow], Value]] = {
    "name": lambda row: row.name,
    "when": lambda row: row.start_time,
    "status": lambda row: row.status.lower(),
    "duration": _duration,
    "git": lambda row: git_text(row.tags),
    "data": _data,
    "notebook": lambda row: row.tags.get("notebook"),
    "kind": lambda row: row.tags.get("mlops.kind"),
}


def run_link(uri: str, experiment_id: str, run_id: str) -> str | None:
    """The run's page in MLflow, where the store is a server."""
    return page_link(uri, f"experiments/{experiment_id}/runs/{run_id}")


def value_text(value: Value, column: Column) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    if column.kind == "when":
        return datetime.fromtimestamp(float(value) / 1000).strftime("%Y-%m-%d %H:%M:%S")
    if column.kind == "duration":
        return duration_text(float(value))
    return number_text(value) if isinstance(value, float) else " ".join(str(value).split())


def number_text(value: float) -> str:
    """Six digits; whole numbers as such."""
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:.6g}"


def duration_text(seconds: float) -> str:
    """Seconds, minutes or hours."""
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 1 else f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min"


def _cut(text: str, limit: int) -> str:
    """The text, or as much as fits with an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def json_values(table: RunsTable, row: RunRow) -> list[Value]:
    """A row's values for a browser, which knows no NaN: such numbers become text."""
    return [str(v) if isinstance(v, float) and not math.isfinite(v) else v for v in table.values(row)]
