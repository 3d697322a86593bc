"""Which expressions of the notebook are watched while it runs: all that lie between the raw table and the model's input."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeGuard

from jupyter_mlops.convert.lifting.kinds import REDUCERS
from jupyter_mlops.convert.lifting.operators import called_name, operator_of

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["Site", "Watch", "watch"]

_WATCHED = (
    ast.Call, ast.Subscript, ast.Attribute, ast.Name, ast.BinOp, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.IfExp,
    ast.List, ast.Tuple, ast.Dict, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.JoinedStr,
)  # fmt: skip

_TAKES_FUNCTION = frozenset({"apply", "map", "applymap", "transform", "agg", "aggregate", "pipe"})


@dataclass(frozen=True)
class Site:
    """One watched expression.

    `mode` is "see", "enter" (a call of the notebook's own function), "hand" (the function itself, handed to pandas) or an
    operator's capture.
    """

    number: int
    cell: int
    node: ast.expr
    mode: str
    always: bool  # keep its value even where it is as long as a table


@dataclass
class Watch:
    """All watched expressions, by node, and the notebook's own functions on the path, by name."""

    sites: dict[int, Site] = field(default_factory=dict)  # id(node) -> site
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    once: list[int] = field(default_factory=list)  # sites of side tables: their value is kept as it is at first
    snapshots: list[dict[str, Any]] = field(default_factory=list)  # where tables are complete

    def site(self, node: ast.AST) -> Site | None:
        """The site of an expression."""
        return self.sites.get(id(node))

    def payload(self) -> dict[str, Any]:
        """What `observer.Observer` wants to know."""
        cells: dict[int, list[list[Any]]] = {}
        for site in self.sites.values():
            cells.setdefault(site.cell, []).append([*_place(site.node), site.number, site.mode])
        return {
            "cells": cells,
            "always": [s.number for s in self.sites.values() if s.always],
            "once": self.once,
            "snapshots": self.snapshots,
        }


def _expressions(node: ast.AST) -> Iterator[ast.expr]:
    """Expressions that have a value of their own and may be wrapped in a call."""
    match node:
        case ast.arguments() | ast.ClassDef() | ast.AsyncFunctionDef():
            return
        case ast.FunctionDef():
            for one in node.body:
                yield from _expressions(one)
            return
        case ast.AnnAssign():
            if node.value is not None:
                yield from _expressions(node.value)
            yield from _expressions(node.target)
            return
        case ast.Call(func=func):
            yield node
            if isinstance(func, ast.Attribute):
                yield from _expressions(func.value)
            elif not isinstance(func, ast.Name):
                yield from _expressions(func)
            for given in (*node.args, *(k.value for k in node.keywords)):
                yield from _expressions(given.value if isinstance(given, ast.Starred) else given)
            return
    if isinstance(node, _WATCHED) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        if not (isinstance(node, ast.Tuple) and any(isinstance(n, ast.Slice) for n in node.elts)):
            yield node
    for child in ast.iter_child_nodes(node):
        yield from _expressions(child)


def _hands(node: ast.AST) -> TypeGuard[ast.Call]:
    """Whether pandas is handed a function, to call it with a column, a group, a row or an element."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _TAKES_FUNCTION


def _place(node: ast.AST) -> list[Any]:
    """A node as the kernel finds it again."""
    return [type(node).__name__, *(getattr(node, name) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset"))]


def watch(
    analysis: Analysis, path: Iterable[int], asked: tuple[int, ast.expr] | None, complete: Mapping[int, Sequence[str]]
) -> Watch:
    """Watch the statements of a path, and inside of the notebook's own functions that stand on it.

    Parameters
    ----------
    asked
        The rows that the model is asked about: the cell and the expression.
    complete
        Statement -> tables that are complete behind it.
    """
    out = Watch()
    for index, names in complete.items():
        last = analysis.statements[index]
        places = [_place(n) for n in ast.walk(last.node) if isinstance(n, ast.expr)]
        out.snapshots.append({"cell": last.cell, "line": last.node.lineno, "names": list(names), "places": places})
    chosen = [analysis.statements[i] for i in sorted(path)]
    out.functions = {s.node.name: s.node for s in chosen if isinstance(s.node, ast.FunctionDef)}
    watched: list[tuple[int, ast.AST]] = [
        (s.cell, s.node) for s in chosen if not isinstance(s.node, (ast.Import, ast.ImportFrom, ast.ClassDef))
    ]
    tables = {name for names in complete.values() for name in names}
    for cell, whole in [*watched, *([asked] if asked is not None else [])]:
        handed = {id(a) for n in ast.walk(whole) if _hands(n) for a in n.args}
        for node in _expressions(whole):
            mode, always = "see", False
            if id(node) in handed and isinstance(node, ast.Name) and node.id in out.functions:
                mode = "hand"
            if isinstance(node, ast.Call):
                operator = operator_of(node)
                always = called_name(node) in REDUCERS
                if isinstance(node.func, ast.Name) and node.func.id in out.functions:
                    mode = "enter"
                elif operator is not None:
                    mode = operator.capture
            if isinstance(node, ast.Name) and node.id in tables and len(tables) > 1:
                always = True
                out.once.append(len(out.sites))
            out.sites[id(node)] = Site(len(out.sites), cell, node, mode, always)
    return out
