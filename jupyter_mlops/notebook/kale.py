"""Notebooks that are tagged for Kubeflow Kale: their steps, how these follow one another, and what has no counterpart here.

Kale's tags (https://kale.kubeflow.org, "Annotating Notebooks"): ``step:NAME`` (``block:NAME`` in old versions), ``prev:NAME``,
``imports``, ``functions``, ``skip``, ``pipeline-parameters``, ``pipeline-metrics``. A cell without a tag continues the cell above it.
What a step does is not said by its tag, so that its cells get no stage here: it is told from their code, as in untagged notebooks.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from jupyter_mlops.notebook.cells import Cell, Stage, Step
from jupyter_mlops.notebook.problems import Problem

__all__ = ["METRICS", "PARAMETERS", "KaleTags", "ancestors", "read_kale"]

PARAMETERS, METRICS = "pipeline-parameters", "pipeline-metrics"
_STEP = re.compile(r"(?:step|block):(.*)", re.DOTALL)
_PREV = re.compile(r"prev:(.*)", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_RESOURCES = ("annotation:", "label:", "limit:", "secret:", "image:", "cache:", "report:")
_SHOWING = frozenset({"print", "display", "round", "str", "float", "format"})


@dataclass(frozen=True)
class KaleTags:
    """What Kale's tags say.

    Attributes
    ----------
    cells
        All cells, those of parameters and of computed metrics with their stage.
    steps
        In the order in which they begin.
    metrics
        Names that the cells tagged ``pipeline-metrics`` show.
    """

    cells: tuple[Cell, ...]
    steps: tuple[Step, ...] = ()
    metrics: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_kale(cells: Sequence[Cell], ordered: dict[int, list[str]]) -> KaleTags:
    """Read Kale's tags; a notebook without them stays as it is.

    Parameters
    ----------
    ordered
        Tags of each code cell in the order in which they stand, by its number.
    """
    if not any(_STEP.match(tag) or tag in (PARAMETERS, METRICS) for tags in ordered.values() for tag in tags):
        return KaleTags(tuple(cells))
    reader = _Reader()
    made = tuple(reader.read(cell, ordered[cell.number]) if cell.kind == "code" else cell for cell in cells)
    steps = tuple(Step(name, tuple(reader.cells[name]), tuple(after)) for name, after in reader.after.items())
    return KaleTags(made, steps, tuple(reader.metrics), tuple(reader.problems))


def ancestors(steps: Iterable[Step]) -> dict[str, frozenset[str]]:
    """Steps that have run before each step, by name: those that it comes after, and those that these come after."""
    found: dict[str, frozenset[str]] = {}
    for step in steps:  # what a step comes after begins above it
        found[step.name] = frozenset(step.after).union(*(found[name] for name in step.after))
    return found


class _Reader:
    """One notebook, cell by cell."""

    def __init__(self) -> None:
        self.cells: dict[str, list[int]] = {}
        self.after: dict[str, list[str]] = {}
        self.metrics: dict[str, None] = {}
        self.problems: list[Problem] = []
        self.current = ""  # step, or one of the special tags, that an untagged cell continues
        self.last_step = ""

    def read(self, cell: Cell, tags: list[str]) -> Cell:
        """The cell, with its stage where the tag says it."""
        if "skip" in tags:
            return cell  # the cell behind it continues the one above
        special = next((tag for tag in tags if tag in ("imports", "functions", PARAMETERS, METRICS)), None)
        if special is not None:
            self.current = special
        elif not self._steps(cell, tags) and any(tag.startswith("notebook:") for tag in tags):
            self.current = ""
            self._problem(
                "kale-notebook", cell, f"Kale would run another notebook here ({_of(tags, 'notebook:')}); it is not read.",
                "Convert the notebook that trains the model, or put the code of both into one.",
            )  # fmt: skip
        self._resources(cell, tags)
        if cell.stage is not None:
            return cell
        if self.current == PARAMETERS:
            return replace(cell, stage=Stage.PARAMETERS)
        if self.current == METRICS:
            return self._metrics_cell(cell)
        if self.current in self.cells and cell.number not in self.cells[self.current]:
            self.cells[self.current].append(cell.number)
        return cell

    def _steps(self, cell: Cell, tags: list[str]) -> bool:
        """Note the step of a cell and what it comes after; whether it has one."""
        names = [name.strip() for tag in tags if (found := _STEP.match(tag)) for name in found[1].split(";")]
        valid = [name for name in names if _NAME.fullmatch(name)]
        for name in names:
            if name not in valid:
                self._problem(
                    "kale-step-name", cell, f"{name!r} is no name of a step: Kale takes letters, digits and _.",
                    "Rename the step in its tag, and in the prev: tags of others.",
                )  # fmt: skip
        if len(valid) > 1:
            self._problem(
                "kale-several-steps", cell, f"The cell belongs to several steps ({', '.join(valid)}); it is run once, in {valid[0]!r}.",
                "Keep one step: tag on the cell.",
            )  # fmt: skip
        if not valid:
            return bool(names)
        name = valid[0]
        before = [one.strip() for tag in tags if (found := _PREV.match(tag)) for one in found[1].split(";")]
        if name not in self.after:
            self.cells[name], self.after[name] = [], []
            self._comes_after(cell, name, before)
        elif name != self.last_step:
            self._problem(
                "kale-step-apart", cell,
                f"The step {name!r} goes on here, behind {self.last_step!r}. Kale runs all cells of a step together; here they run "
                "in the notebook's order, as two stages.",
                "Move the cell up to the others of its step, or give it a step of its own.",
            )  # fmt: skip
        self.current = self.last_step = name
        self.cells[name].append(cell.number)
        return True

    def _comes_after(self, cell: Cell, name: str, before: list[str]) -> None:
        for one in dict.fromkeys(before):
            if one in self.after and one != name:
                self.after[name].append(one)
            else:
                self._problem(
                    "kale-unknown-prev", cell, f"`prev:{one}`: no step {one!r} begins above this cell, so Kale refuses the notebook; "
                    "the tag is left out.",
                    "Name a step that stands above, or take the tag away.",
                )  # fmt: skip

    def _resources(self, cell: Cell, tags: list[str]) -> None:
        if found := [tag for tag in tags if tag.startswith(_RESOURCES)]:
            self.problems.append(
                Problem(
                    "kale-resources",
                    "info",
                    f"What these tags ask of Kubernetes is not carried over: {', '.join(found)}.",
                    cell.number,
                    None,
                    "Set it in pipelines/kubeflow.py, on the stage's task.",
                )  # fmt: skip
            )

    def _metrics_cell(self, cell: Cell) -> Cell:
        """Names that are shown are metrics where they are computed; a cell that computes some itself is `evaluate`."""
        try:
            tree = ast.parse(cell.code)
        except (SyntaxError, ValueError, RecursionError):
            return cell
        calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        if any(not (isinstance(one, ast.Name) and one.id in _SHOWING) for one in calls) or any(
            isinstance(node, (ast.Assign, ast.AnnAssign)) for node in tree.body
        ):
            return replace(cell, stage=Stage.EVALUATE)
        functions = {id(one) for one in calls}
        self.metrics.update(
            dict.fromkeys(node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in functions)
        )
        return cell

    def _problem(self, code: str, cell: Cell, message: str, fix: str) -> None:
        self.problems.append(Problem(code, "warning", message, cell.number, None, fix))


def _of(tags: list[str], prefix: str) -> str:
    return next(tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix))
