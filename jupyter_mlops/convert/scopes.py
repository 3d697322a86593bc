"""Which names of a piece of syntax refer to the notebook's top level."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_mlops.notebook.scopes import bindings, parameters

__all__ = ["global_names"]


def global_names(node: ast.AST, shadowed: frozenset[str] = frozenset()) -> Iterator[ast.Name]:
    """Name nodes inside of `node` that are looked up, or bound, at the notebook's top level."""
    match node:
        case ast.Name(id=name):
            if name not in shadowed:
                yield node
            return
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            outside = [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
            if not isinstance(node, ast.Lambda):
                outside += node.decorator_list
                outside += [a.annotation for a in ast.walk(node.args) if isinstance(a, ast.arg) and a.annotation is not None]
                outside += [node.returns] if node.returns is not None else []
            for one in outside:
                yield from global_names(one, shadowed)
            body = [node.body] if isinstance(node, ast.Lambda) else node.body
            bound = bindings(body)
            inside = (shadowed | set(parameters(node)) | bound.local) - bound.declared_global
            for inner in body:
                yield from global_names(inner, inside)
            return
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            own = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
            yield from global_names(node.generators[0].iter, shadowed)
            for child in ast.iter_child_nodes(node):
                if child is node.generators[0]:
                    for one in (child.target, *child.ifs):
                        yield from global_names(one, shadowed | own)
                else:
                    yield from global_names(child, shadowed | own)
            return
    for child in ast.iter_child_nodes(node):
        yield from global_names(child, shadowed)
