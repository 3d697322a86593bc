"""Which values of the notebook are metrics of its model."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jupyter_mlops.convert.evaluations import ENDINGS, TABLES, WHOLE

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Statement

__all__ = ["bound_metrics", "is_metric_call", "metric_calls", "metric_name"]

# Functions of sklearn.metrics that give no single number.
_NOT_NUMBERS = TABLES | {"make_scorer", "get_scorer", "cross_val_score", "permutation_test_score", "silhouette_samples"}


def _function_name(call: ast.Call) -> str | None:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None


def is_metric_call(node: ast.AST) -> bool:
    """True for a call such as ``roc_auc_score(...)``, ``metrics.r2_score(...)`` or ``model.score(...)``."""
    if not isinstance(node, ast.Call):
        return False
    name = _function_name(node)
    if name is None or name in _NOT_NUMBERS:
        return False
    keywords = {k.arg: k.value for k in node.keywords}
    if isinstance(average := keywords.get("average"), ast.Constant) and average.value is None:
        return False
    return name in WHOLE or name.endswith(ENDINGS)


def metric_calls(node: ast.AST) -> Iterator[ast.Call]:
    """Outermost metric calls of a displayed expression, outside of functions and comprehensions."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.For)):
        return
    if is_metric_call(node):
        assert isinstance(node, ast.Call)
        yield node
        return
    for child in ast.iter_child_nodes(node):
        yield from metric_calls(child)


def metric_name(call: ast.Call) -> str:
    """``accuracy_score`` -> ``accuracy``; ``model.score`` -> ``score``."""
    name = function = _function_name(call) or "metric"
    name = name.removesuffix("_score").lower() or "score"
    return f"{name}_value" if name == function else name  # `log_loss = log_loss(...)` would hide the function


def bound_metrics(
    statement: Statement, known: frozenset[str], values: Mapping[str, Any] | None, named: Collection[str] = ()
) -> list[str]:
    """Names that a statement binds to one number that measures the model.

    Parameters
    ----------
    known
        Metrics bound before; what is computed from them (``rmse = mse ** 0.5``) is one too.
    values
        Plain values seen in the notebook's run, or None when it was not run. A name whose value was seen and is no
        number is no metric.
    named
        Names that the notebook itself calls metrics.
    """
    node = statement.node
    match node:
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value)
            | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
        ):
            pairs = [(name, value)]
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=parts)) if len(names) == len(parts):
            pairs = [(n.id, v) for n, v in zip(names, parts, strict=True) if isinstance(n, ast.Name)]
        case _:
            return []
    found = []
    for name, value in pairs:
        if isinstance(value, (ast.List, ast.Dict, ast.Tuple, ast.ListComp, ast.DictComp, ast.Compare, ast.JoinedStr)):
            continue
        measured = any(True for _ in metric_calls(value))
        derived = any(isinstance(n, ast.Name) and n.id in known for n in ast.walk(value))
        if not (measured or derived or name in named):
            continue
        if values is not None:
            seen = values.get(name)
            if isinstance(seen, bool) or not isinstance(seen, (int, float)):
                continue
        found.append(name)
    return found
