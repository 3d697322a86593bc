"""The result of a sweep as a table: ranked, with the failed runs and their reasons below."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_mlops.errors import UsageError
from jupyter_mlops.workflows.run_metrics import direction, first_ranked
from jupyter_mlops.workflows.sweep_journal import Entry

__all__ = ["Ranking", "as_csv", "as_text", "columns", "describe", "rank", "ranking"]


@dataclass(frozen=True)
class Ranking:
    """By which metric runs are ranked."""

    metric: str
    maximize: bool


def ranking(metric: str | None, maximize: bool | None, known: Sequence[str]) -> Ranking | None:
    """What to rank by; None where the notebook's metrics show only when it has run, or do not say which way is better.

    Parameters
    ----------
    metric, maximize
        What the caller says, if anything.
    known
        Metrics of the notebook that are known without running it, or afterwards those of the runs.

    Raises
    ------
    UsageError
        The metric's name does not say whether more is better, and neither does the caller.
    """
    if metric is None:
        metric = first_ranked(known) or (known[0] if known and maximize is not None else None)
        if metric is None:
            return None
    if maximize is None:
        maximize = direction(metric)
    if maximize is None:
        raise UsageError(f"Is more of {metric!r} better, or less? Say so: --maximize or --minimize.")
    return Ranking(metric, maximize)


def rank(entries: Iterable[Entry], by: Ranking | None) -> list[Entry]:
    """The best first; then finished runs without the metric, then the others. Ties stay in the order of the grid."""

    def place(entry: Entry) -> tuple[int, float, int]:
        if entry.status != "FINISHED":
            return 2, 0.0, entry.number
        value = entry.metrics.get(by.metric, math.nan) if by else math.nan
        if math.isnan(value):
            return 1, 0.0, entry.number
        assert by is not None
        return 0, -value if by.maximize else value, entry.number

    return sorted(entries, key=place)


def columns(entries: Sequence[Entry], by: Ranking | None) -> tuple[list[str], list[str]]:
    """Names of parameters, and of metrics with the one that ranks in front."""
    parameters = list(dict.fromkeys(name for entry in entries for name in entry.parameters))
    metrics = dict.fromkeys([by.metric] if by and any(by.metric in entry.metrics for entry in entries) else [])
    metrics.update(dict.fromkeys(name for entry in entries for name in entry.metrics))
    return parameters, list(metrics)


def as_csv(entries: Sequence[Entry], by: Ranking | None) -> str:
    """All of it, for a spreadsheet."""
    parameters, metrics = columns(entries, by)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["rank", "run", "status", *parameters, *metrics, "seconds", "run_id", "output", "error"])
    for position, entry in enumerate(entries, start=1):
        ok = entry.status == "FINISHED"
        writer.writerow(
            [
                position if ok else "", entry.number, entry.status, *(entry.parameters.get(name, "") for name in parameters),
                *(entry.metrics.get(name, "") for name in metrics), entry.seconds, entry.run_id, entry.output,
                entry.error.split("\n")[0],
            ]
        )  # fmt: skip
    return text.getvalue()


def as_text(entries: Sequence[Entry], by: Ranking | None, width: int = 120, most: int = 50) -> str:
    """For a terminal: as many columns and rows as fit, then the failed ones with their reasons."""
    good = [entry for entry in entries if entry.status == "FINISHED"]
    bad = [entry for entry in entries if entry.status != "FINISHED"]
    lines: list[str] = []
    if good:
        parameters, metrics = columns(good, by)
        head = ["rank", "run", *parameters, *metrics, "seconds"]
        rows = [
            [str(position), str(entry.number), *(_shown(entry.parameters.get(name, "")) for name in parameters),
             *(_number(entry.metrics.get(name)) for name in metrics), f"{entry.seconds:.1f}"]
            for position, entry in enumerate(good[:most], start=1)
        ]  # fmt: skip
        widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
        fits = len(head)
        while fits > 3 and sum(widths[:fits]) + 2 * fits > width:
            fits -= 1
        lines += ["  ".join(text.rjust(w) for text, w in zip(row[:fits], widths, strict=False)) for row in [head, *rows]]
        if len(good) > most:
            lines.append(f"and {len(good) - most} more")
    for entry in bad:
        values = ", ".join(f"{name}={_shown(value)}" for name, value in entry.parameters.items())
        lines.append(f"run {entry.number} ({values}) {entry.status}: {entry.error.split(chr(10))[0] or 'not run'}")
    return "\n".join(lines)


def describe(parameters: Mapping[str, Any], most: int = 100) -> str:
    """``depth=3, rate=0.1``."""
    text = ", ".join(f"{name}={_shown(value)}" for name, value in parameters.items())
    return text if len(text) <= most else text[: most - 1] + "…"


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 30 else text[:29] + "…"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
