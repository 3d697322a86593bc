"""Functions and classes of the notebook: calling one runs its body on what the arguments may be.

Bodies are run per call and context instead of being summed up once, so that ``global``, closures, methods and
callbacks need no rules of their own: a callback is called where it is called, a method finds its class through the
instance, and a global has the value of that moment.
"""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from jupyter_mlops.notebook.memory import Frame, Memory, State
from jupyter_mlops.notebook.objects import EMPTY, Kind, Obj, Pts, contents, reach
from jupyter_mlops.notebook.scopes import (
    Bindings,
    FunctionNode,
    bindings,
    calls_itself_generator,
    free_names,
    parameters,
)

__all__ = ["Arguments", "Frame", "Function", "FunctionInfo", "Functions", "Loop"]

_DEPTH = 12  # nested calls that are followed
_ROUNDS = 5  # of a function that is called again while it runs, until nothing new comes up
_NESTED = 1  # call-backs of libraries inside of one another that are followed


@dataclass(frozen=True)
class FunctionInfo:
    """What a function or class of the notebook does to the notebook around it.

    Parameters
    ----------
    statement
        Index of the statement that defines it.
    reads
        Global names that it reads, also through the functions it calls; modules and functions included.
    writes
        Global names that it rebinds (``global``).
    mutates_globals
        Global names whose objects it changes in place.
    mutates_params
        Parameters whose objects it changes in place: positions, and names for keyword-only and starred ones.
    """

    name: str
    statement: int
    kind: Literal["function", "class", "lambda"]
    reads: frozenset[str]
    writes: frozenset[str]
    mutates_globals: frozenset[str]
    mutates_params: frozenset[int | str]
    params: tuple[str, ...]


@dataclass(eq=False, slots=True)
class Function:
    """The syntax of a function, and what follows from it alone."""

    node: FunctionNode
    name: str
    params: list[str]
    scope: Bindings
    free: frozenset[str]
    generator: bool
    decorators: frozenset[str]

    @classmethod
    def of(cls, node: FunctionNode) -> Function:
        params = parameters(node)
        body: list[ast.AST] = list(node.body) if isinstance(node.body, list) else [node.body]
        inner = bindings(body)
        scope = Bindings((inner.local | set(params)) - inner.declared_global, inner.declared_global, inner.declared_nonlocal)
        lazy = calls_itself_generator(node) or isinstance(node, ast.AsyncFunctionDef)
        decorated = [] if isinstance(node, ast.Lambda) else node.decorator_list
        names = frozenset(_last_name(one) for one in decorated)
        return cls(node, getattr(node, "name", "<lambda>"), params, scope, free_names(node), lazy, names)


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


@dataclass(slots=True)
class Arguments:
    """Evaluated arguments; `spread` may land in any parameter (``*args``, ``**kwargs``, callbacks)."""

    positional: list[Pts] = field(default_factory=list)
    keywords: dict[str, Pts] = field(default_factory=dict)
    spread: Pts = EMPTY

    def all(self) -> Pts:
        return frozenset().union(*self.positional, *self.keywords.values(), self.spread)


@dataclass(slots=True)
class Loop:
    """States in which a loop was left or begun anew."""

    breaks: list[State] = field(default_factory=list)
    continues: list[State] = field(default_factory=list)


@dataclass(slots=True)
class _Activation:
    """A function, class or instance that a library is calling: what it was given so far and what came back."""

    given: set[Obj]
    result: set[Obj] = field(default_factory=set)
    again: bool = False


class Functions(Memory):
    """Defines and calls the notebook's functions and classes."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[int, Function] = {}
        self._cache: dict[object, tuple[int, Mapping[str, int], frozenset[Obj]]] = {}
        self._recursed: set[object] = set()
        self._active: dict[Obj, _Activation] = {}
        self.loops: list[Loop] = []

    @abstractmethod
    def evaluate(self, node: ast.expr) -> Pts:
        """What an expression may be."""

    @abstractmethod
    def run_body(self, body: list[ast.stmt]) -> None:
        """Run statements in the current scope."""

    def function_of(self, node: FunctionNode) -> Function:
        found = self._known.get(id(node))
        if found is None:
            found = self._known[id(node)] = Function.of(node)
        return found

    def define(self, node: FunctionNode) -> Obj:
        """The function object that a ``def`` or ``lambda`` makes here."""
        function = self.function_of(node)
        one = self.new(node, Kind.FUNCTION, origin=function.name)
        one.function = function
        one.frame = self.frame.parent if self.frame.kind == "class" else self.frame
        a = node.args
        positional = [*a.posonlyargs, *a.args]
        defaulted: list[tuple[ast.arg, ast.expr | None]] = [
            *zip(positional[len(positional) - len(a.defaults) :], a.defaults, strict=True),
            *zip(a.kwonlyargs, a.kw_defaults, strict=True),
        ]
        for parameter, default in defaulted:
            if default is not None:
                value = self.evaluate(default)
                one.fields.setdefault(parameter.arg, set()).update(value)
                self.hold(one, value)  # a mutable default is state of the function
        if self.frame.kind != "top" and one not in self.frame.closures:
            self.frame.closures.append(one)
        return one

    # Calling

    def call_function(self, one: Obj, arguments: Arguments, site: ast.AST) -> Pts:
        """Run a function's body on the arguments and say what it may return."""
        function = one.function
        assert function is not None
        bound = self._bind(one, function, arguments)
        key = (one, tuple(bound.items()))
        running = self._stack.get(key)
        if running is not None:
            self._recursed.add(key)  # the call that is running repeats until nothing new comes up
            return frozenset(running)
        cached = self._cache.get((key, id(self.effects), self.weak > 0))
        if cached is not None and cached[0] == self.version:
            for name, line in cached[1].items():
                if name not in self.state.must:
                    self.effects.reads.setdefault(name, line)
            return cached[2]
        if len(self._stack) >= _DEPTH or self.exhausted:
            return self._assume_the_worst([function], arguments.all(), site)
        reads = self.effects.reads
        self.effects.reads = {}
        binds_before = len(self.effects.binds) + len(self.effects.deletes)
        result = self._run(one, function, bound, key, site)
        own = self.effects.reads
        self.effects.reads = reads
        for name, line in own.items():
            reads.setdefault(name, line)
        if len(self.effects.binds) + len(self.effects.deletes) == binds_before and not self._recursed:
            self._cache[(key, id(self.effects), self.weak > 0)] = (self.version, own, result)
        return result

    def _run(self, one: Obj, function: Function, bound: dict[str, Pts], key: object, site: ast.AST) -> Pts:
        caller, weak, outer_weak, loops = self.frame, self.weak, self.outer_weak, self.loops
        frame = self.enter((key, id(site), caller.id), function.scope, one.frame, "function")
        frame.owner, frame.first = one, function.params[0] if function.params else None
        results = self._stack[key] = set()
        for _ in range(_ROUNDS):
            self._recursed.discard(key)
            before = (len(results), self.version, len(self.effects.mutated))
            frame.result, frame.exits = results, []
            self.frame, self.weak, self.outer_weak, self.loops = frame, 0, outer_weak + weak, []
            for name, value in bound.items():
                self.state.env[(frame.id, name)] = value
            node = function.node
            if isinstance(node, ast.Lambda):
                results |= self.evaluate(node.body)
            else:
                self.run_body(node.body)
            self.state = self.join([self.state, *frame.exits])
            self.state.dead = False
            if key not in self._recursed or (len(results), self.version, len(self.effects.mutated)) == before:
                break
        self._recursed.discard(key)
        del self._stack[key]
        self.frame, self.weak, self.outer_weak, self.loops = caller, weak, outer_weak, loops
        for closure in frame.closures:
            made = closure.function
            if made is not None:
                for name in sorted(made.free & frame.scope.local):
                    self.hold(closure, self.state.env.get((frame.id, name), EMPTY))
        if not frame.closures:
            for name in sorted(function.scope.local):
                self.state.env.pop((frame.id, name), None)
        if function.generator:
            lazy = self.new(site, Kind.LAZY, frame.yields | frame.result, role="generator")
            everything = frozenset().union(*bound.values()) if bound else EMPTY
            self.refer(lazy, everything)
            lazy.thunk = lambda: self._rerun(one, bound, site)
            return frozenset((lazy,))
        return frozenset(results)

    def _rerun(self, one: Obj, bound: dict[str, Pts], site: ast.AST) -> None:
        """A generator's body runs when its items are asked for: then, its globals are read."""
        self.call_function(one, Arguments(keywords=dict(bound)), site)

    def _bind(self, one: Obj, function: Function, arguments: Arguments) -> dict[str, Pts]:
        a = function.node.args
        positional = [p.arg for p in (*a.posonlyargs, *a.args)]
        bound: dict[str, Pts] = {}
        for name, value in zip(positional, arguments.positional, strict=False):
            bound[name] = value
        extra = frozenset().union(*arguments.positional[len(positional) :], arguments.spread)
        unknown = frozenset().union(*(v for k, v in arguments.keywords.items() if k not in function.params), EMPTY)
        for name in function.params:
            if name in arguments.keywords:
                bound[name] = bound.get(name, EMPTY) | arguments.keywords[name]
            elif name not in bound:
                default = frozenset(one.fields.get(name, ()))
                bound[name] = arguments.spread | default
        if a.vararg is not None and a.vararg.arg not in arguments.keywords:
            bound[a.vararg.arg] = self._packed(function.node, Kind.TUPLE, extra)
        if a.kwarg is not None and a.kwarg.arg not in arguments.keywords:
            bound[a.kwarg.arg] = self._packed(function.node, Kind.DICT, unknown | arguments.spread)
        return bound

    def _packed(self, node: ast.AST, kind: Kind, held: Pts) -> Pts:
        if not held:
            return EMPTY
        return frozenset((self.new(node, kind, held, role="packed"),))

    def _assume_the_worst(self, functions: list[Function], given: Pts, site: ast.AST) -> Pts:
        """Too deep to follow: everything that is handed over or read by name may be changed and handed on."""
        everything = set(given)
        for name in sorted(self._all_free(functions)):
            if self.bound(name):  # the free names are an upper bound: variables of comprehensions are among them
                everything |= self.load(name, site)
        everything = reach(everything)
        self.charge(everything)
        everything = {o for o in everything if o.kind not in (Kind.MODULE, Kind.FUNCTION, Kind.CLASS)}
        self.mutate(everything)
        return frozenset((self.new(site, Kind.UNKNOWN, everything, role="deep"),))

    def _all_free(self, functions: list[Function]) -> set[str]:
        names = set().union(*(one.free for one in functions))
        todo = list(names)
        while todo:
            for one in self.state.env.get(todo.pop(), EMPTY):
                if one.function is not None:
                    fresh = one.function.free - names
                    names |= fresh
                    todo += fresh
        return names

    # Classes

    def method(self, cls: Obj, name: str) -> set[Obj]:
        """The class's attribute of that name, its own or inherited from a class of the notebook."""
        seen: set[Obj] = set()
        todo = [cls]
        while todo:
            one = todo.pop(0)
            if one in seen:
                continue
            seen.add(one)
            if name in one.fields:
                return one.fields[name]
            todo += [base for group in one.items or () for base in group if base.kind is Kind.CLASS]
        return set()

    def methods(self, cls: Obj) -> dict[str, set[Obj]]:
        """All functions of a class and of its bases in the notebook."""
        found: dict[str, set[Obj]] = {}
        seen: set[Obj] = set()
        todo = [cls]
        while todo:
            one = todo.pop(0)
            if one in seen:
                continue
            seen.add(one)
            for name, values in one.fields.items():
                functions = {value for value in values if value.kind is Kind.FUNCTION}
                if functions:
                    found.setdefault(name, functions)
            todo += [base for group in one.items or () for base in group if base.kind is Kind.CLASS]
        return found

    def from_library(self, cls: Obj) -> bool:
        """Whether some base of the class is not the notebook's own."""
        return cls.loose or any(
            self.from_library(base) for group in cls.items or () for base in group if base.kind is Kind.CLASS and base is not cls
        )

    def call_method(self, method: Obj, receiver: Pts, cls: Obj, arguments: Arguments, site: ast.AST) -> Pts:
        """Call a function that was found in a class."""
        decorators = method.function.decorators if method.function is not None else frozenset()
        if "staticmethod" in decorators:
            return self.call_function(method, arguments, site)
        first = frozenset((cls,)) if "classmethod" in decorators else receiver
        full = Arguments([first, *arguments.positional], arguments.keywords, arguments.spread)
        return self.call_function(method, full, site)

    def instantiate(self, cls: Obj, arguments: Arguments, site: ast.AST) -> Pts:
        """Make an instance of a notebook's class."""
        one = self.new(site, Kind.INSTANCE, origin=cls.origin)
        one.cls = cls
        me = frozenset((one,))
        made = False
        for name in ("__new__", "__init__", "__post_init__"):
            for method in list(self.method(cls, name)):
                if method.kind is Kind.FUNCTION:
                    made = made or name == "__init__"
                    first = frozenset((cls,)) if name == "__new__" else me
                    given = arguments if name != "__post_init__" else Arguments()
                    self.call_function(method, Arguments([first, *given.positional], given.keywords, given.spread), site)
        if not made or self.from_library(cls):
            # A dataclass or a library's __init__ stores what it is given under names that are not seen here.
            self.hold(one, arguments.all())
            one.loose = one.loose or bool(arguments.positional or arguments.spread) or self.from_library(cls)
            for name, value in arguments.keywords.items():
                one.fields.setdefault(name, set()).update(value)
        return me

    def touch(self, objects: Iterable[Obj], site: ast.AST, other: Pts = EMPTY) -> Pts:
        """Operators, iteration, printing: the special methods of a notebook's class may run."""
        result: set[Obj] = set()
        for one in objects:
            if one.kind is not Kind.INSTANCE or one.cls is None:
                continue
            for name, functions in self.methods(one.cls).items():
                if name.startswith("__") and name not in ("__init__", "__new__", "__post_init__", "__init_subclass__"):
                    for method in functions:
                        arguments = Arguments(spread=other)
                        result |= self.call_method(method, frozenset((one,)), one.cls, arguments, site)
        return frozenset(result)

    def activate(self, objects: Iterable[Obj], others: Pts, site: ast.AST, *, instances: bool = True) -> Pts:
        """Hand the notebook's own functions to a library, which may call them on anything it was given."""
        result: set[Obj] = set()
        given = others | contents(others)
        deep: list[Obj] = []
        for one in objects:
            if one.kind not in (Kind.FUNCTION, Kind.CLASS, Kind.INSTANCE) or (one.kind is Kind.INSTANCE and not instances):
                continue
            running = self._active.get(one)
            if running is not None:
                # The library is in the middle of calling it. What comes in here goes to the run that is under way:
                # a run of its own for every way back in would never end.
                self._recursed.add(("active", one))
                running.again = running.again or not given <= running.given
                running.given |= given
                result |= running.result
                continue
            if len(self._active) >= _NESTED or self.exhausted:
                deep.append(one)
                continue
            result |= self._activate(one, given, site)
        return frozenset(result | self._worst_of(deep, given, site))

    def _worst_of(self, objects: list[Obj], given: Pts, site: ast.AST) -> Pts:
        """A library called something that calls a library that calls `objects`: too deep to follow."""
        found = [one for one in objects if one.kind is Kind.FUNCTION]
        for one in objects:
            if one.cls is not None:
                found += [f for group in self.methods(one.cls).values() for f in group]
        functions = [one.function for one in found if one.function is not None]
        return self._assume_the_worst(functions, given | frozenset(objects), site) if functions else EMPTY

    def _activate(self, one: Obj, given: Pts, site: ast.AST) -> set[Obj]:
        running = self._active[one] = _Activation(set(given))
        for _ in range(_ROUNDS):
            running.again = False
            before = len(running.result)
            now = frozenset(running.given)
            if one.kind is Kind.FUNCTION:
                running.result |= self.call_function(one, Arguments(spread=now), site)
            elif one.kind is Kind.CLASS:
                running.result |= self.instantiate(one, Arguments(spread=now), site)
            elif one.cls is not None:
                for name, functions in self.methods(one.cls).items():
                    if name != "__init__":
                        for method in functions:
                            arguments = Arguments(spread=now - {one})
                            running.result |= self.call_method(method, frozenset((one,)), one.cls, arguments, site)
            if not running.again and len(running.result) == before:
                break
            if ("active", one) not in self._recursed:
                break
        self._recursed.discard(("active", one))
        del self._active[one]
        return running.result
