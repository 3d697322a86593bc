"""The pipeline of a generated project as its files say it: the stages of ``dvc.yaml`` and the parameters of the settings.

What other orchestrators run is made of this alone, so that their graph is that of ``dvc repro``, also where a user has
changed it by hand.
"""

from __future__ import annotations

import ast
import math
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jupyter_mlops.errors import OutputError

__all__ = ["GraphStage", "Kind", "Parameter", "PipelineGraph", "read_graph"]

Kind = Literal["bool", "int", "float", "str", "list", "dict"]

_KINDS: dict[str, Kind] = {
    "bool": "bool", "int": "int", "float": "float", "str": "str", "Path": "str", "list": "list", "tuple": "list", "set": "list",
    "dict": "dict",
}  # fmt: skip
_DEFAULTS: dict[str, tuple[str, str]] = {  # of every project, with what stands behind the field
    "seed": ("int", "of the global generators, for code that sets none"),
    "data_dir": ("Path", "folder that relative paths of the notebook start from"),
}


@dataclass(frozen=True)
class Parameter:
    """A setting of the project with its default.

    Attributes
    ----------
    kind
        Type that it has in JSON and in Kubeflow, or None where it has none, such as a default of None.
    default
        The value in ``params.yaml``.
    """

    name: str
    kind: Kind | None
    default: Any
    comment: str = ""


@dataclass(frozen=True)
class GraphStage:
    """One stage of ``dvc.yaml``.

    Attributes
    ----------
    needs
        Stages whose files it reads.
    parameters
        Settings that it depends on.
    """

    name: str
    needs: tuple[str, ...]
    parameters: tuple[str, ...]
    saves_model: bool = False
    saves_state: bool = False
    measures: bool = False


@dataclass(frozen=True)
class PipelineGraph:
    """Stages in an order in which they can run, and the parameters that they use.

    Attributes
    ----------
    folders
        Folders of the project that training reads beside its code: data and expectations.
    """

    name: str
    package: str
    title: str
    stages: tuple[GraphStage, ...]
    parameters: tuple[Parameter, ...]
    folders: tuple[str, ...] = ()

    def parameters_of(self, stage: GraphStage) -> tuple[Parameter, ...]:
        """The parameters of a stage, in the order of the settings."""
        return tuple(one for one in self.parameters if one.name in stage.parameters)


def read_graph(project: Path) -> PipelineGraph:
    """The pipeline of a generated project.

    Raises
    ------
    OutputError
        The folder holds no generated project, or its ``dvc.yaml`` is no pipeline of its stages.
    """
    settings = sorted(project.glob("src/*/settings.py"))
    if not (project / "dvc.yaml").is_file() or not (project / "stage.py").is_file() or len(settings) != 1:
        raise OutputError(
            f"{project} holds no project that `jupyter mlops convert` made: dvc.yaml, stage.py and src/<package>/settings.py are "
            "looked for. Give the folder of a project, or a notebook and -o for its project."
        )
    described = _described(settings[0])
    values = _yaml(project / "params.yaml") if (project / "params.yaml").is_file() else {}
    stages = _in_order(_stages(project / "dvc.yaml", "data_dir" if "data_dir" in values else None), project / "dvc.yaml")
    used = {name for stage in stages for name in stage.parameters}
    parameters = tuple(
        _parameter(name, annotation, values[name], comment, project / "params.yaml")
        for name, (annotation, comment) in described.items() if name in used and name in values
    )  # fmt: skip
    if lost := sorted(used - {one.name for one in parameters}):
        raise OutputError(
            f"{project / 'dvc.yaml'} names the parameter {lost[0]!r}, which is not in params.yaml and settings.py. "
            "Mend it, or convert the notebook again."
        )
    folders = tuple(name for name in ("data", "expectations") if (project / name).is_dir())
    name, title = _named(project, settings[0].parent.name)
    return PipelineGraph(name, settings[0].parent.name, title, stages, parameters, folders)


def _yaml(path: Path) -> dict[str, Any]:
    import yaml

    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise OutputError(
            f"{path} cannot be read: {' '.join(str(error).split())}. Mend it, or convert the notebook again."
        ) from error
    if not isinstance(found, dict):
        raise OutputError(f"{path} is no mapping. Mend it, or convert the notebook again.")
    return found


def _stages(path: Path, data_dir: str | None) -> list[GraphStage]:
    found = _yaml(path).get("stages")
    if not isinstance(found, dict) or not found:
        raise OutputError(f"{path} has no stages. Mend it, or convert the notebook again.")
    stages = []
    for name, stage in found.items():
        if not isinstance(stage, dict) or stage.get("cmd") != f"python stage.py {name}":
            raise OutputError(
                f"{path}: the stage {name!r} does not run `python stage.py {name}`, so it is none of the project's. "
                "Only those can be run elsewhere: take it out, or write its part of the pipeline by hand."
            )
        deps = [text for one in stage.get("deps", ()) if (text := _path(one)) is not None]
        reads = any(not one.startswith(("src/", "stages/", "expectations/")) for one in deps)
        outs = {_path(one) for one in stage.get("outs", ())}
        parameters = [str(one) for one in stage.get("params", ()) if isinstance(one, str)]
        stages.append(
            GraphStage(
                name=str(name), needs=tuple(dict.fromkeys(one.removeprefix("stages/") for one in deps if one.startswith("stages/"))),
                parameters=(*parameters, *([data_dir] if reads and data_dir else [])),
                saves_model="model/model.skops" in outs, saves_state="model/state" in outs,
                measures="model/metrics.json" in {_path(one) for one in stage.get("metrics", ())},
            )
        )  # fmt: skip
    return stages


def _path(entry: Any) -> str | None:
    """DVC writes a path as text, or as a mapping from it to options."""
    return next(iter(entry), None) if isinstance(entry, dict) else str(entry)


def _in_order(stages: list[GraphStage], path: Path) -> tuple[GraphStage, ...]:
    """Each behind what it needs, else as they stand."""
    names = {stage.name for stage in stages}
    for stage in stages:
        if unknown := [name for name in stage.needs if name not in names]:
            raise OutputError(f"{path}: the stage {stage.name!r} reads stages/{unknown[0]}, which no stage makes. Mend it.")
    done: list[GraphStage] = []
    rest = list(stages)
    while rest:
        ready = next((one for one in rest if set(one.needs) <= {before.name for before in done}), None)
        if ready is None:
            raise OutputError(f"{path}: the stages {', '.join(one.name for one in rest)} need one another. Mend their deps.")
        done.append(ready)
        rest.remove(ready)
    return tuple(done)


def _described(path: Path) -> dict[str, tuple[str, str]]:
    """Annotation and comment of each field of the settings."""
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    found = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef) and node.name == "Settings":
            for field in node.body:
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    behind = lines[(field.end_lineno or 1) - 1].encode()[field.end_col_offset or 0 :].decode()
                    found[field.target.id] = (ast.unparse(field.annotation), behind.strip().lstrip("#").strip())
    return {**found, **{name: told for name, told in _DEFAULTS.items() if name in found}}


def _parameter(name: str, annotation: str, value: Any, comment: str, path: Path) -> Parameter:
    kind = _KINDS.get(annotation.partition("[")[0])
    if kind is None or not _in_json(value):
        return Parameter(name, None, value, comment)
    value = float(value) if kind == "float" and type(value) is int else value
    if type(value).__name__ != kind:
        raise OutputError(f"{path}: {name!r} wants {annotation}, got {value!r}. Mend it.")
    return Parameter(name, kind, value, comment)


def _in_json(value: Any) -> bool:
    """Whether a value comes out of JSON as it went in; Kubeflow hands numbers on as doubles."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and _in_json(one) for key, one in value.items())
    if isinstance(value, list):
        return all(map(_in_json, value))
    if isinstance(value, int | float):
        return math.isfinite(value) and (isinstance(value, float) or abs(value) <= 2**53)
    return value is None or isinstance(value, str)


def _named(project: Path, package: str) -> tuple[str, str]:
    """Name and title, from pyproject.toml and the README; the package's name where they are gone."""
    name = package.replace("_", "-")
    with suppress(OSError, ValueError, KeyError):
        name = str(tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"])
    try:
        first = (project / "README.md").read_text(encoding="utf-8").split("\n", 1)[0]
    except OSError:
        first = ""
    return name, first.removeprefix("# ").strip() if first.startswith("# ") else name
