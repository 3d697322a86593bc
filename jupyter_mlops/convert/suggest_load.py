"""Which statements bind the raw table: where the rows of the model's input come from, joins into one table included."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from jupyter_mlops.convert.loaders import Imports, Loaders
from jupyter_mlops.convert.rowflow import RowFlow

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Analysis, Statement

__all__ = ["load_statements"]

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
# Loaders that give a bundle of arrays or tables, not a table.
_BUNDLES = ("sklearn.datasets", "statsmodels", "ucimlrepo")
_MEMBERS = frozenset("data target frame feature_names target_names features targets endog exog images DESCR original".split())
_ASSEMBLERS = frozenset("DataFrame Series concat column_stack hstack merge assign join".split())


def load_statements(
    analysis: Analysis, loaders: Loaders, inputs: Iterable[tuple[int, ast.expr]], data: frozenset[int]
) -> frozenset[int]:
    """Statements of `data` that belong to `load`.

    Parameters
    ----------
    inputs
        Rows that the model is asked about and fitted on: expressions, each at the entry of a statement.
    data
        Statements that the model's input needs.
    """
    statements = analysis.statements
    flow = RowFlow(analysis, loaders)
    found: set[int] = set()
    for index, value in inputs:
        roots = flow.roots(index, value) & data
        readers = frozenset(i for i in roots if loaders.call_in(statements[i].node))
        if roots:
            end = _joined(analysis, flow, index, value, readers or roots)
            for last in end:
                found |= _closure(analysis, last) & data
    found = {i for i in found if not isinstance(statements[i].node, _DEFINITIONS)}
    return frozenset(found | _assembled(analysis, loaders, found, data))


def _closure(analysis: Analysis, index: int) -> set[int]:
    """A statement and what it needs by name. What merely wrote files or drew random numbers before is left to the slices."""
    found = {index}
    todo = [index]
    while todo:
        at = todo.pop()
        for name in analysis.statements[at].uses:
            if not name.startswith("<"):
                new = analysis.reaching(at, name) - found
                found |= new
                todo.extend(new)
    return found


def _joined(analysis: Analysis, flow: RowFlow, index: int, value: ast.expr, sources: frozenset[int]) -> frozenset[int]:
    """The statement from which on all rows are in one table; the sources themselves where there is none."""
    if len(sources) == 1:
        return sources
    for one in sorted(flow.path(index, value)):
        for name in analysis.statements[one].binds:
            if sources <= flow.roots(one + 1, ast.Name(name, ast.Load())):
                return frozenset((one,))
    return sources


def _assembled(analysis: Analysis, loaders: Loaders, load: set[int], data: frozenset[int]) -> set[int]:
    """Statements that directly follow and only take a bundle apart or make a table of it."""
    imports = loaders.imports
    bundles: set[str] = set()
    for index in load:
        call = loaders.call_in(analysis.statements[index].node)
        if call is not None and imports.name_of(call.func).startswith(_BUNDLES):
            bundles |= analysis.statements[index].binds
    if not bundles:
        return set()
    own = set(bundles)
    more: set[int] = set()
    for index in sorted(data):
        s = analysis.statements[index]
        if index <= min(load) or index in load or isinstance(s.node, _DEFINITIONS):
            continue
        names = {n for n in s.uses if n not in imports and n not in analysis.functions and not n.startswith("<")}
        if not names <= own or not names & bundles or not _assembles(s, bundles, imports):
            break
        own |= s.binds
        more.add(index)
    return more


def _assembles(statement: Statement, bundles: set[str], imports: Imports) -> bool:
    node = statement.node
    return isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None and _is_part(node.value, bundles, imports)


def _is_part(value: ast.expr, bundles: set[str], imports: Imports) -> bool:
    """``iris.data``, ``iris["target"]``, ``pd.DataFrame(iris.data, columns=...)``, and tuples of them."""
    match value:
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return all(_is_part(one, bundles, imports) for one in elements)
        case ast.Attribute(value=ast.Name(id=name), attr=attr):
            return name in bundles and attr in _MEMBERS
        case ast.Attribute(value=ast.Attribute() as inner):  # ucimlrepo: found.data.features
            return _is_part(inner, bundles, imports)
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str())):
            return name in bundles
        case ast.Call(func=func):
            return imports.name_of(func).split(".")[-1] in _ASSEMBLERS
    return False
