"""The page of a report: what was found, and the trend over the windows before. No script, nothing from elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

__all__ = ["write_page"]

_WIDTH, _HEIGHT, _EDGE = 640, 120, 8  # of a chart, in pixels


def write_page(report: Mapping[str, Any], history: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the page.

    Parameters
    ----------
    report
        As `MonitorReport.as_dict` gives it.
    history
        Reports of this version, this one among them, in the order of their windows.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    charts = [
        _chart("Columns that drifted, share of all", [(_end(one), one["driftedShare"]) for one in history], 0.0, 1.0, None),
        _chart("Drift of the predictions", [(_end(one), _get(one, "prediction", "distance")) for one in history], 0.0, None,
               _get(report, "prediction", "threshold")),
        _chart(f"Score ({_get(report, 'quality', 'score')})", [(_end(one), _get(one, "quality", "value")) for one in history], None, None,
               _get(report, "quality", "reference")),
        _chart("Rows", [(_end(one), one["rows"]) for one in history], 0.0, None, None),
    ]  # fmt: skip
    columns = sorted(report["columns"], key=lambda one: -(one["distance"] or 0) / one["threshold"])
    text = environment.get_template("page.html.j2").render(
        report=report, columns=columns, charts=[one for one in charts if one is not None], windows=len(history)
    )
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def _end(report: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(report["window"]["until"])


def _get(report: Mapping[str, Any], part: str, name: str) -> Any:
    return None if report[part] is None else report[part][name]


def _chart(
    title: str, points: Sequence[tuple[datetime, float | None]], low: float | None, high: float | None, line: float | None
) -> dict[str, Any] | None:
    """A line over time as coordinates; None where fewer than two windows have a value."""
    known = [(when.timestamp(), value) for when, value in points if value is not None]
    if len(known) < 2:
        return None
    values = [value for _, value in known] + ([line] if line is not None else [])
    bottom, top = min(values) if low is None else low, max(values) if high is None else high
    span, (first, last) = (top - bottom) or 1.0, (known[0][0], known[-1][0])

    def y(value: float) -> float:
        return round(_HEIGHT - _EDGE - (value - bottom) / span * (_HEIGHT - 2 * _EDGE), 1)

    dots = [
        (round(_EDGE + (when - first) / ((last - first) or 1) * (_WIDTH - 2 * _EDGE), 1), y(value), value)
        for when, value in known
    ]
    return {
        "title": title, "dots": dots, "path": " ".join(f"{x},{level}" for x, level, _ in dots), "width": _WIDTH, "height": _HEIGHT,
        "line": None if line is None else y(line), "limit": line, "low": bottom, "high": top,
    }  # fmt: skip
