"""The walk through the program: statements and expressions, on real values and on columns alike.

Whatever does not depend on the rows is computed by Python itself. What does goes to the operations of `registry`.
"""

from __future__ import annotations

import ast
from typing import Any

from jupyter_mlops.export.graph import Unsupported
from jupyter_mlops.export.program.calls import Caller
from jupyter_mlops.export.program.expressions import OPERATORS, Expressions, Scope
from jupyter_mlops.export.program.functions import Function, bind
from jupyter_mlops.export.program.symbols import Refused

__all__ = ["Interpreter"]

_MOST_STEPS = 200_000


class _Return(Exception):
    def __init__(self, value: Any) -> None:
        self.value = value


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class Interpreter(Expressions):
    """Runs functions of the program.

    Parameters
    ----------
    caller
        What attributes, operators and calls do when columns are involved.
    """

    def __init__(self, caller: Caller) -> None:
        super().__init__(caller)
        self._steps = 0
        caller.run = self.call

    def call(self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function of the program."""
        scope = Scope(bind(function, args, kwargs), function.scope, function.module)
        if isinstance(function.node, ast.Lambda):
            return self.value(function.node.body, scope)
        try:
            self.block(function.node.body, scope)
        except _Return as done:
            return done.value
        return None

    # -- statements -----------------------------------------------------------------------------------------------------

    def block(self, statements: list[ast.stmt], scope: Scope) -> None:
        """Run statements."""
        for statement in statements:
            self._steps += 1
            if self._steps > _MOST_STEPS:
                raise Unsupported("the program takes too many steps")
            kind = type(statement).__name__
            run = getattr(self, f"do_{kind.lower()}", None)
            if run is None:
                raise self.located(Unsupported(f"the statement {kind.lower()}"), statement, scope)
            try:
                run(statement, scope)
            except Refused:
                raise
            except Unsupported as error:
                raise self.located(error, statement, scope) from error

    def do_expr(self, node: ast.Expr, scope: Scope) -> None:
        self.value(node.value, scope)

    def do_pass(self, node: ast.Pass, scope: Scope) -> None: ...

    def do_return(self, node: ast.Return, scope: Scope) -> None:
        raise _Return(None if node.value is None else self.value(node.value, scope))

    def do_break(self, node: ast.Break, scope: Scope) -> None:
        raise _Break

    def do_continue(self, node: ast.Continue, scope: Scope) -> None:
        raise _Continue

    def do_assign(self, node: ast.Assign, scope: Scope) -> None:
        value = self.value(node.value, scope)
        for target in node.targets:
            self.assign(target, value, scope)

    def do_annassign(self, node: ast.AnnAssign, scope: Scope) -> None:
        if node.value is not None:
            self.assign(node.target, self.value(node.value, scope), scope)

    def do_augassign(self, node: ast.AugAssign, scope: Scope) -> None:
        load = ast.copy_location(ast.parse(ast.unparse(node.target), mode="eval").body, node.target)
        for inner in ast.walk(load):
            ast.copy_location(inner, node.target)
        value = self._operate(OPERATORS[type(node.op)], self.value(load, scope), self.value(node.value, scope))
        self.assign(node.target, value, scope)

    def assign(self, target: ast.expr, value: Any, scope: Scope) -> None:
        """Bind a value to a name, an item, an attribute or several of them."""
        if isinstance(target, ast.Name):
            if target.id in scope.declared:
                raise Unsupported(f"a change of {target.id!r}, which is global")
            scope.names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            values = list(self.iterate(value))
            if any(isinstance(one, ast.Starred) for one in target.elts) or len(values) != len(target.elts):
                raise Unsupported("an assignment to several names of another count")
            for one, part in zip(target.elts, values, strict=True):
                self.assign(one, part, scope)
        elif isinstance(target, ast.Subscript):
            self.caller.set_item(self.value(target.value, scope), self.value(target.slice, scope), value)
        elif isinstance(target, ast.Attribute):
            self.caller.set_attribute(self.value(target.value, scope), target.attr, value)
        else:
            raise Unsupported("an assignment to this")

    def do_delete(self, node: ast.Delete, scope: Scope) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                scope.names.pop(target.id)
            elif isinstance(target, ast.Subscript):
                self.caller.delete_item(self.value(target.value, scope), self.value(target.slice, scope))
            else:
                raise Unsupported("the deletion of this")

    def do_if(self, node: ast.If, scope: Scope) -> None:
        self.block(node.body if self.truth(self.value(node.test, scope)) else node.orelse, scope)

    def do_while(self, node: ast.While, scope: Scope) -> None:
        while self.truth(self.value(node.test, scope)):
            try:
                self.block(node.body, scope)
            except _Continue:
                continue
            except _Break:
                return
        self.block(node.orelse, scope)

    def do_for(self, node: ast.For, scope: Scope) -> None:
        for one in self.iterate(self.value(node.iter, scope)):
            self.assign(node.target, one, scope)
            try:
                self.block(node.body, scope)
            except _Continue:
                continue
            except _Break:
                return
        self.block(node.orelse, scope)

    def do_functiondef(self, node: ast.FunctionDef, scope: Scope) -> None:
        if node.decorator_list:
            raise Unsupported("a function with a decorator")
        scope.names[node.name] = self.closure(node, scope)

    def do_import(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        exec(compile(ast.Module([node], []), "<program>", "exec"), {"__package__": self.caller.package}, scope.names)  # noqa: S102 - an import of the program's own

    do_importfrom = do_import

    def do_assert(self, node: ast.Assert, scope: Scope) -> None:
        if not self.truth(self.value(node.test, scope)):
            raise Unsupported("an assertion that fails")

    def do_raise(self, node: ast.Raise, scope: Scope) -> None:
        if self.paths is None:
            raise Unsupported("an error that is raised")
        self.paths.fails()

    def do_global(self, node: ast.Global | ast.Nonlocal, scope: Scope) -> None:
        scope.declared |= set(node.names)

    do_nonlocal = do_global
