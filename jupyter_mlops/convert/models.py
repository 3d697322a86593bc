"""Which fitted model of the notebook is meant, and where it is fitted and asked."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_mlops.notebook.cells import Stage
from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["ModelChoice", "ModelUse", "choose_model", "model_uses"]

FITS = frozenset({"fit", "fit_predict"})
ANSWERS = frozenset({"predict", "predict_proba", "decision_function", "fit_predict", "score"})
# Class names that are estimators though the notebook may never ask them for a prediction.
_PREDICTORS = (
    "Classifier", "Regressor", "Regression", "RegressionCV", "SVC", "SVR", "KMeans", "NB", "Lasso", "Ridge",
    "ElasticNet", "Pipeline", "make_pipeline", "SearchCV", "Forest", "Perceptron", "DBSCAN", "GaussianMixture",
    "DiscriminantAnalysis",
)  # fmt: skip


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
class ModelChoice:
    """The chosen model: its variable, why it was chosen, and the calls that matter."""

    variable: str
    reason: str
    fit: ModelUse | None
    asked: ModelUse | None  # the evaluated predict, else the last call that asks the model
    others: tuple[str, ...]
    uses: tuple[ModelUse, ...]


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes of a statement that run with it: bodies of functions and classes do not."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        yield child
        yield from _own_nodes(child)


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


def _function_calls(function: ast.FunctionDef) -> list[tuple[str, str, str | None, int]]:
    """Calls on a function's parameters: (parameter, method, parameter that holds the rows, line)."""
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    found = []
    for node in ast.walk(function):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr in FITS | ANSWERS and isinstance(node.func.value, ast.Name) and node.func.value.id in names:
            rows = _rows_argument(node)
            found.append((node.func.value.id, node.func.attr, rows.id if isinstance(rows, ast.Name) else None, node.lineno))
    return found


def _bind(call: ast.Call, function: ast.FunctionDef) -> dict[str, ast.expr]:
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    bound = {name: arg for name, arg in zip(names, call.args, strict=False) if not isinstance(arg, ast.Starred)}
    bound.update({k.arg: k.value for k in call.keywords if k.arg})
    return bound


def model_uses(analysis: Analysis) -> list[ModelUse]:
    """All calls of estimator methods on top-level variables, in order; also inside of functions they are handed to."""
    functions = {s.node.name: (s, s.node) for s in analysis.statements if isinstance(s.node, ast.FunctionDef)}
    imported = {name for s in analysis.statements if isinstance(s.node, (ast.Import, ast.ImportFrom)) for name in s.binds}
    uses: list[ModelUse] = []
    for statement in analysis.statements:
        if statement.stage is Stage.SKIP or isinstance(statement.node, (ast.FunctionDef, ast.ClassDef)):
            continue
        for node in _own_nodes(statement.node):
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Attribute) and node.func.attr in FITS | ANSWERS:
                root = _root(node.func.value)
                if root is None and isinstance(node.func.value, ast.Call):  # Model().fit(X, y)
                    root = _assigned_name(statement.node)
                if root is not None and root not in imported:
                    uses.append(
                        ModelUse(statement.index, statement.cell, node.lineno, root, node.func.attr, _rows_argument(node))
                    )
            elif isinstance(node.func, ast.Name) and node.func.id in functions:
                home, function = functions[node.func.id]
                bound = _bind(node, function)
                for parameter, method, rows, line in _function_calls(function):
                    value = bound.get(parameter)
                    if isinstance(value, ast.Name) and value.id not in imported:
                        argument = bound.get(rows) if rows else None
                        uses.append(ModelUse(statement.index, home.cell, line, value.id, method, argument))
    return uses


def _constructor(analysis: Analysis, variable: str) -> str:
    for index in reversed(analysis.defined_by(variable)):
        value = getattr(analysis.statements[index].node, "value", None)
        while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and isinstance(value.func.value, ast.Call):
            value = value.func.value
        if isinstance(value, ast.Call):
            return ast.unparse(value.func).split(".")[-1]
    return ""


def choose_model(analysis: Analysis, wanted: str | None = None) -> ModelChoice | Problem:
    """The model that `wanted` names, else the one the `evaluate`/`train` cells point to, else the last one evaluated.

    Returns
    -------
    ModelChoice or Problem
        A problem with code ``no-model`` or ``unknown-model`` when there is none.
    """
    uses = model_uses(analysis)
    asked = {u.variable for u in uses if u.method in ANSWERS}
    fitted = {u.variable for u in uses if u.method in FITS}
    candidates = list(
        dict.fromkeys(u.variable for u in uses if u.variable in asked or _constructor(analysis, u.variable).endswith(_PREDICTORS))
    )
    if wanted is not None and wanted not in candidates:
        if analysis.defined_by(wanted) and wanted in fitted:
            candidates.append(wanted)
        else:
            names = ", ".join(candidates) or "none"
            return Problem(
                "unknown-model", "error", f"No model named {wanted!r} is fitted in this notebook (models found: {names}).",
                fix="Name one of them with --model.",
            )  # fmt: skip
    if not candidates:
        return Problem(
            "no-model", "error", "No fitted model was found: nothing in this notebook calls .fit and .predict.",
            fix="Fit an estimator with the scikit-learn interface in a cell tagged 'train'.",
        )  # fmt: skip

    def stage_of(use: ModelUse) -> Stage | None:
        return analysis.statements[use.statement].stage

    def last(selected: list[ModelUse]) -> str | None:
        return selected[-1].variable if selected else None

    mine = [u for u in uses if u.variable in candidates]
    evaluated = last([u for u in mine if u.method in ANSWERS and stage_of(u) is Stage.EVALUATE])
    trained = last([u for u in mine if u.method in FITS and stage_of(u) is Stage.TRAIN])
    last_asked = last([u for u in mine if u.method in ANSWERS])
    if wanted is not None:
        variable, reason = wanted, "named by --model"
    elif evaluated:
        variable, reason = evaluated, "the last one that a cell tagged 'evaluate' asks"
    elif trained:
        variable, reason = trained, "the last one fitted in a cell tagged 'train'"
    elif last_asked:
        variable, reason = last_asked, "the last one evaluated"
    else:
        variable, reason = candidates[-1], "the last one fitted"
    own = [u for u in uses if u.variable == variable]
    fits = [u for u in own if u.method in FITS]
    answers = [u for u in own if u.method in ANSWERS]
    in_evaluate = [u for u in answers if stage_of(u) is Stage.EVALUATE]
    order = {"predict": 0, "fit_predict": 0, "predict_proba": 1, "decision_function": 1, "score": 2}

    def best(group: list[ModelUse]) -> ModelUse | None:
        """The last call of the most telling method."""
        return min(reversed(group), key=lambda u: order[u.method]) if group else None

    choice_asked = best(in_evaluate) or best(answers)
    before = [u for u in fits if choice_asked is None or u.statement <= choice_asked.statement]
    return ModelChoice(
        variable=variable,
        reason=reason,
        fit=next(reversed(before or fits), None),
        asked=choice_asked,
        others=tuple(c for c in candidates if c != variable),
        uses=tuple(own),
    )
