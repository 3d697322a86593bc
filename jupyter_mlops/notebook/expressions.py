"""What expressions may be, and what evaluating them does."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from jupyter_mlops.notebook.calls import Calls
from jupyter_mlops.notebook.functions import Arguments
from jupyter_mlops.notebook.library import FRESH_ATTRIBUTES
from jupyter_mlops.notebook.objects import CONTAINERS, EMPTY, Kind, Obj, Pts, contents, parts
from jupyter_mlops.notebook.scopes import Bindings

__all__ = ["Expressions"]

_SEQUENCES = frozenset({Kind.LIST, Kind.TUPLE})


class Expressions(Calls):
    """Evaluates expressions."""

    def __init__(self) -> None:
        super().__init__()
        self._handlers: dict[type[ast.expr], Callable[[Any], Pts]] = {
            ast.Attribute: self._attribute,
            ast.Await: lambda n: contents(self.evaluate(n.value)) | self.evaluate(n.value),
            ast.BinOp: lambda n: self._operator(n, n.left, n.right),
            ast.BoolOp: self._alternatives,
            ast.Call: self.evaluate_call,
            ast.Compare: lambda n: self._operator(n, n.left, *n.comparators),
            ast.Constant: lambda n: EMPTY,
            ast.Dict: self._dict,
            ast.DictComp: lambda n: self._comprehension(n, Kind.DICT, n.value, n.key),
            ast.FormattedValue: self._formatted,
            ast.GeneratorExp: self._generator,
            ast.IfExp: self._if_expression,
            ast.JoinedStr: self._formatted,
            ast.Lambda: lambda n: frozenset((self.define(n),)),
            ast.List: lambda n: self._sequence(n, Kind.LIST),
            ast.ListComp: lambda n: self._comprehension(n, Kind.LIST, n.elt),
            ast.Name: lambda n: self.load(n.id, n),
            ast.NamedExpr: self._walrus,
            ast.Set: lambda n: self._sequence(n, Kind.SET),
            ast.SetComp: lambda n: self._comprehension(n, Kind.SET, n.elt),
            ast.Slice: self._formatted,
            ast.Starred: lambda n: contents(self.evaluate(n.value)),
            ast.Subscript: self._subscript,
            ast.Tuple: lambda n: self._sequence(n, Kind.TUPLE),
            ast.UnaryOp: lambda n: self._operator(n, n.operand),
            ast.Yield: self._yield,
            ast.YieldFrom: self._yield,
        }

    def evaluate(self, node: ast.expr) -> Pts:
        handler = self._handlers.get(type(node))
        return handler(node) if handler is not None else self._formatted(node)

    def _formatted(self, node: ast.AST) -> Pts:
        """Parts are evaluated, the whole is a new immutable value."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                value = self.evaluate(child)
                if value:
                    self.touch(value, child)
        return EMPTY

    def _attribute(self, node: ast.Attribute) -> Pts:
        base = self.evaluate(node.value)
        if not base:
            return EMPTY
        name = node.attr
        result: set[Obj] = set()
        whole: list[Obj] = []  # any part of these; taken together, since they mostly share their parts
        for one in base:
            if one.kind is Kind.MODULE:
                result.add(self.module(f"{one.origin}.{name}"))
            elif one.kind is Kind.INSTANCE and one.cls is not None:
                result |= self._instance_attribute(one, one.cls, node)
            elif one.kind is Kind.CLASS:
                found = self.method(one, name)
                if found:
                    result |= found
                else:
                    whole.append(one)
            elif name in one.fields:
                result |= one.fields[name]
            elif name not in FRESH_ATTRIBUTES:
                whole.append(one)
                if one.kind is Kind.PARTIAL:
                    result |= one.holds
        return frozenset(result | self._parts(whole))

    def _instance_attribute(self, one: Obj, cls: Obj, node: ast.Attribute) -> set[Obj]:
        result = set(one.fields.get(node.attr, ()))
        in_class = self.method(cls, node.attr)
        for value in in_class:
            if value.kind is not Kind.FUNCTION or value.function is None:
                result.add(value)
            elif value.function.decorators & {"property", "cached_property"}:
                result |= self.call_function(value, Arguments([frozenset((one,))]), node)
            else:
                result.add(value)  # a bound method: its instance comes along
                result.add(one)
        fallback = self.method(cls, "__getattr__")
        if one.loose or not (result or in_class) or fallback:
            result |= parts((one,)) - ({one} if node.attr in one.fields else set())
            for method in list(fallback):
                result |= self.call_method(method, frozenset((one,)), cls, Arguments(), node)
        return result

    def _operator(self, node: ast.expr, *operands: ast.expr) -> Pts:
        values = [self.evaluate(operand) for operand in operands]
        everything = frozenset().union(*values)
        if not everything:
            return EMPTY
        held: set[Obj] = set(self.touch(everything, node, everything))
        for one in everything:
            if one.kind in CONTAINERS and not isinstance(node, ast.Compare):
                held |= one.holds
            elif one.kind is Kind.INSTANCE:
                held.add(one)
        if isinstance(node, ast.Compare) and not held and all(one.kind in CONTAINERS for one in everything):
            return EMPTY
        kind = Kind.LIST if all(one.kind in CONTAINERS for one in everything) else Kind.LIBRARY
        return frozenset((self.new(node, kind, held),)) | frozenset(one for one in held if one.kind is Kind.INSTANCE)

    def _alternatives(self, node: ast.BoolOp) -> Pts:
        result = self.evaluate(node.values[0])
        for value in node.values[1:]:
            before = self.state.copy()
            result |= self.evaluate(value)
            self.state = self.join([before, self.state])
        return result

    def _if_expression(self, node: ast.IfExp) -> Pts:
        self.evaluate(node.test)
        before = self.state.copy()
        result = self.evaluate(node.body)
        after, self.state = self.state, before
        result |= self.evaluate(node.orelse)
        self.state = self.join([after, self.state])
        return result

    def _sequence(self, node: ast.List | ast.Tuple | ast.Set, kind: Kind) -> Pts:
        items = [self.evaluate(one) for one in node.elts]
        held = frozenset().union(*items)
        if kind is Kind.TUPLE and not held:
            return EMPTY
        one = self.new(node, kind, held)
        if kind is Kind.TUPLE and not any(isinstance(e, ast.Starred) for e in node.elts):
            if one.items is None:
                one.items = [set() for _ in items]
            for stored, value in zip(one.items, items, strict=True):
                stored |= value
        return frozenset((one,))

    def _dict(self, node: ast.Dict) -> Pts:
        held: set[Obj] = set()
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                held |= contents(self.evaluate(value))
            else:
                self.evaluate(key)
                held |= self.evaluate(value)
        return frozenset((self.new(node, Kind.DICT, held),))

    def _walrus(self, node: ast.NamedExpr) -> Pts:
        value = self.evaluate(node.value)
        here = self.frame
        while self.frame.kind == "comprehension" and self.frame.parent is not None:
            self.frame = self.frame.parent
        self.store(node.target.id, value)
        self.frame = here
        return value

    def _yield(self, node: ast.Yield | ast.YieldFrom) -> Pts:
        if node.value is not None:
            value = self.evaluate(node.value)
            self.frame.yields |= contents(value) if isinstance(node, ast.YieldFrom) else value
        return EMPTY

    # Items

    def _subscript(self, node: ast.Subscript) -> Pts:
        base = self.evaluate(node.value)
        index = self.evaluate(node.slice)
        if not base:
            return EMPTY
        result: set[Obj] = set(self.touch(base, node, index))
        if self._copies(node, index):
            return frozenset(result | {self.new(node, Kind.LIBRARY)})
        whole: list[Obj] = []
        for one in base:
            if one.kind is Kind.MODULE:
                result.add(self.new(node, Kind.LIBRARY))
            elif one.kind in CONTAINERS:
                result |= self._container_item(one, node)
            else:
                whole.append(one)
                result |= one.holds
        return frozenset(result | self._parts(whole))

    def _parts(self, objects: list[Obj]) -> set[Obj]:
        if not objects:
            return set()
        found = parts(objects)
        self.charge(found)
        return found

    def _container_item(self, one: Obj, node: ast.Subscript) -> set[Obj]:
        if isinstance(node.slice, ast.Slice):
            return {self.new(node, one.kind, one.holds)} if one.holds or one.kind is Kind.LIST else set()
        position = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if one.items is not None and isinstance(position, int) and 0 <= position < len(one.items):
            return set(one.items[position])
        return set(contents((one,)))

    def _copies(self, node: ast.Subscript, index: Pts) -> bool:
        """Whether the index makes a copy of a frame or array: lists of labels, masks. (Lists and dicts take neither.)"""
        if isinstance(node.slice, ast.List):
            return True
        if isinstance(node.slice, ast.Compare | ast.UnaryOp | ast.BinOp | ast.Call):
            # A mask made from the frame itself: `df[df.age > 3]`, `df[~df.x.isna()]`, `df[(...) & (...)]`.
            root = _root(node.value)
            uses_root = root and any(isinstance(n, ast.Name) and n.id == root for n in ast.walk(node.slice))
            masks = any(isinstance(n, ast.Compare | ast.Invert | ast.BitAnd | ast.BitOr) for n in ast.walk(node.slice))
            calls_mask = isinstance(node.slice, ast.Call) and _last(node.slice.func) in _MASKS
            return bool(uses_root and (masks or calls_mask))
        return bool(index) and all(one.kind is Kind.LIST for one in index)

    # Comprehensions

    def _inner(self, node: ast.expr) -> None:
        targets = frozenset(
            n.id for generator in getattr(node, "generators", ()) for n in ast.walk(generator.target) if isinstance(n, ast.Name)
        )
        empty: frozenset[str] = frozenset()
        scope = Bindings(targets, empty, empty)
        self.frame = self.enter((id(node), self.frame.id), scope, self.frame, "comprehension")

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp, kind: Kind, *values: ast.expr) -> Pts:
        held = self._elements(node, values)
        return frozenset((self.new(node, kind, held),))

    def _elements(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, values: tuple[ast.expr, ...]) -> Pts:
        before = self.state.copy()
        outer = self.frame
        first = self.evaluate(node.generators[0].iter)
        self.touch(first, node)
        self._inner(node)
        held: set[Obj] = set()
        for _ in range(1 if self.exhausted else 2):  # what one pass stores, the next may read
            known = (self.version, len(held))
            for position, generator in enumerate(node.generators):
                source = first if position == 0 else self.evaluate(generator.iter)
                self.bind(generator.target, contents(source), None)
                for condition in generator.ifs:
                    self.evaluate(condition)
            for position, value in enumerate(values):
                found = self.evaluate(value)
                if position == 0:
                    held |= found
            if (self.version, len(held)) == known:
                break
        self.frame = outer
        self.state = self.join([before, self.state])  # it may not run at all
        return frozenset(held)

    def _generator(self, node: ast.GeneratorExp) -> Pts:
        held = self._elements(node, (node.elt,))
        lazy = self.new(node, Kind.LAZY, held)
        source = self.evaluate(node.generators[0].iter)
        self.refer(lazy, source)
        where = self.frame

        def again() -> None:
            here, self.frame = self.frame, where
            self._elements(node, (node.elt,))
            self.frame = here

        lazy.thunk = again
        return frozenset((lazy,))

    # Targets

    def bind(self, target: ast.expr, value: Pts, source: ast.expr | None) -> None:
        """Assign to a target; `source` is the expression assigned, when there is one."""
        match target:
            case ast.Name(id=name):
                self.store(name, value)
            case ast.Starred(value=inner):
                self.bind(inner, frozenset((self.new(inner, Kind.LIST, value, role="rest"),)), None)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                self._unpack(elements, value, source)
            case ast.Attribute(value=owner, attr=name):
                objects = self.evaluate(owner)
                self._change(objects, owner)
                for one in objects:
                    if one.kind is not Kind.MODULE:
                        self.hold(one, value)
                        if one.kind in (Kind.INSTANCE, Kind.CLASS, Kind.UNKNOWN):
                            one.fields.setdefault(name, set()).update(value)
            case ast.Subscript(value=owner, slice=index):
                objects = self.evaluate(owner)
                key = self.evaluate(index)
                if isinstance(owner, ast.Call) and getattr(owner.func, "id", "") in ("globals", "locals"):
                    self._store_by_name(index, value)
                self.touch(objects, target, value | key)
                self._change(objects, owner)
                for one in objects:
                    if one.kind not in (Kind.MODULE, Kind.LIBRARY):
                        self.hold(one, value)

    def _store_by_name(self, index: ast.expr, value: Pts) -> None:
        """``globals()[name] = value``: one known name, or possibly any."""
        if isinstance(index, ast.Constant) and isinstance(index.value, str):
            self.store(index.value, value)

    def _change(self, objects: Pts, owner: ast.expr) -> None:
        self.mutate(objects)

    def _unpack(self, elements: list[ast.expr], value: Pts, source: ast.expr | None) -> None:
        starred = any(isinstance(one, ast.Starred) for one in elements)
        held = contents(value)
        for position, element in enumerate(elements):
            part: set[Obj] = set()
            whole: list[Obj] = []
            for one in value:
                if one.items is not None and not starred and len(one.items) == len(elements):
                    part |= one.items[position]
                elif one.kind is Kind.LIBRARY and isinstance(source, ast.Call) and not _shares(one, source):
                    # A library's function that gives several things gives separate things (train_test_split).
                    part.add(self.new(element, Kind.LIBRARY, one.holds, role="part"))
                else:
                    whole.append(one)
            part |= contents(whole)
            if starred and not part:
                part |= held
            self.bind(element, frozenset(part), None)


_MASKS = frozenset("isin isna isnull notna notnull duplicated between contains startswith endswith".split())


def _shares(one: Obj, source: ast.Call) -> bool:
    return one.origin.endswith(("subplots", ".figure")) or not one.origin


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
