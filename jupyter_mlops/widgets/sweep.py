"""A sweep in the notebook: progress and a ranked table that grows while the kernel stays free."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_mlops.errors import UsageError
from jupyter_mlops.widgets.style import STYLE, chip, escape, number, seconds
from jupyter_mlops.workflows.sweep import SweepOptions, check_sweep
from jupyter_mlops.workflows.sweep_journal import Entry
from jupyter_mlops.workflows.sweep_process import SweepProcess, SweepState
from jupyter_mlops.workflows.sweep_table import Ranking, as_text, columns

__all__ = ["LiveSweep", "sweep_html", "sweep_live", "sweep_text"]

_ROWS = 20  # of the table
_STATUS = {"FINISHED": "ok", "FAILED": "bad", "KILLED": "warn", "RUNNING": ""}
_PAUSE = 0.5  # seconds between two drawings at least


def sweep_live(
    notebook: Path | str,
    grid: Path | str | Mapping[str, Any] | Sequence[Any] | None = None,
    *,
    wait: bool = False,
    **options: Any,
) -> LiveSweep:
    """Sweep a notebook and show how it goes; returns at once.

    Parameters
    ----------
    grid
        A YAML or JSON file, or parameters with their values.
    wait
        Return when it is over, as a re-run in batch may want.
    **options
        Fields of `workflows.sweep.SweepOptions`: ``workers=2``, ``metric="auc"``, ``resume=""``, ...

    Returns
    -------
    LiveSweep
        Has ``wait()``, ``cancel()`` and ``result``. The sweep ends with the kernel; `resume` goes on with it.

    Raises
    ------
    UsageError, EnvironmentLackError
        What is wrong with the call, before anything runs.
    """
    try:
        given = SweepOptions(**options)
    except TypeError:
        known = SweepOptions.__dataclass_fields__
        wrong = ", ".join(name for name in options if name not in known)
        raise UsageError(f"A sweep has no option {wrong}. It has: {', '.join(known)}.") from None
    path = Path(notebook).absolute()
    source = Path(grid).absolute() if isinstance(grid, (str, Path)) else grid
    if os.environ.get("JUPYTER_MLOPS_PARENT_RUN") and os.environ.get("JUPYTER_MLOPS_NOTEBOOK") == str(path):
        raise UsageError(
            f"{path.name} sweeps itself, and this is one of its runs: it would never end. Sweep it from another notebook."
        )
    total = check_sweep(path, source, given)
    live = LiveSweep(path, source, given, total)
    if wait:
        live.wait()
    return live


class LiveSweep:
    """A sweep that is shown. Its place is taken by static HTML at the end: the notebook is the record."""

    def __init__(self, notebook: Path, grid: Any, options: SweepOptions, total: int | None) -> None:
        self._notebook, self._options = notebook, options
        self._drawn = 0.0
        self._handle: Any = None
        self._box: Any = None
        self._started = time.monotonic()
        self._show(total)
        self._process = SweepProcess(notebook, grid, options, self._changed)

    def __repr__(self) -> str:
        state = self._process.state
        return f"<LiveSweep of {self._notebook.name}: {state.done} of {state.total} done{'' if state.over else ', running'}>"

    def _ipython_display_(self) -> None:
        """It is on display already."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for its end; False when that takes longer."""
        return self._process.wait(timeout)

    def cancel(self, *_: Any) -> None:
        """Stop it; what is done is kept."""
        self._process.cancel()

    @property
    def running(self) -> bool:
        """Whether it is still going on."""
        return not self._process.state.over

    @property
    def result(self) -> dict[str, Any] | None:
        """Runs ranked, folder, id of the MLflow run; None before the end."""
        return self._process.state.result

    @property
    def error(self) -> str:
        """Why there is no result."""
        return self._process.state.error

    # -- what is seen ---------------------------------------------------------------------------------------------------

    def _show(self, total: int | None) -> None:
        from IPython.core.getipython import get_ipython

        shell = get_ipython()
        if not hasattr(shell, "kernel"):
            return
        from IPython.display import display

        first = SweepState(total=total or 0)
        bundle: dict[str, Any] = {"text/html": self._html(first), "text/plain": self._text(first)}
        self._box = _controls(total or 0, self.cancel)
        if self._box is not None:
            bundle["application/vnd.jupyter.widget-view+json"] = {
                "version_major": 2, "version_minor": 0, "model_id": self._box.model_id,
            }  # fmt: skip
            self._box.children[1].value = self._html(first)
        self._handle = display(bundle, raw=True, display_id=True)

    def _changed(self, state: SweepState) -> None:
        now = time.monotonic()
        if not state.over and now - self._drawn < _PAUSE:
            return
        self._drawn = now
        if self._handle is None:
            if state.over:
                print(self._text(state))
            return
        if self._box is not None and not state.over:
            head, table = self._box.children
            head.children[0].max, head.children[0].value = max(state.total, 1), state.done
            head.children[0].bar_style = "warning" if state.failed else ""
            table.value = self._html(state)
            return
        self._handle.update({"text/html": self._html(state), "text/plain": self._text(state)}, raw=True)
        if self._box is not None:
            self._box.close()

    def _html(self, state: SweepState) -> str:
        elapsed = time.monotonic() - self._started
        return sweep_html(self._notebook.name, state, *state.ranked(self._options.metric, self._options.maximize), elapsed)

    def _text(self, state: SweepState) -> str:
        return sweep_text(self._notebook.name, state, *state.ranked(self._options.metric, self._options.maximize))


def sweep_html(name: str, state: SweepState, entries: Sequence[Entry], by: Ranking | None, elapsed: float) -> str:
    """The sweep as HTML that needs no script."""
    kind = "bad" if state.error else "warn" if state.failed else "ok" if state.over else ""
    said = "stopped" if state.result and state.result["interrupted"] else "done" if state.over else "running"
    facts = [f"{state.done} of {state.total} done"]
    facts += [f"{state.running} running"] if state.running else []
    facts += [f"{state.failed} failed"] if state.failed else []
    facts += [f"{state.skipped} done before"] if state.skipped else []
    facts.append(seconds(state.result["seconds"] if state.result else elapsed))
    facts += [f"about {seconds(state.remaining)} left"] if state.remaining and not state.over else []
    head = f'<header><b>sweep of {escape(name)}</b>{chip("failed" if state.error else said, kind)}<span class="q">{" · ".join(facts)}</span></header>'
    parts = [head]
    if state.error:
        parts.append(f'<p class="bad">{escape(state.error)}</p>')
    good = [entry for entry in entries if entry.status == "FINISHED"]
    if good:
        parameters, metrics = columns(good, by)
        arrow = "" if by is None else " ▲" if by.maximize else " ▼"
        names = [
            *(escape(one) for one in parameters),
            *(escape(one) + (arrow if by and one == by.metric else "") for one in metrics),
        ]
        header = "".join(f"<th>{one}</th>" for one in ["rank", *names, "time", "run"])
        rows = "".join(_row(position, entry, parameters, metrics) for position, entry in enumerate(good[:_ROWS], start=1))
        parts.append(f'<table class="n"><thead><tr>{header}</tr></thead><tbody>{rows}</tbody></table>')
        if len(good) > _ROWS:
            parts.append(f'<p class="q">and {len(good) - _ROWS} more</p>')
    bad = [entry for entry in entries if entry.status not in ("FINISHED", "RUNNING", "")]
    if bad:
        lines = "".join(
            f"<p>{chip(entry.status.lower(), _STATUS.get(entry.status, 'warn'))} {escape(_values(entry))}: "
            f"{escape(entry.error.split(chr(10))[0][:300] or 'not run')}</p>"
            for entry in bad[:_ROWS]
        )
        parts.append(f"<details{' open' if len(bad) <= 3 else ''}><summary>{len(bad)} not finished</summary>{lines}</details>")
    if state.result is not None:
        parts.append(
            f"<footer>{escape(_beside(state.result['folder']))} · experiment {escape(state.result['experiment'])} · "
            f"<code>{escape(state.result['run_id'][:8])}</code></footer>"
        )
    return f'{STYLE}<div class="mlops">{"".join(parts)}</div>'


def _beside(folder: str) -> str:
    """A folder as one types it in the folder of the notebook."""
    return folder.removeprefix(f"{Path.cwd()}/")


def sweep_text(name: str, state: SweepState, entries: Sequence[Entry], by: Ranking | None) -> str:
    """The sweep for a terminal, and for frontends without HTML."""
    if state.error:
        return f"sweep of {name}: {state.error}"
    head = f"sweep of {name}: {state.done} of {state.total} done" + (f", {state.failed} failed" if state.failed else "")
    ended = [entry for entry in entries if entry.status not in ("RUNNING", "")]
    table = as_text(ended, by) if ended else "it runs in the background; wait() waits for it, cancel() stops it"
    return f"{head}\n{table}"


def _row(position: int, entry: Entry, parameters: Sequence[str], metrics: Sequence[str]) -> str:
    cells = [str(position), *(escape(str(entry.parameters.get(name, ""))[:40]) for name in parameters)]
    cells += [number(entry.metrics[name]) if name in entry.metrics else "" for name in metrics]
    cells += [seconds(entry.seconds), f"<code>{escape(entry.run_id[:8])}</code>"]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _values(entry: Entry) -> str:
    return ", ".join(f"{name}={value}" for name, value in entry.parameters.items())[:200]


def _controls(total: int, cancel: Any) -> Any:
    """A bar with a button, and a place for the table; None where there are no widgets."""
    try:
        import ipywidgets
    except ImportError:
        return None
    bar = ipywidgets.IntProgress(value=0, min=0, max=max(total, 1), description="", layout={"width": "420px"})
    button = ipywidgets.Button(description="Cancel", icon="stop", tooltip="Stop the sweep; what is done is kept")
    button.on_click(cancel)
    return ipywidgets.VBox([ipywidgets.HBox([bar, button]), ipywidgets.HTML()])
