"""What of Kale's steps is kept in a project's pipeline, and what is not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from jupyter_mlops.notebook.cells import Stage
from jupyter_mlops.notebook.kale import ancestors
from jupyter_mlops.notebook.kale_flow import lacking, missing_prev
from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    from jupyter_mlops.convert.plan import StageFunction
    from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["step_problems"]


def step_problems(analysis: Analysis, kept: Collection[int], functions: Sequence[StageFunction], model: str) -> list[Problem]:
    """Steps that are left out, that wait for others here though not for Kale, and that use what Kale would not give them.

    Parameters
    ----------
    kept
        Statements of the project, by index.
    functions
        Its stage functions, in their order.
    """
    notebook = analysis.notebook
    cells = {analysis.statements[index].cell for index in kept}
    problems = [one for one in missing_prev(analysis) if one.cell in cells]
    some = {s.cell for s in analysis.statements if s.stage is not Stage.SKIP}
    for step in notebook.steps:
        if some.intersection(step.cells) and not cells.intersection(step.cells):
            problems.append(
                Problem(
                    "kale-step-left-out",
                    "info",
                    f"The step {step.name!r} is left out: the model {model!r} needs nothing of it.",
                    step.cells[0],
                    None,
                    "Name another model (--model) where it is one of its own.",
                )  # fmt: skip
            )
    before = ancestors(notebook.steps)
    first_cell = {step.name: step.cells[0] for step in notebook.steps}
    order = list(dict.fromkeys(one.step for one in functions if one.step))
    handed = {(step, giver) for step, giver, _ in lacking(analysis)}
    for earlier, later in pairwise(order):
        if earlier not in before[later] and (later, earlier) not in handed:
            problems.append(
                Problem(
                    "kale-in-sequence",
                    "info",
                    f"For Kale, the step {later!r} does not wait for {earlier!r}. Here it does, since each stage goes on with the random "
                    "numbers of the one before, as in the notebook.",
                    first_cell[later],
                )  # fmt: skip
            )
    return problems
