"""The dataflow of a notebook: which statement needs what of which, and slices of it.

Cells are taken in their order in the notebook, as a fresh kernel runs them.

What is assumed, where the notebook alone does not tell:

* A *library's function* leaves its arguments alone (exceptions are listed in `library`); its result is new.
* A *library's method* that is not known to be pure changes the object it is called on, not its arguments.
* A *value of unknown origin* that is called may change its arguments.
* A function of the notebook that is handed to a library may be called at once, on anything handed over with it.
* Seeds are kept for what samples without one. That an earlier sampling moves a random stream on is followed only on
  request (``random_stream=True``), since the price would be every earlier ``df.sample(5)``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from jupyter_mlops.notebook.cells import Cell, Notebook, Stage
from jupyter_mlops.notebook.depth import deep_recursion
from jupyter_mlops.notebook.effects import Machine
from jupyter_mlops.notebook.functions import FunctionInfo
from jupyter_mlops.notebook.inspection import describe_functions, find_problems
from jupyter_mlops.notebook.library import BUILTINS, NOTEBOOK_NAMES
from jupyter_mlops.notebook.magics import parse_code
from jupyter_mlops.notebook.memory import Effects
from jupyter_mlops.notebook.objects import Kind, Obj, Pts, reach
from jupyter_mlops.notebook.problems import Problem

__all__ = ["Analysis", "FunctionInfo", "Statement", "analyse"]


@dataclass(frozen=True)
class Statement:
    """One top-level statement of the notebook.

    Parameters
    ----------
    index
        Position over all statements of the notebook.
    cell, first_line, last_line
        1-based cell of the notebook, and lines in it, decorators included.
    source
        The text as written, with the comment lines directly above.
    binds
        Names that it binds, `may_bind` included.
    uses
        Names whose value from before it reads, also inside of functions it calls. Pseudo-names in angle brackets
        (``<random>``, ``<files>``) stand for state that has no name, see `hidden`.
    mutates
        Names whose object it changes in place, whatever name it goes by.
    may_bind
        Those of `binds` that may stay as they were.
    """

    index: int
    cell: int
    stage: Stage | None
    node: ast.stmt
    source: str
    first_line: int
    last_line: int
    comments: str
    binds: frozenset[str]
    uses: frozenset[str]
    mutates: frozenset[str]
    deletes: frozenset[str]
    may_bind: frozenset[str]


class Analysis:
    """A notebook's statements and what they need of one another."""

    def __init__(
        self,
        notebook: Notebook,
        statements: tuple[Statement, ...],
        functions: Mapping[str, FunctionInfo],
        problems: tuple[Problem, ...],
        definitions: list[dict[str, frozenset[int]]],
        samplers: list[dict[str, frozenset[int]]],
        inner_reads: list[dict[str, frozenset[str]]],
    ) -> None:
        self.notebook = notebook
        self.statements = statements
        self.functions = functions
        self.problems = problems
        self._definitions = definitions
        self._samplers = samplers
        self._inner_reads = inner_reads
        self.shared: dict[str, Any] = {}  # what readers compute once from the statements, whatever their stages

    def staged(self, stages: Mapping[int, Stage]) -> Analysis:
        """The same notebook, with other stages for some statements (by index): those of one cell may differ then."""
        statements = tuple(replace(one, stage=stages.get(one.index, one.stage)) for one in self.statements)
        of_cell: dict[int, set[Stage | None]] = {}
        for one in statements:
            of_cell.setdefault(one.cell, set()).add(one.stage)
        cells = tuple(
            replace(cell, stage=next(iter(found))) if len(found := of_cell.get(cell.number, set())) == 1 else cell
            for cell in self.notebook.cells
        )
        made = Analysis(
            replace(self.notebook, cells=cells),
            statements,
            self.functions,
            self.problems,
            self._definitions,
            self._samplers,
            self._inner_reads,
        )
        made.shared = self.shared
        return made

    def reaching(self, index: int, name: str) -> frozenset[int]:
        """Statements whose binding or change of `name` may show at the entry of statement `index`.

        ``len(statements)`` stands for the end of the notebook.
        """
        return self._definitions[index].get(name) or self._definitions[index].get("*", frozenset())

    def slice(self, targets: Iterable[tuple[int, str]], *, random_stream: bool = False) -> frozenset[int]:
        """All statements that are needed so that each name has its value at the entry of its statement.

        Parameters
        ----------
        targets
            Pairs of a statement's index (``len(statements)`` for the end) and a name.
        random_stream
            Keep everything that draws from a seeded global generator before, so that the same numbers are drawn.
        """
        found: set[int] = set()
        todo = list(targets)
        seen = set(todo)

        def need(index: int, name: str) -> None:
            if (index, name) not in seen:
                seen.add((index, name))
                todo.append((index, name))

        while todo:
            index, name = todo.pop()
            for inner in self._inner_reads[index].get(name, ()):
                need(index, inner)
            sources = self.reaching(index, name)
            if random_stream:
                sources |= self._samplers[index].get(name, frozenset())
            for source in sources:
                if source not in found:
                    found.add(source)
                    for used in self.statements[source].uses:
                        need(source, used)
        return frozenset(found)

    def slice_statement(self, index: int, *, random_stream: bool = False) -> frozenset[int]:
        """A statement and all it needs."""
        targets = ((index, name) for name in self.statements[index].uses)
        return self.slice(targets, random_stream=random_stream) | {index}

    def defined_by(self, name: str) -> tuple[int, ...]:
        """Statements that bind the name, in order."""
        return tuple(one.index for one in self.statements if name in one.binds)

    def used_by(self, index: int) -> frozenset[int]:
        """Statements that directly use what the statement binds or changes."""
        given = self.statements[index].binds | self.statements[index].mutates
        return frozenset(
            one.index
            for one in self.statements[index + 1 :]
            if any(index in self.reaching(one.index, name) for name in one.uses & given)
        )


def analyse(notebook: Notebook) -> Analysis:
    """Follow the values through a notebook's code cells, in their order."""
    with deep_recursion():
        return _Builder(notebook).build()


class _Builder:
    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.machine = Machine()
        self.statements: list[Statement] = []
        self.effects: list[Effects] = []
        self.definitions: dict[str, frozenset[int]] = {}
        self.drawn: dict[str, frozenset[int]] = {}
        self.before: list[dict[str, frozenset[int]]] = []
        self.samplers: list[dict[str, frozenset[int]]] = []
        self.inner: list[dict[str, frozenset[str]]] = []
        self._reads_of: dict[Pts, frozenset[str]] = {}  # as long as no object holds more
        self._links = 0

    def build(self) -> Analysis:
        for cell in self.notebook.code_cells:
            if cell.code.strip():
                self._cell(cell)
        self._snapshot()
        changed = {name for one in self.statements for name in one.mutates | one.binds}
        hidden = {name for known in (*self.before, self.definitions) for name in known if name.startswith("<")}
        statements = tuple(_without_moot(one, changed | hidden) for one in self.statements)
        functions = describe_functions(self.machine, statements)
        problems = find_problems(self.notebook, statements, self.effects, functions, "*" in self.definitions)
        return Analysis(
            self.notebook,
            statements,
            MappingProxyType(functions),
            problems,
            self.before,
            self.samplers,
            self.inner,
        )

    def _cell(self, cell: Cell) -> None:
        lines = cell.code.split("\n")
        body = parse_code(cell.code).body
        for position, node in enumerate(body):
            if isinstance(node, ast.Pass):
                continue  # what is left of a magic
            following = body[position + 1] if position + 1 < len(body) else None
            self._statement(cell, node, following, lines)

    def _statement(self, cell: Cell, node: ast.stmt, following: ast.stmt | None, lines: list[str]) -> None:
        index = len(self.statements)
        self._snapshot()
        entry = {key: value for key, value in self.machine.state.env.items() if isinstance(key, str)}
        effects = self.machine.run_top(node)
        must = effects.binds & self.machine.state.must
        mutates = self._mutated_names(entry, effects.mutated) - must
        changes = {e.name for e in effects.hidden if e.how in ("change", "reset")}
        uses = set(effects.reads) | {e.name for e in effects.hidden if e.how in ("use", "sample")}
        if effects.star:
            self._after_star(index)
        self._define(index, effects, must, mutates | changes)
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        last = node.end_lineno or node.lineno
        comments = _comments_above(lines, first)
        text = _text(lines, node, first, last, following)
        self.effects.append(effects)
        self.statements.append(
            Statement(
                index=index,
                cell=cell.number,
                stage=cell.stage,
                node=node,
                source=f"{comments}\n{text}" if comments else text,
                first_line=first,
                last_line=last,
                comments=comments,
                binds=frozenset(effects.binds),
                uses=frozenset(uses),
                mutates=frozenset(mutates | changes),
                deletes=frozenset(effects.deletes),
                may_bind=frozenset(effects.binds - must),
            )
        )

    def _snapshot(self) -> None:
        self.before.append(dict(self.definitions))
        self.samplers.append(dict(self.drawn))
        env = self.machine.state.env
        if self.machine.links != self._links:
            self._links = self.machine.links
            self._reads_of.clear()
        self.inner.append(
            {k: reads for k, value in env.items() if isinstance(k, str) and value and (reads := self._reads(value))}
        )

    def _reads(self, value: Pts) -> frozenset[str]:
        """Globals that functions inside of a value read when they are called."""
        found = self._reads_of.get(value)  # many names share what they may be
        if found is None:
            found = self._reads_of[value] = self._all_reads(value)
        return found

    def _all_reads(self, value: Pts) -> frozenset[str]:
        if not any(o.holds or o.refers or o.cls or o.kind in (Kind.FUNCTION, Kind.CLASS) for o in value):
            return frozenset()
        found: set[str] = set()
        for one in reach(value):
            if one.function is not None:
                found |= one.function.free
            elif one.kind is Kind.CLASS:
                for functions in self.machine.methods(one).values():
                    found.update(*(f.function.free for f in functions if f.function is not None))
        return frozenset(found - BUILTINS)

    def _mutated_names(self, entry: Mapping[str, Pts], changed: set[Obj]) -> set[str]:
        if not changed:
            return set()
        found: set[str] = set()
        for name, value in entry.items():
            if not value.isdisjoint(changed) or (
                any(o.holds or o.refers or o.cls for o in value) and not changed.isdisjoint(reach(value))
            ):
                found.add(name)
        return found

    def _define(self, index: int, effects: Effects, must: set[str], changed: set[str]) -> None:
        me = frozenset((index,))
        none: frozenset[int] = frozenset()
        for name in effects.deletes:
            if name not in self.machine.state.env:
                self.definitions.pop(name, None)
        for name in sorted(effects.binds):
            kept = name not in must or name in effects.adds
            self.definitions[name] = self.definitions.get(name, none) | me if kept else me
        resets = {e.name for e in effects.hidden if e.how == "reset"}
        for name in changed:
            self.definitions[name] = me if name in resets else self.definitions.get(name, none) | me
            if name in resets:
                self.drawn.pop(name, None)
        for effect in effects.hidden:
            if effect.how == "sample" and effect.name in self.definitions:
                self.drawn[effect.name] = self.drawn.get(effect.name, none) | me

    def _after_star(self, index: int) -> None:
        """``from x import *`` may bind any name: undefined ones, builtins, and what was bound before."""
        for name in self.definitions:
            if not name.startswith("<"):
                self.definitions[name] |= {index}
        self.definitions["*"] = self.definitions.get("*", frozenset()) | {index}


def _without_moot(statement: Statement, changed: set[str]) -> Statement:
    """Leave out pseudo-names that nothing in the notebook changes, and builtins that nothing rebinds."""
    known = BUILTINS | NOTEBOOK_NAMES
    uses = frozenset(name for name in statement.uses if name in changed or not (name.startswith("<") or name in known))
    return replace(statement, uses=uses) if uses != statement.uses else statement


def _comments_above(lines: list[str], first: int) -> str:
    start = first - 1
    while start > 0 and lines[start - 1].startswith("#"):
        start -= 1
    return "\n".join(lines[start : first - 1])


def _text(lines: list[str], node: ast.stmt, first: int, last: int, following: ast.stmt | None) -> str:
    """The statement as written, with the comment at its end; statements on one line are taken apart."""
    taken = lines[first - 1 : last]
    start = node.col_offset if first == node.lineno else 0
    end = node.end_col_offset or 0
    tail = lines[last - 1].encode()[end:].decode()
    shares_line = following is not None and following.lineno == last
    if shares_line or not tail.lstrip(" \t;").startswith("#"):
        taken[-1] = lines[last - 1].encode()[:end].decode()
    if start:
        # col_offset counts bytes.
        taken[0] = taken[0].encode()[start:].decode()
    return "\n".join(taken)
