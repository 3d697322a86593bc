"""Puts reading and lifting together for one feature program, and writes the functions that replay."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jupyter_mlops.convert.identifiers import unique
from jupyter_mlops.convert.lifting.entries import Lesson, StateEntry
from jupyter_mlops.convert.lifting.kinds import Kind
from jupyter_mlops.convert.lifting.lift import Lifter
from jupyter_mlops.convert.lifting.observed import Observed
from jupyter_mlops.convert.lifting.reading import Reader
from jupyter_mlops.convert.lifting.watch import Watch
from jupyter_mlops.convert.names import Names
from jupyter_mlops.convert.rowops import row_choice_edits
from jupyter_mlops.notebook.cells import Stage
from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    from jupyter_mlops.convert.names import Rewriter
    from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["Lift", "lessons", "lifter_for", "twins", "used_entries"]


@dataclass
class Lift:
    """What was watched and seen; `problems` collects what could not be lifted, attempt by attempt."""

    watch: Watch
    observed: Observed
    forms: Mapping[str, str] = field(default_factory=dict)  # raw table -> what the notebook holds it in, see `Reader`
    renamed: Mapping[str, Mapping[str, int]] = field(
        default_factory=dict
    )  # raw table -> columns that the notebook knows by number
    numbered: bool = False  # the model's input has numbered columns
    after: int | None = None  # serving starts behind this statement, not at the raw table
    problems: list[Problem] = field(default_factory=list)


def lifter_for(
    analysis: Analysis, lift: Lift, path: Sequence[int], argument: ast.expr, raw_name: str, names: Names,
    preferred: frozenset[int] | None = None,
) -> Lifter:  # fmt: skip
    """A lifter that has read the path from the raw table to the model's input."""
    reader = Reader(lift.watch, lift.observed, raw_name, lift.forms.get(raw_name, "frame"))
    for statement in analysis.statements:
        before = lift.after is not None and statement.index <= lift.after
        if before or statement.stage is Stage.LOAD:  # what else is loaded does not come with a request: it is state
            side = {n for n in statement.binds if names.is_variable(n) and n != raw_name}
            reader.env.update(dict.fromkeys(side, Kind.STATE))
    reader.read([analysis.statements[i].node for i in path])
    reader.read([ast.copy_location(ast.Expr(argument), argument)])
    taken = {n for s in analysis.statements for n in s.binds}
    variable = unique("state", taken, suffixes=("learned",))
    return Lifter(analysis, lift.watch, lift.observed, reader, variable, preferred)


def twins(lifter: Lifter, rewriter: Rewriter, texts: Sequence[str]) -> list[str]:
    """Source of the functions that replay, as far as `texts` call them; callees first."""
    out: dict[str, str] = {}
    todo = _named(texts)
    while todo:
        name = todo.pop()
        original = next((f for f, twin in lifter.lifted.items() if twin == name), None)
        if original is None or name in out:
            continue
        text = _twin(lifter, rewriter, original, name)
        out[name] = text
        todo |= _named([text]) - out.keys()
    return list(out.values())[::-1]


def _twin(lifter: Lifter, rewriter: Rewriter, original: str, name: str) -> str:
    info = lifter.analysis.functions[original]
    statement = lifter.analysis.statements[info.statement]
    function = lifter.watch.functions[original]
    edits = row_choice_edits(function, lambda node: False, lifter.is_rows) + lifter.function_edits(function)
    return rewriter.helper_text(statement, more=edits, name=name, parameters=(f"{lifter.variable}: FeatureState",))


def _named(texts: Sequence[str]) -> set[str]:
    return {n.id for text in texts for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)}


def used_entries(lifter: Lifter, texts: Sequence[str]) -> tuple[StateEntry, ...]:
    """Entries that the texts read, in the order in which the preparation learned them."""
    read = {
        n.attr
        for text in texts
        for n in ast.walk(ast.parse(text))
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == lifter.variable
    }
    found = [e for e in lifter.entries if e.name in read and (not e.scope or e.scope in read)]
    return tuple(sorted(found, key=lambda e: (e.cell, e.line)))


def lessons(lifter: Lifter, entries: Sequence[StateEntry]) -> tuple[Lesson, ...]:
    """Edits of the training code for the entries that serving reads."""
    used, learners = {e.name for e in entries}, lifter.learners
    return tuple(one for one in lifter.teaching if one.entry in used or one.function in learners)
