"""What calls do: of the notebook's functions, of builtins, of libraries, of methods."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from jupyter_mlops.notebook import library
from jupyter_mlops.notebook.functions import Arguments, Functions
from jupyter_mlops.notebook.hidden import function_effects, method_effects, open_effects, samples
from jupyter_mlops.notebook.memory import State
from jupyter_mlops.notebook.objects import CONTAINERS, EMPTY, Kind, Obj, Pts, contents, parts, reach

__all__ = ["Calls"]

_KINDS = {"list": Kind.LIST, "dict": Kind.DICT, "lazy": Kind.LAZY, "unknown": Kind.UNKNOWN}
_BUILTIN_CONTAINERS = {
    "list": Kind.LIST, "tuple": Kind.TUPLE, "set": Kind.SET, "frozenset": Kind.TUPLE, "sorted": Kind.LIST,
    "dict": Kind.DICT, "bytearray": Kind.LIST, "zip": Kind.LAZY, "map": Kind.LAZY, "filter": Kind.LAZY,
    "enumerate": Kind.LAZY, "reversed": Kind.LAZY, "iter": Kind.LAZY, "aiter": Kind.LAZY,
}  # fmt: skip
_FUNCTIONAL_PACKAGES = ("numpy.", "torch.", "tensorflow.", "jax.", "pandas.api", "scipy.", "sklearn.")
_OPTIMISER = re.compile(r"\boptim(?:izers?)?\.")
_SHARED_CALLABLE = frozenset({Kind.FUNCTION, Kind.CLASS, Kind.PARTIAL})


class Calls(Functions):
    """Evaluates calls."""

    def evaluate_call(self, node: ast.Call) -> Pts:
        """What a call gives, and what it does on the way."""
        func = node.func
        if isinstance(func, ast.Attribute):
            return self._attribute_call(node, func)
        if isinstance(func, ast.Name) and not self.bound(func.id):
            self.load(func.id, func)
            if func.id in library.BUILTINS or func.id in library.NOTEBOOK_NAMES:
                return self._builtin(func.id, node, self.arguments(node))
            return self._library(func.id, node, self.arguments(node))
        called = self.evaluate(func)
        return self.call_objects(called, node, self.arguments(node))

    def arguments(self, node: ast.Call) -> Arguments:
        """Evaluate the arguments of a call."""
        found = Arguments()
        spread: set[Obj] = set()
        for one in node.args:
            if isinstance(one, ast.Starred):
                spread |= contents(self.evaluate(one.value))
            elif spread:
                spread |= self.evaluate(one)
            else:
                found.positional.append(self.evaluate(one))
        for keyword in node.keywords:
            value = self.evaluate(keyword.value)
            if keyword.arg is None:
                spread |= contents(value)
            else:
                found.keywords[keyword.arg] = value
        found.spread = frozenset(spread)
        return found

    def call_objects(self, called: Pts, node: ast.Call, arguments: Arguments) -> Pts:
        """Call what an expression may be. Of several only one is called: none of them binds for certain what not all bind."""
        if len(called) <= 1:
            return self._call_each(called, node, arguments)
        result: set[Obj] = set()
        before = self.state.copy()
        ends: list[State] = []
        self.weak += 1
        for one in called:
            self.state = before.copy()
            result |= self._call_each((one,), node, arguments)
            ends.append(self.state)
        self.weak -= 1
        self.state = self.join(ends)
        return frozenset(result)

    def _call_each(self, called: Iterable[Obj], node: ast.Call, arguments: Arguments) -> Pts:
        result: set[Obj] = set()
        others: list[Obj] = []
        for one in called:
            if one.kind is Kind.FUNCTION:
                result |= self.call_function(one, arguments, node)
            elif one.kind is Kind.CLASS:
                result |= self.instantiate(one, arguments, node)
            elif one.kind is Kind.MODULE:
                result |= self._library(one.origin, node, arguments)
            elif one.kind is Kind.PARTIAL:
                result |= self.activate(one.holds, arguments.all() | frozenset(one.holds), node)
            elif one.kind is Kind.INSTANCE and one.cls is not None and self.method(one.cls, "__call__"):
                for method in list(self.method(one.cls, "__call__")):
                    result |= self.call_method(method, frozenset((one,)), one.cls, arguments, node)
            else:
                others.append(one)
        if others:
            result |= self._call_unknown(others, node, arguments)
        return frozenset(result)

    def _call_unknown(self, called: list[Obj], node: ast.Call, arguments: Arguments) -> set[Obj]:
        """A library's object that can be called (a layer, an interpolation), or a value that nothing is known of."""
        given = arguments.all()
        if any(one.kind is not Kind.LIBRARY for one in called):
            self.mutate(one for one in reach(given) if one.kind is not Kind.MODULE)
        inside = [one for one in reach([*called, *given]) if one.kind is Kind.FUNCTION]
        result = set(self.activate(inside, given, node))
        result.add(self.new(node, Kind.LIBRARY, [*called, *given], role="called"))
        return result

    # Builtins

    def _builtin(self, name: str, node: ast.Call, arguments: Arguments) -> Pts:
        given = arguments.all()
        first = arguments.positional[0] if arguments.positional else arguments.spread
        touched = self.touch(given, node, given) if given else EMPTY
        functions = [one for one in given if one.kind in _SHARED_CALLABLE]
        if functions and name not in ("isinstance", "issubclass", "callable", "hasattr", "type", "print", "super"):
            others = frozenset(one for one in given if one.kind not in _SHARED_CALLABLE)
            touched |= self.activate(functions, others, node)
        if name in library.PURE_BUILTINS:
            return touched & frozenset(one for one in touched if one.kind is not Kind.LIBRARY)
        if name in _BUILTIN_CONTAINERS:
            return frozenset((self._container(name, node, arguments, given, touched),))
        if name in library.MUTATING_FUNCTIONS:
            self.mutate(first)
            if name == "setattr":
                self._set_attribute(node, first, given - first)
                return EMPTY
            return contents(first) | touched if name == "next" else touched
        match name:
            case "open":
                self.hidden(open_effects(node))
                return frozenset((self.new(node, Kind.LAZY),))
            case "exec" | "eval" | "globals" | "locals" | "vars":
                return self._dynamic(name, node, first)
            case "getattr":
                return frozenset(parts(given))
            case "super":
                return self.state.env.get((self.frame.id, self.frame.first or ""), EMPTY)
            case "min" | "max" | "anext":
                return contents(first) | given | touched
            case "sum":
                return frozenset((self.new(node, Kind.LIBRARY, contents(contents(first))),)) if given else EMPTY
        return given | touched | (frozenset((self.new(node, Kind.UNKNOWN, given),)) if given else EMPTY)

    def _container(self, name: str, node: ast.Call, arguments: Arguments, given: Pts, made: Pts) -> Obj:
        if name in ("zip", "map", "enumerate", "filter"):
            held = contents(given) | made
            if name == "zip" and held:
                held = frozenset((self.new(node, Kind.TUPLE, held, role="row"),))
            elif name == "enumerate" and held:
                row = self.new(node, Kind.TUPLE, held, role="row")
                row.items = [set(), set(held)]
                held = frozenset((row,))
            one = self.new(node, Kind.LAZY, held)
            self.refer(one, (o for o in given if o.kind in CONTAINERS))
            return one
        keywords = frozenset().union(*arguments.keywords.values(), EMPTY) if name == "dict" else EMPTY
        positional = frozenset().union(*arguments.positional, arguments.spread)
        return self.new(node, _BUILTIN_CONTAINERS[name], contents(positional) | keywords | made)

    def _set_attribute(self, node: ast.Call, objects: Pts, value: Pts) -> None:
        name = node.args[1].value if len(node.args) > 1 and isinstance(node.args[1], ast.Constant) else None
        for one in objects:
            self.hold(one, value)
            if isinstance(name, str):
                one.fields.setdefault(name, set()).update(value)
            else:
                one.loose = True

    def _dynamic(self, name: str, node: ast.Call, first: Pts) -> Pts:
        """Code or names that are only known when the notebook runs: all names may be read, and with exec bound."""
        if name in ("locals", "vars") and (self.frame.kind == "function" or node.args):
            return frozenset(parts(first))
        self.effects.dynamic.setdefault(name, self.line)
        everything: set[Obj] = set()
        for key in list(self.state.env):
            if isinstance(key, str):
                everything |= self.load(key, node)
        if name in ("exec", "eval"):
            self.mutate(one for one in everything if one.kind is not Kind.MODULE)
        return frozenset((self.new(node, Kind.DICT, everything, role="names"),))

    # Libraries

    def _library(self, origin: str, node: ast.Call, arguments: Arguments) -> Pts:
        last = origin.rpartition(".")[2]
        given = arguments.all()
        reached = reach(given) if given else set()
        self.charge(reached)
        stochastic = any(one.stochastic for one in reached)
        self.hidden(function_effects(origin, node, stochastic))
        constructor = last[:1].isupper() or last in library.HOLDING_TYPES
        if origin.startswith("functools.") and last in ("partial", "partialmethod"):
            return frozenset((self.new(node, Kind.PARTIAL, given),))
        made: Pts = EMPTY
        if not constructor or origin in library.CONTAINER_TYPES:
            callables = [one for one in reached if one.kind in (Kind.FUNCTION, Kind.PARTIAL, Kind.INSTANCE)]
            if callables:
                made = self.activate(callables, frozenset(one for one in given if one.kind is not Kind.FUNCTION), node)
        self._library_mutations(origin, last, node, arguments)
        return frozenset((self._library_result(origin, last, node, arguments, given, made, constructor),)) | (
            frozenset(parts(arguments.positional[0])) if last in library.VIEW_FUNCTIONS and arguments.positional else EMPTY
        )

    def _library_mutations(self, origin: str, last: str, node: ast.Call, arguments: Arguments) -> None:
        for position in library.MUTATING_FUNCTIONS.get(origin, ()):
            if position < len(arguments.positional):
                self.mutate(arguments.positional[position])
                if origin.startswith(("heapq.", "bisect.")):
                    for one in arguments.positional[position]:
                        self.hold(one, arguments.all() - {one})
        if "out" in arguments.keywords:
            self.mutate(arguments.keywords["out"])
        if last.endswith("_") and not last.startswith("_") and arguments.positional:
            self.mutate(arguments.positional[0])  # torch's convention
        if _is_true(node, "inplace") and arguments.positional:
            self.mutate(arguments.positional[0])
        owner, _, _ = origin.rpartition(".")
        if last in library.CONTAINER_MUTATORS and "." in owner and not origin.startswith(_FUNCTIONAL_PACKAGES):
            self.mutate((self.module(owner),))  # sys.path.append

    def _library_result(
        self, origin: str, last: str, node: ast.Call, arguments: Arguments, given: Pts, made: Pts, constructor: bool
    ) -> Obj:
        if origin in library.GENERATOR_TYPES:
            return self.new(node, Kind.RANDOM, origin=origin)
        kind = library.CONTAINER_TYPES.get(origin)
        if kind is not None:
            one = self.new(node, _KINDS[kind], contents(given) | made, origin=origin)
            for name, value in arguments.keywords.items():
                one.fields.setdefault(name, set()).update(value)
            self.hold(one, frozenset().union(*arguments.keywords.values(), EMPTY))
            return one
        if origin in ("copy.copy", "copy.deepcopy", "sklearn.clone", "sklearn.base.clone"):
            return self._copy(node, given, deep=origin != "copy.copy")
        one = self.new(node, Kind.LIBRARY, made, origin=origin)
        one.stochastic = one.stochastic or samples(origin, node)
        if constructor:
            if last in library.HOLDING_TYPES or _OPTIMISER.search(origin):
                self.hold(one, given)
            else:
                self.refer(one, given)
        return one

    def _copy(self, node: ast.AST, given: Pts, *, deep: bool) -> Obj:
        source = next((one for one in given if one.kind is Kind.INSTANCE), None) or next(iter(given), None)
        if source is None:
            return self.new(node, Kind.LIBRARY, role="copy")
        kind = source.kind if source.kind is not Kind.MODULE else Kind.LIBRARY
        copied = self.new(node, kind, origin=source.origin, role="copy")
        copied.stochastic = any(one.stochastic for one in reach(given))
        copied.cls, copied.function, copied.frame, copied.loose = source.cls, source.function, source.frame, True
        inner = reach(source.holds)
        self.hold(copied, source.holds if not deep else (o for o in inner if o.kind in (Kind.FUNCTION, Kind.CLASS)))
        if deep and inner:
            self.hold(copied, (self.new(node, Kind.UNKNOWN, role="copied parts"),))
        return copied

    # Methods

    def _attribute_call(self, node: ast.Call, func: ast.Attribute) -> Pts:
        value = func.value
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "super":
            return self._super_call(node, func.attr)
        receiver = self.evaluate(value)
        arguments = self.arguments(node)
        result: set[Obj] = set()
        plain: list[Obj] = []
        for one in receiver:
            if one.kind is Kind.MODULE:
                result |= self._library(f"{one.origin}.{func.attr}", node, arguments)
            elif one.kind is Kind.INSTANCE and one.cls is not None:
                result |= self._instance_call(one, one.cls, func.attr, node, arguments)
            elif one.kind is Kind.CLASS:
                result |= self._class_call(one, func.attr, node, arguments)
            else:
                plain.append(one)
        if plain or not receiver:
            result |= self._method(plain, func.attr, node, arguments)
        return frozenset(result)

    def _super_call(self, node: ast.Call, name: str) -> Pts:
        arguments = self.arguments(node)
        frame = self.frame
        me = self.state.env.get((frame.id, frame.first or ""), EMPTY)
        result: set[Obj] = set()
        for one in me:
            cls = one if one.kind is Kind.CLASS else one.cls
            owner = frame.owner.cls if frame.owner is not None else None
            for group in (owner or cls or one).items or ():
                for base in group:
                    for method in list(self.method(base, name)) if base.kind is Kind.CLASS else ():
                        result |= self.call_method(method, me, base, arguments, node)
            if name == "__init__" and cls is not None and self.from_library(cls):
                self.mutate((one,))
                self.hold(one, arguments.all())
                one.loose = True
            elif not result and cls is not None and self.from_library(cls):
                result |= self._method([one], name, node, arguments)
        return frozenset(result)

    def _instance_call(self, one: Obj, cls: Obj, name: str, node: ast.Call, arguments: Arguments) -> Pts:
        found = list(self.method(cls, name))
        result: set[Obj] = set()
        for method in found:
            if method.kind is Kind.FUNCTION:
                result |= self.call_method(method, frozenset((one,)), cls, arguments, node)
        stored = one.fields.get(name) or (set() if found else one.holds if one.loose else set())
        callables = [o for o in stored if o.kind in _SHARED_CALLABLE]
        if callables:
            result |= self.call_objects(frozenset(callables), node, arguments)
        if not found and not one.fields.get(name):
            result |= self._method([one], name, node, arguments)
            if self.from_library(cls):
                # An inherited method (fit_transform) calls the ones that are defined here.
                result |= self.activate([one], arguments.all(), node)
        return frozenset(result)

    def _class_call(self, cls: Obj, name: str, node: ast.Call, arguments: Arguments) -> Pts:
        result: set[Obj] = set()
        found = list(self.method(cls, name))
        for method in found:
            if method.kind is Kind.FUNCTION and method.function is not None:
                if "classmethod" in method.function.decorators:
                    result |= self.call_method(method, frozenset((cls,)), cls, arguments, node)
                else:
                    result |= self.call_function(method, arguments, node)
            else:
                result |= self.call_objects(frozenset((method,)), node, arguments)
        if not found:
            self.mutate((cls, *arguments.all()))
            result |= parts(arguments.all())
            result |= self.instantiate(cls, arguments, node)  # an inherited constructor
        return frozenset(result)

    def _method(self, receiver: list[Obj], name: str, node: ast.Call, arguments: Arguments) -> set[Obj]:
        """Methods of containers and of objects of libraries, known by name only."""
        given = arguments.all()
        result: set[Obj] = set()
        reached = reach([*receiver, *given])
        self.charge(reached)
        self.hidden(method_effects(name, node, any(one.stochastic for one in reached)))
        functions = [one for one in reached if one.kind in (Kind.FUNCTION, Kind.PARTIAL)]
        functions += [one for one in reached if one.kind is Kind.INSTANCE and one not in receiver]
        if functions:
            others = frozenset(one for one in given if one.kind is not Kind.FUNCTION) | frozenset(receiver)
            result |= self.activate(functions, others, node)
        if not receiver:  # strings and numbers
            if name in ("split", "rsplit", "splitlines", "partition", "rpartition"):
                result.add(self.new(node, Kind.LIST, role="words"))
            return result
        made = frozenset(result)
        whole: list[Obj] = []  # any part of these
        for one in receiver:
            if one.kind in CONTAINERS:
                result.update(self._container_method(one, name, node, given))
            else:
                result.update(self._object_method(one, name, node, given, made, whole))
        result |= parts(whole)
        if "out" in arguments.keywords:
            self.mutate(arguments.keywords["out"])
        return result

    def _container_method(self, one: Obj, name: str, node: ast.Call, given: Pts) -> Iterable[Obj]:
        if one.kind is Kind.LAZY:
            self.mutate((one,))
            if name in ("write", "writelines", "writerow", "read", "readline", "readlines", "close"):
                return ()
            self.hold(one, given)
            return contents((one,)) | {one}
        if name in library.CONTAINER_MUTATORS:
            self.mutate((one,))
            held = given
            if name in ("extend", "extendleft", "update", "__iadd__"):
                held = contents(given)
            if name not in ("remove", "discard", "pop"):
                self.hold(one, held)
            return one.holds | given if name in library.CONTAINER_PARTS else ()
        if name in library.CONTAINER_PARTS:
            return one.holds | given
        if name in ("copy", "union", "intersection", "difference", "symmetric_difference", "__add__"):
            return (self.new(node, one.kind, one.holds | contents(given)),)
        if name == "items":
            row = self.new(node, Kind.TUPLE, one.holds, role="row")
            row.items = [set(), set(one.holds)]
            return (self.new(node, Kind.LIST, (row,)),) if one.holds else ()
        if name in ("values", "elements"):
            view = self.new(node, Kind.LIST, one.holds)
            self.refer(view, (one,))
            return (view,)
        if name in ("keys", "index", "count", "most_common", "__len__", "__contains__", "issubset", "issuperset"):
            return ()
        if one.kind is Kind.TUPLE or name in library.PURE_METHODS:
            return one.holds
        self.mutate(self._owned(one))
        self.hold(one, given)
        return one.holds | {one}

    def _object_method(self, one: Obj, name: str, node: ast.Call, given: Pts, made: Pts, whole: list[Obj]) -> Iterable[Obj]:
        if one.kind is Kind.RANDOM:
            self.mutate((one,))
            if name == "shuffle":
                self.mutate(given)
            return (self.new(node, Kind.LIBRARY, role=name),)
        if name in library.LAZY_METHODS:
            return (self.new(node, Kind.LAZY, parts((one,)), role=name),)
        changed = _is_true(node, "inplace") or not (name in library.PURE_METHODS or _is_false(node, "inplace"))
        if changed:
            owned = self._owned(one)
            self.charge(owned)
            self.mutate(owned)
            if name not in library.NO_HOLD_METHODS and not _is_true(node, "inplace"):
                self.hold(one, given)
            if name in library.SELF_METHODS:
                return (one,)
            if _is_true(node, "inplace"):
                return ()
            if name in library.NO_HOLD_METHODS:
                return (self.new(node, Kind.LIBRARY, made, role="result"),)
            whole.append(one)
            return (self.new(node, Kind.LIBRARY, made, role="result"),)
        if name in library.SCALAR_METHODS:
            return ()
        result = self.new(node, Kind.LIBRARY, made, role="result")
        if name in library.VIEW_METHODS or (one.kind is not Kind.LIBRARY and name in library.CONTAINER_PARTS):
            whole.append(one)
            return (result,)
        if one.kind in (Kind.INSTANCE, Kind.UNKNOWN) and name == "copy":
            self.hold(result, one.holds)
        if name in ("pipe", "apply", "agg", "transform", "assign"):
            self.hold(result, (o for o in given if o.kind is not Kind.FUNCTION))
        return (result,)

    def _owned(self, one: Obj) -> set[Obj]:
        """What a method that is not known to leave its object alone may change."""
        if one.kind is Kind.LIBRARY and one.origin.rpartition(".")[2] not in library.HOLDING_TYPES:
            if not _OPTIMISER.search(one.origin):
                return {one}
        found: set[Obj] = set()
        todo = [one]
        while todo:
            inner = todo.pop()
            if inner not in found and (inner is one or inner.kind not in (Kind.FUNCTION, Kind.CLASS, Kind.MODULE)):
                found.add(inner)
                todo += inner.holds
        return found


def _is_true(node: ast.Call, name: str) -> bool:
    return any(k.arg == name and not (isinstance(k.value, ast.Constant) and not k.value.value) for k in node.keywords)


def _is_false(node: ast.Call, name: str) -> bool:
    return any(k.arg == name and isinstance(k.value, ast.Constant) and not k.value.value for k in node.keywords)
