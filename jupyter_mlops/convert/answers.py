"""What the notebook makes of its model's prediction: the inverse of the target's transformation, or labels by name.

A model trained on ``np.log1p(y)`` is asked with ``np.expm1(model.predict(X))``, one trained on a label encoder's codes with
``encoder.inverse_transform(model.predict(X))``. The service must answer what the notebook answers, so this last step becomes
part of the model that is carried (the template ``answer.py``).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_mlops.convert.models import ModelChoice
from jupyter_mlops.convert.names import Names
from jupyter_mlops.convert.scopes import global_names
from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["Answer", "find_answer"]

_INVERSES = frozenset({"exp", "expm1", "exp2", "square", "sinh", "inverse_transform", "inv_boxcox", "inv_boxcox1p"})
_POWERS = frozenset({"power", "float_power"})
_NAMINGS = frozenset({"where", "select", "map", "replace", "vectorize"})  # where what they give is text
# Steps that hand the prediction on as it is, but for its shape or type.
_SHAPES = frozenset({"reshape", "ravel", "flatten", "squeeze", "astype", "round", "array", "asarray", "Series", "to_numpy", "tolist",
                     "rint", "clip", "maximum", "abs", "list"})  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """The step behind the prediction.

    `code` is an expression of ``prediction`` and, where a fitted object of the notebook is asked, of ``fitted``; `variable`
    is what the notebook calls that object.
    """

    code: str
    original: str
    cell: int
    line: int
    variable: str = ""


def find_answer(analysis: Analysis, choice: ModelChoice, names: Names) -> Answer | Problem | None:
    """The last step of the notebook's own prediction; a `Problem` where there is one that cannot be carried."""
    asked = choice.asked
    if asked is None or asked.method not in {"predict", "fit_predict"}:
        return None
    statement = analysis.statements[asked.statement]
    calls = [n for n in ast.walk(statement.node) if isinstance(n, ast.Call) and n.lineno == asked.line]
    call = next((n for n in calls if isinstance(n.func, ast.Attribute) and n.func.attr == asked.method), None)
    if call is None:
        return None
    found = _chain(statement.node, call)
    if found is not None:
        return _made(analysis, found, call, statement.cell, names)
    match statement.node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is call or _chain_shapes(value, call):
            for later in analysis.statements[asked.statement + 1 :]:
                if name in later.uses and asked.statement in analysis.reaching(later.index, name):
                    for use in _loads(later.node, name):
                        if (chain := _chain(later.node, use)) is not None:
                            return _made(analysis, chain, use, later.cell, names)
                if name in later.binds:
                    break
    return None


def _loads(node: ast.AST, name: str) -> Iterator[ast.Name]:
    for one in ast.walk(node):
        if isinstance(one, ast.Name) and one.id == name and isinstance(one.ctx, ast.Load):
            yield one


def _parents(root: ast.AST, node: ast.AST) -> list[ast.AST]:
    """Nodes around `node`, the nearest first."""
    for child in ast.iter_child_nodes(root):
        if child is node:
            return [root]
        if found := _parents(child, node):
            return [*found, root]
    return []


def _chain(root: ast.AST, node: ast.expr) -> ast.expr | None:
    """The largest expression around a prediction that only carries it back; None where nothing is carried back."""
    best: ast.expr | None = None
    inverse = False
    child: ast.AST = node
    for parent in _parents(root, node):
        match parent:
            case ast.Call(func=func) if child is not func:
                name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
                first = parent.args[0] if parent.args else None
                power = name in _POWERS and not isinstance(first, ast.Constant) and child is first
                power = power or (name in _POWERS and isinstance(first, ast.Constant))
                if (
                    name in _INVERSES
                    or power
                    or (
                        name in _NAMINGS
                        and any(isinstance(n, ast.Constant) and isinstance(n.value, str) for n in ast.walk(parent))
                    )
                ):
                    inverse = True
                elif name not in _SHAPES:
                    break
            case ast.Call() | ast.Attribute() | ast.keyword():
                if isinstance(parent, ast.Attribute) and parent.attr not in _SHAPES | {"map", "replace", "values", "T"}:
                    break
                if isinstance(parent, ast.Call):
                    method = child.attr if isinstance(child, ast.Attribute) else ""
                    if method in _NAMINGS:
                        inverse = inverse or any(
                            isinstance(n, ast.Constant) and isinstance(n.value, str) for n in ast.walk(parent)
                        )
            case ast.BinOp(left=ast.Constant(), op=ast.Pow()):
                inverse = True
            case ast.BinOp(right=ast.Constant(value=power), op=ast.Pow()) if child is parent.left and power != 0.5:
                inverse = True
            case ast.Compare() if child is parent.left:
                pass
            case ast.Subscript() if child is parent.value:
                pass
            case _:
                break
        child = parent
        if inverse and isinstance(parent, ast.expr) and not isinstance(parent, ast.Compare):
            best = parent
    return best


def _chain_shapes(value: ast.expr, call: ast.AST) -> bool:
    """``model.predict(X).ravel()``."""
    while isinstance(value, ast.Call) and value is not call:
        if not (isinstance(value.func, ast.Attribute) and value.func.attr in _SHAPES):
            return False
        value = value.func.value
    return value is call


class _Replace(ast.NodeTransformer):
    def __init__(self, node: ast.AST, fitted: str) -> None:
        self.node, self.fitted = node, fitted

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self.node:
            return ast.Name("prediction", ast.Load())
        if isinstance(node, ast.Name) and node.id == self.fitted:
            return ast.Name("fitted", ast.Load())
        return self.generic_visit(node)


def _made(analysis: Analysis, chain: ast.expr, node: ast.expr, cell: int, names: Names) -> Answer | Problem:
    import copy

    original = " ".join(ast.unparse(chain).split())
    inside = {id(n) for n in ast.walk(node)}
    variables = {
        n.id for n in global_names(chain) if id(n) not in inside and names.is_variable(n.id) and analysis.defined_by(n.id)
    }
    askers = {
        n.func.value.id
        for n in ast.walk(chain)
        if isinstance(n, ast.Call)
        and isinstance(n.func, ast.Attribute)
        and n.func.attr == "inverse_transform"
        and isinstance(n.func.value, ast.Name)
    }
    if variables - askers or len(askers) > 1:
        return Problem(
            "answer-not-carried", "warning",
            f"The notebook makes `{original}` of its model's prediction with {', '.join(sorted(variables - askers))}; "
            "the service answers the model's own prediction.",
            cell, chain.lineno, "Use sklearn.compose.TransformedTargetRegressor, which keeps the inverse in the model.",
        )  # fmt: skip
    variable = next(iter(askers), "")
    memo = {id(node): node}  # the prediction itself stays the same object, to be found again
    code = ast.unparse(_Replace(node, variable).visit(copy.deepcopy(chain, memo)))
    return Answer(code, original, cell, chain.lineno, variable)
