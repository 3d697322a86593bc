"""The state of an abstract run: scopes, what each name may refer to, and the effects of the statement at hand."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sized
from dataclasses import dataclass, field

from jupyter_mlops.notebook.hidden import CONFIG, PLOT, HiddenEffect, is_plotting
from jupyter_mlops.notebook.library import BUILTINS, NOTEBOOK_NAMES
from jupyter_mlops.notebook.objects import EMPTY, Kind, Obj, Pts
from jupyter_mlops.notebook.scopes import Bindings

__all__ = ["Effects", "Frame", "Memory", "State"]

_BUDGET = 4_000  # for one notebook
_OBJECTS = 2_000  # that are told apart by the context they are made in
Key = str | tuple[int, str]  # a global's name, or a local's frame and name


@dataclass(eq=False, slots=True)
class Frame:
    """One scope: the notebook's top level, a function called in one context, a class body or a comprehension."""

    id: int
    scope: Bindings
    parent: Frame | None = None
    kind: str = "function"  # "top" | "function" | "class" | "comprehension"
    owner: Obj | None = None  # the function that runs
    first: str | None = None  # its first parameter
    result: set[Obj] = field(default_factory=set)
    yields: set[Obj] = field(default_factory=set)
    exits: list[State] = field(default_factory=list)
    closures: list[Obj] = field(default_factory=list)


@dataclass(slots=True)
class State:
    """What holds at one point: `must` are the names that the current statement has surely bound by then."""

    env: dict[Key, Pts]
    must: set[str]
    dead: bool = False

    def copy(self) -> State:
        return State(dict(self.env), set(self.must), self.dead)


@dataclass(slots=True)
class Effects:
    """What one top-level statement does; lines are within its cell."""

    reads: dict[str, int] = field(default_factory=dict)
    binds: set[str] = field(default_factory=set)
    adds: set[str] = field(default_factory=set)  # bound, but what was bound before still counts (`import a.b`)
    deletes: set[str] = field(default_factory=set)
    mutated: set[Obj] = field(default_factory=set)
    hidden: set[HiddenEffect] = field(default_factory=set)
    missing: dict[str, int] = field(default_factory=dict)
    star: bool = False
    dynamic: dict[str, int] = field(default_factory=dict)  # exec, eval and the like, by name


class Memory:
    """Names, scopes and objects. The layers above evaluate expressions and run statements on it."""

    def __init__(self) -> None:
        self.top = Frame(0, Bindings(frozenset(), frozenset(), frozenset()), kind="top")
        self.frame = self.top
        self.state = State({}, set())
        self.effects = Effects()
        self.weak = 0  # in a `try` body: what was bound before may still be what a handler sees
        self.outer_weak = 0  # the same for the callers of the function that runs
        self.quiet = 0  # in a `try` that catches NameError
        self.line = 0
        self.version = 0  # changes whenever what a called function could see changes
        self.links = 0  # changes whenever some object holds more
        self._stack: dict[object, set[Obj]] = {}  # calls that are running, with what they may return
        self._frames: dict[object, Frame] = {}
        self._objects: dict[object, Obj] = {}
        self._modules: dict[str, Obj] = {}
        self._running: set[Obj] = set()
        self.spent = 0  # statements of called functions that were run, and objects that were gone through

    @property
    def exhausted(self) -> bool:
        """Whether so much was followed that the rest of the notebook is taken at its worst: a bound on the time."""
        return self.spent > _BUDGET

    def charge(self, seen: Sized) -> None:
        """Note that many objects were gone through: notebooks where everything holds everything end by this."""
        self.spent += len(seen) // 16

    # Objects

    def _number(self) -> int:
        return len(self._objects) + len(self._modules) + 1

    def new(self, node: ast.AST, kind: Kind, holds: Iterable[Obj] = (), *, role: str = "", origin: str = "") -> Obj:
        """The object that `node` makes in the current scope: the same one each time, so that loops come to an end."""
        # In large notebooks one object stands for what `node` makes in all contexts: many small ones that hold one another
        # take minutes to follow.
        context = self.frame.id if len(self._objects) < _OBJECTS else -1
        key = (id(node), context, kind, role)
        found = self._objects.get(key)
        if found is None:
            found = self._objects[key] = Obj(kind, origin, self._number())
        self.hold(found, holds)
        return found

    def hold(self, one: Obj, held: Iterable[Obj]) -> None:
        before = len(one.holds)
        one.holds.update(held)
        if len(one.holds) != before:
            one.holds.discard(one)
            self.version += 1
            self.links += 1

    def refer(self, one: Obj, others: Iterable[Obj]) -> None:
        before = len(one.refers)
        one.refers.update(others)
        if len(one.refers) != before:
            one.refers.discard(one)
            self.version += 1
            self.links += 1

    def module(self, origin: str) -> Obj:
        found = self._modules.get(origin)
        if found is None:
            found = self._modules[origin] = Obj(Kind.MODULE, origin, self._number())
            package = origin.split(".")[0]
            if package and package != origin:
                found.refers.add(self.module(package))
        return found

    def mutate(self, objects: Iterable[Obj]) -> None:
        """Note that the objects are changed in place."""
        for one in objects:
            if one.kind is Kind.MODULE:
                if one.origin.startswith("pandas.options.display") or one.origin.startswith("warnings"):
                    continue
                if is_plotting(one.origin):
                    self.hidden([HiddenEffect(PLOT, "change")])
                    continue
                if one.origin == "os.environ":
                    self.hidden([HiddenEffect(CONFIG, "change")])
                self.effects.mutated.add(self.module(one.origin.split(".")[0]))
            else:
                self.effects.mutated.add(one)

    def hidden(self, effects: Iterable[HiddenEffect]) -> None:
        self.effects.hidden.update(effects)

    # Scopes

    def enter(self, key: object, scope: Bindings, parent: Frame | None, kind: str) -> Frame:
        """The frame for a context; the same one each time."""
        frame = self._frames.get(key)
        if frame is None:
            frame = self._frames[key] = Frame(len(self._frames) + 1, scope, parent, kind)
        return frame

    def _key(self, name: str) -> tuple[Key, Frame]:
        frame: Frame | None = self.frame
        while frame is not None and frame.kind != "top":
            if name in frame.scope.declared_global:
                break
            if name in frame.scope.local and not (frame.kind == "class" and (frame.id, name) not in self.state.env):
                return (frame.id, name), frame
            frame = frame.parent
        return name, self.top

    def load(self, name: str, node: ast.AST) -> Pts:
        """What a name may refer to; reading a global is noted."""
        key, frame = self._key(name)
        if frame is not self.top:
            return self._looked_at(self.state.env.get(key, EMPTY))
        found = self.state.env.get(name)
        # In a called function, the place of the call tells more than a line of another cell.
        line = self.line if self._stack else getattr(node, "lineno", self.line)
        if name not in self.state.must:
            self.effects.reads.setdefault(name, line)
        if found is not None:
            return self._looked_at(found)
        if name in BUILTINS or name in NOTEBOOK_NAMES:
            return EMPTY
        if not self.quiet:
            self.effects.missing.setdefault(name, line)
        return frozenset((self._unknown(name),))

    def _unknown(self, name: str) -> Obj:
        key = ("name", name)
        if key not in self._objects:
            self._objects[key] = Obj(Kind.UNKNOWN, name, self._number())
        return self._objects[key]

    def bound(self, name: str) -> bool:
        """Whether the name means something of the notebook's own, and not a builtin."""
        return self._key(name)[0] in self.state.env

    def _looked_at(self, found: Pts) -> Pts:
        for one in found:
            if one.kind is Kind.LAZY or one.kind is Kind.RANDOM:
                self.effects.mutated.add(one)
                if one.thunk is not None and one not in self._running and not self.exhausted:
                    self._running.add(one)
                    one.thunk()
                    self._running.discard(one)
        return found

    def store(self, name: str, value: Pts) -> None:
        """Bind a name where the current scope binds it."""
        frame = self.frame
        if frame.kind == "top" or name in frame.scope.declared_global:
            self.effects.binds.add(name)
            self.state.must.add(name)
            self._put(name, value)
            return
        if name in frame.scope.declared_nonlocal:
            key, owner = self._outer(name)
            # The variable is state of every function that was made in that scope.
            self.mutate(owner.closures)
            self._put(key, self.state.env.get(key, EMPTY) | value)
            return
        self._put((frame.id, name), value)

    def _outer(self, name: str) -> tuple[Key, Frame]:
        here = self.frame
        self.frame = here.parent or self.top
        try:
            return self._key(name)
        finally:
            self.frame = here

    def _put(self, key: Key, value: Pts) -> None:
        before = self.state.env.get(key)
        if before is not None and (self.weak or (self.outer_weak and isinstance(key, str))):
            value = before | value
        if before != value:
            self.state.env[key] = value
            if isinstance(key, str) or self.frame.closures:
                self.version += 1

    def unbind(self, name: str) -> None:
        key, frame = self._key(name)
        if frame is self.top:
            self.effects.deletes.add(name)
            self.effects.binds.discard(name)
            self.state.must.discard(name)
            self.version += 1
        if not self.weak:
            self.state.env.pop(key, None)

    def forget(self, name: str) -> None:
        """The name of a handled exception is gone after its handler."""
        key, frame = self._key(name)
        if frame is self.top:
            self.effects.binds.discard(name)
            self.state.must.discard(name)
        self.state.env.pop(key, None)

    # Joining paths

    def join(self, states: list[State]) -> State:
        """What holds when one of several paths was taken; paths that left are not among them."""
        alive = [one for one in states if not one.dead]
        if not alive:
            return State(states[0].env, states[0].must, dead=True)
        first = alive[0]
        if len(alive) == 1:
            return first
        env, must = dict(first.env), set(first.must)
        for other in alive[1:]:
            must &= other.must
            if other.env is first.env:
                continue
            for key, value in other.env.items():
                before = env.get(key)
                if before is None:
                    env[key] = value
                elif before is not value and before != value:
                    env[key] = before | value
        return State(env, must)
