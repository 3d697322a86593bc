"""Re-run a notebook with other parameters, as a run of MLflow (`jupyter mlops run`)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.checksums import file_digest
from jupyter_mlops.errors import KernelError, OutputError, UsageError
from jupyter_mlops.notebook.checks.secrets import masked, redacted
from jupyter_mlops.notebook.dataflow import analyse
from jupyter_mlops.notebook.read import read_notebook
from jupyter_mlops.workflows.events import Event, Listener
from jupyter_mlops.workflows.parameters import check_parameters, declared_parameters
from jupyter_mlops.workflows.run_job import NotebookJob, NotebookOutcome, perform
from jupyter_mlops.workflows.run_metrics import MetricSources, metric_sources

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Analysis
    from jupyter_mlops.tracking.lineage import GitState
    from jupyter_mlops.tracking.recording import Recording

__all__ = [
    "RunOptions",
    "RunResult",
    "Subject",
    "kernel_environment",
    "new_place",
    "record_notebook",
    "record_outcome",
    "run_notebook",
    "runs_folder",
]

# For whoever reads it: a terminal, or the sidebar.
_ELSEWHERE = "Executed notebooks go to runs/ beside the notebook; on the command line, -o names another place."


@dataclass(frozen=True)
class RunOptions:
    """How to run; the defaults are those of the command line."""

    parameters: Sequence[tuple[str, str]] | Mapping[str, Any] = ()
    output: Path | None = None
    experiment: str | None = None  # default: the notebook's name
    name: str | None = None
    kernel: str | None = None  # default: the notebook's own
    cell_timeout: float | None = None
    tracking_uri: str | None = None


@dataclass(frozen=True)
class RunResult:
    """How a re-run ended, and where everything is. Of `parameters`, those that look like a secret are masked."""

    outcome: NotebookOutcome
    output: Path
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    run_id: str
    experiment: str
    tracking_uri: str
    delivered: bool

    @property
    def exit_code(self) -> int:
        """0 done, 1 a cell failed, 2 the kernel died or did not start, 130 interrupted."""
        return {"": 0, "cell": 1, "timeout": 1, "kernel": 2, "interrupt": 130, "environment": 2}[self.outcome.reason]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        from jupyter_mlops.tracking.store import shown

        one = self.outcome
        return {
            "status": one.status, "run_id": self.run_id, "experiment": self.experiment, "tracking_uri": shown(self.tracking_uri),
            "delivered": self.delivered, "output": str(self.output), "parameters": dict(self.parameters),
            "metrics": dict(self.metrics), "seconds": one.seconds, "reason": one.reason, "error": one.error, "cell": one.cell,
        }  # fmt: skip


@dataclass(frozen=True)
class Subject:
    """A notebook that is about to be run, checked."""

    path: Path  # absolute
    analysis: Analysis
    declared: Mapping[str, Any]
    injected: Mapping[str, Any]  # by an earlier re-run whose output this is; a new injection would take their place
    kernel: str
    metrics: MetricSources
    tags: Mapping[str, str] = field(default_factory=dict)
    git_diff: str = ""

    @classmethod
    def read(cls, path: Path, kernel: str | None = None) -> Subject:
        """Read and check a notebook, and where it comes from.

        Raises
        ------
        UsageError
            It cannot be read, or its cells are not those of a Python kernel.
        KernelError
            The kernel is not installed.
        """
        from jupyter_mlops.tracking.lineage import git_state

        path = Path(path).absolute()
        notebook = read_notebook(path)
        analysis = analyse(notebook)
        name = kernel or notebook.kernel_name or "python3"
        _check_kernel(name, path)
        injected_cells = {cell.number for cell in notebook.code_cells if "injected-parameters" in cell.tags}
        declared = declared_parameters(analysis)
        injected = {
            one: declared[one]
            for s in analysis.statements
            if s.cell in injected_cells
            for one in sorted(s.binds)
            if one in declared
        }
        git = git_state(path.parent)
        return cls(
            path, analysis, declared, injected, name, metric_sources(analysis), _tags(path, git), git.diff if git.dirty else ""
        )

    def check(self, given: Sequence[tuple[str, str]] | Mapping[str, Any]) -> dict[str, Any]:
        """Values in the types of the notebook's own.

        Raises
        ------
        ParameterError
            A name is unknown, or a value of another type.
        """
        return check_parameters(self.analysis, given)

    def job(
        self, parameters: Mapping[str, Any], output: Path, *, source: Path | None = None, cell_timeout: float | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> NotebookJob:  # fmt: skip
        """The run of it with these parameters."""
        given = {**self.injected, **parameters} if parameters else {}
        return NotebookJob(
            source=source or self.path, folder=self.path.parent, output=output, kernel=self.kernel, parameters=given,
            values={**self.declared, **given}, cell_timeout=cell_timeout, environment=environment or {},
            names=self.metrics.names, shown=self.metrics.shown,
        )  # fmt: skip


def run_notebook(path: Path, options: RunOptions | None = None, listen: Listener = lambda event: None) -> RunResult:
    """Run a notebook with parameters, record it, keep the executed notebook. The notebook itself is never changed.

    What fails in the notebook or its kernel is in the result; so is an interrupt, behind which the run ends as KILLED.

    Raises
    ------
    UsageError
        The notebook cannot be read, a parameter is wrong, the output cannot be written.
    KernelError
        The kernel is not installed.
    """
    from jupyter_mlops.tracking.recording import Recording
    from jupyter_mlops.tracking.store import tracking_uri

    options = options or RunOptions()
    subject = Subject.read(path, options.kernel)
    given = subject.check(options.parameters)
    output = _output(subject.path, options.output)
    uri = tracking_uri(options.tracking_uri, subject.path.parent)
    experiment = options.experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME") or subject.path.stem
    values = {**subject.declared, **given}
    shown = masked(values)
    recording = Recording.start(
        uri=uri, experiment=experiment, name=options.name or subject.path.stem, params=shown,
        behind=not subject.metrics.tracked,  # runs of its cells are nested in it: MLflow has to know it before
        tags={**subject.tags, "mlops.kind": "rerun", "mlops.name": options.name or subject.path.stem},
    )  # fmt: skip
    environment = kernel_environment(subject.path, uri, experiment, recording.run_id)
    try:
        outcome = perform(subject.job(given, output, cell_timeout=options.cell_timeout, environment=environment), listen)
    except BaseException as error:
        recording.log(tags={"mlops.error": redacted(f"{type(error).__name__}: {error}", values)})
        recording.finish("FAILED", wait=1.0)
        if isinstance(error, OSError):
            raise OutputError(
                f"The run could not be kept: {error}. Free some space, or choose another place (-o on the command line)."
            ) from error
        raise
    metrics = record_outcome(recording, subject, outcome, output, uri, values)
    listen(Event("record", "started", f"to {experiment}"))
    delivered = recording.finish(outcome.status)
    if delivered:
        listen(Event("record", "done", f"run {recording.run_id}"))
    else:
        listen(Event("record", "failed", recording.problem or "MLflow takes long; the run is kept and delivered later"))
    return RunResult(outcome, output, shown, metrics, recording.run_id, experiment, uri, delivered)


def kernel_environment(notebook: Path, uri: str, experiment: str, run_id: str) -> dict[str, str]:
    """What tells the kernel of a re-run which run it belongs to."""
    return {
        "JUPYTER_MLOPS_NOTEBOOK": str(notebook),
        "JUPYTER_MLOPS_PARENT_RUN": run_id,
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_EXPERIMENT_NAME": experiment,
    }


def record_outcome(
    recording: Recording, subject: Subject, outcome: NotebookOutcome, output: Path, uri: str, values: Mapping[str, Any]
) -> dict[str, float]:
    """Add metrics, the executed notebook and what went wrong to a run; returns the metrics.

    Parameters
    ----------
    values
        What the notebook ran with; secrets among them are taken out of the executed notebook, as they were out of the outcome.
    """
    metrics = dict(outcome.metrics)
    if subject.metrics.tracked and outcome.status != "KILLED":
        metrics = {**_nested_metrics(uri, recording.spooled.experiment, recording.run_id), **metrics}
    own = {"duration_seconds": outcome.seconds}
    if outcome.peak_memory_mib is not None:
        own["peak_memory_mib"] = outcome.peak_memory_mib
    recording.log(metrics={**metrics, **own})
    record_notebook(recording, output, values)
    if subject.git_diff:
        recording.text("git.diff", subject.git_diff)
    if outcome.error:
        recording.log(tags={"mlops.error": outcome.error})
    if outcome.traceback:
        recording.text("traceback.txt", outcome.traceback)
    return metrics


def record_notebook(recording: Recording, path: Path, values: Mapping[str, Any]) -> None:
    """Add a notebook to a run, as far as there is one, without the secrets among its values."""
    if path.is_file() and (text := path.read_text(encoding="utf-8", errors="replace")):
        recording.text(f"notebook/{path.name}", redacted(text, values))


def runs_folder(notebook: Path) -> Path:
    """``runs/`` beside the notebook, which git does not see.

    Raises
    ------
    OutputError
        It cannot be made.
    """
    folder = notebook.parent / "runs"
    if not folder.is_dir():
        try:
            folder.mkdir()
            (folder / ".gitignore").write_text("*\n", encoding="utf-8")
        except OSError as error:
            raise OutputError(f"{folder} cannot be made ({error.strerror}). {_ELSEWHERE}") from error
    return folder


def new_place(folder: Path, stem: str, suffix: str) -> Path:
    """Reserve a new name with the time in it, which no other process gets.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    now = datetime.now().strftime("%Y%m%d-%H%M%S")
    for number in range(1, 1000):
        path = folder / (f"{stem}-{now}{suffix}" if number == 1 else f"{stem}-{now}-{number}{suffix}")
        try:
            if suffix:
                path.open("x").close()
            else:
                path.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise OutputError(f"{path} cannot be written ({error.strerror}). {_ELSEWHERE}") from error
        return path
    raise OutputError(f"{folder} has a thousand runs of this second. {_ELSEWHERE}")


def _output(notebook: Path, wanted: Path | None) -> Path:
    if wanted is None:
        return new_place(runs_folder(notebook), notebook.stem, ".ipynb")
    path = Path(wanted).absolute()
    if path.is_dir():
        return new_place(path, notebook.stem, ".ipynb")
    if path.suffix != ".ipynb":
        raise UsageError(f"The executed notebook is written to {path}, so its name has to end with .ipynb.")
    if path.exists() and path.samefile(notebook):
        raise UsageError(f"{path} is the notebook itself, which is never changed. Give another path: -o.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("a").close()
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}). {_ELSEWHERE}") from error
    return path


def _check_kernel(name: str, notebook: Path) -> None:
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    manager = KernelSpecManager()
    try:
        spec = manager.get_kernel_spec(name)
    except NoSuchKernel:
        known = ", ".join(sorted(manager.find_kernel_specs())) or "none"
        raise KernelError(
            f"{notebook.name} asks for the kernel {name!r}, which is not installed here (there is: {known}). Install it "
            "(python -m ipykernel install --user --name NAME) or choose another: in JupyterLab, or with --kernel on the command line."
        ) from None
    if spec.language.lower() != "python":
        raise UsageError(
            f"The kernel {name!r} runs {spec.language}, the notebook is in Python. Choose a Python kernel: in JupyterLab, or with --kernel."
        )


def _tags(path: Path, git: GitState) -> dict[str, str]:
    return {
        "notebook": path.name,
        "notebook.sha256": file_digest(path),
        "mlflow.source.name": path.name,
        "mlflow.source.type": "NOTEBOOK",
        **git.tags,
    }


def _nested_metrics(uri: str, experiment: str, run_id: str) -> dict[str, float]:
    """Metrics of the runs that cells of the notebook recorded under this one; the last one says what holds."""
    from jupyter_mlops.errors import TrackingError
    from jupyter_mlops.tracking.store import check_reachable, store

    try:
        check_reachable(uri)
        with store(uri) as client:
            found = client.get_experiment_by_name(experiment)
            if found is None:
                return {}
            runs = client.search_runs(
                [found.experiment_id], f"tags.`mlflow.parentRunId` = '{run_id}'", order_by=["attributes.start_time ASC"]
            )
    except TrackingError:
        return {}  # they are delivered later, under their own names
    own = {"duration_seconds", "peak_memory_mib"}
    return {name: value for run in runs for name, value in run.data.metrics.items() if name not in own}
