"""Cut the kept statements into stage functions with explicit inputs and outputs."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jupyter_mlops.convert.edits import statement_text
from jupyter_mlops.convert.identifiers import unique
from jupyter_mlops.convert.metrics import bound_metrics, metric_calls, metric_name
from jupyter_mlops.convert.names import Names, Rewriter
from jupyter_mlops.convert.plan import NamedValue, StageFunction
from jupyter_mlops.convert.sharing import SharedRun
from jupyter_mlops.notebook.cells import Stage

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Analysis, Statement

__all__ = ["Block", "StagePlan", "plan_stages"]

_ORDER = (Stage.LOAD, Stage.VALIDATE, Stage.FEATURES, Stage.TRAIN, Stage.EVALUATE)
_FUNCTION = {
    Stage.LOAD: ("data", "load_data", "Loaded"),
    Stage.VALIDATE: ("data", "validate_data", "Validated"),
    Stage.FEATURES: ("features", "make_dataset", "Dataset"),
    Stage.TRAIN: ("train", "train_model", "Training"),
    Stage.EVALUATE: ("evaluate", "evaluate_model", "Evaluation"),
}
_VERB = {
    Stage.LOAD: "Load the raw table",
    Stage.VALIDATE: "Check the raw table",
    Stage.FEATURES: "Make what the model is trained and evaluated on",
    Stage.TRAIN: "Train the model",
    Stage.EVALUATE: "Measure the model",
}


@dataclass
class Block:
    """Consecutive kept statements of one stage."""

    stage: Stage
    statements: list[Statement]
    step: str = ""  # of a notebook that is tagged for Kale
    lines: list[str] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class StagePlan:
    """The stage functions in order, and what their run gives."""

    functions: tuple[StageFunction, ...]
    results: tuple[NamedValue, ...]
    metrics: tuple[str, ...]
    pulled: tuple[tuple[int, str], ...]  # untagged cell -> the stage it went to


def _blocks(analysis: Analysis, rest: list[int]) -> tuple[list[Block], list[tuple[int, str]]]:
    """Group statements by stage, and by Kale's steps; one that has none goes to the next one that follows it."""
    order = [analysis.statements[i] for i in rest]
    stages: list[Stage | None] = [s.stage if s.stage in _ORDER else None for s in order]
    step_of = analysis.notebook.step_of
    steps: list[str | None] = [step_of.get(s.cell) for s in order]
    following: Stage | None = None
    next_step: str | None = None
    pulled: dict[int, str] = {}
    for position in range(len(order) - 1, -1, -1):
        following = stages[position] = stages[position] or following
        next_step = steps[position] = steps[position] or next_step
    previous: Stage = Stage.LOAD
    step = ""
    blocks: list[Block] = []
    for statement, found, in_step in zip(order, stages, steps, strict=True):
        stage, step = found or previous, in_step or step
        if statement.stage is None:
            pulled.setdefault(statement.cell, str(stage))
        if not blocks or blocks[-1].stage is not stage or blocks[-1].step != step:
            blocks.append(Block(stage, [], step))
        blocks[-1].statements.append(statement)
        previous = stage
    return blocks, sorted(pulled.items())


def _compose(
    analysis: Analysis, block: Block, rewriter: Rewriter, values: Mapping[str, Any] | None, shared: SharedRun | None,
    checks: Mapping[int, Sequence[str]],
) -> None:  # fmt: skip
    """Text of the block's statements; in `evaluate`, displayed metrics become named ones."""
    known: set[str] = set()
    taken = {name for s in analysis.statements for name in s.binds}
    for statement in block.statements:
        if shared is not None and statement.index in shared.indexes:
            if statement.index == shared.indexes[0]:
                block.lines.append(shared.call)
            continue
        displayed = block.stage is Stage.EVALUATE and isinstance(statement.node, ast.Expr)
        measured = list(metric_calls(statement.node)) if displayed else []
        if measured:
            code = analysis.notebook.cells[statement.cell - 1].code
            edits = rewriter.edits(statement.node) + rewriter.taught(statement.node, statement.cell)
            for call in measured:
                name = unique(metric_name(call), taken | known, suffixes=())
                known.add(name)
                block.metrics.append(name)
                wrapped = ast.copy_location(ast.Expr(call), call)
                block.lines.append(f"{name} = {statement_text(code, wrapped, edits)}")
            continue
        block.lines += [rewriter.text(statement), *checks.get(statement.index, ())]
        if block.stage is Stage.EVALUATE:
            for name in bound_metrics(statement, frozenset(known), values, analysis.notebook.metrics):
                known.add(name)
                if name not in block.metrics:
                    block.metrics.append(name)


def _in_order(node: ast.AST, names: frozenset[str]) -> list[str]:
    """Names in the order in which they appear; those that only a called function reads come last."""
    seen = dict.fromkeys(n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in names)
    return [*seen, *sorted(names - seen.keys())]


def _needs(statement: Statement, names: Names) -> list[str]:
    return [n for n in _in_order(statement.node, statement.uses | statement.mutates) if names.is_variable(n)]


def plan_stages(
    analysis: Analysis,
    rest: list[int],
    names: Names,
    rewriter: Rewriter,
    *,
    annotate: Mapping[str, str],
    wanted: frozenset[str],
    model: str,
    values: Mapping[str, Any] | None,
    shared: SharedRun | None = None,
    checks: Mapping[int, Sequence[str]] | None = None,
) -> StagePlan:
    """Stage functions for the statements `rest`.

    Parameters
    ----------
    annotate
        Annotation of each variable; what is missing is ``Any``.
    wanted
        Variables that the pipeline must give back: the model, and what the notebook's `test` cells use.
    values
        Plain values seen in the run (see `metrics.bound_metrics`).
    shared
        Statements that are a function of their own, which stands for them.
    checks
        Lines that follow a statement, by its index.
    """
    blocks, pulled = _blocks(analysis, rest)
    for block in blocks:
        _compose(analysis, block, rewriter, values, shared, checks or {})

    def value(name: str) -> NamedValue:
        return NamedValue(name, annotate.get(name, "Any"))

    bound_anywhere = {n for b in blocks for s in b.statements for n in s.binds if names.is_variable(n)}
    functions: list[StageFunction] = []
    taken = set(names.helper_names) | set(names.imported) | bound_anywhere
    metrics: list[str] = []
    inputs_of: list[list[str]] = []
    binds_of: list[list[str]] = []
    aliases_of: list[tuple[frozenset[str], ...]] = []
    for block in blocks:
        bound: set[str] = set()
        inputs: dict[str, None] = {}
        for statement in block.statements:
            for name in _needs(statement, names):
                if name not in bound and name in bound_anywhere:
                    inputs.setdefault(name)
            if statement.may_bind:
                # What may stay as it was has to come in, when an earlier stage bound it.
                for name in sorted(statement.binds):
                    earlier = any(name in b for b in binds_of)
                    if earlier and name not in bound and names.is_variable(name):
                        inputs.setdefault(name)
            bound |= set(statement.binds)
        inputs_of.append([n for n in inputs if any(n in b for b in binds_of)])
        together = [s.mutates & {n for b in binds_of for n in b} for s in block.statements]
        aliases_of.append(tuple(one for one in together if len(one) > 1 or one - inputs.keys()))
        binds_of.append(
            [n for n in dict.fromkeys(x for s in block.statements for x in _in_order(s.node, s.binds)) if names.is_variable(n)]
        )
    for position, block in enumerate(blocks):
        later = {n for others in inputs_of[position + 1 :] for n in others}
        still = [n for n in binds_of[position] if n in later or n in wanted]
        final = [n for n in still if n in later or not any(n in b for b in binds_of[position + 1 :])]
        module, base, result = _FUNCTION[block.stage]
        name = unique(base, taken, suffixes=())
        taken.add(name)
        lines = list(block.lines)
        rebound = sorted(
            n for n in names.rebound_settings
            if n not in {x for b in blocks[:position] for s in b.statements for x in s.binds}
            and any(n in s.uses | s.binds for s in block.statements)
        )  # fmt: skip
        lines[:0] = [f"{n} = settings.{names.settings[n].name}" for n in rebound]
        outputs = tuple(value(n) for n in final)
        if block.metrics:
            metrics += [m for m in block.metrics if m not in metrics]
            pairs = ", ".join(f'"{m}": float({m})' for m in block.metrics)
            measured = unique("metrics", taken | set(names.constant_names), suffixes=("of_model",))
            lines.append(f"{measured}: dict[str, float] = {{{pairs}}}")
            outputs = (*outputs, NamedValue(measured, "dict[str, float]"))
        text = "\n".join(lines)
        class_name = unique(result, taken, suffixes=("Result",)) if len(outputs) > 1 else None
        if class_name:
            taken.add(class_name)
        cells = tuple(dict.fromkeys(s.cell for s in block.statements))
        functions.append(
            StageFunction(
                name=name,
                stage=str(block.stage),
                module=module,
                inputs=tuple(value(n) for n in inputs_of[position]),
                outputs=outputs,
                result=class_name,
                body=text,
                docstring=f"{_VERB[block.stage]} ({_cells(cells)}).",
                cells=cells,
                settings="settings." in text or ", settings)" in text,
                state=rewriter.state if rewriter.lessons and _reads_name(text, rewriter.state) else "",
                changes=frozenset(n for s in block.statements for n in s.mutates),
                relies=frozenset(n for s in block.statements for n in s.uses if n.startswith("<")),
                step=block.step,
                aliases=aliases_of[position],
            )
        )
    given = {o.name: o for f in functions for o in f.outputs}
    results = tuple(given[n] for n in sorted(wanted) if n in given and n != model)
    return StagePlan(tuple(functions), results, tuple(metrics), tuple(pulled))


def _reads_name(text: str, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(ast.parse(text)))


def _cells(cells: tuple[int, ...]) -> str:
    if len(cells) == 1:
        return f"cell {cells[0]}"
    return "cells " + ", ".join(map(str, cells[:-1])) + f" and {cells[-1]}"
