"""What learned values are called: after the columns and methods that made them."""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterable, Sequence

from jupyter_mlops.convert.lifting.operators import called_name

__all__ = ["hint_of", "key_of", "short", "target_hint", "words"]


def key_of(key: Sequence[object], positions: Iterable[int]) -> object:
    """The loop variables at these positions: by itself where it is one."""
    chosen = tuple(key[p] for p in positions)
    return chosen[0] if len(chosen) == 1 else chosen


def short(node: ast.AST) -> str:
    """Code on one line, for messages."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


def words(node: ast.AST, skip: Container[str] = ()) -> str:
    """Columns and methods of an expression, in the order in which they are written."""
    columns = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    found: list[str] = []

    def visit(one: ast.AST) -> None:
        match one:
            case ast.Attribute(value=value, attr=attr):
                visit(value)
                found.append(attr)
                return
            case ast.Constant(value=str(text)):
                found.append(text)
                return
            case ast.Name(id=name) if not columns:
                found.append(name)
                return
        for child in ast.iter_child_nodes(one):
            visit(child)

    visit(node)
    kept = [w for w in found if w not in skip and w not in ("loc", "iloc", "values", "pd", "np", "index", "groupby")]
    return "_".join(dict.fromkeys(kept[:4])) or "value"


def target_hint(targets: Sequence[ast.expr]) -> str:
    """A learned value that is bound to a name goes by that name."""
    match targets:
        case [ast.Name(id=name)]:
            return name
    return ""


def hint_of(node: ast.expr, operator: str = "") -> str:
    """A name that says what the value is: ``age_mean`` for ``df["Age"].mean()``."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Call) and operator:
        suffix = {"get_dummies": "levels", "factorize": "levels", "astype": "dtype", "Categorical": "dtype", "cut": "bins",
                  "qcut": "bins", "transform": "by_group", "apply": "encoders", "boxcox": "lambda"}.get(operator, operator)  # fmt: skip
        if operator == "fit_transform" and isinstance(node.func, ast.Attribute):
            inner = node.func.value
            suffix = ""
            if isinstance(inner, ast.Call):
                return re.sub(r"(?<!^)(?=[A-Z][a-z])", "_", called_name(inner)).lower()
            return inner.id if isinstance(inner, ast.Name) else words(inner)
        return f"{words(node, skip={operator})}_{suffix}"
    return words(node)
