"""A sweep in a process of its own, for a notebook that looks on: its kernel stays free, and cancelling is Ctrl-C."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_mlops.errors import MlopsError
from jupyter_mlops.workflows.sweep import SweepOptions
from jupyter_mlops.workflows.sweep_journal import Entry
from jupyter_mlops.workflows.sweep_table import Ranking, rank, ranking

__all__ = ["SweepProcess", "SweepState", "command_line"]

_GRACE = 3.0  # seconds that a kernel which ends gives its sweep to end too


@dataclass
class SweepState:
    """How far a sweep is.

    Parameters
    ----------
    result
        What `SweepResult.as_dict` gives, once it has ended.
    error
        Why it did not run, or ended without a result.
    """

    total: int = 0
    done: int = 0
    running: int = 0
    failed: int = 0
    skipped: int = 0
    remaining: float | None = None
    sweep: str = ""
    entries: dict[int, Entry] = field(default_factory=dict)
    result: dict[str, Any] | None = None
    error: str = ""
    over: bool = False

    def ranked(self, metric: str | None, maximize: bool | None) -> tuple[list[Entry], Ranking | None]:
        """Runs so far, the best first."""
        entries = sorted(self.entries.values(), key=lambda one: one.number)
        measured = list(dict.fromkeys(name for entry in entries for name in entry.metrics))
        try:
            by = ranking(metric, maximize, measured)
        except MlopsError:
            by = None
        return rank(entries, by), by


def command_line(notebook: Path, grid: Path | None, options: SweepOptions) -> list[str]:
    """The call of the command that does the same."""
    line = [sys.executable, "-m", "jupyter_mlops", "sweep", str(notebook), "--json"]
    if grid is not None:
        line += ["--grid", str(grid)]
    for name, values in options.parameters:
        line += ["--parameter", name, values]
    if options.maximize is not None:
        line.append("--maximize" if options.maximize else "--minimize")
    if options.resume is not None:
        line += ["--resume", options.resume] if options.resume else ["--resume"]
    for name in (
        "workers", "engine", "metric", "limit", "random", "seed", "experiment", "name", "kernel", "cell_timeout", "tracking_uri", "output",
    ):  # fmt: skip
        value = getattr(options, name)
        if value is not None:
            line.append(f"--{name.replace('_', '-')}={value}")
    return line


class SweepProcess:
    """A sweep that runs, and what is known of it.

    Parameters
    ----------
    grid
        A file, or the grid itself.
    tell
        Called with the state in another thread whenever it has changed, and a last time when the sweep is over.
    """

    def __init__(
        self,
        notebook: Path,
        grid: Path | Mapping[str, Any] | Sequence[Any] | None,
        options: SweepOptions,
        tell: Callable[[SweepState], None],
    ) -> None:
        self.state, self._tell = SweepState(), tell
        self._scratch = tempfile.TemporaryDirectory(prefix="jupyter-mlops-")
        file = Path(grid) if isinstance(grid, (str, Path)) else None
        if grid is not None and file is None:
            file = Path(self._scratch.name) / "grid.json"
            file.write_text(json.dumps(grid), encoding="utf-8")
        self._errors = (Path(self._scratch.name) / "errors.txt").open("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            command_line(notebook, file, options), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors, text=True,
            encoding="utf-8", env={**os.environ, "JUPYTER_MLOPS_OWNER": str(os.getpid())}, start_new_session=True,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._listen, name="jupyter-mlops-sweep", daemon=True)
        self._thread.start()
        atexit.register(self._leave)

    def cancel(self) -> None:
        """Stop it; what is done is kept, and `resume` goes on with it."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for its end; False when that takes longer."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _leave(self) -> None:
        self.cancel()
        self.wait(_GRACE)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                self._take(json.loads(line))
            except ValueError:
                continue
            self._tell(self.state)
        code = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().strip()
        if self.state.result is None:
            self.state.error = (
                "It was stopped before its first run."
                if code == 130
                else said.removeprefix("error: ")[-2000:] or f"The sweep ended with exit code {code}."
            )
        self.state.over, self.state.running = True, 0
        self._errors.close()
        self._scratch.cleanup()
        atexit.unregister(self._leave)
        self._tell(self.state)

    def _take(self, event: dict[str, Any]) -> None:
        state = self.state
        if "step" not in event:
            state.result = event
            state.entries = {run["number"]: Entry(**run) for run in event["runs"]}
            return
        data = event.get("data", {})
        for name in ("total", "done", "running", "failed", "skipped", "sweep"):
            if name in data:
                setattr(state, name, data[name])
        state.remaining = data.get("remaining")
        if "run" in data:
            entry = Entry(**data["run"])
            state.entries[entry.number] = entry
