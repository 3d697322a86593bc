"""Abstract objects: what the names of a notebook may refer to, and which objects hold which.

One abstract object stands for everything that one piece of syntax creates in one context. A name that surely refers
to an immutable value (a number, a string) refers to no abstract object: nothing can change it in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_mlops.notebook.functions import Frame, Function

__all__ = ["EMPTY", "Kind", "Obj", "Pts", "contents", "parts", "reach"]


class Kind(Enum):
    """What is known of an object."""

    UNKNOWN = "unknown"  # may be anything mutable
    LIBRARY = "library"  # what a library's function or class gave: a frame, an array, an estimator
    LIST = "list"
    TUPLE = "tuple"
    SET = "set"
    DICT = "dict"
    MODULE = "module"  # a module or what was imported from one; `origin` is the dotted name
    FUNCTION = "function"  # a function or lambda of the notebook
    CLASS = "class"  # a class of the notebook
    INSTANCE = "instance"  # an instance of a class of the notebook
    LAZY = "lazy"  # iterators, open files: looking at them changes them
    RANDOM = "random"  # random generators: asking them changes them
    PARTIAL = "partial"  # calls the functions that it holds

    __hash__ = object.__hash__  # members are compared by identity; Enum's own hash is slow, and this one is asked for often


@dataclass(eq=False, slots=True)
class Obj:
    """One abstract object.

    Parameters
    ----------
    holds
        Objects that can be reached, and changed, through this one.
    refers
        Objects whose change shows in this one, but that this one's methods leave alone (a search's base estimator).
    fields
        Attributes of an instance of a notebook's class, as far as they are stored by name.
    items
        What stands at each position of a tuple.
    """

    kind: Kind
    origin: str = ""
    number: int = 0  # its hash, so that sets of objects have the same order in each run
    holds: set[Obj] = field(default_factory=set)
    refers: set[Obj] = field(default_factory=set)
    fields: dict[str, set[Obj]] = field(default_factory=dict)
    items: list[set[Obj]] | None = None
    loose: bool = False  # attributes may have been stored under unknown names
    stochastic: bool = False  # an estimator that samples when it is fitted
    function: Function | None = None
    cls: Obj | None = None
    frame: Frame | None = None
    thunk: Callable[[], None] | None = None

    def __hash__(self) -> int:
        return self.number

    def __repr__(self) -> str:
        return f"<{self.kind.value} {self.origin or id(self)}>"


Pts = frozenset[Obj]
EMPTY: Pts = frozenset()
CONTAINERS = frozenset({Kind.LIST, Kind.TUPLE, Kind.SET, Kind.DICT, Kind.LAZY})
_CODE = frozenset({Kind.FUNCTION, Kind.CLASS, Kind.MODULE})


def reach(objects: Iterable[Obj]) -> set[Obj]:
    """The objects and everything whose change could show in them."""
    seen = set(objects)
    stack = list(seen)
    while stack:
        one = stack.pop()
        # Whole sets at once: where everything holds everything, there are far more links than objects.
        for group in (one.holds, one.refers):
            if group and not group <= seen:
                fresh = group - seen
                seen |= fresh
                stack.extend(fresh)
        if one.cls is not None and one.cls not in seen:
            seen.add(one.cls)
            stack.append(one.cls)
    return seen


def parts(objects: Iterable[Obj]) -> set[Obj]:
    """The objects and everything that an attribute or item of them may be. Code is left out: it is not stored data."""
    found = set(objects)
    seen = set(found)
    stack = list(found)
    while stack:
        one = stack.pop()
        for group in (one.holds, one.refers) if one.cls is None else (one.holds, one.refers, one.cls.holds):
            if group and not group <= seen:
                fresh = group - seen
                seen |= fresh
                data = [inner for inner in fresh if inner.kind not in _CODE]
                found.update(data)
                stack.extend(data)
    return found


def contents(objects: Iterable[Obj]) -> Pts:
    """What an element of the objects may be."""
    found: set[Obj] = set()
    opaque: list[Obj] = []
    seen: set[Obj] = set()
    stack = list(objects)
    while stack:
        one = stack.pop()
        if one in seen:
            continue
        seen.add(one)
        if one.kind in CONTAINERS:
            found |= one.holds
            stack.extend(one.refers)  # a live view of another container
        else:
            opaque.append(one)
    if opaque:
        found |= parts(opaque)
        for one in opaque:
            found |= one.holds
    return frozenset(found)
