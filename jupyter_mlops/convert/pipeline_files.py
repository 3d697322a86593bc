"""Files with which other orchestrators run a project's pipeline: Kubeflow Pipelines v2 and Airflow.

Everything that the templates in ``templates/pipelines`` place is decided here; the stages and what they need of one another come
from `jupyter_mlops.convert.pipeline_graph`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jupyter_mlops.convert.identifiers import PythonIdentifier, unique
from jupyter_mlops.errors import UsageError

if TYPE_CHECKING:
    from jinja2 import Environment

    from jupyter_mlops.convert.pipeline_graph import GraphStage, Parameter, PipelineGraph

__all__ = ["FOLDER", "KFP", "Target", "airflow_files", "check_cron", "kubeflow_files", "unexposed"]

Target = Literal["kubeflow", "airflow"]
FOLDER = "pipelines"
KFP = "kfp>=2.13,<3"  # requirement of the SDK, to compile and in the image
# What the generated files import or define at their top.
_KUBEFLOW_NAMES = frozenset("Artifact IMAGE Input Metrics Model NamedTuple Output Outputs Path compiler dsl run".split())
_AIRFLOW_NAMES = frozenset("BashOperator DAG PROJECT PYTHON Param Path RUNS UTC dag datetime os stage sys timedelta".split())
_IN_COMPONENTS = frozenset({"files", "measured", "metrics", "model", "name", "run", "state", "value"})
_JSON_TYPES = {"bool": "boolean", "int": "integer", "float": "number", "str": "string", "list": "array", "dict": "object"}
_PRESETS = frozenset({"@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly", "@annually", "@midnight"})
_CRON = tuple(
    (low, high, names.split())
    for low, high, names in (
        (0, 59, ""), (0, 23, ""), (1, 31, ""), (1, 12, "jan feb mar apr may jun jul aug sep oct nov dec"), (0, 7, "sun mon tue wed thu fri sat"),
    )
)  # fmt: skip


@dataclass(frozen=True)
class _Input:
    """The files of another stage, as an argument."""

    name: str
    stage: str
    task: str  # variable of the stage that makes them


@dataclass(frozen=True)
class _Setting:
    """A parameter, as an argument: it has its own name where that means something else to a component."""

    name: str
    parameter: Parameter


@dataclass(frozen=True)
class _Task:
    """A stage as the templates take it: each name is valid and clashes with none."""

    stage: GraphStage
    function: str
    task: str
    inputs: tuple[_Input, ...]
    settings: tuple[_Setting, ...]


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(str(Path(str(files("jupyter_mlops.convert") / "templates" / FOLDER)))),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - Python and Dockerfiles, no HTML
    )
    environment.filters["py"] = repr
    environment.filters["doc"] = lambda text: text.replace("\\", "\\\\").replace('"""', "'''")
    environment.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment


def _rendered(names: Iterable[str], **values: Any) -> dict[str, str]:
    return {name: _environment().get_template(f"{name}.j2").render(**values) for name in names}


def unexposed(graph: PipelineGraph) -> tuple[Parameter, ...]:
    """Parameters that keep the value of ``params.yaml``, since JSON has no type for them."""
    return tuple(one for one in graph.parameters if one.kind is None)


def kubeflow_files(graph: PipelineGraph, image: str) -> Mapping[str, str]:
    """The pipeline for Kubeflow Pipelines v2, by name below `FOLDER`; the compiled form is not among them.

    Parameters
    ----------
    image
        Container image with the project in it.
    """
    taken = set(_KUBEFLOW_NAMES) | {one.name for one in graph.parameters}  # which hide functions inside of the pipeline
    pipeline = unique("pipeline", {_identifier(stage.name) for stage in graph.stages}, suffixes=("of_stages",))
    tasks = _tasks(graph, taken | {pipeline}, with_files=True)
    return _rendered(
        ("kubeflow.py", "one_stage.py", "Dockerfile", "Dockerfile.dockerignore"),
        graph=graph, tasks=tasks, pipeline=pipeline, image=image, kfp=KFP,
        parameters=tuple(one for one in graph.parameters if one.kind is not None),
        model=next((one for one in tasks if one.stage.saves_model), None),
        state=next((one for one in tasks if one.stage.saves_state), None),
        metrics=next((one for one in tasks if one.stage.measures), None),
    )  # fmt: skip


def airflow_files(graph: PipelineGraph, schedule: str | None) -> Mapping[str, str]:
    """The pipeline as a DAG for Airflow 2.10 and later, 3 included, by name below `FOLDER`.

    Parameters
    ----------
    schedule
        Cron expression or preset; None: only when it is triggered.
    """
    return _rendered(
        ("airflow_dag.py", "one_stage.py"),
        graph=graph, tasks=_tasks(graph, set(_AIRFLOW_NAMES), with_files=False), schedule=schedule,
        parameters=tuple(one for one in graph.parameters if one.kind is not None), json_types=_JSON_TYPES,
    )  # fmt: skip


def _identifier(name: str) -> str:
    return PythonIdentifier(name, fallback="stage")


def _tasks(graph: PipelineGraph, taken: set[str], *, with_files: bool) -> tuple[_Task, ...]:
    """Names for the stages, and for the files that they take from others."""
    functions: dict[str, str] = {}
    for stage in graph.stages:
        functions[stage.name] = unique(_identifier(stage.name), taken)
        taken.add(functions[stage.name])
    variables: dict[str, str] = {}
    for stage in graph.stages:
        name = unique(f"{functions[stage.name]}_task", taken) if with_files else functions[stage.name]
        variables[stage.name] = name
        taken.add(name)
    made = []
    for stage in graph.stages:
        own = set(_IN_COMPONENTS)
        settings = []
        for parameter in graph.parameters_of(stage):
            if parameter.kind is not None:
                argument = unique(parameter.name, own, suffixes=("setting",))
                own.add(argument)
                settings.append(_Setting(argument, parameter))
        inputs = []
        for need in stage.needs:
            argument = unique(f"{functions[need]}_files", own)
            own.add(argument)
            inputs.append(_Input(argument, need, variables[need]))
        made.append(_Task(stage, functions[stage.name], variables[stage.name], tuple(inputs), tuple(settings)))
    return tuple(made)


def check_cron(text: str) -> str:
    """A schedule as Airflow takes it: five fields of cron, or a preset such as ``@daily``.

    Raises
    ------
    UsageError
        It is neither.
    """
    text = text.strip()
    fields = text.split()
    if text in _PRESETS or (
        len(fields) == 5 and all(_is_field(one, *allowed) for one, allowed in zip(fields, _CRON, strict=True))
    ):
        return text
    raise UsageError(
        f"{text!r} is no schedule: five fields of cron (minute, hour, day, month, day of the week) such as '30 4 * * 1', "
        f"or one of {', '.join(sorted(_PRESETS))}."
    )


def _is_field(text: str, low: int, high: int, names: list[str]) -> bool:
    for part in text.lower().split(","):
        found = re.fullmatch(r"(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:/(\d+))?", part)
        if found is None:
            return False
        first, last, step = found.groups()
        ends = [one for one in (first, last) if one not in (None, "*")]
        if not all(one in names or (one.isdecimal() and low <= int(one) <= high) for one in ends):
            return False
        if (first == "*" and last is not None) or step == "0":
            return False
    return True
