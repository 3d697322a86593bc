"""Where the rows of a value come from.

A slice says all that a value depends on: a scaler that was fitted on the training rows, a mean, a list of columns. Here
only the *rows* are followed: from the model's input back through selections, transformations, joins and splits to the
statements that first bind them. So ``scaler.transform([[5, 2]])`` is told from ``scaler.transform(X_test)``, and the
tables that reach a model from those that are merely looked at.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from jupyter_mlops.convert.loaders import Loaders

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["RowFlow", "bound_values"]

# Methods and attributes whose result has other rows than the object, or none.
_NO_ROWS = frozenset(
    """shape columns index dtypes dtype size ndim min max mean median std var sum mode quantile nunique unique value_counts count describe
    info corr cov item fit idxmax idxmin argmax argmin classes_ feature_names target_names DESCR best_params_ get_params
    get_feature_names_out coef_ intercept_ feature_importances_ support_ get_support isnull isna""".split()
)
# Methods of a fitted object: the rows are those of the argument.
_OF_ARGUMENT = frozenset(
    """transform fit_transform inverse_transform fit_resample fit_sample predict predict_proba decision_function apply_transform
    texts_to_sequences split fit_predict kneighbors""".split()
)
_JOINS = frozenset("merge join append concat combine_first hstack vstack".split())
# Functions that make a grid or blank values: no row of theirs is anyone's data.
_MADE_UP = frozenset(
    "linspace meshgrid arange mgrid ogrid logspace geomspace zeros ones empty full range len input int float".split()
)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)


def bound_values(node: ast.AST, name: str) -> Iterator[ast.expr]:
    """Expressions that a statement may bind `name` to, also inside of loops, branches and blocks."""
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _of_target(target, value, name)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield from _of_target(target, value, name)
        case ast.AugAssign(target=ast.Name(id=found), value=value) if found == name:
            yield ast.Name(name, ast.Load())
            yield value
        case ast.For(target=target, iter=value) | ast.AsyncFor(target=target, iter=value):
            yield from _of_target(target, value, name)
        case ast.With(items=items) | ast.AsyncWith(items=items):
            for item in items:
                if item.optional_vars is not None:
                    yield from _of_target(item.optional_vars, item.context_expr, name)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Import() | ast.ImportFrom():
            return
    for part in ("body", "orelse", "finalbody"):
        inner = getattr(node, part, ())
        for one in inner if isinstance(inner, list) else ():
            yield from bound_values(one, name)
    for handler in getattr(node, "handlers", ()):
        yield from bound_values(handler, name)


def _of_target(target: ast.expr, value: ast.expr, name: str) -> Iterator[ast.expr]:
    match target, value:
        case ast.Name(id=found), _:
            if found == name:
                yield value
        case ((ast.Tuple(elts=targets) | ast.List(elts=targets)), (ast.Tuple(elts=values) | ast.List(elts=values))) if len(
            targets
        ) == len(values):
            for one, other in zip(targets, values, strict=True):
                yield from _of_target(one, other, name)
        case ((ast.Tuple(elts=targets) | ast.List(elts=targets)), _):
            if any(isinstance(t, ast.Name) and t.id == name for one in targets for t in ast.walk(one)):
                yield value
        case ast.Starred(value=inner), _:
            yield from _of_target(inner, value, name)


class RowFlow:
    """Answers, for one notebook, where the rows of an expression come from."""

    def __init__(self, analysis: Analysis, loaders: Loaders) -> None:
        self.analysis = analysis
        self.loaders, self.imports = loaders, loaders.imports
        self._known: dict[tuple[int, str], frozenset[int]] = {}

    def roots(self, index: int, value: ast.expr | None) -> frozenset[int]:
        """Statements that first bind the rows of `value`, an expression at the entry of statement `index`."""
        if value is None:
            return frozenset()
        return frozenset().union(*(self._of_name(index, name) for name in self._carriers(value)))

    def path(self, index: int, value: ast.expr | None) -> frozenset[int]:
        """All statements that the rows of `value` went through, the roots included."""
        if value is None:
            return frozenset()
        found: set[int] = set()
        todo = [(index, name) for name in self._carriers(value)]
        seen = set(todo)
        while todo:
            at, name = todo.pop()
            for binder, values in self._binders(at, name):
                found.add(binder)
                for one in values:
                    for inner in self._carriers(one):
                        if (binder, inner) not in seen:
                            seen.add((binder, inner))
                            todo.append((binder, inner))
        return frozenset(found)

    def _of_name(self, index: int, name: str) -> frozenset[int]:
        key = (index, name)
        if key in self._known:
            return self._known[key]
        self._known[key] = frozenset()  # a loop comes back to where it began: nothing new
        found: set[int] = set()
        for binder, values in self._binders(index, name):
            inner = [n for one in values for n in self._carriers(one)]
            before = frozenset().union(*(self._of_name(binder, n) for n in inner))
            found |= before
            if not before or any(self.loaders.call_in(one) for one in values):
                found.add(binder)
        self._known[key] = frozenset(found)
        return self._known[key]

    def _binders(self, index: int, name: str) -> Iterator[tuple[int, list[ast.expr]]]:
        """Statements that bind the name before `index`, each with what it binds the name to."""
        statements = self.analysis.statements
        reaching = set(self.analysis.reaching(index, name))
        if index < len(statements) and isinstance(statements[index].node, (ast.For, ast.While, ast.With, ast.If, ast.Try)):
            if name in statements[index].binds:
                reaching.add(index)  # bound by an earlier line of the same block
        filled = [i for i in reaching if name not in statements[i].binds]
        for binder in sorted(reaching.difference(filled)):
            node = statements[binder].node
            if isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                continue
            values = list(bound_values(node, name))
            if values and all(map(_is_empty, values)):
                # An empty list or frame that is filled afterwards has the rows of what is put in.
                for i in filled:
                    yield i, [ast.Name(n, ast.Load()) for n in sorted(statements[i].uses) if n != name]
            yield binder, values

    def _carriers(self, value: ast.expr) -> frozenset[str]:
        return frozenset(self._names(value))

    def _names(self, value: ast.AST) -> Iterator[str]:
        """Names in an expression whose rows are its rows."""
        match value:
            case ast.Name(id=name):
                if name not in self.imports:
                    yield name
            case ast.Attribute(value=inner, attr=attr):
                if attr not in _NO_ROWS:
                    yield from self._names(inner)
            case ast.Subscript(value=inner, slice=key):
                # np.c_[a, b] has its arguments in brackets
                yield from self._names(key if self.imports.root(inner) else inner)
            case ast.Call() if self.loaders.is_loader(value):
                return  # it begins here: an address or a path has no rows
            case ast.Call(func=func, args=args, keywords=keywords):
                yield from self._of_call(func, [*args, *(k.value for k in keywords)])
            case ast.Starred(value=inner) | ast.NamedExpr(value=inner) | ast.Await(value=inner) | ast.UnaryOp(operand=inner):
                yield from self._names(inner)
            case ast.IfExp(body=body, orelse=orelse):
                yield from self._names(body)
                yield from self._names(orelse)
            case ast.Lambda() | ast.Constant() | ast.JoinedStr():
                return
            case _ if isinstance(value, _COMPREHENSIONS):
                own = {n.id for g in value.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
                parts = [g.iter for g in value.generators] + [v for v in ast.iter_child_nodes(value) if isinstance(v, ast.expr)]
                yield from (name for part in parts for name in self._names(part) if name not in own)
            case _:
                for child in ast.iter_child_nodes(value):
                    yield from self._names(child)

    def _of_call(self, func: ast.expr, arguments: list[ast.expr]) -> Iterator[str]:
        match func:
            case ast.Attribute(value=inner, attr=attr) if self.imports.root(inner) is None:
                if attr in _NO_ROWS:
                    return
                if attr in _OF_ARGUMENT and arguments:
                    yield from self._names(arguments[0])
                    return
                yield from self._names(inner)
                if attr in _JOINS:
                    yield from (name for one in arguments for name in self._names(one))
                return
            case ast.Attribute(attr=attr) | ast.Name(id=attr):
                if attr in _MADE_UP:
                    return
            case ast.Call() | ast.Subscript():  # Model()(rows), table[key](rows)
                yield from self._names(func)
        given = [name for one in arguments for name in self._names(one)]
        yield from given
        if not given and isinstance(func, ast.Name):
            info = self.analysis.functions.get(func.id)
            if info is not None:  # a function without arguments works on the notebook's own variables
                yield from sorted(n for n in info.reads if n not in self.imports and n not in self.analysis.functions)


def _is_empty(value: ast.expr) -> bool:
    match value:
        case ast.List(elts=[]) | ast.Dict(keys=[]) | ast.Call(args=[], keywords=[], func=ast.Name(id="list" | "dict")):
            return True
        case ast.Call(args=[], func=ast.Attribute(attr="DataFrame")):
            return True
        case ast.Call(func=ast.Attribute(attr="zeros" | "empty")):
            return True
    return False
