"""Which stage each statement of an untagged notebook belongs to, from the dataflow around its model.

The rows of the model's input are followed back to where they are first bound: that is `load`, with the joins that make
one table of several. What else the input needs is `features`, what else the model needs is `train`, what asks and
measures it is `evaluate`. Tags that are there are kept, and win.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_mlops.convert.loaders import Loaders
from jupyter_mlops.convert.models import ModelChoice, choose_model
from jupyter_mlops.convert.modeluses import ANSWERS, FITS, SCORES, own_nodes
from jupyter_mlops.convert.planner import needed_statements
from jupyter_mlops.convert.suggest_load import load_statements
from jupyter_mlops.notebook.cells import Stage
from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Analysis, Statement

__all__ = ["Stages", "is_definition", "is_import", "lacks_tags", "suggest_stages"]

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Stages:
    """The suggestion by statement.

    Parameters
    ----------
    choice
        The model around which it was made, or the problem that there is none.
    of
        Stage of each statement that has one, by index; those of tagged cells have the tag's.
    kept
        Statements that a conversion needs.
    """

    choice: ModelChoice | Problem
    of: Mapping[int, Stage]
    kept: frozenset[int]


def lacks_tags(analysis: Analysis) -> bool:
    """Whether a conversion needs a suggestion: no cell says where the raw table or the model comes from."""
    tags = {cell.stage for cell in analysis.notebook.code_cells}
    return not {Stage.LOAD, Stage.TRAIN} <= tags


def suggest_stages(analysis: Analysis, model: str | None = None) -> Stages:
    """Suggest a stage for each statement that the model needs; `model` names another than `choose_model` takes."""
    choice = choose_model(analysis, model)
    if isinstance(choice, Problem) or (choice.fit is None and choice.asked is None):
        return Stages(choice, _by_kind(analysis, frozenset(s.index for s in analysis.statements)), frozenset())
    return _Suggester(analysis, choice).stages()


def is_definition(statement: Statement) -> bool:
    """Whether a statement only defines a function or a class, be it as a lambda with a name."""
    node = statement.node
    return isinstance(node, _DEFINITIONS) or (isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda))


def is_import(statement: Statement) -> bool:
    """Whether a statement imports, be it inside of try or if."""
    node = statement.node
    if isinstance(node, (ast.Try, ast.If)):
        return bool(node.body) and all(isinstance(one, (ast.Import, ast.ImportFrom)) for one in node.body)
    return isinstance(node, (ast.Import, ast.ImportFrom))


def _is_constant(statement: Statement) -> bool:
    """``NAME = value`` with a plain value, which becomes a constant of a module."""
    match statement.node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name.isupper():
            return not any(isinstance(n, (ast.Call, ast.Name)) for n in ast.walk(value))
    return False


def _by_kind(analysis: Analysis, kept: frozenset[int]) -> dict[int, Stage]:
    found: dict[int, Stage] = {}
    for s in analysis.statements:
        if s.stage is not None:
            found[s.index] = s.stage
        elif is_import(s):
            found[s.index] = Stage.IMPORTS
        elif s.index in kept and (is_definition(s) or _is_constant(s)):
            found[s.index] = Stage.FUNCTIONS
    return found


class _Suggester:
    """One notebook with its chosen model."""

    def __init__(self, analysis: Analysis, choice: ModelChoice) -> None:
        self.analysis, self.choice = analysis, choice
        self.statements = analysis.statements
        self.loaders = Loaders(analysis)
        self.imports = self.loaders.imports
        self.kept = frozenset(i for i in needed_statements(analysis, choice) if self.statements[i].stage is not Stage.SKIP)
        anchor = choice.asked or choice.fit
        assert anchor is not None
        self.anchor = anchor
        self.trained_at = choice.fit.statement if choice.fit is not None else self._binder()

    def _binder(self) -> int:
        """Where a model that is fitted inside of a function is bound."""
        reaching = self.analysis.reaching(self.anchor.statement, self.choice.variable)
        return max((i for i in reaching if self.choice.variable in self.statements[i].binds), default=self.anchor.statement)

    def stages(self) -> Stages:
        """The suggestion."""
        of = _by_kind(self.analysis, self.kept)
        data = self._data()
        load = self._load(data)
        asked = {u.statement for u in self.choice.uses}
        first = min(load, default=-1)  # what stands above is left to the stage that follows
        model = self.analysis.slice([(self.trained_at, self.choice.variable), (self.anchor.statement, self.choice.variable)])
        for index in sorted(self.kept):
            if index in of or index < first:
                continue
            if index in load:
                of[index] = Stage.LOAD
            elif index == self.trained_at:
                of[index] = Stage.TRAIN
            elif self.choice.asked is not None and index == self.choice.asked.statement:
                of[index] = Stage.EVALUATE
            elif index in data:
                of[index] = Stage.FEATURES
            elif index in model:
                of[index] = Stage.TRAIN
            elif index < self.trained_at:
                of[index] = Stage.FEATURES
            elif self.statements[index].binds or index in asked or self._measures(self.statements[index].node):
                of[index] = Stage.EVALUATE
        self._add_measures(of)
        self._add_checks(of)
        self._add_parameters(of)
        return Stages(self.choice, of, self.kept)

    # -- the data ---------------------------------------------------------------------------------------------------

    def _data(self) -> frozenset[int]:
        """All that the model's input and its target need."""
        targets = [(self.trained_at, name) for name in self._handed(self.trained_at, FITS)]
        if self.choice.asked is not None:
            targets += [(self.anchor.statement, name) for name in self._handed(self.anchor.statement, ANSWERS)]
        return self.analysis.slice(targets)

    def _handed(self, index: int, methods: frozenset[str]) -> set[str]:
        """Names that a statement hands to the model as data."""
        calls = [
            n for n in own_nodes(self.statements[index].node)
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr in methods
        ]  # fmt: skip
        parts = [part for call in calls for part in (*call.args, *(k.value for k in call.keywords))]
        own = {n for n in self.statements[index].uses if self._is_variable(n)} - {self.choice.variable}
        if not parts:  # inside of a function
            return own
        names = {n.id for part in parts for n in ast.walk(part) if isinstance(n, ast.Name) and self._is_variable(n.id)}
        inside = names & self.statements[index].binds  # by an earlier line of the same loop
        return names | (own if inside else set())

    def _is_variable(self, name: str) -> bool:
        return name not in self.imports and name not in self.analysis.functions and not name.startswith("<")

    def _load(self, data: frozenset[int]) -> frozenset[int]:
        tagged = [s.index for s in self.statements if s.stage is Stage.LOAD]
        if tagged:
            return frozenset(i for index in tagged for i in self.analysis.slice_statement(index))
        inputs: list[tuple[int, ast.expr]] = []
        for use in (self.choice.asked, self.choice.fit):
            if use is not None and use.argument is not None:
                inputs.append((use.statement, use.argument))
        if not inputs:
            names = sorted(self._handed(self.trained_at, FITS))
            inputs = [(self.trained_at, ast.Name(name, ast.Load())) for name in names]
        candidates = frozenset(i for i in data | {self.trained_at} if not is_import(self.statements[i]))
        found = load_statements(self.analysis, self.loaders, inputs, candidates)
        if not found:  # the data went into the model when it was made, as in statsmodels
            readers = [i for i in self.kept if i < self.trained_at and self.loaders.call_in(self.statements[i].node)]
            found = frozenset(i for i in readers if not is_definition(self.statements[i]))
        return frozenset(i for i in found if i != self.trained_at)

    # -- what is not needed by the model, but about it --------------------------------------------------------------

    def _add_measures(self, of: dict[int, Stage]) -> None:
        """What only shows how good the chosen model is, such as a report or a confusion matrix."""
        asked = {u.statement for u in self.choice.uses if u.method in SCORES} | {self._asked_at()}
        for s in self.statements[self.trained_at + 1 :]:
            if s.index in of:
                continue
            if s.index in asked or (self._measures(s.node) and asked & self.analysis.slice_statement(s.index)):
                of[s.index] = Stage.EVALUATE

    def _asked_at(self) -> int:
        return self.choice.asked.statement if self.choice.asked is not None else self.trained_at

    def _measures(self, node: ast.stmt) -> bool:
        calls = [n for n in own_nodes(node) if isinstance(n, ast.Call)]
        return any(self.imports.name_of(c.func).startswith(("sklearn.metrics.", "metrics.")) for c in calls)

    def _add_checks(self, of: dict[int, Stage]) -> None:
        # A table that was cleaned in the cell that reads it counts as the loaded one.
        cells = {self.statements[i].cell for i, stage in of.items() if stage is Stage.LOAD}
        loaded = {i for i, stage in of.items() if stage in (Stage.LOAD, Stage.FEATURES) and self.statements[i].cell in cells}
        for s in self.statements:
            if s.index in of or not _is_check(s.node):
                continue
            names = {n for n in s.uses if self._is_variable(n)}
            needs = self.analysis.slice_statement(s.index)
            sources = {i for n in names for i in self.analysis.reaching(s.index, n)}
            if sources and sources <= loaded:
                of[s.index] = Stage.VALIDATE
            elif self.trained_at in needs and self._at_end(s.index, names):
                of[s.index] = Stage.TEST
                for i in sorted(needs - self.kept):  # lines of the same cell that only prepare the check
                    if i not in of and self.statements[i].cell == s.cell and i > self.trained_at:
                        of[i] = Stage.TEST

    def _at_end(self, index: int, names: set[str]) -> bool:
        """Whether the kept code ends with the values that a check sees."""
        end = len(self.statements)
        return all(self.analysis.reaching(index, n) & self.kept == self.analysis.reaching(end, n) & self.kept for n in names)

    def _add_parameters(self, of: dict[int, Stage]) -> None:
        """The first cell of nothing but plain values that kept code uses."""
        if Stage.PARAMETERS in of.values():
            return
        used = {n for i in self.kept for n in self.statements[i].uses}
        for cell in self.analysis.notebook.code_cells:
            mine = [s for s in self.statements if s.cell == cell.number]
            if not mine or cell.stage is not None or any(m.kind != "line" for m in cell.magics):
                continue
            names = {n for s in mine for n in s.binds}
            once = all(len(self.analysis.defined_by(n)) == 1 for n in names)
            if names & used and once and all(_is_setting(s.node) for s in mine):
                of.update({s.index: Stage.PARAMETERS for s in mine})
                return


def _is_check(node: ast.stmt) -> bool:
    match node:
        case ast.Assert():
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name))):
            return name.startswith("assert_")
        case ast.If(body=[ast.Raise()], orelse=[]):
            return True
    return False


def _is_setting(node: ast.stmt) -> bool:
    """``name = value`` with a plain value, or a list of numbers; names in capitals stay constants."""
    match node:
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value)
            | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
        ):
            pass
        case _:
            return False
    try:
        found = ast.literal_eval(value)
    except ValueError:
        return False
    if isinstance(found, (list, tuple)):
        return bool(found) and all(isinstance(one, (int, float)) for one in found)
    return isinstance(found, (int, float, str, bool)) and not name.isupper()
