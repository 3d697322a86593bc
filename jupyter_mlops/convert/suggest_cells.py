"""From stages of statements to tags of cells: one tag where one will do, else how the cell would have to be split."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from jupyter_mlops.convert.loaders import Loaders
from jupyter_mlops.convert.models import ModelChoice
from jupyter_mlops.convert.suggest import Stages, is_definition, is_import, suggest_stages
from jupyter_mlops.notebook.cells import Stage
from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    from jupyter_mlops.notebook.cells import Cell
    from jupyter_mlops.notebook.dataflow import Analysis, Statement

__all__ = ["CellSuggestion", "Part", "Suggestion", "parts_of", "suggest", "whole_parts"]

# What may stand in one cell without harm: the set of stages -> the tag that serves all of it.
_TOGETHER = {
    frozenset({Stage.FEATURES, Stage.TRAIN}): Stage.TRAIN,
    frozenset({Stage.FEATURES, Stage.EVALUATE}): Stage.EVALUATE,
    frozenset({Stage.LOAD, Stage.VALIDATE}): Stage.LOAD,
    frozenset({Stage.FEATURES, Stage.VALIDATE}): Stage.FEATURES,
}


@dataclass(frozen=True)
class Part:
    """Lines of a cell that belong to one stage; 1-based, both ends included. None: not needed by the model."""

    stage: Stage | None
    first_line: int
    last_line: int

    def __str__(self) -> str:
        lines = f"line {self.first_line}" if self.first_line == self.last_line else f"lines {self.first_line}-{self.last_line}"
        return f"{lines} {self.stage}"


@dataclass(frozen=True)
class CellSuggestion:
    """What is suggested for one cell.

    Parameters
    ----------
    tag
        The tag, or None for a mixed cell that no single tag serves: `parts` says where to split it.
    parts
        Where the lines of the cell belong when not all belong to one stage.
    """

    cell: int
    tag: Stage | None
    reason: str
    parts: tuple[Part, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Suggestion:
    """Suggested tags of a notebook's untagged cells."""

    stages: Stages
    cells: tuple[CellSuggestion, ...]

    @property
    def problem(self) -> Problem | None:
        """Why there is no model to suggest tags around."""
        return self.stages.choice if isinstance(self.stages.choice, Problem) else None

    def staged(self, analysis: Analysis) -> Analysis:
        """The analysis with the suggested stages in its untagged cells, statement by statement."""
        return analysis.staged(self.stages.of)


def suggest(analysis: Analysis, model: str | None = None) -> Suggestion:
    """Suggest tags for the untagged cells of a notebook.

    Parameters
    ----------
    model
        Variable of the model that is meant, where it is not the one that `choose_model` takes.
    """
    first = latest = _suggest_once(analysis, model)
    cells = {one.cell: one for one in first.cells}
    # A tag is about a whole cell, so it may ask for more than the statements that led to it: go on until the notebook
    # with these tags would get no others.
    while any(one.tag is not None for one in latest.cells):
        tags = {cell: one.tag for cell, one in cells.items() if one.tag is not None}
        of = {s.index: tag for s in analysis.statements if (tag := tags.get(s.cell)) is not None}
        latest = _suggest_once(analysis.staged(of), model)
        cells.update({one.cell: one for one in latest.cells if one.tag is not None})
    return replace(first, cells=tuple(cells[number] for number in sorted(cells)))


def _suggest_once(analysis: Analysis, model: str | None) -> Suggestion:
    stages = suggest_stages(analysis, model)
    teller = _Teller(analysis, stages)
    by_cell: dict[int, list[Statement]] = {}
    for statement in analysis.statements:
        by_cell.setdefault(statement.cell, []).append(statement)
    found = [
        one
        for cell in analysis.notebook.code_cells
        if cell.stage is None and cell.number in by_cell
        if (one := _of_cell(cell, by_cell[cell.number], stages, teller)) is not None
    ]
    return Suggestion(stages, _all_or_none(analysis, found, stages))


def _all_or_none(analysis: Analysis, cells: Sequence[CellSuggestion], stages: Stages) -> tuple[CellSuggestion, ...]:
    """No tag `load` where a part of loading is in a mixed cell, nor `train` for training.

    A notebook with these tags counts as tagged, so the mixed cell would not be taken apart by a conversion.
    """
    mixed = {one.cell for one in cells if one.tag is None}
    of = stages.of
    halved = {of[s.index] for s in analysis.statements if s.cell in mixed and s.index in of} & {Stage.LOAD, Stage.TRAIN}
    return tuple(
        replace(one, tag=None, reason=f"{one.reason} (no tag, since a mixed cell has the rest of '{one.tag}')")
        if one.tag in halved else one
        for one in cells
    )  # fmt: skip


def _of_cell(cell: Cell, mine: Sequence[Statement], stages: Stages, teller: _Teller) -> CellSuggestion | None:
    own = {stages.of[s.index] for s in mine if s.index in stages.of}
    main = own - {Stage.IMPORTS, Stage.FUNCTIONS}
    if not main:
        tag = _of_definitions(mine, stages)
        return CellSuggestion(cell.number, tag, teller.reason(tag, mine)) if tag is not None else None
    tag = next(iter(main)) if len(main) == 1 else _TOGETHER.get(frozenset(main))
    if tag is Stage.TRAIN and len(main) > 1 and not any(s.index == teller.fitted for s in mine):
        tag = Stage.FEATURES  # the model is only made here
    if tag is Stage.TEST and any(s.index in stages.kept and stages.of.get(s.index) is None for s in mine):
        tag = None
    parts = parts_of(mine, stages) if len(own) > 1 else ()
    if tag is None:
        reason = "; ".join(teller.reason(stage, mine) for stage in sorted(main, key=list(Stage).index))
        return CellSuggestion(cell.number, None, f"mixed: {reason}", parts)
    return CellSuggestion(cell.number, tag, teller.reason(tag, mine), parts)


def _of_definitions(mine: Sequence[Statement], stages: Stages) -> Stage | None:
    """`functions` for a cell that defines what is used, `imports` for one that imports and configures."""
    quiet = [s for s in mine if not (is_import(s) or is_definition(s))]
    if any(stages.of.get(s.index) is Stage.FUNCTIONS for s in mine):
        return Stage.FUNCTIONS if all(_is_plain(s) for s in quiet) else None
    imports = any(is_import(s) for s in mine)
    settles = all(isinstance(s.node, ast.Expr) or _is_plain(s) for s in quiet)
    return Stage.IMPORTS if imports and settles and not any(is_definition(s) for s in mine) else None


def _is_plain(statement: Statement) -> bool:
    """A constant, or a setting such as ``plt.rcParams["figure.figsize"] = (8, 4)``."""
    match statement.node:
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
            return not any(isinstance(n, (ast.Call, ast.Name)) for n in ast.walk(value))
        case ast.Expr(value=ast.Constant()):
            return True
    return False


def parts_of(mine: Sequence[Statement], stages: Stages) -> tuple[Part, ...]:
    """Runs of lines of one stage; a line that is not needed, such as a display, goes with what stands above it."""
    runs: list[Part] = []
    pending: int | None = None  # first line of what stands above the first needed statement
    for s in mine:
        first = s.first_line - (s.comments.count("\n") + 1 if s.comments else 0)
        stage = stages.of.get(s.index)
        if stage is None and runs:
            stage = runs[-1].stage
        if stage is None:
            pending = first if pending is None else pending
            continue
        shares = bool(runs) and runs[-1].last_line >= first  # several statements on one line
        if runs and (runs[-1].stage is stage or shares):
            runs[-1] = Part(runs[-1].stage, runs[-1].first_line, s.last_line)
        else:
            runs.append(Part(stage, first if pending is None else pending, s.last_line))
            pending = None
    return tuple(runs)


def whole_parts(cell: Cell, parts: Sequence[Part]) -> tuple[Part, ...]:
    """Parts that cover the whole cell, as cells of their own; () where it cannot be taken apart.

    Imports and definitions are cut off at the top only: further down they do no harm, and each cut is one more cell.
    """
    if any(magic.kind == "cell" for magic in cell.magics):
        return ()  # the magic of the first line is about all of them
    joined: list[Part] = []
    for part in parts:
        small = part.stage in (Stage.IMPORTS, Stage.FUNCTIONS)
        if joined and (part.stage is joined[-1].stage or small):
            joined[-1] = Part(joined[-1].stage, joined[-1].first_line, part.last_line)
        else:
            joined.append(part)
    if len(joined) < 2:
        return ()
    ends = [one.first_line - 1 for one in joined[1:]] + [cell.source.count("\n") + 1]
    begins = [1] + [one.first_line for one in joined[1:]]
    return tuple(Part(p.stage, a, b) for p, a, b in zip(joined, begins, ends, strict=True))


class _Teller:
    """Says, in words, why a cell gets its tag."""

    def __init__(self, analysis: Analysis, stages: Stages) -> None:
        self.analysis, self.stages = analysis, stages
        self.loaders = Loaders(analysis)
        self.imports = self.loaders.imports
        choice = stages.choice
        self.choice = choice if isinstance(choice, ModelChoice) else None
        self.variable = choice.variable if isinstance(choice, ModelChoice) else ""
        self.fitted = choice.fit.statement if isinstance(choice, ModelChoice) and choice.fit is not None else -1

    def reason(self, stage: Stage, mine: Sequence[Statement]) -> str:
        """One sentence without a full stop."""
        own = [s for s in mine if self.stages.of.get(s.index) is stage]
        bound = _listed(_in_order(own))
        match stage:
            case Stage.IMPORTS:
                return "imports"
            case Stage.FUNCTIONS:
                return f"defines {bound}, which the model's cells use"
            case Stage.PARAMETERS:
                return f"plain values that other cells use: {bound}"
            case Stage.LOAD:
                return f"{self._source(own)} into {bound}, from which the model's input comes" if bound else self._source(own)
            case Stage.VALIDATE:
                return "checks the data as it was loaded"
            case Stage.FEATURES:
                changed = bound or _listed(sorted({n for s in own for n in s.mutates if not n.startswith("<")}))
                return f"prepares {changed or 'what is needed'} for the input of {self.variable}"
            case Stage.TRAIN:
                if any(s.index == self.fitted for s in own):
                    return f"fits {self.variable}"
                return f"makes {bound or 'what is needed'} for {self.variable}"
            case Stage.EVALUATE:
                return self._measure(own)
            case Stage.TEST:
                return "checks the results"
        return ""

    def _source(self, own: Sequence[Statement]) -> str:
        told: dict[str, None] = {}
        for s in own:
            call = self.loaders.call_in(s.node)
            if call is None:
                continue
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            literal = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            told[f"{name} {literal[0].replace(chr(92), '/').rsplit('/', 1)[-1]}" if literal else name] = None
        return f"reads ({', '.join(told)})" if told else "makes the data"

    def _measure(self, own: Sequence[Statement]) -> str:
        asked = self.choice.asked.statement if self.choice is not None and self.choice.asked is not None else -1
        names = {
            self.imports.name_of(n.func).rsplit(".", 1)[-1] for s in own for n in ast.walk(s.node)
            if isinstance(n, ast.Call) and self.imports.name_of(n.func).startswith(("sklearn.metrics", "metrics"))
        }  # fmt: skip
        does = "asks" if any(s.index == asked for s in own) else "measures"
        return f"{does} {self.variable}" + (f" ({', '.join(sorted(names))})" if names else "")


def _in_order(own: Sequence[Statement]) -> list[str]:
    """Names that statements bind, as they appear in them."""
    found: dict[str, None] = {}
    for s in own:
        found.update(dict.fromkeys(n.id for n in ast.walk(s.node) if isinstance(n, ast.Name) and n.id in s.binds))
        found.update(dict.fromkeys(sorted(s.binds)))
    return list(found)


def _listed(names: Sequence[str], limit: int = 4) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
