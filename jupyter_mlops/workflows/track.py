"""`%%track`: one cell as an MLflow run. It is begun before the cell runs and ended behind it; the cell itself is untouched."""

from __future__ import annotations

import json
import math
import os
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from jupyter_mlops.checksums import file_digest
from jupyter_mlops.data.reads import Reads, named_files
from jupyter_mlops.data.versions import DataVersion, How, data_tags, data_version
from jupyter_mlops.errors import TrackingError, UsageError
from jupyter_mlops.notebook.checks.secrets import masked, redacted
from jupyter_mlops.tracking.autologging import Autologging
from jupyter_mlops.tracking.guard import Guard, KnownRun, is_away
from jupyter_mlops.tracking.imports import import_mlflow
from jupyter_mlops.tracking.lineage import GitState, environment, git_state
from jupyter_mlops.tracking.recording import Recording, Status
from jupyter_mlops.tracking.spool import spool_folder
from jupyter_mlops.tracking.store import check_address, tracking_uri
from jupyter_mlops.tracking.usage import PeakMemory
from jupyter_mlops.workflows.cellvalues import evaluated, numbers_before, parameters_used, scalars_bound, used_names
from jupyter_mlops.workflows.comparing import History
from jupyter_mlops.workflows.surroundings import installed_distributions, notebook_parameters

__all__ = ["CellOutcome", "Displayed", "TrackOptions", "TrackSession", "TrackedCell", "TrackedRun"]

T = TypeVar("T")

_QUIET = "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"
_RUN_ID = "MLFLOW_RUN_ID"
_FILES = 200  # data files of one run


@dataclass(frozen=True)
class TrackOptions:
    """What is said behind ``%%track``."""

    name: str | None = None
    experiment: str | None = None
    metrics: tuple[str, ...] = ()  # expressions, or name=expression
    tags: Mapping[str, str] = field(default_factory=dict)
    data: tuple[str, ...] = ()
    autolog: bool | None = None
    nested: bool = False


@dataclass(frozen=True)
class Displayed:
    """Something that the cell showed: `kind` is figures or tables, `suffix` that of its file."""

    kind: str
    suffix: str
    content: bytes


@dataclass(frozen=True)
class CellOutcome:
    """How the cell ended."""

    error: BaseException | None
    displayed: Sequence[Displayed] = ()


@dataclass(frozen=True)
class TrackedRun:
    """What is shown of a run on its card.

    Parameters
    ----------
    metrics
        Value of each metric, in the order in which they came.
    delivered
        False while the store is away: the run waits in the spool.
    notes
        What the user should know, a sentence each.
    """

    name: str
    run_id: str
    status: Status
    experiment: str
    experiment_id: str
    uri: str
    started: float  # seconds since 1970
    duration: float  # seconds
    memory: float  # MiB
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    data: Sequence[DataVersion]
    git: GitState
    counts: Mapping[str, int]  # figures and tables
    delivered: bool
    error: str | None = None
    notes: Sequence[str] = ()


class TrackSession:
    """Settings and memory of ``%track`` in one kernel.

    Attributes
    ----------
    experiment, uri, tags, autolog
        Defaults for every tracked cell; None where nothing was said.
    """

    def __init__(self) -> None:
        self.experiment: str | None = None
        self.uri: str | None = None
        self.tags: dict[str, str] = {}
        self.autolog = True
        self.pending: list[tuple[str, str]] = []  # artifacts of validations since the last run: path and text
        self.pending_tags: dict[str, str] = {}
        self.autologging = Autologging()
        self._uri_before = ""
        self._experiments: dict[tuple[str, str], str] = {}

    def use_uri(self, uri: str, notebook: Path | None) -> None:
        """Record in this store from now on."""
        if self.uri is None:
            self._uri_before = self.resolved_uri(notebook)
        self.uri = uri

    def leave_uri(self) -> None:
        """Record in the store that there was before; MLflow in the notebook goes along, as it did there."""
        if self.uri is None:
            return
        import mlflow

        if mlflow.get_tracking_uri() == self.uri:
            mlflow.set_tracking_uri(self._uri_before)
        self.uri = None

    def note_validation(self, suite: str, success: bool, result: Mapping[str, Any]) -> None:
        """Keep a validation for the run that is active, or for the next one."""
        self.pending.append((f"validation/{suite}.json", json.dumps(result, indent=2, ensure_ascii=False)))
        self.pending_tags[f"validation.{suite}"] = "passed" if success else "failed"

    def resolved_uri(self, notebook: Path | None) -> str:
        """The store: as said with ``%track``, else MLflow's own setting, else an SQLite file beside the notebook."""
        if self.uri is not None:
            return self.uri
        if _uri_is_set():
            import mlflow

            return str(mlflow.get_tracking_uri())
        return tracking_uri(None, notebook.parent if notebook is not None else Path.cwd())

    def resolved_experiment(self, options: TrackOptions, notebook: Path | None) -> str:
        """The experiment: of the cell, the session, MLflow's own setting, else the notebook's name."""
        explicit = options.experiment or self.experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME")
        if explicit:
            return explicit
        from mlflow.tracking import fluent

        # Set by mlflow.set_experiment, or from outside.
        active: str | None = getattr(fluent, "_active_experiment_id", None) or os.environ.get("MLFLOW_EXPERIMENT_ID")
        if active is not None:
            for (_, name), known in self._experiments.items():
                if known == str(active):
                    return name
            import mlflow
            from mlflow.exceptions import MlflowException

            try:
                found = mlflow.get_experiment(active)
            except MlflowException as error:
                raise TrackingError(
                    f"The experiment {active}, which is set in MLflow, cannot be looked up "
                    f"({error.message.split(' (')[0]}). Name it: %%track --experiment NAME"
                ) from None
            if found is not None:
                return str(found.name)
        return notebook.stem if notebook is not None else "notebook"

    def experiment_id(self, uri: str, name: str) -> str:
        """Its id, looked up once."""
        from jupyter_mlops.tracking.store import experiment_id, store

        if (uri, name) not in self._experiments:
            with store(uri) as client:
                self._experiments[uri, name] = experiment_id(client, name, uri)
        return self._experiments[uri, name]


class TrackedCell:
    """A cell that runs as an MLflow run.

    Parameters
    ----------
    namespace
        The notebook's variables; read, never changed.
    notebook
        Where the notebook's file is, if that is known.
    cell_id
        The cell's id in it.
    executed
        The sources of the cells that this kernel has run.
    """

    def __init__(
        self, session: TrackSession, options: TrackOptions, source: str, namespace: Mapping[str, Any], *,
        notebook: Path | None = None, cell_id: str | None = None, executed: Sequence[str] = (), parameters: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.session, self.options, self.source, self.namespace = session, options, source, namespace
        self.notebook, self.cell_id, self.executed, self.parameters = notebook, cell_id, executed, parameters
        self.notes: list[str] = []
        self.started = time.time()
        self._autologged = False

    # -- before the cell ------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin the run.

        Raises
        ------
        UsageError
            A run is active already and nesting was not asked for.
        TrackingError
            The store's address cannot be used at all.
        """
        import_mlflow()
        import mlflow
        from mlflow.exceptions import MlflowException

        self.uri = self.session.resolved_uri(self.notebook)
        check_address(self.uri)
        active = mlflow.active_run()
        if active is not None and not self.options.nested:
            raise UsageError(
                f"The MLflow run {active.info.run_name!r} ({active.info.run_id}) is active. End it with mlflow.end_run(), or record "
                "this cell inside of it: %%track --nested"
            )
        if not _uri_is_set() or mlflow.get_tracking_uri() != self.uri:
            mlflow.set_tracking_uri(self.uri)
        self.experiment = self.session.resolved_experiment(self.options, self.notebook)
        self.name = self.options.name or (self.notebook.stem if self.notebook is not None else "cell")
        folder = self.notebook.parent if self.notebook is not None else Path.cwd()
        self._background = _InBackground(lambda: git_state(folder))
        parent = os.environ.get("JUPYTER_MLOPS_PARENT_RUN") if active is None else None
        self.guard = Guard(self.uri, self.experiment, parent)
        if not self.guard.away:
            self._find_experiment()
        self.experiment_id = self.guard.experiment_id
        self.guard.__enter__()
        try:
            other = os.environ.pop(_RUN_ID, None)  # a run to go on with, which is not this one
            run = mlflow.start_run(
                experiment_id=self.experiment_id, run_name=self.name, nested=active is not None, tags=self._first_tags()
            )
            if other is not None:
                os.environ[_RUN_ID] = other
            self.known: KnownRun = self.guard.runs[run.info.run_id]
            self.known.held = True
            self.recording = Recording(self.known.spooled)
            self.recording.text("cell/source.py", redacted(self.source))
            self._autologged = self._start_autolog()
            self.history = History(self.uri, self.experiment, self.name, self.known.id, away=self.guard.away)
        except BaseException as error:
            for known in self.guard.runs.values():
                known.held = False
            self._end_run("FAILED")
            if isinstance(error, MlflowException):
                raise TrackingError(f"MLflow refused to begin the run: {error.message}") from error
            if isinstance(error, OSError):
                raise TrackingError(f"The run cannot be recorded in {spool_folder()}: {error.strerror or error}") from error
            raise
        self.started, self._clock = time.time(), time.perf_counter()
        self._files_before = time.time_ns()
        self._before = numbers_before(self.source, self.namespace)
        self._given = [(text, Path(os.path.expanduser(text)).absolute()) for text in self.options.data]  # noqa: PTH111 - never raises
        self.reads, self.memory = Reads(), PeakMemory()
        self.reads.__enter__()
        self.memory.__enter__()

    def _find_experiment(self) -> None:
        try:
            self.guard.experiment_id = self.session.experiment_id(self.uri, self.experiment)
        except TrackingError as error:
            if not isinstance(error.__cause__, Exception) or not is_away(error.__cause__):
                raise
            self.guard.away = True  # it answers, and is too busy to be asked

    def _first_tags(self) -> dict[str, str]:
        tags = {"mlops.kind": "cell", "mlops.name": self.name, **self.session.tags, **self.options.tags}
        if self.cell_id:
            tags["mlops.cell"] = self.cell_id
        if self.notebook is not None:
            tags |= {"notebook": self.notebook.name, "mlflow.source.name": str(self.notebook), "mlflow.source.type": "NOTEBOOK"}
        return tags

    def _start_autolog(self) -> bool:
        wanted = self.session.autolog if self.options.autolog is None else self.options.autolog
        return wanted and self.session.autologging.start()

    # -- behind the cell ------------------------------------------------------------------------------------------------

    def end(self, outcome: CellOutcome, wait: float = 10.0) -> TrackedRun:
        """End the run and deliver it; what the user has to wait for is only its values."""
        duration = time.perf_counter() - self._clock
        self.memory.__exit__()
        self.reads.__exit__()
        status, error = _status(outcome.error)
        try:
            nothing: tuple[dict[str, float], dict[str, str]] = {}, {}
            metrics, params = self._attempt("The cell's values", lambda: self._values(outcome), nothing)
            metrics |= {"duration_seconds": round(duration, 4), "peak_memory_mib": round(self.memory.mib, 1)}
            data: list[DataVersion] = self._attempt("The data files", self._data, [])
            git = self._background.result(timeout=2.0) or GitState()
            self.recording.known(self.known.params)
            self._attempt(
                "The values",
                lambda: self.recording.log(params=params, metrics=metrics, tags=self._last_tags(git, data)),
                None,
            )
            self._attempt("The files", lambda: self._files(outcome, data, git, error), None)
        finally:
            self._end_run(status)
        delivered = self.recording.finish(status, wait=min(wait, 1.0) if self.guard.away else wait)
        if not delivered:
            why = (self.recording.problem or "MLflow does not answer").split(". ")[0]
            self.notes.append(f"{why}. The run waits on disk; `jupyter mlops sync` delivers it.")
        # What the cell says and computes itself comes before what autologging adds.
        shown = metrics | {n: float(m.value) for n, m in self.known.metrics.items() if n not in metrics}
        return TrackedRun(
            name=self.name, run_id=self.recording.run_id, status=status, experiment=self.experiment,
            experiment_id=self.experiment_id, uri=self.uri, started=self.started, duration=duration, memory=self.memory.mib,
            params={**params, **self.known.params}, metrics=shown, data=data, git=git,
            counts={kind: sum(one.kind == kind for one in outcome.displayed) for kind in ("figures", "tables")},
            delivered=delivered, error=error, notes=tuple(self.notes),
        )  # fmt: skip

    def _attempt(self, what: str, call: Callable[[], T], otherwise: T) -> T:
        """What cannot be recorded is told on the card: it is no reason to lose the rest of the run."""
        try:
            return call()
        except Exception as error:
            self.notes.append(f"{what} could not be recorded ({type(error).__name__}: {error}).")
            return otherwise

    def _end_run(self, status: Status) -> None:
        import mlflow

        quiet, uri = os.environ.get(_QUIET), mlflow.get_tracking_uri()
        os.environ[_QUIET] = "true"  # the card has the address
        try:
            if uri != self.uri:  # the cell has set another one
                mlflow.set_tracking_uri(self.uri)
            self._end_runs(status)
            if self._autologged:
                self._attempt("Autologging", self.session.autologging.stop, None)
        finally:
            if uri != self.uri:
                mlflow.set_tracking_uri(uri)
            if quiet is None:
                os.environ.pop(_QUIET, None)
            self.guard.__exit__(None, None, None)

    def _end_runs(self, status: Status) -> None:
        """Runs that the cell began and did not end are ended with it; what is below ours is not ours."""
        import mlflow
        from mlflow.tracking import fluent

        own = next(iter(self.guard.runs), None)
        active = mlflow.active_run()
        while active is not None and active.info.run_id in self.guard.runs:
            self._attempt(f"The end of the run {active.info.run_name!r}", lambda: mlflow.end_run(status), None)
            if active.info.run_id == own:
                break
            active = mlflow.active_run()
        runs: Any = fluent._active_run_stack
        stack = runs.get()
        stack[:] = [one for one in stack if one.info.run_id != own]  # below one that the cell began in another store

    def _values(self, outcome: CellOutcome) -> tuple[dict[str, float], dict[str, str]]:
        declared = [*self.parameters, *notebook_parameters(self.notebook)]
        params = parameters_used(self.source, self.namespace, declared)
        params = masked(params)
        metrics: dict[str, float] = {}
        if outcome.error is None:
            metrics = scalars_bound(self.source, self.namespace, declared, self._before)
            named, problems = evaluated(self.options.metrics, self.namespace)
            metrics = {name: value for name, value in metrics.items() if math.isfinite(value)} | named
            self.notes += problems
        return metrics, params

    def _data(self) -> list[DataVersion]:
        how: dict[Path, How] = {}
        for text, path in self._given:
            if path.exists():
                how[path] = "given"
            else:
                self.notes.append(f"--data {text}: there is no such file.")
        opened = self.reads.files(self._files_before)
        for path in opened:
            how.setdefault(path, "opened")
        for path in named_files(self.source, self.namespace, used_names(self.source, self.namespace)):
            inside = any(one.is_relative_to(path) for one in opened)
            if path.stat().st_mtime_ns < self._files_before and not (inside and path.is_dir()):
                how.setdefault(path, "named")
        if len(how) > _FILES:
            self.notes.append(f"The cell read {len(how)} data files; the first {_FILES} are recorded.")
        found: list[DataVersion] = []
        for path, reason in list(how.items())[:_FILES]:
            version = data_version(path, reason)
            if version.md5 is None:
                self.notes.append(f"{path} cannot be read any more: its version is not known.")
            elif self.reads.changed(path):
                version = replace(version, changed=True)
                self.notes.append(f"{path.name} changed while the cell ran: its recorded version is the new one.")
            found.append(version)
        return found

    def _last_tags(self, git: GitState, data: Sequence[DataVersion]) -> dict[str, str]:
        tags = data_tags(data) | git.tags
        if git.commit:
            tags["mlflow.source.git.commit"] = git.commit
        if self.notebook is not None and self.notebook.is_file():
            tags["notebook.sha256"] = file_digest(self.notebook)
        tags |= self.session.pending_tags
        return tags

    def _files(self, outcome: CellOutcome, data: Sequence[DataVersion], git: GitState, error: str | None) -> None:
        record = self.recording
        if self.notebook is not None and self.notebook.is_file():
            record.text(f"notebook/{self.notebook.name}", redacted(self.notebook.read_text(encoding="utf-8", errors="replace")))
        record.text("cell/session.py", redacted("\n\n".join(f"# In [{n}]\n{one}" for n, one in enumerate(self.executed) if one)))
        record.text("data.json", json.dumps([asdict(one) for one in data], indent=2))
        if git.diff:
            record.text("git.diff", git.diff)
        record.text("environment/environment.json", json.dumps(environment(installed_distributions()), indent=2))
        record.text("environment/requirements.txt", "".join(f"{n}=={v}\n" for n, v in sorted(installed_distributions().items())))
        numbers = {"figures": 0, "tables": 0}
        for one in outcome.displayed:
            numbers[one.kind] += 1
            record.bytes(f"{one.kind}/{numbers[one.kind]:02d}{one.suffix}", one.content)
        if outcome.error is not None:
            text = "".join(traceback.format_exception(outcome.error))
            record.text("traceback.txt", redacted(text))
            record.log(tags={"mlops.error": redacted(error or "")[:500]})
        for path, text in self.session.pending:
            record.text(path, text)
        self.session.pending, self.session.pending_tags = [], {}


def _uri_is_set() -> bool:
    from mlflow import tracking

    check: Any = tracking.is_tracking_uri_set
    return bool(check())


def _status(error: BaseException | None) -> tuple[Status, str | None]:
    if error is None:
        return "FINISHED", None
    try:
        said = str(error)
    except Exception:
        said = ""
    text = f"{type(error).__name__}: {said}".rstrip(": ")
    return ("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"), text


class _InBackground:
    """A value that is found while the cell runs."""

    def __init__(self, call: Any) -> None:
        self._value: Any = None
        self._thread = threading.Thread(target=self._run, args=(call,), daemon=True)
        self._thread.start()

    def _run(self, call: Any) -> None:
        self._value = call()

    def result(self, timeout: float) -> Any:
        self._thread.join(timeout)
        return self._value
