"""Which rows a value holds, at every point of the notebook: all of a table, or the training or test part of a split.

The notebook's statements are run once, in order, on values that only know where their rows come from, what prepared
them, and which model predicted them. What happens on the way (a fit, a prediction, a split, a statistic that fills gaps)
is noted as an `Event`. Functions of the notebook are followed into at each call, loops over a literal list pass by pass.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from jupyter_mlops.notebook.checks.context import Context
    from jupyter_mlops.notebook.dataflow import Statement

__all__ = ["NOTHING", "Estimator", "Event", "Follower", "Part", "Rows", "Value", "joined"]

Part = Literal["whole", "train", "test"]
EventKind = Literal["split", "fit", "transform", "predict", "evaluate", "statistic", "fill", "dummies", "cross-validate"]


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of a table, or a part of a split; `of` is the number of the table or of the split."""

    part: Part
    of: int


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of a value.

    Parameters
    ----------
    rows
        The rows that it holds, or that its numbers were computed for.
    models
        Estimators that it is or holds.
    prepared
        Class names of what transformed its rows.
    predicted
        The predictions that it is made of, by the order of their events.
    summary
        The rows of which it is a statistic.
    columns
        The columns it surely has, where they are chosen by name.
    words
        Strings of a literal.
    items
        What stands at each position of a tuple.
    """

    rows: frozenset[Rows] = frozenset()
    models: frozenset[int] = frozenset()
    prepared: frozenset[str] = frozenset()
    predicted: frozenset[int] = frozenset()
    summary: frozenset[Rows] = frozenset()
    columns: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    items: tuple[Value, ...] | None = None
    grouped: bool = False
    synthetic: bool = False

    @property
    def parts(self) -> frozenset[Part]:
        """Of which parts the rows are."""
        return frozenset(one.part for one in self.rows)


NOTHING = Value()


def joined(values: Iterable[Value]) -> Value:
    """One of several values, or something made of all of them."""
    given = [one for one in values if one is not NOTHING]
    if not given:
        return NOTHING
    if len(given) == 1:
        return given[0]
    union = frozenset[int]().union
    return Value(
        rows=frozenset().union(*(v.rows for v in given)),
        models=union(*(v.models for v in given)),
        prepared=frozenset().union(*(v.prepared for v in given)),
        predicted=union(*(v.predicted for v in given)),
        summary=frozenset().union(*(v.summary for v in given)),
        words=tuple(word for v in given for word in v.words),
    )


@dataclass(frozen=True)
class Estimator:
    """An estimator that the notebook makes; `kind` is what it learns."""

    name: str
    kind: str
    node: ast.Call
    parts: frozenset[int] = frozenset()  # estimators inside of it


@dataclass(frozen=True, eq=False)
class Event:
    """Something that happens to rows.

    Parameters
    ----------
    name
        The class that is fitted, or the function or method that is called.
    value
        The rows that are fitted, predicted, measured or filled.
    other
        The target of a fit, the statistic that fills.
    """

    order: int
    kind: EventKind
    statement: Statement
    cell: int
    node: ast.expr
    name: str
    value: Value
    other: Value = NOTHING
    models: frozenset[int] = frozenset()
    first: Value = NOTHING  # of a split: its first argument
    asked: frozenset[int] = frozenset()  # of a measurement: the predictions that it measures
    column: str = ""
    again: bool = False  # a fit that also transforms, of the same rows

    @property
    def line(self) -> int:
        """1-based line in the cell."""
        return self.node.lineno


@dataclass
class Scope:
    """Names of a function that is followed, or of the notebook."""

    names: dict[str, Value] = field(default_factory=dict)
    outer: Scope | None = None
    result: list[Value] = field(default_factory=list)

    def get(self, name: str) -> Value:
        """The value of a name, from here outwards."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return NOTHING


class Follower:
    """Runs the notebook's statements on `Value`s; `events` and `splits` are what comes of it."""

    def __init__(self, context: Context) -> None:
        from jupyter_mlops.notebook.checks.evaluate import Evaluator

        self.context = context
        self.events: list[Event] = []
        self.splits: dict[int, Event] = {}
        self.estimators: list[Estimator] = []
        self.scope = Scope()
        self.statement: Statement = None  # type: ignore[assignment] # set before anything is evaluated
        self.cell = 0
        self.depth = 0
        self.steps = 0
        self._tables: dict[object, int] = {}
        self._sources: dict[int, int] = {}
        self.evaluator = Evaluator(self)

    def run(self) -> None:
        """Follow all statements."""
        for statement in self.context.statements:
            self.statement, self.cell = statement, statement.cell
            self.execute(statement.node)

    # What values come from

    def table(self, key: object, part: Part = "whole", source: int | None = None) -> Value:
        """Rows of a table of their own, or some of the rows of `source`; the same one for the same key."""
        number = self._tables.setdefault(key, len(self._tables))
        if source is not None and source != number:
            self._sources.setdefault(number, source)
        return Value(rows=frozenset((Rows(part, number),)))

    def holds(self, rows: frozenset[Rows], others: frozenset[Rows]) -> bool:
        """Whether some of `others` may be among `rows`: the same table, or taken from it; True where nothing is known."""
        if not rows or not others:
            return True
        tables = {one.of for one in rows}
        for one in others:
            number: int | None = one.of
            while number is not None:
                if number in tables:
                    return True
                number = self._sources.get(number)
        return False

    def estimator(self, name: str, kind: str, node: ast.Call, parts: frozenset[int]) -> Value:
        """A new estimator."""
        self.estimators.append(Estimator(name, kind, node, parts))
        return Value(models=frozenset((len(self.estimators) - 1,)))

    def note(self, kind: EventKind, node: ast.expr, name: str, value: Value, **more: object) -> Event:
        """Note that something happens here."""
        event = Event(len(self.events), kind, self.statement, self.cell, node, name, value, **more)  # type: ignore[arg-type]
        self.events.append(event)
        return event

    def split(self, node: ast.Call, inputs: list[Value], name: str) -> int:
        """Note a split; returns its number."""
        event = self.note(
            "split",
            node,
            name,
            joined(inputs),
            other=inputs[1] if len(inputs) > 1 else NOTHING,
            first=inputs[0] if inputs else NOTHING,
        )
        number = -1 - len(self.splits)  # tables have the other numbers
        self.splits[number] = event
        return number

    # Statements

    def execute(self, node: ast.stmt) -> None:
        """Run one statement and those inside of it."""
        self.steps += 1
        evaluate = self.evaluator.evaluate
        match node:
            case ast.Assign(targets=targets, value=value):
                result = evaluate(value)
                for target in targets:
                    self.bind(target, result, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self.bind(target, evaluate(value), value)
            case ast.AugAssign(target=target, value=value):
                self.bind(target, joined([evaluate(target), evaluate(value)]), value)
            case (
                ast.For(target=target, iter=source, body=body, orelse=orelse)
                | ast.AsyncFor(target=target, iter=source, body=body, orelse=orelse)
            ):
                for one in self.passes(source):
                    self.bind(target, one, None)
                    self.block(body)
                self.block(orelse)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                pass
            case ast.Return(value=value):
                self.scope.result.append(evaluate(value) if value is not None else NOTHING)
            case ast.If(test=test, body=body, orelse=orelse):
                evaluate(test)
                self.branches(body, orelse)
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                for item in items:
                    result = evaluate(item.context_expr)
                    if item.optional_vars is not None:
                        self.bind(item.optional_vars, result, None)
                self.block(body)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                self.block([*body, *orelse])
                for handler in handlers:
                    self.branches(handler.body, [])
                self.block(final)
            case ast.Delete(targets=targets):
                for target in targets:
                    if isinstance(target, ast.Name):
                        self.scope.names.pop(target.id, None)
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        evaluate(child)
                    elif isinstance(child, ast.stmt):
                        self.execute(child)

    def block(self, body: Iterable[ast.stmt]) -> None:
        """Statements one after the other."""
        for one in body:
            self.execute(one)

    def branches(self, *bodies: list[ast.stmt]) -> None:
        """Bodies of which one is run; afterwards a name may be what any of them left."""
        before = dict(self.scope.names)
        ends: list[dict[str, Value]] = []
        for body in bodies:
            self.scope.names = dict(before)
            self.block(body)
            ends.append(self.scope.names)
        names = dict(ends[0])
        for end in ends[1:]:
            for name, value in end.items():
                names[name] = joined({names[name], value}) if name in names else value
        self.scope.names = names

    def passes(self, source: ast.expr) -> Iterator[Value]:
        """What the target of a loop is in each pass; one pass for all elements where they are not written out."""
        if isinstance(source, (ast.List, ast.Tuple)) and 0 < len(source.elts) <= 6 and self.depth < 3:
            for one in source.elts:
                yield self.evaluator.evaluate(one)
            return
        from jupyter_mlops.notebook.checks.evaluate import element

        value = self.evaluator.evaluate(source)
        if value.items and len(value.items) <= 6 and isinstance(source, ast.Name):
            yield from value.items
            return
        yield element(value)

    # Targets

    def bind(self, target: ast.expr, value: Value, source: ast.expr | None, *, taken: bool = False) -> None:
        """Assign to a target; `taken` is one of several things that were taken out of the value."""
        match target:
            case ast.Name(id=name):
                self.scope.names[name] = self.evaluator.named(name, value, source, taken=taken)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                items = value.items if value.items is not None and len(value.items) == len(elements) else None
                for position, element in enumerate(elements):
                    part = items[position] if items is not None else replace(value, items=None)
                    self.bind(element, part, source, taken=items is None)
            case ast.Starred(value=inner):
                self.bind(inner, value, source)
            case ast.Subscript(value=owner, slice=index):
                self.evaluator.evaluate(index)
                self.change(owner, value)
            case ast.Attribute(value=owner):
                self.change(owner, value)

    def change(self, owner: ast.expr, value: Value) -> None:
        """Something is stored in an object: what prepared or predicted it is now true of the object."""
        while isinstance(owner, (ast.Attribute, ast.Subscript)):
            owner = owner.value
        if isinstance(owner, ast.Name):
            before = self.scope.get(owner.id)
            models = before.models | value.models if not before.rows else before.models
            self.scope.names[owner.id] = replace(
                before,
                models=models,
                prepared=before.prepared | value.prepared,
                predicted=before.predicted | value.predicted,
                rows=before.rows or value.rows,
                columns=frozenset(),
                items=None,
            )
