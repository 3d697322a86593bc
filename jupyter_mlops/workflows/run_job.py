"""One notebook through papermill: from a job, which is plain data, to an outcome, which is too. No MLflow in here.

Everything that can go wrong in a notebook or its kernel is a value of the outcome, so that it travels between processes.
"""

from __future__ import annotations

import re
import signal
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

from jupyter_mlops.environment import inherited
from jupyter_mlops.notebook.checks.secrets import redacted
from jupyter_mlops.notebook.kale import PARAMETERS as KALE_PARAMETERS
from jupyter_mlops.workflows.events import Event, Listener

if TYPE_CHECKING:
    from jupyter_mlops.workflows.papermill_engine import Watch

__all__ = ["NotebookJob", "NotebookOutcome", "perform", "spare_imports"]

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+|nan|inf)")
# Of the process that starts the run, and wrong for the kernel.
_NOT_INHERITED = ("JPY_SESSION_NAME", "VSCODE_PID", "JUPYTER_MLOPS_OWNER")
_LINE = 1000  # characters of a text that are looked at
_START_TRIES = 2  # two kernels that start at the same time may be given the same port


@dataclass(frozen=True)
class NotebookJob:
    """What to run.

    Parameters
    ----------
    source
        The notebook file to read; it is never written.
    folder
        Where the kernel runs: the folder of the user's notebook.
    output
        The executed notebook; nothing else writes this file.
    parameters
        Values of names of the `parameters` cell.
    values
        The same with those that the notebook has itself: secrets among them are kept out of events and of the outcome.
    kernel
        Name of the kernel.
    cell_timeout
        Seconds that a cell may take; None: as long as it likes.
    environment
        Variables that the kernel gets beside ours.
    names, shown
        Where metrics are: see `run_metrics.MetricSources`.
    """

    source: Path
    folder: Path
    output: Path
    kernel: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    cell_timeout: float | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    shown: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class NotebookOutcome:
    """How it ended.

    Parameters
    ----------
    status
        MLflow's word for it.
    reason
        Empty, ``cell`` (it raised), ``timeout``, ``kernel`` (it died or did not start), ``interrupt``, ``environment``
        (the run could not be made at all, such as for a full disk).
    error
        What went wrong, where, and what to do.
    cell
        Number of the cell in the user's notebook, markdown cells counted.
    """

    status: Literal["FINISHED", "FAILED", "KILLED"]
    seconds: float
    metrics: dict[str, float] = field(default_factory=dict)
    peak_memory_mib: float | None = None
    reason: str = ""
    error: str = ""
    cell: int | None = None
    traceback: str = ""

    @property
    def ok(self) -> bool:
        """True when every cell ran."""
        return self.status == "FINISHED"


def spare_imports() -> None:
    """Keep a process of our own from loading a grammar that nbformat's validator never uses: it takes two seconds."""
    if "jsonschema" not in sys.modules:
        sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def perform(job: NotebookJob, listen: Listener = lambda event: None) -> NotebookOutcome:
    """Run a notebook in a kernel of its own. The executed notebook is kept however the run ends.

    Events are named after the cells (``cell 3``).
    """
    import nbformat
    from papermill.execute import prepare_notebook_metadata, remove_error_markers
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    from jupyter_mlops.workflows.papermill_engine import ENGINE, LANGUAGE

    nb = load_notebook_node(nbformat.reads(job.source.read_text(encoding="utf-8-sig"), as_version=4))
    nb = remove_error_markers(nb)
    for number, cell in enumerate(nb.cells, start=1):
        cell.metadata["mlops_cell"] = number
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    if job.parameters:
        _mark_parameters(nb)
        nb = parameterize_notebook(nb, dict(job.parameters), kernel_name=LANGUAGE, language=LANGUAGE, engine_name=ENGINE)
    nb = prepare_notebook_metadata(nb, str(job.source), str(job.output))
    numbers = [cell.metadata.pop("mlops_cell", None) for cell in nb.cells]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        outcome = _Run(job, nb, numbers, log, listen).outcome()
    return replace(outcome, error=redacted(outcome.error, job.values), traceback=redacted(outcome.traceback, job.values))


def _mark_parameters(nb: Any) -> None:
    """Give the parameters of a notebook that is tagged for Kale the tag behind which papermill puts the given ones."""
    tags = {number: cell.metadata.get("tags", []) for number, cell in enumerate(nb.cells)}
    theirs = [number for number, given in tags.items() if KALE_PARAMETERS in given]
    if theirs and not any("parameters" in given for given in tags.values()):
        nb.cells[theirs[-1]].metadata["tags"] = [*tags[theirs[-1]], "parameters"]


class _Run:
    """The notebook while it runs."""

    def __init__(self, job: NotebookJob, nb: Any, numbers: list[int | None], log: Any, listen: Listener) -> None:
        self.job, self.nb, self.numbers, self.log, self.listen = job, nb, numbers, log, listen
        self.running = [i for i, cell in enumerate(nb.cells) if cell.cell_type == "code" and cell.source.strip()]
        self.cell_started = 0.0
        self.watch = self._new_watch()

    def outcome(self) -> NotebookOutcome:
        """Run it to its end, whichever that is."""
        from nbclient.exceptions import CellTimeoutError, DeadKernelError

        from jupyter_mlops.workflows.papermill_engine import save

        watch, started = self.watch, perf_counter()
        status: Literal["FAILED", "KILLED"] = "FAILED"
        reason = error = ""
        save(self.nb, self.job.output)  # from now on there is a notebook, whatever happens
        try:
            self._execute()
        except CellTimeoutError:
            limit = self.job.cell_timeout or 0
            reason = "timeout"
            error = f"did not finish within {limit:g} s. Give it more time (--cell-timeout on the command line), or less to do."
        except DeadKernelError:
            reason, error = "kernel", self._death(watch.exit_code)
        except KeyboardInterrupt:
            status, reason, error = "KILLED", "interrupt", "was interrupted."
        except _NotStarted as failure:
            reason, error = "kernel", str(failure)
        seconds = round(perf_counter() - started, 3)
        place = self._place(watch.current)
        if reason:
            started_once = watch.current is not None
            error = f"{place} {error}" if started_once or reason == "interrupt" else error
            self._mark_unfinished(watch.current, error)
            save(self.nb, self.job.output)
            if started_once:
                self.listen(Event(self._step(watch.current), "failed", self._public(error.split("\n")[0])))
            return NotebookOutcome(status, seconds, {}, None, reason, error, self._number(watch.current), self._tail())
        if watch.error is not None:
            error = f"{place}{self._line(watch.error)} failed: {self._what(watch.error)}. {_advice(watch.error)}"
            trace = _ANSI.sub("", watch.error.traceback or "")
            return NotebookOutcome("FAILED", seconds, {}, None, "cell", error, self._number(watch.current), trace)
        return NotebookOutcome("FINISHED", seconds, {**watch.values, **self._shown()}, watch.memory)

    # -- running --------------------------------------------------------------------------------------------------------

    def _new_watch(self) -> Watch:
        from jupyter_mlops.workflows.papermill_engine import Watch

        # Plots are drawn into the notebook's outputs; a kernel must not open windows.
        environment = inherited(*_NOT_INHERITED)
        environment["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
        environment.update(self.job.environment)
        return Watch(environment, self.job.folder, self.log, self.job.names, self._on_cell)

    def _execute(self) -> None:
        from nbclient.exceptions import DeadKernelError
        from papermill.engines import papermill_engines

        from jupyter_mlops.workflows.papermill_engine import ENGINE

        for attempt in range(1, _START_TRIES + 1):
            try:
                papermill_engines.execute_notebook_with_engine(
                    ENGINE, self.nb, kernel_name=self.job.kernel, progress_bar=False,
                    watch=self.watch, output=self.job.output, cell_timeout=self.job.cell_timeout,
                )  # fmt: skip
                break
            except (RuntimeError, OSError) as error:
                if isinstance(error, DeadKernelError) or self.watch.started:
                    raise
                if attempt == _START_TRIES:
                    raise _NotStarted(
                        f"The kernel {self.job.kernel!r} did not start: {error}. Try it by hand: "
                        f"jupyter console --kernel {self.job.kernel}{self._tail(before=' It printed:')}"
                    ) from error

    def _on_cell(self, index: int, what: str, text: str) -> None:
        step = self._step(index)
        position = self.running.index(index)
        text, title = self._public(text), self._public(_title(self.nb.cells[index].source))[:70]
        if what == "started":
            self.cell_started = perf_counter()
            self.listen(Event(step, "started", title, position / len(self.running)))
        elif what == "output":
            self.listen(Event(step, "progress", text[:100], position / len(self.running)))
        else:
            seconds = round(perf_counter() - self.cell_started, 3)
            message = text if what == "failed" else title
            status: Literal["done", "failed"] = "failed" if what == "failed" else "done"
            self.listen(Event(step, status, message, (position + 1) / len(self.running), seconds))

    def _public(self, text: str) -> str:
        """A text of the notebook or its output without secrets; what is cut is cut behind this, so that no half of one is left."""
        return redacted(text[:_LINE], self.job.values)

    # -- telling --------------------------------------------------------------------------------------------------------

    def _number(self, index: int | None) -> int | None:
        return None if index is None else self.numbers[index]

    def _step(self, index: int | None) -> str:
        number = self._number(index)
        return f"cell {number}" if number is not None else "injected"

    def _place(self, index: int | None) -> str:
        if index is None:
            return "The run"
        number = self._number(index)
        return f"Cell {number}" if number is not None else "The cell with the given parameters"

    def _death(self, code: int | None) -> str:
        if code is not None and code < 0:
            name = _signal_name(-code)
            hints = {
                "SIGKILL": "That is what the system does when memory runs out: try fewer rows, or a larger machine.",
                "SIGSEGV": "A native library crashed: look which one the cell calls, and update it.",
                "SIGTERM": "Something asked it to stop.",
            }
            what = f"ended the kernel: it was killed by {name}. {hints.get(name, 'Look for what the cell calls in native code.')}"
        elif code is not None:
            what = f"ended the kernel: it left with exit code {code}, so the cell (or a library) ended the process itself."
        else:
            what = "ended the kernel. Often it ran out of memory: try fewer rows."
        return what + self._tail(before=" Its last words:")

    def _tail(self, before: str = "") -> str:
        self.log.seek(0)
        text = redacted(str(self.log.read()).strip(), self.job.values)
        if not text:
            return ""
        return f"{before}\n{text[-800:]}" if before else text[-4000:]

    def _line(self, error: Any) -> str:
        """The line of the cell that raised, with its text."""
        source = self.nb.cells[self.watch.current].source.split("\n")
        plain = _ANSI.sub("", error.traceback or "")
        found = re.findall(r"^-+> ?(\d+) ", plain, flags=re.MULTILINE)
        if not found or not 0 < int(found[0]) <= len(source):
            return ""
        return f", line {found[0]} ({self._public(source[int(found[0]) - 1].strip())[:80]})"

    def _what(self, error: Any) -> str:
        return self._public(f"{error.ename}: {error.evalue}")[:500].rstrip(".")

    def _shown(self) -> dict[str, float]:
        """Metrics that a cell shows as its result."""
        found: dict[str, float] = {}
        for number, name in self.job.shown:
            cell = self.nb.cells[self.numbers.index(number)]
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    text = re.sub(r"^[\w.]+\((.*)\)$", r"\1", str(output.data.get("text/plain", "")).strip())
                    if _NUMBER.fullmatch(text):
                        found[name] = float(text)
        return found

    # -- the executed notebook ------------------------------------------------------------------------------------------

    def _mark_unfinished(self, index: int | None, error: str) -> None:
        """papermill marks every cell completed when the kernel dies: say where it really ended."""
        from nbformat.v4 import new_output

        self.nb.metadata.papermill["exception"] = True
        for position, cell in enumerate(self.nb.cells):
            if index is None or position > index:
                mark = cell.metadata.setdefault("papermill", {})
                mark.update(status="pending", start_time=None, end_time=None, duration=None, exception=None)
        if index is not None:
            cell = self.nb.cells[index]
            cell.metadata.papermill.update(status="failed", exception=True)
            cell.outputs.append(new_output("stream", name="stderr", text=f"{error}\n"))


class _NotStarted(Exception):
    """No kernel came up."""


def _title(source: str) -> str:
    """The first line that says something."""
    lines = [line.strip() for line in source.split("\n") if line.strip() and not line.strip().startswith("#")]
    return lines[0] if lines else source.strip().split("\n")[0]


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _advice(error: Any) -> str:
    if error.ename == "ModuleNotFoundError":
        return "Install the package into the environment of the notebook's kernel."
    if error.ename == "StdinNotImplementedError":
        return "A notebook that asks with input() cannot run by itself: put the value into the parameters cell."
    return "The output notebook has its traceback."
