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
from typing import TYPE_CHECKING

from jupyter_mlops.convert.edits import Edit
from jupyter_mlops.convert.identifiers import PythonIdentifier
from jupyter_mlops.convert.lifting.entries import StateEntry
from jupyter_mlops.convert.lifting.kinds import COLUMN_FACTS, Kind
from jupyter_mlops.convert.lifting.observed import Note, Observed
from jupyter_mlops.convert.lifting.operators import MIXES, called_name, operator_of
from jupyter_mlops.convert.lifting.reading import Reader
from jupyter_mlops.convert.lifting.watch import Site, Watch
from jupyter_mlops.convert.rowops import row_choice_edits
from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    from jupyter_mlops.convert.names import Rewriter
    from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["Lifter"]


@dataclass
class Lifter:
    """State and edits of one feature program. `variable` is what the state is called in its code."""

    analysis: Analysis
    watch: Watch
    observed: Observed
    reader: Reader
    variable: str = "state"
    entries: list[StateEntry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    suspects: list[Problem] = field(default_factory=list)  # what looks at other rows: named when the proof fails
    lifted: dict[str, str] = field(default_factory=dict)  # function of the notebook -> name of its replaying twin
    _named: dict[tuple[int, str], str] = field(default_factory=dict)
    _scopes: dict[tuple[int, str], str] = field(default_factory=dict)
    _stack: tuple[object, ...] | None = None  # notes of this call only
    _scope: str = ""
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
        self._statement(node, out)
        return out

    def is_rows(self, node: ast.expr) -> bool:
        """Whether an expression has one row for each row: only then is a choice of its elements a choice of rows."""
        return self.reader.kind(node) in (Kind.ROWS, Kind.GROUPS) or self.watch.site(node) is None

    def _statement(self, node: ast.stmt, out: list[Edit]) -> None:
        match node:
            case ast.For(target=target, iter=iterated, body=body, orelse=orelse):
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
                self._expr(value, out, hint=_target_hint(targets))
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
        if kind in (Kind.STATE, Kind.COUNT) and not self._stays(node, kind):
            if self._capture(node, out, hint):
                return
        match node:
            case ast.Call():
                self._call(node, out, hint)
            case ast.Subscript(value=value, slice=index):
                self._expr(value, out)
                self._frozen_columns(node, index, out)
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
                names = [*arguments.posonlyargs, *arguments.args]
                self._loops += [f"{names[0].arg}.name"] if names else []
                self._expr(body, out)
                if names:
                    self._loops.pop()
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self._expr(child, out, hint)
                    elif isinstance(child, ast.keyword):
                        self._expr(child.value, out)
                    elif isinstance(child, ast.Slice):
                        continue

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

    def _frozen_columns(self, node: ast.Subscript, index: ast.expr, out: list[Edit]) -> None:
        """A choice of columns by position or by type is frozen as the names it meant, where the table has names."""
        for child in [index] if isinstance(index, ast.expr) else []:
            if isinstance(child, ast.Tuple):
                for one in child.elts:
                    self._expr(one, out)
            else:
                self._expr(child, out)

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
                text = self._state(site, notes, hint or self._hint_of(node, name))
                if text is not None:
                    edits = operator.replay(node, text, facts)
                    if edits:
                        out += edits
                        for given in [*node.args, *(k.value for k in node.keywords)]:
                            self._expr(given, out)
                        if isinstance(node.func, ast.Attribute) and name not in ("fit_transform",):
                            self._expr(node.func.value, out)
                        return
            elif refused is not None:
                self._refuse(site, f"what `{_short(node)}` learned could not be read: {refused}")
        if name in MIXES and isinstance(node.func, ast.Attribute) and rows:
            self._suspect(node, name)
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

    def _suspect(self, node: ast.Call, name: str) -> None:
        site = self.watch.site(node)
        if site is not None:
            self.suspects.append(
                Problem(
                    "looks-at-other-rows", "warning", f"`{_short(node)}` makes a row's value of other rows, which a request does not bring.",
                    site.cell, node.lineno, f"To serve the raw row, {MIXES[name]}.",
                )
            )  # fmt: skip

    # -- functions of the notebook ------------------------------------------------------------------------------------

    def _own_function(self, node: ast.Call, out: list[Edit]) -> None:
        """A call of a function that learns something: it gets the state of this very call."""
        function = self.watch.functions[node.func.id]  # type: ignore[attr-defined]
        site = self.watch.site(node)
        if not self._replays(function.name) or site is None:
            return
        calls = self._calls_of(function)
        scope = self._scope
        if len(calls) > 1:
            position = [id(c) for c in calls].index(id(node)) if any(c is node for c in calls) else 0
            scope = f"{function.name}_{position + 1}"
        self.lifted.setdefault(function.name, f"replay_{function.name}")
        twin = self.lifted[function.name]
        assert isinstance(node.func, ast.Name)
        out.append(Edit.of(node.func, twin))
        view = self.variable if scope == self._scope else f"{self.variable}.{scope}"
        ends = [(a.end_lineno or 0, a.end_col_offset or 0) for a in (*node.args, *(k.value for k in node.keywords))]
        end = max(ends, default=(node.end_lineno or 0, (node.end_col_offset or 1) - 1))
        out.append(Edit(*end, *end, f"{', ' if ends else ''}{self.variable}={view}"))
        # The body is walked once for each call, so that the entries of this call's scope exist.
        kept = (self._stack, self._scope, self._loops)
        self._stack, self._scope, self._loops = (*(kept[0] or ()), site.number), scope, []
        for one in function.body:
            self._statement(one, [])
        self._stack, self._scope, self._loops = kept

    def _handed_function(self, node: ast.Name, out: list[Edit]) -> None:
        """A function handed to `apply`: one that learns something is handed with the state."""
        function = self.watch.functions[node.id]
        if not self._replays(function.name):
            return
        self.lifted.setdefault(function.name, f"replay_{function.name}")
        out.append(Edit.of(node, f"partial({self.lifted[function.name]}, {self.variable}={self.variable})"))
        for one in function.body:
            self._statement(one, [])

    def _learns(self, function: ast.FunctionDef) -> bool:
        probe: list[Edit] = []
        twin = Lifter(self.analysis, self.watch, self.observed, self.reader, self.variable)
        twin.lifted = {function.name: ""}
        for one in function.body:
            twin._statement(one, probe)
        return bool(twin.entries) or any(
            self._learns(self.watch.functions[n.func.id])
            for n in ast.walk(function)
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id in self.watch.functions and n.func.id != function.name
        )

    def _calls_of(self, function: ast.FunctionDef) -> list[ast.Call]:
        """Calls on the path that were seen, in order."""
        return [
            s.node for s in self.watch.sites.values()
            if s.mode == "enter" and isinstance(s.node, ast.Call) and isinstance(s.node.func, ast.Name)
            and s.node.func.id == function.name and self.observed.notes.get(s.number)
        ]  # fmt: skip

    def function_edits(self, function: ast.FunctionDef) -> list[Edit]:
        """Edits of the body of a replaying twin; `edits` of its calls were asked for before."""
        calls = self._calls_of(function)
        kept = (self._stack, self._scope, self._loops)
        if calls:
            site = self.watch.site(calls[-1])
            assert site is not None
            self._stack = (site.number,)
            self._scope = "" if len(calls) == 1 else f"{function.name}_{len(calls)}"
        names = [*function.args.posonlyargs, *function.args.args]
        self._loops = [] if calls or not names else [f"{names[0].arg}.name"]
        out: list[Edit] = []
        for one in function.body:
            self._statement(one, out)
        self._stack, self._scope, self._loops = kept
        return out

    # -- the state ----------------------------------------------------------------------------------------------------

    def _notes(self, site: Site) -> list[Note]:
        notes = self.observed.notes.get(site.number, [])
        if self._stack is not None:
            inside = [n for n in notes if tuple(s for s, _ in n.stack) == self._stack]
            return inside or [n for n in notes if n.stack and n.stack[-1][0] == self._stack[-1]]
        return notes

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
        text = self._state(site, notes, hint or self._hint_of(node))
        if text is None:
            return False
        out.append(Edit.of(node, text))
        return True

    def _state(self, site: Site, notes: Sequence[Note], hint: str) -> str | None:
        """Expression that gives what was seen at a site."""
        if not all(n.kept for n in notes):
            why = next((n.facts.get("refused") for n in notes if n.facts.get("refused")), None) or f"a {notes[-1].facts['type']} cannot be kept as state"
            self._refuse(site, f"`{_short(site.node)}` is learned from the data, and {why}")
            return None
        positions = self._key_positions(notes)
        if positions is None or any(n.facts.get("varied") for n in notes):
            self._refuse(site, f"`{_short(site.node)}` is learned anew in each pass, and nothing tells the passes apart")
            return None
        name = self._name(site, hint)
        if not positions:
            entry = StateEntry(name, self._scope, site.cell, site.node.lineno, _short(site.node), (notes[-1].index,))
            self._add(entry)
            return f"{self.variable}.{name}"
        keys = tuple(_key(n.key, positions) for n in notes)
        self._add(
            StateEntry(name, self._scope, site.cell, site.node.lineno, _short(site.node), tuple(n.index for n in notes), keys)
        )
        loops = [self._loops[p] for p in positions]
        texts = [f"tuple({text})" if any(isinstance(n.key[p], tuple) for n in notes) else text for text, p in zip(loops, positions, strict=True)]
        key = ", ".join(texts)
        if len(texts) == 1 and texts[0].endswith(".name") and self._grouped(notes, positions[0]):
            return f"{self.variable}.{name}.get({key}, np.nan)"
        return f"{self.variable}.{name}[{key}]"

    def _grouped(self, notes: Sequence[Note], position: int) -> bool:
        """Keys that are groups: a request may bring one that training did not have."""
        return all(isinstance(n.facts.get("value"), (int, float)) or str(n.facts["type"]).startswith("numpy.") for n in notes)

    def _add(self, entry: StateEntry) -> None:
        if entry not in self.entries:
            self.entries.append(entry)

    def _key_positions(self, notes: Sequence[Note]) -> tuple[int, ...] | None:
        """The loop variables that tell the passes apart: as few as do. () where there is nothing to tell, None where none do."""
        if len({n.same for n in notes}) == 1:
            return ()
        width = min((len(n.key) for n in notes), default=0)
        usable = [p for p in range(min(width, len(self._loops))) if self._loops[p] and all(n.key[p] is not None for n in notes)]
        for chosen in [*((p,) for p in reversed(usable)), *([tuple(usable)] if len(usable) > 1 else [])]:
            found: dict[object, int] = {}
            if all(found.setdefault(_key(n.key, chosen), n.same) == n.same for n in notes):
                return chosen
        return None

    def _name(self, site: Site, hint: str) -> str:
        known = self._named.get((site.number, self._scope)) or self._named.get((site.number, ""))
        if known is not None:
            return known
        base = str(PythonIdentifier(re.sub(r"\W+", "_", hint).strip("_").lower()[:40].strip("_"), fallback="value"))
        taken = set(self._named.values()) | set(dir(dict)) | {"load", "save", "learn", "placeholders", "complete"}
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        self._named[(site.number, self._scope)] = name
        self._named.setdefault((site.number, ""), name)
        return name

    def _hint_of(self, node: ast.expr, operator: str = "") -> str:
        """A name that says what the value is: ``age_mean`` for ``df["Age"].mean()``."""
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Call) and operator:
            suffix = {"get_dummies": "levels", "factorize": "levels", "astype": "dtype", "Categorical": "dtype", "cut": "bins",
                      "qcut": "bins", "transform": "by_group", "apply": "encoders", "boxcox": "lambda"}.get(operator, operator)  # fmt: skip
            if operator == "fit_transform" and isinstance(node.func, ast.Attribute):
                inner = node.func.value
                suffix = ""
                if isinstance(inner, ast.Call):
                    return re.sub(r"(?<!^)(?=[A-Z][a-z])", "_", called_name(inner)).lower()
                return inner.id if isinstance(inner, ast.Name) else _words(inner)
            return f"{_words(node, skip={operator})}_{suffix}"
        return _words(node)

    def _refuse(self, site: Site, message: str) -> None:
        self.problems.append(
            Problem(
                "not-lifted", "warning", f"{message}.", site.cell, site.node.lineno,
                "Bind it to a name of its own before it is used, as a number, a table or a fitted scikit-learn object.",
            )
        )  # fmt: skip


def _key(key: Sequence[object], positions: Iterable[int]) -> object:
    chosen = tuple(key[p] for p in positions)
    return chosen[0] if len(chosen) == 1 else chosen


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


def _words(node: ast.AST, skip: set[str] = frozenset()) -> str:  # type: ignore[assignment]
    """Columns and methods of an expression, in the order in which they are written."""
    columns = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    found: list[str] = []

    def visit(one: ast.AST) -> None:
        match one:
            case ast.Attribute(value=value, attr=attr):
                visit(value)
                found.append(attr)
                return
            case ast.Constant(value=str(text)):
                found.append(text)
                return
            case ast.Name(id=name) if not columns:
                found.append(name)
                return
        for child in ast.iter_child_nodes(one):
            visit(child)

    visit(node)
    words = [w for w in found if w not in skip and w not in ("loc", "iloc", "values", "pd", "np", "index")]
    return "_".join(dict.fromkeys(words[:4])) or "value"


def _target_hint(targets: Sequence[ast.expr]) -> str:
    """A learned value that is bound to a name goes by that name."""
    match targets:
        case [ast.Name(id=name)]:
            return name
    return ""
