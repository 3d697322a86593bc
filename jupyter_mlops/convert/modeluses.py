"""Calls of estimator methods in a notebook: which variable, which method, which rows."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jupyter_mlops.convert.loaders import Imports
from jupyter_mlops.notebook.cells import Stage
from jupyter_mlops.notebook.scopes import bindings, parameters

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Analysis, Statement

__all__ = ["ANSWERS", "FITS", "SCORES", "ModelUse", "class_of", "model_uses", "own_nodes", "saved_variables"]

FITS = frozenset({"fit", "fit_predict"})
ANSWERS = frozenset({"predict", "predict_proba", "decision_function", "fit_predict", "score"})
# What measures a model without asking it: functions that it is handed to, attributes of a search; "metric" stands for
# all functions of sklearn.metrics that are handed its answers.
SCORES = frozenset({"cross_val_score", "cross_validate", "cross_val_predict", "best_score_", "oob_score_", "metric"})
_SAVERS = frozenset({"dump", "dumps", "log_model", "save_model"})


@dataclass(frozen=True)
class ModelUse:
    """One call of a model's method in the notebook."""

    statement: int
    cell: int
    line: int
    variable: str  # name at the top level that holds the model
    method: str
    argument: ast.expr | None  # the rows, as an expression of the top-level statement; None when only known inside a function


@dataclass(frozen=True)
class _Function:
    """A function of the notebook and the calls of estimator methods in it."""

    cell: int
    node: ast.FunctionDef
    calls: tuple[tuple[str, str, ast.expr | None, int], ...]


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes of a statement that run with it: bodies of functions and classes do not."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        yield child
        yield from own_nodes(child)


def _root(node: ast.expr) -> str | None:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _rows_argument(call: ast.Call) -> ast.expr | None:
    if call.args and not isinstance(call.args[0], ast.Starred):
        return call.args[0]
    return next((k.value for k in call.keywords if k.arg in {"X", "raw_documents"}), None)


def _assigned_name(node: ast.stmt) -> str | None:
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    return None


def class_of(analysis: Analysis, variable: str) -> str:
    """Last part of what is called to make a variable: its class, most often; "" when it is not made by a call."""
    for index in reversed(analysis.defined_by(variable)):
        value = getattr(analysis.statements[index].node, "value", None)
        while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
            inner = value.func.value
            if isinstance(inner, ast.Name) and value.func.attr == "fit":
                return "" if inner.id == variable else class_of(analysis, inner.id)
            if not isinstance(inner, ast.Call):
                break
            value = inner
        if isinstance(value, ast.Call):
            return ast.unparse(value.func).split(".")[-1]
    return ""


def saved_variables(analysis: Analysis) -> list[str]:
    """Variables that the notebook writes with pickle, joblib, skops or MLflow, in order."""
    found: list[str] = []
    for statement in analysis.statements:
        for call in own_nodes(statement.node):
            if not (isinstance(call, ast.Call) and call.args):
                continue
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name in _SAVERS:
                found += [n.id for n in ast.walk(call.args[0]) if isinstance(n, ast.Name)]
    return found


def model_uses(analysis: Analysis) -> list[ModelUse]:
    """All uses of estimators in top-level variables, in order; also inside of functions of the notebook."""
    functions = {
        s.node.name: _Function(s.cell, s.node, tuple(_function_calls(s.node)))
        for s in analysis.statements
        if isinstance(s.node, ast.FunctionDef)
    }
    imports = Imports(analysis)
    uses: list[ModelUse] = []
    for statement in analysis.statements:
        if statement.stage is Stage.SKIP or isinstance(statement.node, (ast.FunctionDef, ast.ClassDef)):
            continue
        for node in own_nodes(statement.node):
            if isinstance(node, ast.Attribute) and node.attr in SCORES and (root := _root(node)) is not None:
                uses.append(ModelUse(statement.index, statement.cell, node.lineno, root, node.attr, None))
            if isinstance(node, ast.Call):
                uses += _of_call(statement, node, functions)
        uses += _measured(analysis, statement, imports, uses)
    return _under_last_name(analysis, [u for u in uses if u.variable not in imports])


def _measured(analysis: Analysis, statement: Statement, imports: Imports, before: list[ModelUse]) -> list[ModelUse]:
    """Models whose answers a statement hands to a function of ``sklearn.metrics``."""
    found = []
    for node in own_nodes(statement.node):
        if isinstance(node, ast.Call) and imports.name_of(node.func).startswith("sklearn.metrics."):
            names = {
                n.id
                for part in (*node.args, *(k.value for k in node.keywords))
                for n in ast.walk(part)
                if isinstance(n, ast.Name)
            }
            sources = {i for name in names for i in _binders(analysis, statement.index, name)}
            variables = dict.fromkeys(u.variable for u in before if u.method in ANSWERS and u.statement in sources)
            found += [ModelUse(statement.index, statement.cell, node.lineno, v, "metric", None) for v in variables]
    return found


def _of_call(statement: Statement, node: ast.Call, functions: dict[str, _Function]) -> Iterator[ModelUse]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in SCORES:
        given = node.args[0] if node.args else next((k.value for k in node.keywords if k.arg == "estimator"), None)
        if isinstance(given, ast.Name):
            yield ModelUse(statement.index, statement.cell, node.lineno, given.id, name, None)
    elif isinstance(node.func, ast.Attribute) and name in FITS | ANSWERS:
        root = _root(node.func.value)
        if root is None and isinstance(node.func.value, ast.Call):  # Model().fit(X, y)
            root = _assigned_name(statement.node)
        if root is not None:
            yield ModelUse(statement.index, statement.cell, node.lineno, root, name, _rows_argument(node))
    elif isinstance(node.func, ast.Name) and name in functions:
        function = functions[name].node
        given_names = _bind(node, function)
        for receiver, method, rows, line in functions[name].calls:
            value = given_names.get(receiver) if receiver in parameters(function) else ast.Name(receiver, ast.Load())
            if isinstance(value, ast.Name):
                argument = _at_call(rows, function, given_names)
                yield ModelUse(statement.index, functions[name].cell, line, value.id, method, argument)


def _bind(call: ast.Call, function: ast.FunctionDef) -> dict[str, ast.expr]:
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    bound = {name: arg for name, arg in zip(names, call.args, strict=False) if not isinstance(arg, ast.Starred)}
    bound.update({k.arg: k.value for k in call.keywords if k.arg})
    return bound


def _function_calls(function: ast.FunctionDef) -> list[tuple[str, str, ast.expr | None, int]]:
    """Calls inside of a function, on its parameters and on the notebook's variables: (receiver, method, rows, line)."""
    calls = [n for n in ast.walk(function) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
    found = []
    local: frozenset[str] | None = None
    for node in calls:
        assert isinstance(node.func, ast.Attribute)
        if node.func.attr in FITS | ANSWERS:
            local = bindings(function.body).local if local is None else local
            receiver = _root(node.func.value)
            if receiver is not None and receiver not in local:
                found.append((receiver, node.func.attr, _rows_argument(node), node.lineno))
    return found


def _at_call(rows: ast.expr | None, function: ast.FunctionDef, bound: dict[str, ast.expr]) -> ast.expr | None:
    """The rows as an expression where the function is called; None when a variable of the function is in it."""
    if rows is None:
        return None
    own = set(parameters(function)) | bindings(function.body).local
    names = {n.id for n in ast.walk(rows) if isinstance(n, ast.Name)}
    if not (names & own) <= bound.keys():
        return None

    class Put(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return copy.deepcopy(bound[node.id]) if node.id in own else node

    changed: ast.expr = Put().visit(copy.deepcopy(rows))
    return changed


def _under_last_name(analysis: Analysis, uses: list[ModelUse]) -> list[ModelUse]:
    """``model = lr.fit(X, y)`` gives the object of `lr` the name `model`: from there on it goes by that name.

    Only where `model` is asked or saved: Keras' ``history = model.fit(...)`` is another object.
    """
    aliases = []
    saved = set(saved_variables(analysis))
    for use in uses:
        node = analysis.statements[use.statement].node
        alias = _assigned_name(node)
        if use.method != "fit" or alias in (None, use.variable) or not _is_plain_fit(node, use.variable):
            continue
        assert alias is not None
        asked = any(u.variable == alias and u.method in ANSWERS for u in uses)
        if asked or alias in saved:
            aliases.append((use.statement, use.variable, alias, _binders(analysis, use.statement, use.variable)))
    if not aliases:
        return uses

    def renamed(use: ModelUse) -> ModelUse:
        for statement, variable, alias, binders in aliases:
            if use.variable != variable or use.statement < statement:
                continue
            same = _binders(analysis, use.statement, variable) == binders
            if same and (use.statement == statement or _binders(analysis, use.statement, alias) == {statement}):
                return replace(use, variable=alias)
        return use

    return [renamed(u) for u in uses]


def _is_plain_fit(node: ast.stmt, variable: str) -> bool:
    match getattr(node, "value", None):
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="fit")):
            return name == variable
    return False


def _binders(analysis: Analysis, index: int, name: str) -> set[int]:
    return {i for i in analysis.reaching(index, name) if name in analysis.statements[i].binds}
