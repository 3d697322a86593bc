"""The body of a `%%validate` cell: calls of expectations, read without running anything but their arguments."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any

from jupyter_mlops.data.expectations.library import arguments_of, class_of, closest, quiet, signature_text
from jupyter_mlops.data.expectations.suite import SEVERITIES, Expectation
from jupyter_mlops.data.expectations.values import plain
from jupyter_mlops.errors import UsageError

__all__ = ["expectations_of", "instance"]

_ABOUT = "The body of %%validate is calls of expectations, comments, and assignments of values that they use."


def expectations_of(body: str, namespace: Mapping[str, Any]) -> tuple[Expectation, ...]:
    """The expectations that a cell's body calls, in order.

    Parameters
    ----------
    namespace
        Variables of the notebook, for the arguments; it is not changed.

    Raises
    ------
    UsageError
        The body holds something else, an expectation is unknown, or its arguments are wrong; the message names the line of the
        cell (the magic's own line is the first).
    """
    try:
        tree = ast.parse(body)
    except SyntaxError as error:
        raise UsageError(f"line {(error.lineno or 1) + 1} of the cell is not valid Python: {error.msg}.") from None
    names: dict[str, Any] = dict(namespace)
    found: list[Expectation] = []
    for node in tree.body:
        line = node.lineno + 1
        match node:
            case ast.Expr(value=ast.Call(func=ast.Name(id=name)) as call) if name.startswith("expect") or closest(name):
                found.append(_expectation(name, call, names, line))
            case ast.Assign(targets=targets, value=value) if all(isinstance(t, ast.Name) for t in targets):
                result = _evaluate(value, names, line)
                names.update((t.id, result) for t in targets if isinstance(t, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                names[name] = _evaluate(value, names, line)
            case _:
                text = ast.unparse(node).split("\n")[0]
                raise UsageError(
                    f"line {line} of the cell is no call of an expectation: {text[:80]}. {_ABOUT} Put other code into a cell of its own."
                )
    return tuple(found)


def _evaluate(node: ast.expr, names: dict[str, Any], line: int) -> Any:
    try:
        # The user's own cell, in the user's own kernel.
        return eval(compile(ast.Expression(node), "<validate>", "eval"), names)  # noqa: S307
    except NameError as error:
        raise UsageError(f"line {line} of the cell: {error}. Run the cell that binds it first.") from None
    except Exception as error:
        raise UsageError(f"line {line} of the cell: `{ast.unparse(node)[:80]}` fails: {type(error).__name__}: {error}") from error


def _expectation(name: str, call: ast.Call, names: dict[str, Any], line: int) -> Expectation:
    try:
        kind = class_of(name)
    except UsageError as error:
        raise UsageError(f"line {line} of the cell: {error}") from None
    order, _ = arguments_of(kind)
    usage = f"It is called as {signature_text(name, kind)}."
    positional: list[Any] = []
    for argument in call.args:
        if isinstance(argument, ast.Starred):
            positional += list(_evaluate(argument.value, names, line))
        else:
            positional.append(_evaluate(argument, names, line))
    if len(positional) > len(order):
        raise UsageError(
            f"line {line} of the cell: {name} has {len(order)} arguments by position, {len(positional)} are given. {usage}"
        )
    kwargs: dict[str, Any] = dict(zip(order, positional, strict=False))
    for keyword in call.keywords:
        value = _evaluate(keyword.value, names, line)
        for key, one in ({keyword.arg: value} if keyword.arg is not None else dict(value)).items():
            if key in kwargs:
                raise UsageError(f"line {line} of the cell: {name} is given {key} twice. {usage}")
            kwargs[key] = one
    severity = kwargs.pop("severity", "critical")
    severity = getattr(severity, "value", severity)
    if severity not in SEVERITIES:
        raise UsageError(f"line {line} of the cell: severity is one of {', '.join(map(repr, SEVERITIES))}, not {severity!r}.")
    meta = kwargs.pop("meta", None) or {}
    for key in [k for k in ("min_value", "max_value") if isinstance(kwargs.get(k), float) and not math.isfinite(kwargs[k])]:
        if math.isnan(kwargs[key]):
            raise UsageError(f"line {line} of the cell: {key} of {name} is not a number (NaN).")
        kwargs[key] = None  # no bound
    try:
        held = {key: plain(value) for key, value in kwargs.items()}
        made = Expectation(name, held, severity, plain(meta), line)
    except ValueError as error:
        raise UsageError(
            f"line {line} of the cell: an argument of {name} is {error}, which a suite's file cannot hold. {usage}"
        ) from None
    try:
        instance(made)
    except UsageError as error:
        raise UsageError(f"line {line} of the cell: {error}") from None
    return made


def instance(expectation: Expectation, at: int = 0, adapt: Callable[[str, Any], Any] | None = None) -> Any:
    """An expectation as an object of Great Expectations.

    Parameters
    ----------
    at
        Its position, kept in the object's `meta`.
    adapt
        Makes of an argument (by name) what the frame's dtypes compare with.

    Raises
    ------
    UsageError
        It is unknown, or its arguments are wrong.
    """
    kind = class_of(expectation.type)
    given = {name: adapt(name, value) if adapt else value for name, value in expectation.kwargs.items()}
    try:
        with quiet():
            return kind(**given, severity=expectation.severity, meta={"at": at})
    except Exception as error:
        raise UsageError(
            f"{expectation.type}: {_reason(error)} It is called as {signature_text(expectation.type, kind)}."
        ) from None


def _reason(error: Exception) -> str:
    """What is wrong with the arguments, without the validator's own report."""
    report = getattr(error, "errors", None)
    listed = report() if callable(report) else None
    if not listed:
        return f"{str(error) or type(error).__name__}."
    wrong: dict[str, str] = {}
    for one in sorted(listed, key=lambda one: "__root__" in one.get("loc", ())):
        name = str(one["loc"][0]) if one.get("loc") else ""
        kind = str(one.get("type", ""))
        if kind.startswith("value_error.missing") or kind == "missing":
            text = f"the argument {name} is missing"
        elif "extra" in kind:
            text = f"it has no argument {name}"
        elif name == "__root__" or not name:
            if wrong:
                continue  # follows from what is wrong with the arguments
            text = str(one["msg"])
        else:
            text = f"{name}: {one['msg']}"
        wrong.setdefault(name, text)
    return f"{'; '.join(list(wrong.values())[:4])}."
