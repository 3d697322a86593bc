"""The card of a tracked cell: live while the cell runs, then a static page that stays in the notebook."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.tracking.store import shown
from jupyter_mlops.widgets.style import STYLE, chip, escape, number, seconds
from jupyter_mlops.workflows.comparing import MEASURES, Past, lower_is_better
from jupyter_mlops.workflows.runs_table import run_link

if TYPE_CHECKING:
    from jupyter_mlops.workflows.track import TrackedCell, TrackedRun, TrackSession

__all__ = ["LiveCard", "card_html", "card_text", "show_settings"]

_STATUS = {"FINISHED": "ok", "FAILED": "bad", "KILLED": "warn"}
_TICK = 1.0  # seconds between two looks at a running cell
_PATIENCE = 5.0  # seconds for the comparison, where a later answer could not be shown


def card_html(run: TrackedRun, past: Past | None) -> str:
    """The card as HTML that needs no script; `past` is None while it is looked for."""
    head = (
        f'<header><b>{escape(run.name)}</b>{chip(run.status.lower(), _STATUS[run.status])}<span class="q">{escape(run.experiment)} · '
        f"<code>{escape(run.run_id[:8])}</code> · {seconds(run.duration)} · {run.memory:,.0f} MiB</span></header>"
    )
    parts = [head]
    if run.error:
        parts.append(f'<p class="bad">{escape(run.error[:300])}</p>')
    rows = "".join(_metric_row(*row) for row in _compared(run, past))
    if rows:
        header = "<tr><th>metric</th><th>this run</th><th>previous</th><th>change</th><th>best before</th></tr>"
        parts.append(f'<table class="n"><thead>{header}</thead><tbody>{rows}</tbody></table>')
    parts += _details(run)
    parts += [f'<p class="warn">{escape(note)}</p>' for note in run.notes]
    parts.append(f"<footer>{_footer(run)}</footer>")
    return f'{STYLE}<div class="mlops">{"".join(parts)}</div>'


def _compared(run: TrackedRun, past: Past | None) -> Iterator[tuple[str, float, float | None, float | None]]:
    before = past.previous.metrics if past is not None and past.previous is not None else {}
    for name, value in run.metrics.items():
        if name in MEASURES:
            continue
        best = past.best.get(name) if past is not None else None
        yield name, value, before.get(name), best.value if best is not None else None


def _metric_row(name: str, value: float, previous: float | None, best: float | None) -> str:
    change = ""
    if previous is not None:
        change = f'<span class="{_kind(name, value, previous)}">{_difference(value, previous)}</span>'
    cells = [number(value), "–" if previous is None else number(previous), change or "–", "–"]
    if best is not None:
        better = value < best if lower_is_better(name) else value > best
        cells[3] = f"{number(best)}{' ' + chip('new best', 'ok') if better else ''}"
    return f"<tr><td>{escape(name)}</td>" + "".join(f"<td>{one}</td>" for one in cells) + "</tr>"


def _difference(value: float, previous: float) -> str:
    difference = value - previous
    if difference == 0:
        return "="
    return f"{'▲' if difference > 0 else '▼'} {number(abs(difference))}"


def _kind(name: str, value: float, previous: float) -> str:
    if value == previous:
        return "q"
    return "ok" if (value < previous) == lower_is_better(name) else "bad"


def _details(run: TrackedRun) -> Iterator[str]:
    if run.params:
        rows = "".join(
            f"<tr><td>{escape(name)}</td><td>{escape(value if len(value) <= 60 else value[:57] + '...')}</td></tr>"
            for name, value in run.params.items()
        )
        yield f"<details><summary>{len(run.params)} parameters</summary><table><tbody>{rows}</tbody></table></details>"
    if run.data:
        rows = "".join(
            f"<tr><td title='{escape(one.path)}'>{escape(Path(one.path).name)}</td><td>{one.size:,} bytes</td>"
            f"<td><code>{escape((one.md5 or 'unknown')[:10])}</code></td><td>{escape(_tracked(one))}</td></tr>"
            for one in run.data
        )
        yield f"<details><summary>{len(run.data)} data {'file' if len(run.data) == 1 else 'files'}</summary><table><tbody>{rows}</tbody></table></details>"


def _tracked(one: Any) -> str:
    if one.dvc is None:
        return "not under DVC"
    state = "DVC" if one.dvc.state == "unchanged" else "DVC, changed since"
    return f"{state} ({one.dvc.commit[:8]})" if one.dvc.commit else state


def _footer(run: TrackedRun) -> str:
    counts = [f"{count} {kind if count > 1 else kind[:-1]}" for kind, count in run.counts.items() if count]
    if run.git.commit:
        counts.append(f"git {run.git.commit[:8]}{' with changes' if run.git.dirty else ''}")
    link = run_link(run.uri, run.experiment_id, run.run_id)
    if not run.delivered:
        where = "waits on disk"
    elif link:
        where = f'<a href="{escape(link)}" target="_blank" rel="noopener">open in MLflow</a>'
    else:
        where = f"<code>mlflow ui --backend-store-uri {escape(_relative(shown(run.uri)))}</code>"
    return " · ".join([*(escape(one) for one in counts), where])


def _relative(uri: str) -> str:
    """The address of an SQLite file as one types it in the folder of the notebook."""
    return uri.replace(f"sqlite:///{Path.cwd()}/", "sqlite:///")


def card_text(run: TrackedRun, past: Past | None) -> str:
    """The card in plain text."""
    lines = [
        f"{run.name}  {run.status.lower()}  {run.experiment}/{run.run_id[:8]}  {seconds(run.duration)}  {run.memory:,.0f} MiB"
    ]
    if run.error:
        lines.append(f"  {run.error[:300]}")
    for name, value, previous, best in _compared(run, past):
        line = f"  {name:<32} {number(value):>12}"
        if previous is not None:
            line += f"  {_difference(value, previous)} since the previous run"
        if best is not None:
            line += f"  (best before: {number(best)})"
        lines.append(line)
    lines += [f"  {note}" for note in run.notes]
    return "\n".join(lines)


class LiveCard:
    """What is shown of one tracked cell.

    While it runs, an ipywidget tells the time and the metrics so far (plain HTML where the frontend has no widgets). Its
    place is taken by static HTML at the end: a widget would be lost with the kernel, and the notebook is the record.
    """

    def __init__(self, shell: Any, cell: TrackedCell) -> None:
        self._cell = cell
        self._kernel = hasattr(shell, "kernel")
        self._handle: Any = None
        self._widget: Any = None
        self._over = threading.Event()

    def show(self) -> None:
        """Show the running card; a terminal gets a line at the end only."""
        if not self._kernel:
            return
        from IPython.display import display

        html = self._running()
        bundle: dict[str, Any] = {"text/html": html, "text/plain": f"{self._cell.name}: running"}
        self._widget = _widget(html)
        if self._widget is not None:
            bundle["application/vnd.jupyter.widget-view+json"] = {
                "version_major": 2, "version_minor": 0, "model_id": self._widget.model_id,
            }  # fmt: skip
            threading.Thread(target=self._tell, daemon=True).start()
        self._handle = display(bundle, raw=True, display_id=True)

    def finish(self, run: TrackedRun) -> None:
        """Put the result in its place, and what it compares to as soon as that is known."""
        self._over.set()
        if not self._kernel:
            print(card_text(run, None))
            return
        self._update(run, None)
        if run.delivered and any(name not in MEASURES for name in run.metrics):
            thread = self._cell.history.find(run.metrics, lambda past: self._update(run, past))
            if not _is_interactive():
                thread.join(_PATIENCE)
        if self._widget is not None:
            self._widget.close()

    def _update(self, run: TrackedRun, past: Past | None) -> None:
        self._handle.update({"text/html": card_html(run, past), "text/plain": card_text(run, past)}, raw=True)

    def _tell(self) -> None:
        while not self._over.wait(_TICK):
            self._widget.value = self._running()

    def _running(self) -> str:
        cell = self._cell
        values = "".join(
            f"<tr><td>{escape(name)}</td><td>{number(float(one.value))}</td></tr>"
            for name, one in list(cell.known.metrics.items())
        )
        return (
            f'{STYLE}<div class="mlops"><header><b>{escape(cell.name)}</b>{chip("running")}<span class="q">{escape(cell.experiment)} · '
            f"{seconds(time.time() - cell.started)}</span></header><table class='n'><tbody>{values}</tbody></table></div>"
        )


def _widget(html: str) -> Any:
    try:
        import ipywidgets
    except ImportError:
        return None
    return ipywidgets.HTML(html)


def _is_interactive() -> bool:
    """Whether someone looks on, so that a card may still change when its cell is over: not so in a batch run."""
    return "JPY_SESSION_NAME" in os.environ or "VSCODE_PID" in os.environ


def show_settings(shell: Any, session: TrackSession, notebook: Path | None) -> None:
    """What ``%track`` shows: where runs go, and what waits in the spool."""
    from IPython.display import display

    from jupyter_mlops.tracking.spool import spooled_runs
    from jupyter_mlops.workflows.track import TrackOptions

    waiting = sum(1 for _ in spooled_runs())
    facts = {
        "experiment": session.resolved_experiment(TrackOptions(), notebook),
        "tracking URI": shown(session.resolved_uri(notebook)),
        "tags": ", ".join(f"{k}={v}" for k, v in session.tags.items()) or "none",
        "autolog": "on" if session.autolog else "off",
        "notebook": str(notebook) if notebook is not None else "not known here",
        "waiting on disk": f"{waiting} {'run' if waiting == 1 else 'runs'}" + (" (jupyter mlops sync)" if waiting else ""),
    }
    text = "\n".join(f"{name:<16} {value}" for name, value in facts.items())
    rows = "".join(f"<tr><td>{escape(k)}</td><td style='text-align:left'>{escape(v)}</td></tr>" for k, v in facts.items())
    display({"text/html": f'{STYLE}<div class="mlops"><table><tbody>{rows}</tbody></table></div>', "text/plain": text}, raw=True)
