"""Which statements only show something: nothing depends on them."""

from __future__ import annotations

import ast
import re

from jupyter_mlops.notebook.dataflow import Statement
from jupyter_mlops.notebook.hidden import PLOT

__all__ = ["is_display"]

_PLOT_ROOTS = re.compile(r"(?:ax|axs|axes|fig|figure|g|plt|sns|px|go|pyplot|pylab)(?:\d*|_\w+|es\d*)?$")
_PLOT_MAKERS = frozenset("figure subplots gca gcf subplot add_subplot axes FacetGrid PairGrid JointGrid".split())
_DISPLAYS = re.compile(r"print|pprint|display|plot_\w+|show\w*|\w+_plot|draw_\w+")


def is_display(statement: Statement) -> bool:
    """Whether a statement only prints, plots or shows a value: leaving it out changes nothing that is computed."""
    if statement.binds - statement.may_bind or statement.deletes:
        return bool(statement.binds) and not statement.deletes and _makes_figure(statement.node)
    if statement.mutates - {PLOT}:
        return _only_draws(statement.node)
    return _shows(statement.node)


def _shows(node: ast.stmt) -> bool:
    match node:
        case ast.Expr():
            return True
        case ast.Pass() | ast.Continue() | ast.Break():
            return True
        case ast.For(body=body, orelse=orelse) | ast.If(body=body, orelse=orelse) | ast.While(body=body, orelse=orelse):
            return all(_shows(one) or _local(one) for one in [*body, *orelse]) and _says_something(node)
        case ast.With(body=body):
            return all(_shows(one) for one in body)
        case _:
            return False


def _local(node: ast.stmt) -> bool:
    """Inside of a loop that shows things, a helper variable such as an axis."""
    return _makes_figure(node)


def _says_something(node: ast.stmt) -> bool:
    return any(isinstance(inner, ast.Expr) for inner in ast.walk(node))


def _root(node: ast.expr) -> str:
    while True:
        match node:
            case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Call(func=inner):
                node = inner
            case ast.Name(id=name):
                return name
            case _:
                return ""


def _makes_figure(node: ast.stmt) -> bool:
    """``fig, ax = plt.subplots()``, ``ax = df.plot()``: what is bound is a picture."""
    if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)):
        return False
    func = node.value.func
    if not isinstance(func, ast.Attribute):
        return False
    return func.attr in _PLOT_MAKERS or bool(re.match(r"(?:plt|sns|px|go)$", _root(func)) and func.attr != "load_dataset")


def _only_draws(node: ast.stmt) -> bool:
    """``ax.set_title(...)`` changes its axes, which are a picture; so do loops and blocks of such lines."""
    match node:
        case ast.Expr(value=ast.Call(func=func)):
            return bool(_PLOT_ROOTS.match(_root(func))) and isinstance(func, ast.Attribute)
        case ast.For(body=body, orelse=orelse) | ast.If(body=body, orelse=orelse):
            return all(_only_draws(one) or _makes_figure(one) or _prints(one) for one in [*body, *orelse])
    return False


def _prints(node: ast.stmt) -> bool:
    match node:
        case ast.Expr(value=ast.Call(func=ast.Name(id=name))):
            return bool(_DISPLAYS.fullmatch(name))
    return isinstance(node, ast.Pass)
