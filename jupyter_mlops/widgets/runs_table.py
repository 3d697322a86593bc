"""The table of runs in the notebook: live where the frontend has widgets, static HTML beside it everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import Any

from jupyter_mlops.errors import MlopsError
from jupyter_mlops.widgets.runs_html import comparison_html, css, runs_html, title
from jupyter_mlops.workflows.comparison import Comparison
from jupyter_mlops.workflows.runs import compare_runs
from jupyter_mlops.workflows.runs_table import RunsTable, json_values

__all__ = ["ComparisonView", "RunsView"]


class RunsView:
    """A table to be displayed: `display(RunsView(table))`.

    Parameters
    ----------
    table
        From `list_runs`.
    live
        Whether to offer the widget, which needs a kernel and a frontend with widgets.
    """

    def __init__(self, table: RunsTable, *, live: bool = True) -> None:
        self.table = table
        self._widget = _live(table) if live and table.rows else None

    @property
    def widget(self) -> Any:
        """The live table; None where there is none."""
        return self._widget

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/plain": self.table.text(140), "text/html": runs_html(self.table)}
        if self._widget is not None:
            bundle["application/vnd.jupyter.widget-view+json"] = {
                "version_major": 2, "version_minor": 0, "model_id": self._widget.model_id,
            }  # fmt: skip
        return bundle


class ComparisonView:
    """Two runs side by side, to be displayed."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> dict[str, Any]:
        return {"text/plain": self.comparison.text(), "text/html": comparison_html(self.comparison)}


def _compared(uri: str, table: RunsTable, selected: Sequence[str]) -> dict[str, str]:
    """What the live table shows for two ticked runs, the older one first; an error as a sentence."""
    started = {row.run_id: row.start_time for row in table.rows}
    first, second = sorted(selected, key=lambda one: (started.get(one, 0), one))
    try:
        html = comparison_html(compare_runs(uri, first, second), style=False)
    except MlopsError as error:
        from html import escape

        html = f'<div class="mlops-runs-note mlops-runs-bad">{escape(str(error))}</div>'
    return {"pair": " ".join(sorted(selected)), "html": html}


def _live(table: RunsTable) -> Any:
    try:
        widget = _widget_class()
    except ImportError:
        return None
    live = widget(
        title=title(table),
        columns=[asdict(one) for one in table.columns],
        rows=[[row.run_id, table.link(row), row.parent is not None, json_values(table, row)] for row in table.rows],
        notes=list(table.notes),
    )

    def compare(change: Any) -> None:
        if len(change["new"]) == 2:
            live.comparison = _compared(table.uri, table, change["new"])

    live.observe(compare, "selected")
    return live


@cache
def _widget_class() -> Any:
    import anywidget
    import traitlets

    class RunsWidget(anywidget.AnyWidget):
        """The rows go to the browser once; sorting, filtering and paging are done there."""

        _esm = (files("jupyter_mlops.widgets") / "runs_table.js").read_text(encoding="utf-8")
        _css = css()
        title = traitlets.Unicode().tag(sync=True)
        columns: Any = traitlets.List().tag(sync=True)
        rows: Any = traitlets.List().tag(sync=True)
        notes: Any = traitlets.List().tag(sync=True)
        selected: Any = traitlets.List().tag(sync=True)
        comparison = traitlets.Dict({"pair": "", "html": ""}).tag(sync=True)

    return RunsWidget
