"""Run a notebook for many combinations of parameters, as nested runs of MLflow (`jupyter mlops sweep`)."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

from jupyter_mlops.errors import UsageError
from jupyter_mlops.notebook.checks.secrets import masked
from jupyter_mlops.workflows.events import Event, Listener
from jupyter_mlops.workflows.run_notebook import (
    Subject,
    kernel_environment,
    new_place,
    record_notebook,
    record_outcome,
    runs_folder,
)
from jupyter_mlops.workflows.sweep_grid import Point, choose_points, read_grid
from jupyter_mlops.workflows.sweep_journal import Entry, Journal, content_hash, latest_sweep, point_key
from jupyter_mlops.workflows.sweep_options import SweepOptions, SweepResult
from jupyter_mlops.workflows.sweep_pool import Pool, thread_limits
from jupyter_mlops.workflows.sweep_table import as_csv, describe, rank, ranking

if TYPE_CHECKING:
    from jupyter_mlops.tracking.recording import Recording
    from jupyter_mlops.workflows.run_job import NotebookJob, NotebookOutcome

__all__ = ["SweepOptions", "SweepResult", "check_sweep", "sweep"]

_FLUSH = 60.0  # seconds that the end waits for what is still on its way to MLflow


def sweep(
    notebook: Path, grid: Path | Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None, options: SweepOptions | None = None,
    listen: Listener = lambda event: None,
) -> SweepResult:  # fmt: skip
    """Run a notebook for each point of a grid; progress goes to `listen`.

    A run that fails does not stop the others. An interrupt ends the sweep with what is done in the result.

    Parameters
    ----------
    grid
        See `sweep_grid`; it may be left out with ``options.parameters`` or ``options.resume``.

    Raises
    ------
    UsageError
        The notebook cannot be read, the grid does not fit it, the sweep to go on with is running or not there.
    EnvironmentLackError
        The kernel or the engine is not installed, or the engine gave up.
    """
    options = options or SweepOptions()
    subject = _subject(notebook, options)
    runs = Path(options.output).absolute() if options.output else runs_folder(subject.path)
    runs.mkdir(parents=True, exist_ok=True)
    pool = Pool(options.engine, options.workers)
    if options.resume is None:
        points = _points(subject, grid, options)
        folder = new_place(runs, f"{subject.path.stem}-sweep", "")
        journal = Journal.create(folder, subject.path, {"notebook": subject.path.name, "points": points})
    else:
        folder = runs / options.resume if options.resume else latest_sweep(runs, subject.path.stem)
        journal = Journal.reopen(folder, subject.path)
        try:
            if grid is None and not options.parameters:
                stored = journal.head().get("points", [])
                grid, options = stored, replace(options, limit=max(options.limit or 0, len(stored)), random=None)
            points = _points(subject, grid, options)
        except BaseException:
            journal.close()
            raise
    try:
        return _Sweep(subject, points, journal, pool, options, listen).run()
    finally:
        journal.close()


def check_sweep(notebook: Path, grid: Any = None, options: SweepOptions | None = None) -> int | None:
    """Check what can be checked without running anything; returns the number of runs, None where a sweep is gone on with.

    Raises
    ------
    UsageError, EnvironmentLackError
        As `sweep` does.
    """
    options = options or SweepOptions()
    subject = _subject(notebook, options)
    if options.resume is not None and grid is None and not options.parameters:
        return None
    return len(_points(subject, grid, options))


def _subject(notebook: Path, options: SweepOptions) -> Subject:
    subject = Subject.read(notebook, options.kernel)
    ranking(options.metric, options.maximize, subject.metrics.known)
    return subject


def _points(subject: Subject, grid: Any, options: SweepOptions) -> list[Point]:
    if grid is None and not options.parameters:
        raise UsageError("There is nothing to vary. Give parameters with their values (-p NAME V1,V2) or a file (--grid FILE).")
    grids = read_grid([] if grid is None else grid, options.parameters)
    return choose_points(grids, subject, limit=options.limit, sample=options.random, seed=options.seed)


class _Sweep:
    """A sweep while it runs."""

    def __init__(
        self, subject: Subject, points: Sequence[Point], journal: Journal, pool: Pool, options: SweepOptions, listen: Listener
    ) -> None:
        from jupyter_mlops.tracking.store import tracking_uri

        self.subject, self.journal, self.pool, self.options, self.listen = subject, journal, pool, options, listen
        self.uri = tracking_uri(options.tracking_uri, subject.path.parent)
        self.experiment = options.experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME") or subject.path.stem
        self.name = options.name or subject.path.stem
        content = content_hash(subject.analysis.notebook)
        keys = [point_key(content, point) for point in points]
        before = journal.entries()
        self.points = dict(enumerate(points, start=1))
        # What is told of a run, wherever that is, comes from its entry: so that never holds a secret.
        self.entries: dict[int, Entry] = {}
        for (number, point), key in zip(self.points.items(), keys, strict=True):
            old = before.get(key)
            done = old is not None and old.status == "FINISHED"
            self.entries[number] = (
                replace(old, number=number, parameters=masked(point)) if old and done else Entry(number, key, masked(point), "")
            )
        self.open = [number for number, entry in self.entries.items() if entry.status != "FINISHED"]
        self.skipped = len(points) - len(self.open)
        self.recordings: dict[int, Recording] = {}
        self.recorded: dict[int, Recording] = {}  # those of them that have ended
        self.running: set[int] = set()
        # Runs begin in a thread of joblib's, and end in ours.
        self.lock = threading.Lock()
        self.started = perf_counter()
        self.ended = 0
        self.parent: Recording | None = None
        # Runs of tracked cells are nested in ours: then MLflow has to know ours before.
        self.behind = not subject.metrics.tracked

    def run(self) -> SweepResult:
        self.listen(Event("sweep", "started", self._message(), data=self._state()))
        try:
            self.pool.warm(len(self.open))
            self.parent = self._begin()
        except BaseException:
            self.pool.close()
            raise
        interrupted = False
        status: Literal["FINISHED", "FAILED", "KILLED"] = "KILLED"
        try:
            with closing(self.pool.run(self.open, self._start, self._lost)) as outcomes:
                for number, outcome in outcomes:
                    with _interrupt_held():
                        self._end(number, outcome)
            status = "FINISHED"
        except KeyboardInterrupt:
            interrupted = True
        finally:
            self._abandon()
            result = self._finish(status, interrupted=interrupted)
        return result

    # -- a run's life ---------------------------------------------------------------------------------------------------

    def _start(self, number: int) -> NotebookJob:
        with self.lock:
            return self._start_locked(number)

    def _start_locked(self, number: int) -> NotebookJob:
        from jupyter_mlops.tracking.recording import Recording

        assert self.parent is not None
        entry, point = self.entries[number], self.points[number]
        output = self.journal.place(number)
        recording = Recording.start(
            uri=self.uri, experiment=self.experiment, name=describe(entry.parameters), parent=self.parent.run_id, behind=self.behind,
            params=masked(self._values(number)),
            tags={**self.subject.tags, "mlops.kind": "rerun", "mlops.name": self.name, "mlops.sweep": self.journal.folder.name},
        )  # fmt: skip
        self.recordings[number] = recording
        self.running.add(number)
        self.entries[number] = replace(
            entry, status="RUNNING", output=output.name, run_id=recording.run_id, metrics={}, seconds=0.0, error=""
        )
        self.journal.note(self.entries[number])
        self.listen(Event("sweep", "progress", self._message(), self._fraction(), data=self._state(number)))
        environment = {
            **kernel_environment(self.subject.path, self.uri, self.experiment, recording.run_id),
            **(thread_limits(self.pool.workers or 1) if self.pool.local else {}),
        }
        return self.subject.job(
            point, output, source=self.journal.notebook, cell_timeout=self.options.cell_timeout, environment=environment
        )

    def _values(self, number: int) -> dict[str, Any]:
        """What the notebook runs with, secrets included."""
        return {**self.subject.declared, **self.points[number]}

    def _end(self, number: int, outcome: NotebookOutcome) -> None:
        recording, entry = self.recordings.pop(number), self.entries[number]
        self.recorded[number] = recording
        output = self.journal.folder / entry.output
        metrics = record_outcome(recording, self.subject, outcome, output, self.uri, self._values(number))
        recording.finish(outcome.status, wait=0.0)
        entry = replace(
            entry, run_id=recording.run_id, status=outcome.status, metrics=metrics, seconds=outcome.seconds, error=outcome.error
        )
        with self.lock:
            self.running.discard(number)
            self.ended += 1
            self._note(entry)

    def _lost(self, number: int, reason: str, again: bool) -> None:
        """The worker of a run died, and took others along: they get another chance, alone."""
        with self.lock:
            self._give_up(number, reason + (" It is run once more, alone." if again else ""), "FAILED")
            self.ended += not again

    def _abandon(self) -> None:
        """Runs that were on their way when the sweep was stopped."""
        with self.lock:
            for number in sorted(self.running):
                self._give_up(number, "The sweep was stopped.", "KILLED")

    def _give_up(self, number: int, reason: str, status: Literal["FAILED", "KILLED"]) -> None:
        recording = self.recordings.pop(number, None)
        self.running.discard(number)
        entry = self.entries[number]
        if recording is not None:
            self.recorded[number] = recording
            record_notebook(recording, self.journal.folder / entry.output, self._values(number))
            recording.log(tags={"mlops.error": reason})
            recording.finish(status, wait=0.0)
        self._note(replace(entry, status=status, error=reason))

    def _note(self, entry: Entry) -> None:
        self.entries[entry.number] = entry
        self.journal.note(entry)
        ok = entry.status == "FINISHED"
        metrics = ", ".join(f"{name} {value:.6g}" for name, value in list(entry.metrics.items())[:3])
        message = f"{describe(entry.parameters)}  {metrics}" if ok else f"{describe(entry.parameters)}  {entry.error}"
        step, status = f"run {entry.number}", "done" if ok else "failed"
        self.listen(Event(step, status, message, self._fraction(), entry.seconds, self._state(entry.number)))  # type: ignore[arg-type]

    # -- how far it is --------------------------------------------------------------------------------------------------

    def _fraction(self) -> float:
        return (self.skipped + self.ended) / len(self.entries)

    def _remaining(self) -> float | None:
        """Seconds until the end, if it goes on as it went."""
        left = len(self.open) - self.ended
        return round((perf_counter() - self.started) / self.ended * left, 1) if self.ended and left else None

    def _active(self) -> int:
        # The next run begins a moment before the end of the one before is dealt with.
        return min(len(self.running), self.pool.workers or len(self.running))

    def _failed(self) -> int:
        return sum(entry.status in ("FAILED", "KILLED") for entry in self.entries.values())

    def _message(self) -> str:
        parts = [f"{self.skipped + self.ended} of {len(self.entries)} done"]
        parts += [f"{self._active()} running"] if self.running else []
        parts += [f"{self._failed()} failed"] if self._failed() else []
        left = self._remaining() if self.running else None
        parts += [f"about {_duration(left)} left"] if left else []
        return ", ".join(parts)

    def _state(self, number: int | None = None) -> dict[str, Any]:
        state = {
            "sweep": self.journal.folder.name, "total": len(self.entries), "done": self.skipped + self.ended,
            "skipped": self.skipped, "running": self._active(), "failed": self._failed(), "remaining": self._remaining(),
        }  # fmt: skip
        return state if number is None else {**state, "run": asdict(self.entries[number])}

    # -- its own run ----------------------------------------------------------------------------------------------------

    def _begin(self) -> Recording:
        from jupyter_mlops.tracking.recording import Recording

        axes: dict[str, list[str]] = {}
        for entry in self.entries.values():
            for name, value in entry.parameters.items():
                text = repr(value)
                if text not in axes.setdefault(name, []):
                    axes[name].append(text)
        made = Recording.start(
            uri=self.uri, experiment=self.experiment, name=self.journal.folder.name, behind=self.behind,
            params={f"sweep.{name}": ", ".join(values) for name, values in axes.items()},
            tags={
                **self.subject.tags, "mlops.kind": "sweep", "mlops.name": self.name, "mlops.sweep": self.journal.folder.name,
                "mlops.sweep.engine": self.options.engine,
            },
        )  # fmt: skip
        if self.subject.git_diff:
            made.text("git.diff", self.subject.git_diff)
        return made

    def _finish(self, status: Literal["FINISHED", "FAILED", "KILLED"], *, interrupted: bool) -> SweepResult:
        from jupyter_mlops.tracking.recording import flush
        from jupyter_mlops.tracking.store import is_reachable

        assert self.parent is not None
        parent, options = self.parent, self.options
        flush(patience := _FLUSH if is_reachable(self.uri) else 1.0)
        for number, recording in self.recorded.items():  # a quick run had ended before MLflow gave it its id
            if self.entries[number].run_id != recording.run_id:
                self.entries[number] = replace(self.entries[number], run_id=recording.run_id)
                self.journal.note(self.entries[number])
        entries = [replace(one, status=one.status or "NOT RUN") for one in self.entries.values()]
        measured = list(dict.fromkeys(name for entry in entries for name in entry.metrics))
        try:
            by = ranking(options.metric, options.maximize, measured if options.metric is None else ())
        except UsageError:
            by = None
        entries = rank(entries, by)
        seconds = round(perf_counter() - self.started, 3)
        result = SweepResult(
            self.journal.folder.name, self.journal.folder, entries, by, self.skipped, parent.run_id, self.experiment, self.uri,
            delivered=False, seconds=seconds, interrupted=interrupted,
        )  # fmt: skip
        if status == "FINISHED" and len(result.failed) == len(entries):
            status = "FAILED"
        (self.journal.folder / "sweep.csv").write_text(as_csv(entries, by), encoding="utf-8")
        summary = json.dumps(result.as_dict() | {"delivered": None}, ensure_ascii=False, indent=2, default=repr)
        (self.journal.folder / "sweep.json").write_text(summary, encoding="utf-8")
        for name in ("sweep.csv", "sweep.json"):
            parent.file(self.journal.folder / name)
        record_notebook(parent, self.journal.notebook, self.subject.declared)
        parent.log(
            metrics={"runs": len(entries), "failed": len(result.failed), "skipped": self.skipped, "duration_seconds": seconds}
        )
        if (best := result.best) is not None and by is not None:
            parent.log(
                metrics={by.metric: best.metrics[by.metric]},
                tags={
                    "mlops.best_run": best.run_id,
                    "mlops.metric": f"{by.metric} ({'more' if by.maximize else 'less'} is better)",
                    "mlflow.note.content": f"Best of {len(entries)} runs by `{by.metric}` = {best.metrics[by.metric]:.6g}: "
                    f"{describe(best.parameters, 1000)} (run `{best.run_id}`).",
                },
            )
        parent.finish(status, wait=0.0)
        flush(patience)
        self.listen(
            Event("sweep", "done" if status == "FINISHED" else "failed", self._message(), 1.0, seconds, data=self._state())
        )
        return replace(result, run_id=parent.run_id, delivered=parent.delivered)


@contextmanager
def _interrupt_held() -> Iterator[None]:
    """Ctrl-C is obeyed when the block has ended, so that it loses no run that is done; a second one at once."""
    if threading.current_thread() is not threading.main_thread():
        yield  # an interrupt comes to the main thread alone
        return
    held: list[int] = []

    def hold(number: int, frame: Any) -> None:
        if held:
            raise KeyboardInterrupt
        held.append(number)

    before = signal.signal(signal.SIGINT, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if held:
        signal.raise_signal(signal.SIGINT)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
