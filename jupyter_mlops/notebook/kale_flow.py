"""Whether the steps of a notebook that is tagged for Kale have what they need: what a step uses comes from steps before it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from jupyter_mlops.notebook.kale import ancestors
from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Analysis, Statement

__all__ = ["lacking", "missing_prev"]


def lacking(analysis: Analysis) -> dict[tuple[str, str, str], Statement]:
    """Step, the step that gives it a name though no path of ``prev:`` tags leads there, that name: where it is used first."""
    notebook = analysis.notebook
    before = ancestors(notebook.steps)
    step_of = notebook.step_of
    found: dict[tuple[str, str, str], Statement] = {}
    for statement in analysis.statements:
        step = step_of.get(statement.cell)
        if step is None:
            continue
        for name in sorted(statement.uses):
            if name.startswith("<"):
                continue
            for index in sorted(analysis.reaching(statement.index, name)):
                source = analysis.statements[index]
                giver = step_of.get(source.cell, step)
                if giver == step or giver in before[step] or index >= statement.index:
                    continue
                if not isinstance(source.node, (ast.Import, ast.ImportFrom)):
                    found.setdefault((step, giver, name), statement)
    return found


def missing_prev(analysis: Analysis) -> list[Problem]:
    """What `lacking` finds, as problems."""
    return [
        Problem(
            "kale-missing-prev", "warning",
            f"The step {step!r} uses {name!r} of {giver!r}, but no prev: tag leads there. Kale's step would not find it; "
            "here it is handed over.",
            at.cell, at.first_line, f"Add the tag prev:{giver} to the first cell of {step!r}.",
        )
        for (step, giver, name), at in lacking(analysis).items()
    ]  # fmt: skip
