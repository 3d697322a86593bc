"""Expressions of the program, on real values and on columns alike."""

from __future__ import annotations

import ast
import builtins
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from jupyter_mlops.export.graph import Unsupported
from jupyter_mlops.export.program.calls import Caller
from jupyter_mlops.export.program.functions import Function
from jupyter_mlops.export.program.paths import Paths
from jupyter_mlops.export.program.symbols import Element, Record, Refused, Symbol, contains_symbol

__all__ = ["OPERATORS", "Expressions", "Scope"]


@dataclass
class Scope:
    """Names of one function call, in front of those around it."""

    names: dict[str, Any]
    outer: Scope | None = None
    module: str = "features"
    declared: set[str] = field(default_factory=set)  # global or nonlocal

    def find(self, name: str) -> Any:
        """The value of a name."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        if hasattr(builtins, name):
            return getattr(builtins, name)
        raise NameError(f"name {name!r} is not defined")


OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "truediv", ast.FloorDiv: "floordiv", ast.Mod: "mod",
    ast.Pow: "pow", ast.BitAnd: "and_", ast.BitOr: "or_", ast.BitXor: "xor", ast.MatMult: "matmul", ast.LShift: "lshift",
    ast.RShift: "rshift", ast.Eq: "eq", ast.NotEq: "ne", ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge",
    ast.USub: "neg", ast.UAdd: "pos", ast.Invert: "invert",
}  # fmt: skip


class Expressions(ABC):
    """The part of the interpreter that gives values."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.paths: Paths | None = None  # inside of a function that is applied to each value

    @abstractmethod
    def call(self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function of the program."""

    @abstractmethod
    def assign(self, target: ast.expr, value: Any, scope: Scope) -> None:
        """Bind a value."""

    def located(self, error: Unsupported, node: ast.AST, scope: Scope) -> Refused:
        """The error with the place where it happened."""
        source = " ".join(ast.unparse(node).split())
        return Refused(
            source if len(source) <= 160 else source[:157] + "...", scope.module, getattr(node, "lineno", 0), str(error)
        )

    def value(self, node: ast.expr, scope: Scope) -> Any:
        """The value of an expression."""
        kind = type(node).__name__
        run: Callable[[Any, Scope], Any] | None = getattr(self, f"get_{kind.lower()}", None)
        if run is None:
            raise self.located(Unsupported(f"the expression {kind.lower()}"), node, scope)
        try:
            return run(node, scope)
        except Refused:
            raise
        except Unsupported as error:
            raise self.located(error, node, scope) from error

    def truth(self, value: Any) -> bool:
        """A decision; one on the value of a row is taken both ways, one after the other."""
        if isinstance(value, Element):
            if self.paths is None:
                raise Unsupported("a decision on the values of rows")
            return self.paths.decide(self.caller.element_truth(value))
        if isinstance(value, Symbol) or (not isinstance(value, (list, tuple, dict, set)) and contains_symbol(value)):
            raise Unsupported("a decision on a whole column")
        return bool(value)

    def iterate(self, value: Any) -> Iterator[Any]:
        """The items of a value; those of a frame are the names of its columns."""
        if isinstance(value, Symbol):
            if value.kind != "DataFrame":
                raise Unsupported("a loop over rows")
            return iter(list(value.shadow.columns))
        if isinstance(value, (Element, Record)):
            raise Unsupported("a loop over a value of a row")
        return iter(value)

    def _operate(self, name: str, *operands: Any) -> Any:
        return self.caller.operate(name, *operands)

    def closure(self, node: ast.FunctionDef | ast.Lambda, scope: Scope) -> Function:
        """A function as it is defined here."""
        defaults = [self.value(one, scope) for one in node.args.defaults]
        named = [None if one is None else (self.value(one, scope),) for one in node.args.kw_defaults]
        return Function(node, scope, scope.module, defaults, named, self.call)

    def get_constant(self, node: ast.Constant, scope: Scope) -> Any:
        return node.value

    def get_name(self, node: ast.Name, scope: Scope) -> Any:
        return scope.find(node.id)

    def get_attribute(self, node: ast.Attribute, scope: Scope) -> Any:
        return self.caller.attribute(self.value(node.value, scope), node.attr)

    def get_subscript(self, node: ast.Subscript, scope: Scope) -> Any:
        return self.caller.item(self.value(node.value, scope), self.value(node.slice, scope))

    def get_slice(self, node: ast.Slice, scope: Scope) -> Any:
        return slice(*(None if one is None else self.value(one, scope) for one in (node.lower, node.upper, node.step)))

    def get_call(self, node: ast.Call, scope: Scope) -> Any:
        called = self.value(node.func, scope)
        args: list[Any] = []
        for one in node.args:
            if isinstance(one, ast.Starred):
                args.extend(self.iterate(self.value(one.value, scope)))
            else:
                args.append(self.value(one, scope))
        kwargs: dict[str, Any] = {}
        for keyword in node.keywords:
            given = self.value(keyword.value, scope)
            kwargs.update({keyword.arg: given} if keyword.arg is not None else given)
        return self.caller.call(called, tuple(args), kwargs)

    def get_binop(self, node: ast.BinOp, scope: Scope) -> Any:
        return self._operate(OPERATORS[type(node.op)], self.value(node.left, scope), self.value(node.right, scope))

    def get_unaryop(self, node: ast.UnaryOp, scope: Scope) -> Any:
        value = self.value(node.operand, scope)
        if isinstance(node.op, ast.Not):
            return not self.truth(value)
        return self._operate(OPERATORS[type(node.op)], value)

    def get_boolop(self, node: ast.BoolOp, scope: Scope) -> Any:
        value: Any = None
        for one in node.values:
            value = self.value(one, scope)
            if one is node.values[-1]:
                return value
            if self.truth(value) == isinstance(node.op, ast.Or):
                return value
        return value

    def get_compare(self, node: ast.Compare, scope: Scope) -> Any:
        left = self.value(node.left, scope)
        result: Any = True
        for position, (op, right_node) in enumerate(zip(node.ops, node.comparators, strict=True)):
            right = self.value(right_node, scope)
            result = self._compare(op, left, right)
            if position + 1 < len(node.ops) and not self.truth(result):
                return False
            left = right
        return result

    def _compare(self, op: ast.cmpop, left: Any, right: Any) -> Any:
        if isinstance(op, (ast.Is, ast.IsNot)):
            return self.caller.identical(left, right, isinstance(op, ast.Is))
        if isinstance(op, (ast.In, ast.NotIn)):
            found = self.caller.within(left, right)
            return found if isinstance(op, ast.In) else not self.truth(found)
        return self._operate(OPERATORS[type(op)], left, right)

    def get_ifexp(self, node: ast.IfExp, scope: Scope) -> Any:
        return self.value(node.body if self.truth(self.value(node.test, scope)) else node.orelse, scope)

    def get_list(self, node: ast.List, scope: Scope) -> Any:
        out: list[Any] = []
        for one in node.elts:
            if isinstance(one, ast.Starred):
                out.extend(self.iterate(self.value(one.value, scope)))
            else:
                out.append(self.value(one, scope))
        return out

    def get_tuple(self, node: ast.Tuple, scope: Scope) -> Any:
        return tuple(self.get_list(ast.List(node.elts, ast.Load()), scope))

    def get_set(self, node: ast.Set, scope: Scope) -> Any:
        return {self.value(one, scope) for one in node.elts}

    def get_dict(self, node: ast.Dict, scope: Scope) -> Any:
        out: dict[Any, Any] = {}
        for key, one in zip(node.keys, node.values, strict=True):
            if key is None:
                out.update(self.value(one, scope))
            else:
                out[self.value(key, scope)] = self.value(one, scope)
        return out

    def _comprehend(self, generators: list[ast.comprehension], scope: Scope, emit: Callable[[Scope], None]) -> None:
        if not generators:
            emit(scope)
            return
        first = generators[0]
        for one in self.iterate(self.value(first.iter, scope)):
            inner = Scope({}, scope, scope.module)
            self.assign(first.target, one, inner)
            if all(self.truth(self.value(test, inner)) for test in first.ifs):
                self._comprehend(generators[1:], inner, emit)

    def get_listcomp(self, node: ast.ListComp | ast.GeneratorExp, scope: Scope) -> Any:
        out: list[Any] = []
        self._comprehend(node.generators, scope, lambda inner: out.append(self.value(node.elt, inner)))
        return out

    get_generatorexp = get_listcomp

    def get_setcomp(self, node: ast.SetComp, scope: Scope) -> Any:
        out: set[Any] = set()
        self._comprehend(node.generators, scope, lambda inner: out.add(self.value(node.elt, inner)))
        return out

    def get_dictcomp(self, node: ast.DictComp, scope: Scope) -> Any:
        out: dict[Any, Any] = {}

        def emit(inner: Scope) -> None:
            out[self.value(node.key, inner)] = self.value(node.value, inner)

        self._comprehend(node.generators, scope, emit)
        return out

    def get_lambda(self, node: ast.Lambda, scope: Scope) -> Any:
        return self.closure(node, scope)

    def get_namedexpr(self, node: ast.NamedExpr, scope: Scope) -> Any:
        value = self.value(node.value, scope)
        self.assign(node.target, value, scope)
        return value

    def get_joinedstr(self, node: ast.JoinedStr, scope: Scope) -> Any:
        pieces = []
        for one in node.values:
            if isinstance(one, ast.Constant):
                pieces.append(str(one.value))
                continue
            assert isinstance(one, ast.FormattedValue)
            value = self.value(one.value, scope)
            if contains_symbol(value):
                raise Unsupported("a text made of values of rows")
            converters: dict[int, Callable[[Any], str]] = {115: str, 114: repr, 97: ascii}
            convert = converters.get(one.conversion)
            spec = "" if one.format_spec is None else self.value(one.format_spec, scope)
            pieces.append(format(convert(value) if convert else value, spec))
        return "".join(pieces)
