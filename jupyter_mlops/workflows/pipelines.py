"""Write a project's pipeline for another orchestrator (`jupyter mlops pipeline`)."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.convert.formatting import tidy
from jupyter_mlops.convert.pipeline_files import FOLDER, Target, airflow_files, check_cron, kubeflow_files, unexposed
from jupyter_mlops.convert.pipeline_graph import read_graph
from jupyter_mlops.environment import inherited
from jupyter_mlops.errors import ConversionError, ExportError, UsageError
from jupyter_mlops.notebook.problems import Problem
from jupyter_mlops.workflows.events import Event, Listener
from jupyter_mlops.workflows.output import check_part, publish_part, staging

if TYPE_CHECKING:
    from jupyter_mlops.convert.pipeline_graph import PipelineGraph

__all__ = ["PipelineOptions", "PipelineResult", "write_pipeline"]

_COMPILED = "kubeflow.yaml"


@dataclass(frozen=True)
class PipelineOptions:
    """How to write it.

    Attributes
    ----------
    image
        With Kubeflow: the container image that holds the project (default: name of the project, ``latest``).
    schedule
        With Airflow: five fields of cron, or a preset such as ``@daily``; None runs it only when it is triggered.
    output
        With a notebook: folder of its project, which is converted first.
    model
        With a notebook: variable of the model to take.
    force
        Replace files that were edited; they are kept beside.
    """

    image: str | None = None
    schedule: str | None = None
    output: Path | None = None
    model: str | None = None
    force: bool = False


@dataclass(frozen=True)
class PipelineResult:
    """What was written.

    Attributes
    ----------
    files
        Relative to the project.
    stages
        What each stage needs, by name, in the order in which they run.
    compiled
        Whether Kubeflow's compiled form is among the files.
    kept
        Where edited former files are now.
    """

    project: Path
    target: Target
    files: tuple[str, ...]
    stages: dict[str, tuple[str, ...]]
    compiled: bool
    problems: tuple[Problem, ...]
    kept: Path | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "project": str(self.project), "target": self.target, "files": list(self.files),
            "stages": {name: list(needs) for name, needs in self.stages.items()}, "compiled": self.compiled,
            "problems": [one.as_dict() for one in self.problems], "kept": None if self.kept is None else str(self.kept),
        }  # fmt: skip


def write_pipeline(
    source: Path, target: Target, options: PipelineOptions | None = None, listen: Listener = lambda event: None
) -> PipelineResult:
    """Write the files with which an orchestrator runs the stages of a project.

    Parameters
    ----------
    source
        Folder of a generated project, or a notebook, which is then converted and proven first, without registering it.

    Raises
    ------
    UsageError
        An option is not the target's, or has no meaning.
    OutputError, EditedError
        The folder holds no project, or files that would be replaced were edited.
    ConversionError
        The notebook could not be converted; the message says why.
    ExportError
        Kubeflow's compiler refuses the pipeline.
    """
    options = options or PipelineOptions()
    _check(target, options)
    source = Path(source)
    problems: tuple[Problem, ...] = ()
    if source.is_dir():
        if options.output is not None or options.model is not None:
            raise UsageError(f"{source} is a project: -o and --model are for a notebook. Leave them away.")
        project = source
    else:
        project, problems = _converted(source, options, listen)
    names = ["kubeflow.py", _COMPILED, "one_stage.py", "Dockerfile", "Dockerfile.dockerignore"]
    names = names if target == "kubeflow" else ["airflow_dag.py", "one_stage.py"]
    check_part(project, [f"{FOLDER}/{name}" for name in names], force=options.force)
    graph = read_graph(project)
    listen(Event("read", "done", f"{len(graph.stages)} stages: {', '.join(stage.name for stage in graph.stages)}"))
    with staging(project / FOLDER) as place:
        if target == "kubeflow":
            made = kubeflow_files(graph, options.image or f"{graph.name}:latest")
        else:
            made = airflow_files(graph, options.schedule)
        for name, text in made.items():
            (place / name).write_text(text, encoding="utf-8")
        tidy(place)
        compiled = target == "kubeflow" and _compile(place, listen)
        written = tuple(sorted(f"{FOLDER}/{path.name}" for path in place.iterdir()))
        kept = publish_part(place, project, FOLDER)
    listen(Event("write", "done", f"{len(written)} files in {project / FOLDER}"))
    return PipelineResult(
        project,
        target,
        written,
        {stage.name: stage.needs for stage in graph.stages},
        compiled,
        (*problems, *_limits(graph, target)),
        kept,
    )


def _check(target: Target, options: PipelineOptions) -> None:
    if target == "kubeflow" and options.schedule is not None:
        raise UsageError(
            "Kubeflow keeps schedules beside pipelines, as recurring runs: leave --schedule away, and make one of kubeflow.yaml "
            "(kfp recurring-run create --cron-expression ...)."
        )
    if target == "airflow" and options.image is not None:
        raise UsageError(
            "Airflow's tasks run in the project's folder, not in an image: leave --image away, or use --to kubeflow."
        )
    if options.schedule is not None:
        check_cron(options.schedule)
    if options.image is not None and (not options.image or any(one.isspace() or one in "\"'\\" for one in options.image)):
        raise UsageError(f"{options.image!r} is no name of an image. Give one such as registry.example.org/flight-delays:1.")


def _converted(notebook: Path, options: PipelineOptions, listen: Listener) -> tuple[Path, tuple[Problem, ...]]:
    from jupyter_mlops.workflows.convert import ConvertOptions, convert

    if options.output is None:
        if not notebook.exists():
            raise UsageError(f"{notebook} does not exist. Give the folder of a project, or a notebook and -o for its project.")
        raise UsageError(f"{notebook} is no folder of a project. With a notebook, give its project's folder with -o.")
    how = ConvertOptions(model=options.model, register=False, force=options.force)
    result = convert(notebook, options.output, how, listen)
    if not result.ok:
        error = ConversionError(result.report.error or "The notebook could not be converted.")
        error.exit_code = result.exit_code
        raise error
    return result.folder, tuple(result.report.problems)


def _compile(place: Path, listen: Listener) -> bool:
    from importlib.util import find_spec

    if find_spec("kfp") is None:
        listen(Event("compile", "skipped", "kfp is not installed here: pip install 'jupyter-mlops[kubeflow]'"))
        return False
    done = subprocess.run(
        [sys.executable, "kubeflow.py"], cwd=place, env=inherited(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0 or not (place / _COMPILED).is_file():
        last = "\n".join(done.stderr.strip().split("\n")[-8:])
        raise ExportError(f"Kubeflow's compiler refuses the pipeline; nothing was written.\n{last}")
    listen(Event("compile", "done", _COMPILED))
    return True


def _limits(graph: PipelineGraph, target: Target) -> list[Problem]:
    """What the files leave to the user."""
    away = [one for one in graph.parameters if one.name == "data_dir" and target == "kubeflow" and "data" not in graph.folders]
    return [
        Problem(
            "pipeline-data", "warning", f"The data lies outside of the project ({one.default}), so it is not in the image.",
            fix="Mount it into the first task, and give its place there as the parameter data_dir.",
        )
        for one in away
    ] + [
        Problem(
            "pipeline-parameter", "info",
            f"The parameter {one.name!r} has no type that it could have in JSON ({one.default!r}), so it keeps the value of params.yaml.",
            fix="Give it a value of its type in the notebook's cell of parameters.",
        )
        for one in unexposed(graph)
    ]  # fmt: skip
