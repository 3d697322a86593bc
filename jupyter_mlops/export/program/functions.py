"""Functions of the program as syntax: found in the generated package, or defined while it is walked."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import FunctionType
from typing import TYPE_CHECKING, Any

from jupyter_mlops.export.graph import Unsupported

if TYPE_CHECKING:
    from jupyter_mlops.export.program.expressions import Scope

__all__ = ["Function", "bind", "source_of"]


@dataclass(eq=False)
class Function:
    """A function or lambda. Called by pandas with real values, it is walked with these."""

    node: ast.FunctionDef | ast.Lambda
    scope: Scope | None
    module: str
    defaults: list[Any]
    named: list[tuple[Any] | None]
    run: Callable[..., Any]

    @property
    def __name__(self) -> str:
        return getattr(self.node, "name", "<lambda>")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.run(self, args, kwargs)


def bind(function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a call by name."""
    spec = function.node.args
    positional = [*spec.posonlyargs, *spec.args]
    first_default = len(positional) - len(function.defaults)
    made = []
    empty = inspect.Parameter.empty
    for at, one in enumerate(positional):
        default = function.defaults[at - first_default] if at >= first_default else empty
        made.append(inspect.Parameter(one.arg, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default))
    if spec.vararg:
        made.append(inspect.Parameter(spec.vararg.arg, inspect.Parameter.VAR_POSITIONAL))
    for one, given in zip(spec.kwonlyargs, function.named, strict=True):
        made.append(inspect.Parameter(one.arg, inspect.Parameter.KEYWORD_ONLY, default=empty if given is None else given[0]))
    if spec.kwarg:
        made.append(inspect.Parameter(spec.kwarg.arg, inspect.Parameter.VAR_KEYWORD))
    bound = inspect.Signature(made).bind(*args, **kwargs)
    bound.apply_defaults()
    return dict(bound.arguments)


@lru_cache(maxsize=64)
def _tree(file: str, stamp: float) -> ast.Module:
    from pathlib import Path

    return ast.parse(Path(file).read_text(encoding="utf-8"))


def source_of(function: FunctionType) -> ast.FunctionDef | ast.Lambda:
    """The syntax of a function object.

    Raises
    ------
    Unsupported
        Its file is gone, it has a decorator, or it closes over names of a function around it.
    """
    from pathlib import Path

    code = function.__code__
    if code.co_freevars or not Path(code.co_filename).is_file():
        raise Unsupported(f"the function {function.__name__}, whose source is not at hand")
    found = [
        node
        for node in ast.walk(_tree(code.co_filename, Path(code.co_filename).stat().st_mtime))
        if isinstance(node, (ast.FunctionDef, ast.Lambda))
        and node.lineno == code.co_firstlineno
        and getattr(node, "name", "<lambda>") == code.co_name
        and [a.arg for a in (*node.args.posonlyargs, *node.args.args)] == list(code.co_varnames[: code.co_argcount])
    ]
    if len(found) != 1:
        raise Unsupported(f"the function {function.__name__}, whose source was not found (a decorator, or several in a line)")
    if any(isinstance(one, (ast.Yield, ast.YieldFrom, ast.Await)) for one in ast.walk(found[0])):
        raise Unsupported(f"the generator {function.__name__}")
    return found[0]
