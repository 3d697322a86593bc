"""What a cell used and what it brought, from its text and the notebook's variables."""

from __future__ import annotations

import ast
import re
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jupyter_mlops.notebook.magics import neutralise

__all__ = ["evaluated", "numbers_before", "parameters_used", "scalars_bound", "used_names"]


def used_names(source: str, namespace: Mapping[str, Any]) -> set[str]:
    """Names that a cell reads, also through the notebook's functions and classes that it uses."""
    tree = neutralise(source).tree
    if tree is None:
        return set()
    found = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    todo = list(found)
    while todo:
        value = namespace.get(todo.pop())
        for code in _codes(value):
            new = _names(code) - found
            found |= new
            todo.extend(new)
    return found


def _codes(value: Any) -> list[types.CodeType]:
    """Code of functions, classes and their instances that were defined in the notebook."""
    if getattr(value, "__module__", None) != "__main__":
        return []
    if isinstance(value, types.FunctionType):
        return [value.__code__]
    methods = vars(value if isinstance(value, type) else type(value)).values()
    return [one.__code__ for one in methods if isinstance(one, types.FunctionType)]


def _names(code: types.CodeType) -> set[str]:
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= _names(constant)
    return found


def parameters_used(source: str, namespace: Mapping[str, Any], declared: Iterable[str]) -> dict[str, str]:
    """Values of the notebook's parameters that a cell uses, as text."""
    used = used_names(source, namespace)
    return {name: str(namespace[name]) for name in dict.fromkeys(declared) if name in used and name in namespace}


def scalars_bound(
    source: str, namespace: Mapping[str, Any], leave_out: Iterable[str] = (), before: Mapping[str, Any] | None = None
) -> dict[str, float]:
    """Numbers that a cell computes and gives a name: results such as ``auc = roc_auc_score(...)``.

    Constants that it sets (``C = 0.1``), counters of loops, flags and names with an underscore before them are none.

    Parameters
    ----------
    before
        What the names were bound to before the cell ran: a name that only a branch binds counts if that was taken.
    """
    skipped = set(leave_out)
    found = {}
    for name, sure in _bound(source).items():
        if name.startswith("_") or name in skipped or name not in namespace:
            continue
        if not sure and before is not None and name in before and namespace[name] is before[name]:
            continue
        number = _number(namespace[name])
        if number is not None:
            found[name] = number
    return found


def numbers_before(source: str, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """What `scalars_bound` has to know from before the cell runs; nothing else is kept alive by it."""
    names = (name for name, sure in _bound(source).items() if not sure and name in namespace)
    return {name: namespace[name] for name in names if _number(namespace[name]) is not None}


def _bound(source: str) -> dict[str, bool]:
    """Names that a cell gives a computed value, and whether it does so whatever happens."""
    tree = neutralise(source).tree
    found: dict[str, bool] = {}
    for statement, sure in _statements(tree.body) if tree is not None else ():
        for name in _results(statement):
            found[name] = found.get(name, False) or sure
    return found


def _results(statement: ast.stmt) -> Iterable[str]:
    """Names that a statement itself gives a computed value."""
    pairs: list[tuple[ast.expr, ast.expr]]
    match statement:
        case ast.Assign(targets=targets, value=value):
            pairs = [(one, value) for one in targets]
        case ast.AnnAssign(target=single, value=ast.expr() as value):
            pairs = [(single, value)]
        case _:
            pairs = []
    for target, value in pairs:
        if isinstance(target, ast.Name) and _computed(value):
            yield target.id
        if isinstance(target, (ast.Tuple, ast.List)):
            same = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts)
            values = value.elts if same and isinstance(value, (ast.Tuple, ast.List)) else [value] * len(target.elts)
            yield from (
                one.id for one, of in zip(target.elts, values, strict=True) if isinstance(one, ast.Name) and _computed(of)
            )
    if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.Expr)):
        yield from (n.target.id for n in ast.walk(statement) if isinstance(n, ast.NamedExpr) and _computed(n.value))


def _statements(body: Sequence[ast.stmt], sure: bool = True) -> Iterable[tuple[ast.stmt, bool]]:
    """Statements that run once, not those of loops and functions, and whether they run whatever happens."""
    for one in body:
        yield one, sure
        if isinstance(one, (ast.With, ast.If, ast.Try)):
            inner = sure and isinstance(one, ast.With)
            for part in ("body", "orelse", "finalbody"):
                yield from _statements(getattr(one, part, []), inner)


def _computed(value: ast.expr) -> bool:
    """Whether an expression calls, reads or combines something: a plain value does not."""
    return any(isinstance(n, (ast.Call, ast.Name, ast.Subscript, ast.Attribute)) for n in ast.walk(value))


def _number(value: Any) -> float | None:
    """A single real number, also of NumPy; no booleans."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        try:
            return float(value)
        except OverflowError:
            return None
    try:
        kind = getattr(getattr(value, "dtype", None), "kind", "")
        if isinstance(kind, str) and kind in "iuf" and getattr(value, "shape", None) == ():
            return float(value)
    except Exception:  # noqa: S110 - whatever an object of the notebook does when it is asked
        pass
    return None


def evaluated(expressions: Sequence[str], namespace: Mapping[str, Any]) -> tuple[dict[str, float], list[str]]:
    """Values of metrics that are named by expressions (``auc``, ``f1=scores["f1"]``), and what is wrong with the others."""
    found: dict[str, float] = {}
    problems: list[str] = []
    for text in expressions:
        name, expression = _named(text)
        try:
            value = eval(compile(expression, f"<--metric {text}>", "eval"), dict(namespace))  # noqa: S307 - the user's own code
        except Exception as error:
            problems.append(f"--metric {text}: {type(error).__name__}: {error}")
            continue
        number = _number(value)
        if number is None:
            problems.append(f"--metric {text} is no number but {type(value).__name__}.")
        else:
            found[name] = number
    return found, problems


def _named(text: str) -> tuple[str, str]:
    before, sign, after = text.partition("=")
    if sign and before.strip().isidentifier() and not after.startswith("="):
        return before.strip(), after.strip()
    # MLflow takes letters, digits and a few signs in names.
    return re.sub(r"/{2,}", "/", re.sub(r"[^\w./-]+", "_", text)).strip("_/") or "metric", text
