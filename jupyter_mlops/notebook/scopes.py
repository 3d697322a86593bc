"""Python's scoping rules on syntax: which names a block binds, which it leaves to the scopes around it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["Bindings", "FunctionNode", "bindings", "calls_itself_generator", "free_names", "import_name", "parameters"]

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True)
class Bindings:
    """Names that a block binds in its own scope, and what it declares about others."""

    local: frozenset[str]
    declared_global: frozenset[str]
    declared_nonlocal: frozenset[str]


def import_name(alias: ast.alias) -> str:
    """The name that an import binds."""
    return alias.asname or alias.name.split(".")[0]


def parameters(function: FunctionNode) -> list[str]:
    """All parameters of a function, in the order of its signature; ``*args`` and ``**kwargs`` by their bare names."""
    a = function.args
    names = [one.arg for one in (*a.posonlyargs, *a.args)]
    names += [a.vararg.arg] if a.vararg else []
    names += [one.arg for one in a.kwonlyargs]
    return names + ([a.kwarg.arg] if a.kwarg else [])


def bindings(body: Iterable[ast.AST]) -> Bindings:
    """What a block binds; functions, classes and comprehensions inside have scopes of their own."""
    local: set[str] = set()
    declared_global: set[str] = set()
    declared_nonlocal: set[str] = set()
    stack: list[ast.AST] = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                local.add(node.id)
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            local.update(import_name(alias) for alias in node.names if alias.name != "*")
            continue
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            local.add(node.name)
            stack.extend(_evaluated_outside(node))
            continue
        if isinstance(node, ast.Lambda):
            stack.extend(_evaluated_outside(node))
            continue
        if isinstance(node, _COMPREHENSIONS):
            # A walrus in a comprehension binds outside of it; its targets do not.
            local.update(inner.target.id for inner in ast.walk(node) if isinstance(inner, ast.NamedExpr))
            stack.append(node.generators[0].iter)
            continue
        if isinstance(node, ast.Global):
            declared_global.update(node.names)
        elif isinstance(node, ast.Nonlocal):
            declared_nonlocal.update(node.names)
        elif isinstance(node, (ast.MatchAs, ast.MatchStar, ast.ExceptHandler)) and node.name:
            local.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            local.add(node.rest)
        stack.extend(ast.iter_child_nodes(node))
    outside = declared_global | declared_nonlocal
    return Bindings(frozenset(local - outside), frozenset(declared_global), frozenset(declared_nonlocal))


def _evaluated_outside(node: ast.AST) -> Iterator[ast.AST]:
    """Parts of a function or class that are evaluated in the scope around it."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        yield from node.args.defaults
        yield from (default for default in node.args.kw_defaults if default is not None)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield from node.decorator_list
    if isinstance(node, ast.ClassDef):
        yield from (*node.decorator_list, *node.bases, *node.keywords)


def calls_itself_generator(function: FunctionNode) -> bool:
    """Whether calling the function only makes a generator."""
    stack: list[ast.AST] = list(function.body) if isinstance(function.body, list) else [function.body]
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            stack.extend(ast.iter_child_nodes(node))
    return False


def free_names(node: ast.AST) -> frozenset[str]:
    """Names that a function, lambda or class may look up outside of itself, nested scopes included (an upper bound)."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        body: list[ast.AST] = list(node.body) if isinstance(node.body, list) else [node.body]
        bound = bindings(body)
        own = bound.local | set(parameters(node))
        return (_free_in(body) | bound.declared_global | bound.declared_nonlocal) - (own - bound.declared_global)
    if isinstance(node, ast.ClassDef):
        return _free_in(list(node.body))
    return _free_in([node])


def _free_in(body: list[ast.AST]) -> frozenset[str]:
    found: set[str] = set()
    stack = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            found |= free_names(node)
            stack.extend(_evaluated_outside(node))
        else:
            stack.extend(ast.iter_child_nodes(node))
    return frozenset(found)
