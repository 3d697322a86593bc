"""Loops and conditions without what nobody needs behind them: ``for c in columns: train[c] = ...; test[c] = ...``."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

__all__ = ["pruned"]


def _root(node: ast.expr) -> str | None:
    while isinstance(node, (ast.Subscript, ast.Attribute, ast.Starred)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _changed(node: ast.stmt) -> set[str] | None:
    """Names that a simple statement binds or changes, and nothing else; None where that is not sure."""
    match node:
        case ast.Assign(targets=targets):
            flat = [e for t in targets for e in (t.elts if isinstance(t, (ast.Tuple, ast.List)) else [t])]
        case ast.Pass():
            return set()
        case ast.AugAssign(target=target):
            flat = [target]
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=receiver))):
            flat = [receiver]
        case _:
            return None
    roots = [_root(one) for one in flat]
    return None if None in roots else {r for r in roots if r is not None}


def _simple(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, (ast.For, ast.If, ast.While)):
            yield from _simple([*node.body, *node.orelse])
        else:
            yield node


def _reads(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def pruned(node: ast.stmt, needed: set[str]) -> ast.stmt:
    """The statement without the inner ones that change nothing of what is `needed` behind it; itself where all are."""
    if not isinstance(node, (ast.For, ast.If)):
        return node
    changes = {id(one): _changed(one) for one in _simple([node])}
    heads = [n for n in ast.walk(node) if isinstance(n, (ast.For, ast.If, ast.While))]
    alive = set(needed).union(*(_reads(n.iter if isinstance(n, ast.For) else n.test) for n in heads))
    for loop in heads:  # `for table in tables`: what is changed is an element
        alive |= _reads(loop.target) if isinstance(loop, ast.For) else set()
    for one in _simple([node]):  # the same object under another name
        if isinstance(one, ast.Assign) and isinstance(one.value, (ast.Name, ast.Subscript, ast.Attribute)):
            alive |= {n.id for n in one.targets if isinstance(n, ast.Name)}
    kept: set[int] = set()
    while True:
        more = [
            one for one in _simple([node])
            if id(one) not in kept and ((changed := changes[id(one)]) is None or changed & alive)
        ]  # fmt: skip
        if not more:
            break
        for one in more:
            kept.add(id(one))
            alive |= _reads(one)
    if len(kept) == len(changes):
        return node
    dropped = {id(one) for one in _simple([node])} - kept

    def without(body: list[ast.stmt]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for one in body:
            if id(one) in dropped:
                continue
            if isinstance(one, (ast.For, ast.If, ast.While)):
                inner = copy.copy(one)
                inner.body, inner.orelse = without(one.body), without(one.orelse)
                if not inner.body and not inner.orelse:
                    continue
                inner.body = inner.body or [ast.Pass()]
                one = inner
            out.append(one)
        return out

    made = copy.copy(node)
    made.body, made.orelse = without(node.body) or [ast.Pass()], without(node.orelse)
    return made
