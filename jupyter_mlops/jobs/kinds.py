"""What a job can do: from a request (`schema/api/jobs.yaml`) to a workflow, and from its outcome to a result.

To add a kind: its request and result in `jobs.yaml`; a `Kind` in `KINDS` below: a title, what of the request can be checked
and decided before the process starts, the call of the workflow with the listener, and what a killed process leaves behind.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jupyter_mlops.errors import ConflictError, NotebookError, NotFoundError, UsageError
from jupyter_mlops.notebook.checks.secrets import masked

if TYPE_CHECKING:
    from jupyter_mlops.workflows.events import Listener
    from jupyter_mlops.workflows.report import Report

__all__ = ["KINDS", "Kind", "Outcome", "Task", "kind_of", "notebook_of", "store_of", "subject_of", "without_secrets"]


@dataclass(frozen=True)
class Task:
    """A job as its workflow needs it."""

    request: Mapping[str, Any]
    root: Path
    user: str
    tracking_uri: str
    database: str

    @property
    def notebook(self) -> Path:
        """The notebook's file."""
        return self.root / str(self.request["path"])

    def relative(self, path: Path) -> str | None:
        """As it is seen from the root; None when it lies outside."""
        try:
            return path.absolute().relative_to(self.root).as_posix()
        except ValueError:
            return None


@dataclass(frozen=True)
class Outcome:
    """How a workflow ended: `error` is a JobError of `jobs.yaml`, `stopped` that it was asked to."""

    result: dict[str, Any]
    message: str
    error: dict[str, Any] | None = None
    stopped: bool = False

    @property
    def status(self) -> Literal["done", "failed", "cancelled"]:
        """Of the job."""
        if self.stopped:
            return "cancelled"
        return "done" if self.error is None else "failed"


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    Parameters
    ----------
    title
        What a person reads in a list.
    doing
        What is being done to a notebook, as a participle.
    perform
        The workflow, in the job's process.
    prepare
        The request, for this notebook below this root, with everything decided that must not change any more; raises
        `UsageError` for what cannot work.
    clear
        Remove what a killed process of this id left.
    subject
        What it is about besides the notebook, as `jobs.yaml` says.
    """

    title: Callable[[Mapping[str, Any]], str]
    doing: str
    perform: Callable[[Task, Listener], Outcome]
    prepare: Callable[[Mapping[str, Any], Path, Path], dict[str, Any]] = lambda request, notebook, root: dict(request)
    clear: Callable[[Mapping[str, Any], Path, int], None] = lambda request, root, pid: None
    subject: Callable[[Mapping[str, Any]], str | None] = lambda request: None


def subject_of(request: Mapping[str, Any]) -> str | None:
    """What a job is about besides its notebook; None also for a kind that only another version knows."""
    kind = KINDS.get(str(request.get("kind")))
    return None if kind is None else kind.subject(request)


def kind_of(request: Mapping[str, Any]) -> Kind:
    """The kind that a request asks for.

    Raises
    ------
    UsageError
        There is none of that name.
    """
    kind = KINDS.get(str(request.get("kind")))
    if kind is None:
        raise UsageError(f"There is no kind of job {request.get('kind')!r}. Ask for one of: {', '.join(KINDS)}.")
    return kind


def notebook_of(request: Mapping[str, Any], root: Path) -> Path:
    """The notebook's file.

    Raises
    ------
    UsageError
        It is not there, or not below the root.
    """
    path = _below(root, request.get("path"), "notebook")
    if not path.is_file():
        raise NotebookError(f"There is no notebook {request['path']}. Save it, or look whether it was renamed.")
    return path


def store_of(given: str | None, notebook: Path) -> str:
    """The tracking store that ``%%track`` in this notebook would use; relative files lie in the notebook's folder."""
    from jupyter_mlops.tracking.store import absolute, tracking_uri

    return absolute(tracking_uri(given, notebook.parent), notebook.parent)


def without_secrets(request: Mapping[str, Any]) -> dict[str, Any]:
    """A request as it is kept when its job is over, and nobody needs the values of its parameters any more."""
    return {**request, "parameters": masked(request["parameters"])} if "parameters" in request else dict(request)


def _below(root: Path, given: Any, what: str) -> Path:
    if not isinstance(given, str) or not given or "\0" in given:
        raise UsageError(f"The request names no {what}. Give its path relative to the server's root.")
    path = Path(os.path.normpath(root / given))
    if not path.is_relative_to(root) or not path.resolve().is_relative_to(root.resolve()):
        raise UsageError(f"The {what} {given} lies outside of the server's root. Choose a place below it.")
    return path


# -- convert -----------------------------------------------------------------------------------------------------------


def _prepare_convert(request: Mapping[str, Any], notebook: Path, root: Path) -> dict[str, Any]:
    from jupyter_mlops.workflows.output import check_target

    if request.get("output"):
        output = _below(root, request["output"], "output folder")
        if output == root or notebook.is_relative_to(output):
            raise UsageError(
                f"The output folder {request['output']} holds the notebook. Choose a folder of its own for the project."
            )
    else:
        output = _default_output(notebook)
    check_target(output, force=bool(request.get("force")))
    return {**request, "output": output.relative_to(root).as_posix()}


def _default_output(notebook: Path) -> Path:
    """Beside the notebook with its name, or where something else has that name, with ``_project`` behind."""
    from jupyter_mlops.workflows.output import MANIFEST

    folder = notebook.with_suffix("")
    free = not folder.exists() or (folder.is_dir() and ((folder / MANIFEST).is_file() or not any(folder.iterdir())))
    return folder if free else folder.with_name(f"{folder.name}_project")


def _convert(task: Task, listen: Listener) -> Outcome:
    from jupyter_mlops.workflows.convert import ConvertOptions, convert

    request, folder = task.request, task.root / task.request["output"]
    options = ConvertOptions(
        parameters=request.get("parameters", {}),
        model=request.get("model"),
        name=request.get("name"),
        register=request.get("register", True),
        force=request.get("force", False),
        allow_mismatch=request.get("allowMismatch", False),
        tracking_uri=task.tracking_uri,
        cell_timeout=request.get("cellTimeout"),
    )
    done = convert(task.notebook, folder, options, listen)
    report = done.report
    written = done.ok or report.failed_step == "verify"  # then the folder is of this conversion
    result = {
        "ok": done.ok, "status": report.status, "project": task.relative(folder), "report": report.as_dict(),
        "kept": None if done.kept is None else task.relative(done.kept), "projectName": None if done.plan is None else done.plan.name,
        "bundle": written and (folder / "edge" / "model.onnx").is_file(),
    }  # fmt: skip
    if not done.ok:
        return Outcome(result, report.error or "The conversion failed.", _conversion_error(report))
    version = f"{result['projectName']} version {report.model_version}" if report.model_version else "not registered"
    return Outcome(result, f"{result['project']}, {version}")


def _conversion_error(report: Report) -> dict[str, Any]:
    errors = [problem for problem in report.problems if problem.severity == "error"]
    problem = next((one for one in errors if one.message == report.error), errors[0] if errors else None)
    return {
        "code": "conversion" if problem is None else problem.code,
        "message": report.error or "The conversion failed.",
        "fix": None if problem is None else problem.fix,
    }


def _clear_convert(request: Mapping[str, Any], root: Path, pid: int) -> None:
    # The next conversion into this folder would remove it too.
    folder = root / str(request["output"])
    shutil.rmtree(folder.with_name(f".{folder.name}.{pid}.partial"), ignore_errors=True)


# -- run ---------------------------------------------------------------------------------------------------------------

_REASONS = {
    "cell": ("cell-failed", "Mend the cell, or give it other parameters; the executed notebook has the traceback."),
    "timeout": ("cell-timeout", "Give the cell more time, or less to do."),
    "kernel": ("kernel", "Try it with fewer rows, or look at the log."),
    "environment": ("environment", None),
}


def _run(task: Task, listen: Listener) -> Outcome:
    from jupyter_mlops.tracking.recording import flush
    from jupyter_mlops.workflows.run_notebook import RunOptions, run_notebook

    request = task.request
    options = RunOptions(
        parameters=request.get("parameters", {}),
        experiment=request.get("experiment"),
        name=request.get("name"),
        cell_timeout=request.get("cellTimeout"),
        tracking_uri=task.tracking_uri,
    )
    done = run_notebook(task.notebook, options, listen)
    if done.delivered:
        flush(60.0)  # the files
    ended = done.outcome
    result = {
        "ok": ended.ok, "runId": done.run_id, "experiment": done.experiment, "output": task.relative(done.output),
        "metrics": dict(done.metrics), "delivered": done.delivered,
    }  # fmt: skip
    if ended.reason == "interrupt":
        return Outcome(result, ended.error, stopped=True)
    if not ended.ok:
        code, fix = _REASONS[ended.reason]
        print(ended.traceback, flush=True)
        return Outcome(result, ended.error, {"code": code, "message": ended.error, "fix": fix})
    return Outcome(result, f"run {done.run_id} of {done.experiment}, {ended.seconds:.1f} s")


# -- promote -----------------------------------------------------------------------------------------------------------


def _prepare_promote(request: Mapping[str, Any], notebook: Path, root: Path) -> dict[str, Any]:
    if not request.get("model") or not str(request.get("version", "")).isdecimal():
        what = "rollback" if request["kind"] == "rollback" else "promotion"
        raise UsageError(f"A {what} needs the name of a registered model and the number of its version.")
    return dict(request)


def _promote(task: Task, listen: Listener) -> Outcome:
    from jupyter_mlops.workflows.promote import PromoteOptions, promote

    request = task.request
    options = PromoteOptions(
        tracking_uri=task.tracking_uri, database=task.database, user=task.user, comment=request.get("comment", "")
    )
    done = promote(request["model"], request["version"], options, listen)
    result = {"ok": done.ok, "promotion": done.promotion, "status": done.status}
    message = f"{request['model']} version {request['version']}: {done.status}{_reasons(done.view)}"
    if done.ok:
        return Outcome(result, message)
    if done.status == "cancelled":
        return Outcome(result, message, stopped=True)
    fix = "The steps of the promotion say why. Mend it, convert again, and promote the new version."
    return Outcome(result, message, {"code": f"promotion-{done.status}", "message": message, "fix": fix})


# -- rollback ----------------------------------------------------------------------------------------------------------


def _rollback(task: Task, listen: Listener) -> Outcome:
    from jupyter_mlops.tracking.lifecycle import PREVIOUS, find_version
    from jupyter_mlops.workflows.promote import PromoteOptions, restore_previous

    model, version = task.request["model"], task.request["version"]
    previous = find_version(task.tracking_uri, model).aliases.get(PREVIOUS)
    if previous != version:
        before = "no version was" if previous is None else f"version {previous} was"
        raise ConflictError(
            f"Version {version} of {model} cannot be gone back to: {before} in production before. Look at the versions again."
        )
    options = PromoteOptions(
        tracking_uri=task.tracking_uri, database=task.database, user=task.user, comment=task.request.get("comment", "")
    )
    done = restore_previous(model, options, listen)
    message = f"{model} back to version {version}: {done.status}{_reasons(done.view)}"
    error = None if done.ok else {"code": f"rollback-{done.status}", "message": message, "fix": None}
    return Outcome(done.as_dict(), message, error)


# -- deploy ------------------------------------------------------------------------------------------------------------


def _prepare_deploy(request: Mapping[str, Any], notebook: Path, root: Path) -> dict[str, Any]:
    if not request.get("model"):
        raise UsageError("A deployment needs the name of a registered model.")
    return dict(request)


def _deploy(task: Task, listen: Listener) -> Outcome:
    """The version in production; what is served already, and looked after, is not touched: a canary may be on its way."""
    from jupyter_mlops.workflows.deploying import DeployOptions, deploy
    from jupyter_mlops.workflows.deployments import deployment_view

    model = task.request["model"]
    known = deployment_view(model, task.tracking_uri, task.database)
    if known["deployment"] is not None and known["deployment"]["supervised"]:
        raise ConflictError(
            f"{model} is deployed already, at {known['deployment']['url']}. Promote a version to change what is served."
        )
    port = None if known["deployment"] is not None else task.request.get("port")
    done = deploy(model, None, DeployOptions(port=port, tracking_uri=task.tracking_uri, database=task.database), listen)
    result = {"ok": True, "url": done.url, "version": done.versions[0].version}
    return Outcome(result, f"{model} version {result['version']} is served at {done.url}")


# -- monitor -----------------------------------------------------------------------------------------------------------


def _prepare_monitor(request: Mapping[str, Any], notebook: Path, root: Path) -> dict[str, Any]:
    from jupyter_mlops.monitor.rules import length

    if not request.get("model"):
        raise UsageError("The monitor needs the name of a registered model that is deployed.")
    if "window" in request:
        length(str(request["window"]))
    return dict(request)


def _monitor(task: Task, listen: Listener) -> Outcome:
    """Alerts are what was asked for: the job has done its work. Whoever asks sees them; the webhook is for who does not."""
    from jupyter_mlops.monitor.rules import length
    from jupyter_mlops.workflows.deployments import deployment_view
    from jupyter_mlops.workflows.monitoring import MonitorOptions, monitor

    request, model = task.request, task.request["model"]
    known = deployment_view(model, task.tracking_uri, task.database)
    if known["deployment"] is None:
        where = "" if known["elsewhere"] is None else f" from this store, but from {known['elsewhere']}"
        raise NotFoundError(
            f"{model} is not deployed on this machine{where}. Deploy it, and look again once it was asked something."
        )
    options = MonitorOptions(
        window=length(request["window"]) if "window" in request else None, rows=request.get("rows"),
        tracking_uri=task.tracking_uri, database=task.database,
    )  # fmt: skip
    found, folder = monitor(model, None, options, listen)
    result = {
        "ok": True, "version": found.version, "window": folder.name, "verdict": found.verdict, "alerts": len(found.alerts),
    }  # fmt: skip
    said = "; ".join(one.message for one in found.alerts) or found.reason or "nothing to look at"
    return Outcome(result, f"{model} version {found.version}: {said}")


# -- shared ------------------------------------------------------------------------------------------------------------


def _reasons(view: Mapping[str, Any]) -> str:
    """What the steps say that stopped it."""
    said = [f"{step['title']}: {step['message']}" for step in view["steps"] if step["status"] in ("failed", "inconclusive")]
    return f". {'; '.join(said)}" if said else ""


def _version(request: Mapping[str, Any]) -> str:
    return f"{request['model']}/{request['version']}"


def _with(parameters: Mapping[str, Any]) -> str:
    given = ", ".join(f"{name} = {str(value)[:40]}" for name, value in masked(parameters).items())
    return f" with {given}"[:300] if given else ""


KINDS: dict[str, Kind] = {
    "convert": Kind(
        title=lambda request: f"Convert {Path(str(request['path'])).name}", doing="converted",
        perform=_convert, prepare=_prepare_convert, clear=_clear_convert,
    ),
    "run": Kind(
        title=lambda request: f"Run {Path(str(request['path'])).name}{_with(request.get('parameters', {}))}", doing="run",
        perform=_run,
    ),
    "promote": Kind(
        title=lambda request: f"Promote {request['model']} version {request['version']}", doing="promoted",
        perform=_promote, prepare=_prepare_promote, subject=_version,
    ),
    "rollback": Kind(
        title=lambda request: f"Roll {request['model']} back to version {request['version']}", doing="rolled back",
        perform=_rollback, prepare=_prepare_promote, subject=_version,
    ),
    "deploy": Kind(
        title=lambda request: f"Deploy {request['model']}", doing="deployed",
        perform=_deploy, prepare=_prepare_deploy, subject=lambda request: str(request["model"]),
    ),
    "monitor": Kind(
        title=lambda request: f"Look at what {request['model']} was asked", doing="looked at",
        perform=_monitor, prepare=_prepare_monitor, subject=lambda request: str(request["model"]),
    ),
}  # fmt: skip
