"""What of Kale's steps is kept in a project's pipeline, and what is not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from jupyter_mlops.notebook.cells import Stage
from jupyter_mlops.notebook.kale import ancestors
from jupyter_mlops.notebook.kale_flow import lacking, missing_prev
from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    from jupyter_mlops.convert.pipeline import PipelineStage
    from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["step_problems"]


def step_problems(
    analysis: Analysis, kept: Collection[int], pipeline: Sequence[PipelineStage], model: str
) -> Iterator[Problem]:  # fmt: skip
    """Steps that are left out, that stay together or wait for others here, and that use what Kale would not give them.

    Parameters
    ----------
    kept
        Statements of the project, by index.
    pipeline
        Its stages, in their order.
    """
    notebook = analysis.notebook
    cells = {analysis.statements[index].cell for index in kept}
    first_cell = {step.name: step.cells[0] for step in notebook.steps}
    yield from (one for one in missing_prev(analysis) if one.cell in cells)
    some = {s.cell for s in analysis.statements if s.stage is not Stage.SKIP}
    for step in notebook.steps:
        if some.intersection(step.cells) and not cells.intersection(step.cells):
            yield Problem(
                "kale-step-left-out", "info", f"The step {step.name!r} is left out: the model {model!r} needs nothing of it.",
                step.cells[0], None, "Name another model (--model) where it is one of its own.",
            )  # fmt: skip
    for stage in pipeline:
        together = list(dict.fromkeys(one.step for one in stage.functions if one.step))
        if len(together) > 1:
            yield Problem(
                "kale-steps-joined", "info", f"The steps {_listed(together)} stay one stage: {stage.joined}.",
                first_cell[together[1]], None, "Make what crosses between them new in the later one, as in df = df.copy().",
            )  # fmt: skip
    before = ancestors(notebook.steps)
    handed = {(step, giver) for step, giver, _ in lacking(analysis)}
    order = list(dict.fromkeys(one.step for stage in pipeline for one in stage.functions if one.step))
    waiting = [b for a, b in pairwise(order) if a not in before[b] and (b, a) not in handed]
    if waiting:
        yield Problem(
            "kale-in-sequence", "info",
            f"For Kale, {_listed(waiting)} need{'s' * (len(waiting) == 1)} not wait for the step before. Here each does, since it goes on "
            "with the random numbers of that one, as in the notebook.",
            first_cell[waiting[0]],
        )  # fmt: skip


def _listed(names: Sequence[str]) -> str:
    shown = [f"{name!r}" for name in names]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 2 else shown)
