"""Edits that make the preparation replay what it learned: learned values come from the state, fitted operators take theirs.

`Lifter` is asked for the edits of one statement after the other, as the feature program is put together; what it hands out
is recorded as entries of the state, each with the place in the notebook that it came from.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeGuard

from jupyter_mlops.convert.edits import Edit
from jupyter_mlops.convert.identifiers import PythonIdentifier
from jupyter_mlops.convert.lifting.entries import Lesson, StateEntry
from jupyter_mlops.convert.lifting.kinds import COLUMN_FACTS, Kind
from jupyter_mlops.convert.lifting.naming import hint_of, key_of, short, target_hint
from jupyter_mlops.convert.lifting.observed import TABLE, Note, Observed
from jupyter_mlops.convert.lifting.operators import DRAWS, MIXES, called_name, operator_of
from jupyter_mlops.convert.lifting.reading import Reader
from jupyter_mlops.convert.lifting.watch import Site, Watch
from jupyter_mlops.convert.rowops import row_choice_edits
from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    from jupyter_mlops.convert.names import Rewriter
    from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["Lifter"]


@dataclass(frozen=True)
class _Found:
    """An entry in the making: its name, the expression that reads it, and the argument that tells passes apart in training."""

    name: str
    text: str
    at: str


@dataclass
class Lifter:
    """State and edits of one feature program. `variable` is what the state is called in its code."""

    analysis: Analysis
    watch: Watch
    observed: Observed
    reader: Reader
    variable: str = "state"
    preferred: frozenset[int] | None = None  # sites that get the good names: those that serving was seen to read
    entries: list[StateEntry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    suspects: list[Problem] = field(default_factory=list)  # what looks at other rows: named when the proof fails
    lifted: dict[str, str] = field(default_factory=dict)  # function of the notebook -> name of its replaying twin
    teaching: list[Lesson] = field(default_factory=list)
    _named: dict[tuple[int, str], str] = field(default_factory=dict)
    _values: dict[tuple[str, str], int | None] = field(default_factory=dict)
    _stack: tuple[object, ...] | None = None  # notes of this call only
    _scope: str = ""
    _passes: tuple[int, ...] = ()  # loop variables around the call that we are inside of
    _entered: dict[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict)  # function -> scope and passes of a call
    _loops: list[str] = field(default_factory=list)

    def rewriter(self, rewriter: Rewriter) -> Rewriter:
        """The rewriter for serving: functions that replay take learned globals from the state, not as arguments."""
        out = copy.copy(rewriter)
        out.extra = {
            name: kept
            for name, reads in rewriter.extra.items()
            if (kept := tuple(r for r in reads if not (self._replays(name) and self.reader.env.get(r, Kind.CONST) > Kind.CONST)))
        }
        return out

    def sites_of(self, entries: Iterable[StateEntry]) -> frozenset[int]:
        """Sites that the entries come from."""
        names = {e.name for e in entries}
        return frozenset(site for (site, _), name in self._named.items() if name in names)

    @property
    def learners(self) -> frozenset[str]:
        """Functions of the notebook that learn something, of those that serving calls."""
        return frozenset(name for name in self.lifted if self._learns(self.watch.functions[name]))

    def _replays(self, name: str) -> bool:
        """Whether a function of the notebook learns something, or chooses rows: serving calls a twin of it."""
        function = self.watch.functions.get(name)
        if function is None:
            return False
        return self._learns(function) or bool(row_choice_edits(function, lambda node: False, self.is_rows))

    # -- statements ---------------------------------------------------------------------------------------------------

    def edits(self, node: ast.stmt) -> list[Edit]:
        """Edits of one statement of the path."""
        out: list[Edit] = []
        if isinstance(node, ast.Expr):
            self._expr(node.value, out)
        else:
            self._statement(node, out)
        return out

    def is_rows(self, node: ast.expr) -> bool:
        """Whether an expression has one row for each row: only then is a choice of its elements a choice of rows."""
        return self.reader.kind(node) in (Kind.ROWS, Kind.GROUPS) or self.watch.site(node) is None

    def _statement(self, node: ast.stmt, out: list[Edit]) -> None:
        match node:
            case ast.For(target=target, iter=iterated, body=body, orelse=orelse):
                if not self._only_served(iterated, out):
                    self._expr(iterated, out)
                rows = self.reader.loops_over_rows(iterated, self.reader.kind(iterated))
                names = [] if rows else [n.id for n in ast.walk(target) if isinstance(n, ast.Name)]
                count = len([n for n in ast.walk(target) if isinstance(n, ast.Name)])
                self._loops += names or [""] * count
                for one in body:
                    self._statement(one, out)
                del self._loops[len(self._loops) - count :]
                for one in orelse:
                    self._statement(one, out)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._target(target, out)
                if not self._only_served(value, out):
                    self._expr(value, out, hint=target_hint(targets))
            case ast.Expr(value=value) if self.reader.kind(value) is Kind.STATE:
                out.append(Edit.of(node, "pass"))  # a fit: what it learned is read from the state
            case ast.FunctionDef() | ast.ClassDef() | ast.Import() | ast.ImportFrom():
                return
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.stmt):
                        self._statement(child, out)
                    elif isinstance(child, ast.expr):
                        self._expr(child, out)
                    else:
                        for inner in ast.iter_child_nodes(child):
                            if isinstance(inner, ast.stmt):
                                self._statement(inner, out)
                            elif isinstance(inner, ast.expr):
                                self._expr(inner, out)

    def _target(self, target: ast.expr, out: list[Edit]) -> None:
        match target:
            case ast.Subscript(value=value, slice=index):
                self._target(value, out)
                self._expr(index, out)
            case ast.Attribute(value=value):
                self._target(value, out)
            case ast.Tuple(elts=elts) | ast.List(elts=elts):
                for one in elts:
                    self._target(one, out)

    # -- expressions --------------------------------------------------------------------------------------------------

    def _expr(self, node: ast.expr, out: list[Edit], hint: str = "") -> None:
        kind = self.reader.kind(node)
        if self.reader.is_table_of_bunch(node):  # a request's rows are the table itself
            out.append(Edit.of(node, self.reader.raw_name + (".to_numpy()" if self.reader.form == "bunch-array" else "")))
            return
        if kind in (Kind.STATE, Kind.COUNT) and not self._stays(node, kind):
            if self._capture(node, out, hint):
                return
        match node:
            case ast.Call():
                self._call(node, out, hint)
            case ast.BinOp(left=left, right=right):
                for side, other in ((left, right), (right, left)):
                    # A number of rows that a column is divided by was that of training.
                    counted = self.reader.kind(side) is Kind.COUNT and self.reader.kind(other) not in (Kind.COUNT, Kind.CONST)
                    if not (counted and self._capture(side, out, "number of rows")):
                        self._expr(side, out)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                count = 0
                for generator in node.generators:
                    self._expr(generator.iter, out)
                    rows = self.reader.loops_over_rows(generator.iter, self.reader.kind(generator.iter))
                    names = [n.id for n in ast.walk(generator.target) if isinstance(n, ast.Name)]
                    self._loops += [""] * len(names) if rows else names
                    count += len(names)
                    for one in generator.ifs:
                        self._expr(one, out)
                for name in ("elt", "key", "value"):
                    if (part := getattr(node, name, None)) is not None:
                        self._expr(part, out)
                del self._loops[len(self._loops) - count :]
            case ast.Lambda(args=arguments, body=body):
                given = [*arguments.posonlyargs, *arguments.args]
                self._loops += [f"{given[0].arg}.name"] if given else []
                self._expr(body, out)
                if given:
                    self._loops.pop()
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self._expr(child, out)
                    elif isinstance(child, ast.keyword):
                        self._expr(child.value, out)

    def _stays(self, node: ast.expr, kind: Kind) -> bool:
        """Learned, but the same by itself when the program is replayed: the columns of a table, the number of rows."""
        match node:
            case ast.Attribute(value=value, attr=attr) if attr in COLUMN_FACTS | {"shape"}:
                return self.reader.kind(value) is Kind.ROWS
            case ast.Call(func=ast.Name(id="len")):
                return kind is Kind.COUNT
            case ast.Subscript(value=ast.Attribute(attr="shape")):
                return kind is Kind.COUNT
            case ast.Call(func=ast.Name(id="range")) | ast.Tuple() | ast.List() if kind is Kind.COUNT:
                return True
            case ast.Constant():
                return True
        return False

    def _call(self, node: ast.Call, out: list[Edit], hint: str) -> None:
        name = called_name(node)
        site = self.watch.site(node)
        operator = operator_of(node)
        rows = self.reader.kind(node) is Kind.ROWS
        if operator is not None and site is not None and site.mode == operator.capture and rows:
            notes = self._notes(site)
            facts = notes[-1].facts if notes else {}
            refused = facts.get("refused")
            if notes and refused is None and (operator.always or facts.get("fitted")):
                found = self._state(site, notes, hint_of(node, name))
                if found is not None:
                    edits = operator.replay(node, found.text, facts)
                    if edits:
                        out += edits
                        self._teach_call(node, site, found)
                        for given in [*node.args, *(k.value for k in node.keywords)]:
                            self._expr(given, out)
                        if isinstance(node.func, ast.Attribute) and name not in ("fit_transform",):
                            self._expr(node.func.value, out)
                        return
            elif refused is not None:
                self._refuse(site, f"what `{short(node)}` learned could not be read: {refused}")
        if rows and (one := self.reader.stacked(node, name)) is not None:
            before, after = (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
            out.append(Edit(*before, one.lineno, one.col_offset, "("))
            columns = self.reader.new_columns(node, one)  # those that only the other tables had are missing in its rows
            end = f").reindex(columns={columns!r})" if columns else ")"
            out.append(Edit(one.end_lineno or 0, one.end_col_offset or 0, *after, end))
            self._expr(one, out)
            return
        if name in MIXES and isinstance(node.func, ast.Attribute) and rows:
            self._suspect(node, "makes a row's value of other rows, which a request does not bring", MIXES[name])
        if name == "fillna" and rows and any(k.arg == "method" for k in node.keywords):
            self._suspect(node, "makes a row's value of other rows, which a request does not bring", MIXES["ffill"])
        if name in DRAWS and isinstance(node.func, ast.Attribute) and self._is_generator(node.func.value):
            self._suspect(
                node, "draws anew for each request", "leave the random part out of what the model gets, or draw in the load cell"
            )
        if isinstance(node.func, ast.Attribute):
            self._expr(node.func.value, out)
        elif isinstance(node.func, ast.Name) and node.func.id in self.watch.functions:
            self._own_function(node, out)
        elif not isinstance(node.func, ast.Name):
            self._expr(node.func, out)
        for given in [*node.args, *(k.value for k in node.keywords)]:
            if isinstance(given, ast.Name) and given.id in self.watch.functions:
                self._handed_function(given, out)
            else:
                self._expr(given, out)

    def _is_generator(self, node: ast.expr) -> bool:
        site = self.watch.site(node)
        facts = None if site is None else self.observed.facts(site.number)
        return ast.unparse(node) in ("np.random", "numpy.random", "random") or (
            facts is not None and str(facts["type"]).startswith(("numpy.random.", "random."))
        )

    def _suspect(self, node: ast.Call, what: str, fix: str) -> None:
        site = self.watch.site(node)
        if site is not None:
            self.suspects.append(
                Problem(
                    "looks-at-other-rows", "warning", f"`{short(node)}` {what}.",
                    site.cell, node.lineno, f"To serve the raw row, {fix}.",
                )
            )  # fmt: skip

    # -- functions of the notebook ------------------------------------------------------------------------------------

    def _own_function(self, node: ast.Call, out: list[Edit]) -> None:
        """A call of a function that learns something: it gets the state of this very call."""
        function = self.watch.functions[node.func.id]  # type: ignore[attr-defined]
        site = self.watch.site(node)
        if not self._replays(function.name) or site is None:
            return
        scope, passes, view, part = self._view(function, node, site)
        self.lifted.setdefault(function.name, f"replay_{function.name}")
        twin = self.lifted[function.name]
        assert isinstance(node.func, ast.Name)
        out.append(Edit.of(node.func, twin))
        ends = [(a.end_lineno or 0, a.end_col_offset or 0) for a in (*node.args, *(k.value for k in node.keywords))]
        end = max(ends, default=(node.end_lineno or 0, (node.end_col_offset or 1) - 1))
        out.append(Edit(*end, *end, f"{', ' if ends else ''}{self.variable}={view}"))
        lesson = Lesson(site.cell, Edit(*end, *end, f"{', ' if ends else ''}{self.variable}={part}"), function=function.name)
        if lesson not in self.teaching:
            self.teaching.append(lesson)
        self._walk(function, site, scope, passes)

    def _view(self, function: ast.FunctionDef, node: ast.expr, site: Site) -> tuple[str, tuple[int, ...], str, str]:
        """Scope and passes of a call, and the part of the state that it reads in serving and keeps in training."""
        calls = self._calls_of(function)
        scope = self._scope
        if len(calls) > 1:
            position = [id(c) for c in calls].index(id(node)) if any(c is node for c in calls) else 0
            scope = f"{function.name}_{position + 1}"
        passes = self._passes_of(node, site)
        if passes and scope == self._scope:
            scope = function.name
        at = ", ".join(self._loops[p] for p in passes)
        at = f"({at})" if len(passes) > 1 else at
        self._entered[function.name] = (scope, passes)
        if scope == self._scope:
            return scope, passes, self.variable, self.variable
        view = f"{self.variable}.{scope}" + (f"[{at}]" if at else "")
        return scope, passes, view, f'{self.variable}.part("{scope}"{f", at={at}" if at else ""})'

    def _walk(self, function: ast.FunctionDef, site: Site, scope: str, passes: tuple[int, ...]) -> None:
        """Walk the body once for each call, so that the entries of this call's scope exist."""
        kept = (self._stack, self._scope, self._loops, self._passes)
        self._stack, self._scope, self._passes = (*(kept[0] or ()), site.number), scope, passes
        called = any(isinstance(call, ast.Call) for call in self._calls_of(function))  # all places share one body
        self._loops = _own_loops(function, called=called)
        for one in function.body:
            self._statement(one, [])
        self._stack, self._scope, self._loops, self._passes = kept

    def _passes_of(self, node: ast.expr, site: Site) -> tuple[int, ...]:
        """Loop variables that tell the passes through a call apart, those that it is given first; () for a single pass."""
        keys = {n.key for n in self._notes(site)}
        usable = [p for p, name in enumerate(self._loops) if name and all(len(k) > p and k[p] is not None for k in keys)]
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        given = [p for p in usable if self._loops[p] in names]
        for chosen in (given, usable):
            if chosen and len({key_of(k, chosen) for k in keys}) == len(keys) > 1:
                return tuple(chosen)
        return ()

    def _handed_function(self, node: ast.Name, out: list[Edit]) -> None:
        """A function handed to `apply`: one that learns something is handed with the state."""
        function = self.watch.functions[node.id]
        if not self._replays(function.name):
            return
        site = self.watch.site(node)
        if site is None:
            return
        self.lifted.setdefault(function.name, f"replay_{function.name}")
        scope, passes, view, part = self._view(function, node, site)
        out.append(Edit.of(node, f"partial({self.lifted[function.name]}, {self.variable}={view})"))
        lesson = Lesson(site.cell, Edit.of(node, f"partial({function.name}, {self.variable}={part})"), function=function.name)
        if lesson not in self.teaching:
            self.teaching.append(lesson)
        self._walk(function, site, scope, passes)

    def _learns(self, function: ast.FunctionDef) -> bool:
        probe: list[Edit] = []
        twin = Lifter(self.analysis, self.watch, self.observed, self.reader, self.variable)
        twin.lifted = {function.name: ""}
        twin._enter(function)
        for one in function.body:
            twin._statement(one, probe)
        return bool(twin.entries) or any(
            self._learns(self.watch.functions[n.func.id])
            for n in ast.walk(function)
            if isinstance(n, ast.Call)
            and isinstance(n.func, ast.Name)
            and n.func.id in self.watch.functions
            and n.func.id != function.name
        )

    def _calls_of(self, function: ast.FunctionDef) -> list[ast.expr]:
        """Calls on the path that were seen, and places where the function is handed to pandas, in order."""
        found: list[ast.expr] = []
        for site in self.watch.sites.values():
            name = site.node.func if site.mode == "enter" and isinstance(site.node, ast.Call) else site.node
            if site.mode in ("enter", "hand") and isinstance(name, ast.Name) and name.id == function.name:
                found += [site.node] if self.observed.notes.get(site.number) else []
        return found

    def function_edits(self, function: ast.FunctionDef) -> list[Edit]:
        """Edits of the body of a replaying twin; `edits` of its calls were asked for before."""
        kept = (self._stack, self._scope, self._loops, self._passes)
        self._enter(function)
        out: list[Edit] = []
        for one in function.body:
            self._statement(one, out)
        self._stack, self._scope, self._loops, self._passes = kept
        return out

    def _enter(self, function: ast.FunctionDef) -> None:
        """Look at the body as its last call left it; one that is never called is handed columns or groups by pandas."""
        calls = self._calls_of(function)
        if calls:
            site = self.watch.site(calls[-1])
            assert site is not None
            self._stack = (site.number,)
            keys = {n.key for n in self.observed.notes.get(site.number, [])}
            width = min((len(k) for k in keys), default=0)
            passes = tuple(range(width)) if len(keys) > 1 else ()
            scope = "" if len(calls) == 1 else f"{function.name}_{len(calls)}"
            self._scope, self._passes = self._entered.get(function.name, (scope, passes))
        self._loops = _own_loops(function, called=any(isinstance(call, ast.Call) for call in calls))

    # -- the state ----------------------------------------------------------------------------------------------------

    def _notes(self, site: Site) -> list[Note]:
        notes = [n for n in self.observed.notes.get(site.number, []) if all(self._serves(k) for k in n.key)]
        if self._stack is not None:
            inside = [n for n in notes if tuple(s for s, _ in n.stack) == self._stack]
            return inside or [n for n in notes if n.stack and n.stack[-1][0] == self._stack[-1]]
        return notes

    def _serves(self, key: object) -> bool:
        """Whether a pass of a loop over tables was that of the table that is served; any other loop does not choose."""
        return not _is_table(key) or key[1] in self.reader.served

    def _only_served(self, node: ast.expr, out: list[Edit]) -> bool:
        """``[train, test]``: a request stands for one of them, the others were there to learn from."""
        if not isinstance(node, (ast.List, ast.Tuple)) or self.reader.kind(node) is not Kind.ROWS:
            return False
        kept = [one for one in node.elts if self.reader.kind(one) is Kind.ROWS]
        if len(kept) == len(node.elts) or not all(isinstance(one, ast.Name) for one in node.elts):
            return False
        out.append(Edit.of(node, f"[{', '.join(ast.unparse(one) for one in kept)}]"))
        return True

    def _capture(self, node: ast.expr, out: list[Edit], hint: str) -> bool:
        """Replace a learned expression by its entry of the state. False where it has to stay as it is."""
        site = self.watch.site(node)
        if site is None:
            return False
        notes = self._notes(site)
        if not notes:
            return False  # this place was never reached
        if isinstance(node, (ast.Tuple, ast.List)) and not all(n.kept for n in notes):
            return False
        if site.mode not in ("see", "enter"):  # the value itself, not what the operator learned to make it
            notes = [n.as_plain() for n in notes]
        found = self._state(site, notes, hint or hint_of(node))
        if found is None:
            return False
        out.append(Edit.of(node, found.text))
        end = (node.end_lineno or 0, node.end_col_offset or 0)
        self._teach(
            found,
            site,
            Edit(node.lineno, node.col_offset, node.lineno, node.col_offset, f'{self.variable}.keep("{found.name}", '),
        )
        self._teach(found, site, Edit(*end, *end, f"{found.at})"))
        return True

    def _teach(self, found: _Found, site: Site, edit: Edit) -> None:
        lesson = Lesson(site.cell, edit, entry=found.name)
        if lesson not in self.teaching:
            self.teaching.append(lesson)

    def _teach_call(self, node: ast.Call, site: Site, found: _Found) -> None:
        """``encoder.fit_transform(rows)`` -> ``state.learn("encoder", encoder.fit_transform, rows)``."""
        func, given = node.func, [*node.args, *(k.value for k in node.keywords)]
        assert func.end_lineno is not None and func.end_col_offset is not None
        assert node.end_lineno is not None and node.end_col_offset is not None
        first = min(
            [(a.lineno, a.col_offset) for a in node.args] + [(k.lineno, k.col_offset) for k in node.keywords],
            default=(node.end_lineno, node.end_col_offset - 1),
        )
        last = max(((a.end_lineno or 0, a.end_col_offset or 0) for a in given), default=first)
        start = (node.lineno, node.col_offset)
        self._teach(found, site, Edit(*start, *start, f'{self.variable}.learn("{found.name}", '))
        self._teach(found, site, Edit(func.end_lineno, func.end_col_offset, *first, ", " if given else ""))
        self._teach(found, site, Edit(*last, *last, found.at))

    def _state(self, site: Site, notes: Sequence[Note], hint: str) -> _Found | None:
        """Expression that gives what was seen at a site."""
        if not all(n.kept for n in notes):
            why = (
                next((n.facts.get("refused") for n in notes if n.facts.get("refused")), None)
                or f"a {notes[-1].facts['type']} cannot be kept as state"
            )
            self._refuse(site, f"`{short(site.node)}` is learned from the data, and {why}")
            return None
        if self._passes:
            return self._state_of_passes(site, notes, hint)
        positions = self._key_positions(site.node, notes)
        if positions is None or any(n.facts.get("varied") for n in notes):
            self._refuse(site, f"`{short(site.node)}` is learned anew in each pass, and nothing tells the passes apart")
            return None
        name = self._name(site, hint, None if positions else notes[-1].same)
        if not positions:
            entry = StateEntry(name, self._scope, site.cell, site.node.lineno, short(site.node), (notes[-1].index,))
            self._add(entry)
            return _Found(name, f"{self.variable}.{name}", "")
        keys = tuple(key_of(n.key, positions) for n in notes)
        self._add(
            StateEntry(name, self._scope, site.cell, site.node.lineno, short(site.node), tuple(n.index for n in notes), keys)
        )
        loops = [self._loops[p] for p in positions]
        texts = [
            f"tuple({text})" if any(isinstance(n.key[p], tuple) for n in notes) else text
            for text, p in zip(loops, positions, strict=True)
        ]
        key = ", ".join(texts)
        at = f", at={key if len(texts) == 1 else f'({key})'}"
        if len(texts) == 1 and texts[0].endswith(".name") and self._numbers(notes):  # a group that training did not have
            return _Found(name, f"{self.variable}.{name}.get({key}, float('nan'))", at)
        return _Found(name, f"{self.variable}.{name}[{key}]", at)

    def _state_of_passes(self, site: Site, notes: Sequence[Note], hint: str) -> _Found | None:
        """The call that we are inside of is made in a loop: each of its passes has a state of its own."""
        passes: dict[object, list[Note]] = {}
        for note in notes:
            passes.setdefault(key_of(note.stack[-1][1], self._passes), []).append(note)
        if any(self._key_positions(site.node, found) != () for found in passes.values()):
            self._refuse(site, f"`{short(site.node)}` is learned anew in each pass, and nothing tells the passes apart")
            return None
        name = self._name(site, hint, None)
        indexes = tuple(found[-1].index for found in passes.values())
        entry = StateEntry(name, self._scope, site.cell, site.node.lineno, short(site.node), indexes, passes=tuple(passes))
        self._add(entry)
        return _Found(name, f"{self.variable}.{name}", "")

    @staticmethod
    def _numbers(notes: Sequence[Note]) -> bool:
        return all(isinstance(n.facts.get("value"), (int, float)) or str(n.facts["type"]).startswith("numpy.") for n in notes)

    def _add(self, entry: StateEntry) -> None:
        if not any((e.scope, e.name) == (entry.scope, entry.name) for e in self.entries):
            self.entries.append(entry)

    def _key_positions(self, node: ast.expr, notes: Sequence[Note]) -> tuple[int, ...] | None:
        """The loop variables that tell the passes apart: as few as do, first those that the expression names itself.

        () where there is nothing to tell, None where no choice does.
        """
        width = min((len(n.key) for n in notes), default=0)
        usable = [
            p for p in range(min(width, len(self._loops)))
            if self._loops[p] and all(n.key[p] is not None and not _is_table(n.key[p]) for n in notes)
        ]  # fmt: skip
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        named = [p for p in usable if self._loops[p].removesuffix(".name") in names]
        if len({n.same for n in notes}) == 1 and not named:
            return ()
        for chosen in [
            *((p,) for p in sorted(usable, key=lambda p: (p not in named, -p))),
            *([tuple(usable)] if len(usable) > 1 else []),
        ]:
            found: dict[object, int] = {}
            if all(found.setdefault(key_of(n.key, chosen), n.same) == n.same for n in notes):
                return chosen
        return None

    def _name(self, site: Site, hint: str, same: int | None) -> str:
        """A name of its own, or that of an equal value that would be called the same."""
        known = self._named.get((site.number, self._scope)) or self._named.get((site.number, ""))
        if known is not None:
            return known
        if self.preferred is not None and site.number not in self.preferred:
            hint = f"unread {site.number}"
        base = str(PythonIdentifier(re.sub(r"\W+", "_", hint).strip("_").lower()[:40].strip("_"), fallback="value"))
        taken = set(self._named.values()) | set(dir(dict)) | {"load", "save", "values", "origin"}
        name, number = base, 1
        while name in taken and (same is None or self._values.get((self._scope, name)) != same):
            number += 1
            name = f"{base}_{number}"
        self._named[(site.number, self._scope)] = name
        self._values[(self._scope, name)] = same
        self._named.setdefault((site.number, ""), name)
        return name

    def _refuse(self, site: Site, message: str) -> None:
        self.problems.append(
            Problem(
                "not-lifted", "warning", f"{message}.", site.cell, site.node.lineno,
                "Bind it to a name of its own before it is used, as a number, a table or a fitted scikit-learn object.",
            )
        )  # fmt: skip


def _own_loops(function: ast.FunctionDef, *, called: bool) -> list[str]:
    """What tells passes through a body apart at first: the column or group that pandas hands over, nothing in a call."""
    names = [*function.args.posonlyargs, *function.args.args]
    return [] if not names else [""] if called else [f"{names[0].arg}.name"]


def _is_table(key: object) -> TypeGuard[tuple[str, str]]:
    return isinstance(key, tuple) and len(key) == 2 and key[0] == TABLE
