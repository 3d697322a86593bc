"""The plan of a project: pure data, everything that a template needs is decided here."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jupyter_mlops.convert.lifting.entries import Lesson, StateEntry
from jupyter_mlops.notebook.problems import Problem
from jupyter_mlops.signature import Output, Signature

if TYPE_CHECKING:
    from jupyter_mlops.convert.answers import Answer
    from jupyter_mlops.convert.pipeline import PipelineStage

__all__ = [
    "Facts",
    "FeatureProgram",
    "ModulePlan",
    "NamedValue",
    "ProjectPlan",
    "SettingField",
    "StageFunction",
    "SuitePlan",
    "yaml_text",
]


@dataclass(frozen=True)
class NamedValue:
    """A value that flows between stages, with the annotation it gets in generated code."""

    name: str
    annotation: str


@dataclass(frozen=True)
class SettingField:
    """One parameter of the notebook as a typed field of the generated settings."""

    name: str
    original: str
    annotation: str
    value: Any
    comment: str = ""

    @property
    def default_text(self) -> str:
        """The default as Python source; a mutable one through a factory, as dataclasses want it."""
        if isinstance(self.value, (list, dict, set)):
            return f"field(default_factory=lambda: {self.value!r})"
        return repr(self.value)

    @property
    def yaml_text(self) -> str:
        """The default as one line of YAML."""
        return yaml_text(self.value)


def yaml_text(value: Any) -> str:
    """A plain value as YAML that PyYAML reads back as the same: floats keep their point, tuples and sets are lists."""
    match value:
        case bool() | None:
            return json.dumps(value)
        case float():
            if value != value or value in (float("inf"), float("-inf")):
                return {"nan": ".nan", "inf": ".inf", "-inf": "-.inf"}[str(value)]
            text = repr(value)
            return text.replace("e", ".0e") if "e" in text and "." not in text else text
        case list() | tuple() | set():
            return "[" + ", ".join(yaml_text(one) for one in value) + "]"
        case dict():
            return "{" + ", ".join(f"{yaml_text(k)}: {yaml_text(v)}" for k, v in value.items()) + "}"
        case _:
            return json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True)
class StageFunction:
    """One stage of the notebook as a function of the package."""

    name: str
    stage: str
    module: str
    inputs: tuple[NamedValue, ...]
    outputs: tuple[NamedValue, ...]
    result: str | None  # class name of the NamedTuple that holds several outputs
    body: str
    docstring: str
    cells: tuple[int, ...]
    settings: bool  # takes the settings
    state: str = ""  # what the state is called that it learns into
    changes: frozenset[str] = frozenset()  # what it changes in place: variables, and pseudo-names of hidden state
    relies: frozenset[str] = frozenset()  # pseudo-names of hidden state that it uses
    step: str = ""  # that it is in, where the notebook is tagged for Kale
    aliases: tuple[frozenset[str], ...] = ()  # variables of earlier stages that one of its statements changes together

    @property
    def call(self) -> str:
        """The call with all its arguments."""
        names = [value.name for value in self.inputs] + (["settings"] if self.settings else [])
        names += [self.state] if self.state else []
        return f"{self.name}({', '.join(names)})"

    @property
    def targets(self) -> str:
        """What the call's result is bound to; the metrics of `evaluate` are always called ``measured``."""
        return ", ".join("measured" if v.annotation == "dict[str, float]" else v.name for v in self.outputs)

    @property
    def measures(self) -> bool:
        """True when the stage gives metrics."""
        return any(value.annotation == "dict[str, float]" for value in self.outputs)


@dataclass(frozen=True)
class ModulePlan:
    """A module of the package: docstring, import lines, then blocks of code, each verbatim or composed."""

    docstring: str
    imports: tuple[str, ...]
    blocks: tuple[str, ...]


@dataclass(frozen=True)
class FeatureProgram:
    """What turns raw rows into the model's input, as the source of `build_features`."""

    source: str
    identity: bool  # only selects columns
    columns: tuple[str, ...] | None  # of the model's input, in order; None when it is not a frame
    cells: tuple[int, ...]
    boundary: str  # "raw" | "engineered"
    shared: bool = False  # the training code calls the same function
    state: tuple[StateEntry, ...] = ()  # what it takes from training
    completes: bool = False  # it fills in columns that a request does not bring
    stateful: bool = False  # it takes the state
    variable: str = "state"  # what the state is called in the code
    lessons: tuple[Lesson, ...] = ()  # what makes the training code keep what it learns
    learners: frozenset[str] = frozenset()  # functions of the notebook that learn something


@dataclass(frozen=True)
class SuitePlan:
    """The expectations of a `%%validate` cell, for `expectations/<name>.json`."""

    name: str
    table: str  # the variable that it is about
    cell: int
    text: str  # of the file
    placed: bool  # a stage of the pipeline checks the table with it
    served: bool  # it is about the raw table: requests are checked with it too


@dataclass(frozen=True)
class Facts:
    """What becomes known only when the notebook, the pipeline and the proof have run; for the README and the tests."""

    metrics: dict[str, float] = field(default_factory=dict)
    parity: dict[str, Any] | None = None
    tolerance: dict[str, Any] | None = None
    engine_reason: str | None = None
    data_dir: str | None = None
    data_files: tuple[str, ...] = ()  # that the notebook read beside itself, relative to the project
    state: tuple[dict[str, Any], ...] = ()  # name, value or shape, cell, code: for the README
    holdout: dict[str, Any] | None = None  # rows, measure, cell, evaluated_on: for the README


@dataclass(frozen=True)
class ProjectPlan:
    """A project before any file of it exists."""

    title: str
    name: str
    package: str
    version: str
    description: str
    notebook: str
    python: str
    model_variable: str
    model_class: str
    task: str
    settings: tuple[SettingField, ...]
    modules: dict[str, ModulePlan]
    stages: tuple[StageFunction, ...]
    pipeline: tuple[PipelineStage, ...]  # the same as stages of dvc.yaml
    features: FeatureProgram
    raw_name: str
    results: tuple[NamedValue, ...]  # what the pipeline's run returns, besides metrics and model
    metrics: tuple[str, ...]
    tests: tuple[str, ...]  # the notebook's own `test` cells as test functions
    test_imports: tuple[str, ...]
    requirements: tuple[str, ...]
    locked: tuple[str, ...]
    trusted: tuple[str, ...]
    problems: tuple[Problem, ...]
    kept_cells: tuple[int, ...]
    boundary: str = "raw"
    engine: str = "onnx"
    identity: bool = True
    composed: bool = False  # the ONNX model contains the feature program and takes the raw row
    raw: Signature | None = None
    model: Signature | None = None
    output: Output | None = None
    fields: tuple[Any, ...] = ()
    untyped: tuple[str, ...] = ()  # libraries that ship no types
    answer: Answer | None = None  # what the notebook makes of the model's prediction
    answer_imports: tuple[str, ...] = ()
    facts: Facts = field(default_factory=lambda: Facts())
    suites: tuple[SuitePlan, ...] = ()  # of the notebook's %%validate cells
    policy: str = ""  # text of the promotion.yaml beside the notebook
    monitoring: str = ""  # text of the monitoring.yaml beside it, and what that says of the prediction log:
    log_omit: tuple[str, ...] = ()
    log_hash: tuple[str, ...] = ()
    log_days: int = 0

    @property
    def loading(self) -> tuple[StageFunction, ...]:
        """The stages up to the one that binds the raw table; none where no stage gives it."""
        for number, stage in enumerate(self.stages, 1):
            if self.raw_name in {value.name for value in stage.outputs}:
                return self.stages[:number] if not any(one.state for one in self.stages[:number]) else ()
        return ()

    @property
    def served_suites(self) -> tuple[SuitePlan, ...]:
        """Suites of the raw table, which requests are checked with too."""
        return tuple(suite for suite in self.suites if suite.served)
