"""Reads the preparation once more with what was seen: of what kind is the value of each expression?

Statements are taken in the order of the notebook; names have the kind of the last value bound to them. Types and lengths
are not inferred: they were seen in the run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from jupyter_mlops.convert.lifting.kinds import COLUMN_FACTS, REDUCERS, ROW_CHOICE, ROW_LOOPS, Kind
from jupyter_mlops.convert.lifting.observed import Observed
from jupyter_mlops.convert.lifting.operators import called_name
from jupyter_mlops.convert.lifting.watch import Watch

__all__ = ["Reader", "root_name"]

_FITS = frozenset({"fit", "fit_transform", "partial_fit", "fit_resample", "fit_predict"})
_GROWS = frozenset(
    {"append", "extend", "insert", "add", "update", "remove", "pop", "setdefault", "sort", "reverse", "clear", "discard"}
)
_ACCESSORS = frozenset({"str", "dt", "cat", "loc", "iloc", "at", "iat", "sparse", "plot"})
_TABLES = ("pandas.core.frame.", "pandas.core.series.", "numpy.ndarray", "scipy.sparse.")
_SCALAR_TYPES = ("builtins.int", "builtins.float", "builtins.str", "builtins.bool", "builtins.NoneType")
Env = dict[str, Kind]


def root_name(node: ast.AST) -> str | None:
    """``df`` of ``df["a"].str``."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _names(node: ast.AST) -> list[str]:
    return [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]


class Reader:
    """Kinds of all expressions of a path, by node."""

    def __init__(self, watch: Watch, observed: Observed, raw_name: str, form: str = "frame") -> None:
        self.watch, self.observed = watch, observed
        self.raw_name, self.form = raw_name, form  # "frame", "array", "bunch-frame" or "bunch-array"
        self.env: Env = {raw_name: Kind.ROWS}
        self.kinds: dict[int, Kind] = {}
        self.lengths = set(observed.lengths)
        self._learned: list[bool] = []  # conditions around the current statement that were learned
        self._calls: list[str] = []
        self._in_rows = 0
        self.table_loops: set[str] = set()  # variables of loops over tables
        self.served: set[object] = set()  # identities of the tables that rows of a request stand for

    def is_table_of_bunch(self, node: ast.AST) -> bool:
        """``iris.data`` and ``iris["data"]``, where a scikit-learn loader gave the raw table inside of a Bunch."""
        if not self.form.startswith("bunch"):
            return False
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attr):
                return name == self.raw_name and attr in ("data", "frame")
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=key)):
                return name == self.raw_name and key in ("data", "frame")
        return False

    def kind(self, node: ast.AST) -> Kind:
        """Kind of an expression that was read."""
        return self.kinds.get(id(node), Kind.CONST)

    def stacked(self, node: ast.Call, name: str) -> ast.expr | None:
        """Tables put below one another: a request's rows are those of the first one that has rows."""
        if name == "append" and isinstance(node.func, ast.Attribute) and node.args and self.kind(node.func.value) is Kind.ROWS:
            return node.func.value if self._is_frame(node.func.value) else None
        parts = node.args[0] if node.args and isinstance(node.args[0], (ast.List, ast.Tuple)) else None
        if parts is None or name not in {"concat", "vstack", "concatenate"}:
            return None
        axis = next((k.value for k in node.keywords if k.arg == "axis"), node.args[1] if len(node.args) > 1 else None)
        if axis is not None and not (isinstance(axis, ast.Constant) and axis.value in (0, "index", "rows")):
            return None
        return next((one for one in parts.elts if self.kind(one) is Kind.ROWS), None)

    def _is_frame(self, node: ast.expr) -> bool:
        facts = self._facts(node)
        return facts is not None and str(facts["type"]).startswith("pandas.")

    def new_columns(self, whole: ast.expr, part: ast.expr) -> list[str] | None:
        """Columns of a table, where they are others than those of the table that it was made of."""
        made, given = self._facts(whole), self._facts(part)
        columns = made.get("columns") if made is not None else None
        if given is None or not isinstance(columns, list) or columns == given.get("columns"):
            return None
        return [str(name) for name in columns]

    # -- statements ---------------------------------------------------------------------------------------------------

    def read(self, statements: Sequence[ast.stmt]) -> None:
        """Read top-level statements in order."""
        for node in statements:
            self._statement(node, self.env)

    def _statement(self, node: ast.stmt, env: Env) -> Kind | None:
        """Kind of what it returns, where it is (or holds) a return statement."""
        match node:
            case ast.Assign(targets=targets, value=value):
                kind = self._expr(value, env)
                for target in targets:
                    self._bind(target, value, kind, env)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self._bind(target, value, self._expr(value, env), env)
            case ast.AugAssign(target=target, value=value):
                kind = max(self._expr(value, env), self._expr_of_target(target, env))
                self._store(target, kind, env)
            case ast.Expr(value=value):
                self._expr(value, env)
            case ast.Return(value=value):
                return Kind.CONST if value is None else self._expr(value, env)
            case ast.For():
                return self._for(node, env)
            case ast.While(test=test, body=body):
                self._expr(test, env)
                return self._block([*body, *body], env)
            case ast.If(test=test, body=body, orelse=orelse):
                kind = self._expr(test, env)
                self._learned.append(kind in (Kind.STATE, Kind.COUNT))
                found = [self._block(body, env), self._block(orelse, env)]
                self._learned.pop()
                return max((k for k in found if k is not None), default=None)
            case ast.With(items=items, body=body):
                for item in items:
                    kind = self._expr(item.context_expr, env)
                    if item.optional_vars is not None:
                        self._store(item.optional_vars, kind, env)
                return self._block(body, env)
            case ast.Try():
                blocks = [node.body, *(h.body for h in node.handlers), node.orelse, node.finalbody]
                found = [self._block(block, env) for block in blocks]
                return max((k for k in found if k is not None), default=None)
            case ast.Delete() | ast.FunctionDef() | ast.Import() | ast.ImportFrom():
                pass
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self._expr(child, env)
        return None

    def _block(self, body: Sequence[ast.stmt], env: Env) -> Kind | None:
        found = [self._statement(one, env) for one in body]
        return max((k for k in found if k is not None), default=None)

    def _for(self, node: ast.For, env: Env) -> Kind | None:
        kind = self._expr(node.iter, env)
        rows = self.loops_over_rows(node.iter, kind)
        found: Kind | None = None
        tables = kind is Kind.ROWS and self._holds_tables(node.iter)
        self.table_loops |= set(_names(node.target)) if tables else set()
        for _ in range(2):  # what a pass leaves behind is there in the next one
            self._store(node.target, Kind.ELEM if rows else Kind.ROWS if tables else Kind.CONST, env, loop=True)
            self._in_rows += rows
            found = self._block(node.body, env)
            self._in_rows -= rows
        self._block(node.orelse, env)
        return found

    def _holds_tables(self, node: ast.expr) -> bool:
        facts = self._facts(node)
        return facts is not None and bool(facts.get("tables"))

    def loops_over_rows(self, node: ast.expr, kind: Kind) -> bool:
        """Whether a loop over this expression goes from row to row."""
        if kind is Kind.ELEM:
            return True
        names = {called_name(n) for n in ast.walk(node) if isinstance(n, ast.Call)}
        if kind is not Kind.ROWS and kind is not Kind.COUNT:
            return False
        if isinstance(node, (ast.List, ast.Tuple)) or (isinstance(node, ast.Call) and called_name(node) in {"items", "keys"}):
            return False
        site = self.watch.site(node)
        facts = None if site is None else self.observed.facts(site.number)
        if names & ROW_LOOPS or facts is None:
            return True
        if facts.get("tables"):
            return False
        return not facts["type"].endswith("DataFrame")  # a loop over a frame goes over its columns

    def _bind(self, target: ast.expr, value: ast.expr, kind: Kind, env: Env) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            parts = value.elts if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts) else None
            facts = self._facts(value) if kind is Kind.ROWS else None
            lengths = None if facts is None else facts.get("parts")
            seen = self._lengths_in([n for n in ast.walk(value) if isinstance(n, ast.expr)])
            if isinstance(lengths, list) and not any(length in seen for length in lengths):
                lengths = None  # the parts of a split
            for position, one in enumerate(target.elts):
                part = self.kind(parts[position]) if parts is not None else kind
                if parts is None and isinstance(lengths, list) and position < len(lengths) and lengths[position] not in seen:
                    part = Kind.STATE
                self._store(one, part, env)
            return
        self._store(target, kind, env)

    def _expr_of_target(self, target: ast.expr, env: Env) -> Kind:
        name = root_name(target)
        return env.get(name, Kind.CONST) if name else Kind.CONST

    def _store(self, target: ast.expr, kind: Kind, env: Env, *, loop: bool = False) -> None:
        match target:
            case ast.Name(id=name):
                if self._learned and any(self._learned) and not loop:
                    kind = max(kind, Kind.STATE)
                env[name] = kind
            case ast.Tuple(elts=elts) | ast.List(elts=elts):
                for one in elts:
                    self._store(one, kind, env, loop=loop)
            case ast.Starred(value=value):
                self._store(value, kind, env, loop=loop)
            case ast.Subscript() | ast.Attribute():
                inner = target.value
                if isinstance(target, ast.Subscript):
                    self._expr(target.slice, env)
                if isinstance(inner, (ast.Subscript, ast.Attribute)):
                    self._expr(inner, env)
                self._change(root_name(target), kind, env)

    def _change(self, name: str | None, kind: Kind, env: Env) -> None:
        """An object is changed in place with a value of this kind."""
        if name is None:
            return
        if any(self._learned):
            kind = max(kind, Kind.STATE)
        if self._in_rows or kind is Kind.ELEM:
            kind = Kind.ROWS
        scope = env if name in env else self.env
        scope[name] = max(scope.get(name, Kind.CONST), kind)

    # -- expressions --------------------------------------------------------------------------------------------------

    def _expr(self, node: ast.expr, env: Env) -> Kind:
        kind = self._read(node, env)
        if kind is Kind.ROWS and (facts := self._facts(node)) is not None and str(facts["type"]).startswith(_TABLES):
            if isinstance(facts["n"], int):
                self.lengths.add(facts["n"])  # a choice of rows, whatever made it
        before = self.kinds.get(id(node))
        self.kinds[id(node)] = kind if before is None else max(before, kind)
        return kind

    def _read(self, node: ast.expr, env: Env) -> Kind:
        match node:
            case ast.Constant():
                return Kind.CONST
            case ast.Name(id=name):
                kind = env.get(name, self.env.get(name, Kind.CONST))
                if (
                    kind is Kind.ROWS
                    and name not in self.table_loops
                    and (facts := self._facts(node)) is not None
                    and "id" in facts
                ):
                    self.served.add(facts["id"])
                return kind
            case ast.Attribute() | ast.Subscript() if self.is_table_of_bunch(node):
                return Kind.ROWS
            case ast.Attribute(value=value, attr=attr):
                return self._attribute(node, self._expr(value, env), attr)
            case ast.Subscript():
                return self._subscript(node, env)
            case ast.Call():
                return self._call(node, env)
            case ast.Lambda():
                inner = {**env, **dict.fromkeys((a.arg for a in (*node.args.args, *node.args.posonlyargs)), Kind.ELEM)}
                return self._expr(node.body, inner)
            case ast.ListComp(elt=elt) | ast.SetComp(elt=elt) | ast.GeneratorExp(elt=elt):
                return self._comprehension(node, [elt], env)
            case ast.DictComp(key=key, value=value):
                return self._comprehension(node, [key, value], env)
            case ast.NamedExpr(target=target, value=value):
                kind = self._expr(value, env)
                self._store(target, kind, env)
                return kind
            case ast.List() | ast.Tuple() | ast.Set():
                return max((self._expr(one, env) for one in node.elts), default=Kind.CONST)
            case ast.Dict():
                return max((self._expr(one, env) for one in (*node.keys, *node.values) if one is not None), default=Kind.CONST)
            case ast.Starred(value=value):
                return self._expr(value, env)
            case ast.Slice():
                parts = [p for p in (node.lower, node.upper, node.step) if p is not None]
                return max((self._expr(one, env) for one in parts), default=Kind.CONST)
        operands = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        return self._combine(node, [self._expr(one, env) for one in operands], operands)

    def _combine(self, node: ast.expr, kinds: Sequence[Kind], operands: Sequence[ast.expr]) -> Kind:
        """The kind of an operation on values of these kinds."""
        highest = max(kinds, default=Kind.CONST)
        if highest is Kind.ROWS:
            return Kind.ROWS if self._carries(node, operands) else Kind.STATE
        if highest is Kind.COUNT:
            return Kind.COUNT if all(k in (Kind.COUNT, Kind.CONST) for k in kinds) else Kind.STATE
        return highest

    def _facts(self, node: ast.AST) -> dict[str, object] | None:
        site = self.watch.site(node)
        found = None if site is None else self.observed.facts(site.number)
        return None if found is None else dict(found)

    def _carries(self, node: ast.expr, operands: Sequence[ast.expr]) -> bool:
        """Whether the value seen has one row for each row of what it was made of."""
        facts = self._facts(node)
        if facts is None:
            return True  # never ran: nothing is known, and nothing is claimed
        length = facts["n"]
        if length is None:
            return facts["type"] not in _SCALAR_TYPES and not str(facts["type"]).startswith(
                ("numpy.", "pandas._libs", "datetime.")
            )
        seen = self._lengths_in([p for one in operands for p in (one.elts if isinstance(one, (ast.Tuple, ast.List)) else [one])])
        if isinstance(parts := facts.get("parts"), list):
            return any(part in seen for part in parts)
        return length in seen

    def _lengths_in(self, operands: Iterable[ast.expr]) -> set[int]:
        """Lengths of the tables, and of those of these expressions that have rows."""
        seen = set(self.lengths)
        for one in operands:
            site = self.watch.site(one)
            if site is not None and self.kind(one) is Kind.ROWS:
                seen |= self.observed.lengths_of(site.number)
        return seen

    def _attribute(self, node: ast.Attribute, kind: Kind, attr: str) -> Kind:
        if kind is not Kind.ROWS:
            return kind
        if attr in COLUMN_FACTS:
            return Kind.STATE
        if attr in ("size", "empty"):
            return Kind.COUNT
        if attr in ("shape",):
            return Kind.STATE
        if attr in _ACCESSORS or attr in ("values", "index", "T"):
            return Kind.ROWS
        return self._combine(node, [kind], [node.value])

    def _subscript(self, node: ast.Subscript, env: Env) -> Kind:
        value, index = self._expr(node.value, env), self._expr(node.slice, env)
        if isinstance(node.value, ast.Attribute) and node.value.attr == "shape" and self.kind(node.value.value) is Kind.ROWS:
            first = isinstance(node.slice, ast.Constant) and node.slice.value == 0
            return Kind.COUNT if first else Kind.STATE
        if value is Kind.GROUPS:
            return Kind.GROUPS
        if value is not Kind.ROWS:
            if index is Kind.ROWS:  # levels[codes]: as many as the codes
                return Kind.ROWS if self._carries(node, [node.slice]) else Kind.STATE
            return max(value, Kind.ELEM) if index is Kind.ELEM else max(value, Kind.STATE if index is Kind.STATE else Kind.CONST)
        facts = self._facts(node)
        if facts is None:
            return Kind.ROWS
        if facts["n"] is None:
            return Kind.ELEM if self._in_rows or index is Kind.ELEM else Kind.STATE
        if self._carries(node, [node.value]):
            return Kind.ROWS
        chosen = index is Kind.ROWS or isinstance(node.slice, (ast.Slice, ast.Compare, ast.UnaryOp, ast.BoolOp, ast.Tuple))
        if chosen and isinstance(facts["n"], int):
            self.lengths.add(facts["n"])
            return Kind.ROWS
        return Kind.STATE

    def _call(self, node: ast.Call, env: Env) -> Kind:
        name = called_name(node)
        receiver = Kind.CONST
        operands: list[ast.expr] = []
        if isinstance(node.func, ast.Attribute):
            receiver = self._expr(node.func.value, env)
            operands.append(node.func.value)
        elif not isinstance(node.func, ast.Name):
            receiver = self._expr(node.func, env)
        given = [*node.args, *(k.value for k in node.keywords)]
        kinds = [self._given(one, node, receiver, env) for one in given]
        operands += given
        if isinstance(node.func, ast.Name) and node.func.id in self.watch.functions:
            return self._own_function(node, kinds, env)
        highest = max([receiver, *kinds], default=Kind.CONST)
        if isinstance(node.func, ast.Name) and name == "len" and highest is Kind.ROWS:
            return Kind.COUNT if self._is_table(node.args[0]) else Kind.STATE
        if (
            isinstance(node.func, ast.Attribute)
            and name in _FITS | _GROWS
            and (kinds or name in _GROWS)
            and highest is not Kind.CONST
        ):
            if receiver is not Kind.ROWS or name in _GROWS:
                self._change(root_name(node.func), Kind.STATE if name in _FITS else highest, env)
        if any(self._learned) and name in _GROWS:
            self._change(root_name(node.func), Kind.STATE, env)
        if self._in_rows and name in _GROWS:
            self._change(root_name(node.func), Kind.ROWS, env)
        if name == "groupby" and receiver is Kind.ROWS:
            return Kind.GROUPS
        if receiver is Kind.GROUPS:
            return Kind.ROWS if name in {"transform"} or (name == "apply" and self._carries(node, [])) else Kind.STATE
        if highest is Kind.COUNT:
            return Kind.ROWS if self._carries(node, []) else Kind.COUNT
        if highest is not Kind.ROWS:
            return highest
        if name in REDUCERS and not self._by_row(node):
            return Kind.STATE
        if name in ("fit", "partial_fit"):
            return Kind.STATE
        if self._carries(node, operands):
            return Kind.ROWS
        facts = self._facts(node)
        if name in ROW_CHOICE and facts is not None and facts["n"] is not None:
            if isinstance(facts["n"], int) and name != "train_test_split":
                self.lengths.add(facts["n"])
            return Kind.ROWS
        if facts is not None and facts["type"] == "builtins.NoneType":
            return Kind.CONST  # in place
        return Kind.STATE

    def _by_row(self, node: ast.Call) -> bool:
        """Whether a call that most often makes few values of many rows makes one for each row: along the columns, of windows."""
        axis = [k.value for k in node.keywords if k.arg == "axis"] + node.args[:2]
        if any(
            isinstance(a, ast.Constant) and a.value in (1, "columns") and not isinstance(a.value, (bool, float)) for a in axis
        ):
            return self._carries(node, [])
        receiver = self._facts(node.func.value) if isinstance(node.func, ast.Attribute) else None
        windows = receiver is not None and str(receiver["type"]).startswith("pandas.core.window")
        facts = self._facts(node)
        return windows or (called_name(node) == "to_dict" and facts is not None and facts["type"] == "builtins.list")

    def _is_table(self, node: ast.expr) -> bool:
        facts = self._facts(node)
        return facts is None or facts["n"] in self.lengths

    def _given(self, node: ast.expr, call: ast.Call, receiver: Kind, env: Env) -> Kind:
        """An argument; a function that pandas hands a column or a group to gets rows, any other one elements."""
        if isinstance(node, ast.Name) and node.id in self.watch.functions:
            function: ast.Lambda | ast.FunctionDef = self.watch.functions[node.id]
        elif isinstance(node, ast.Lambda):
            function = node
        else:
            return self._expr(node, env)
        body = [function.body] if isinstance(function, ast.Lambda) else function.body
        names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
        kind = Kind.ELEM
        if receiver is Kind.GROUPS:
            kind = Kind.ROWS
        elif receiver is Kind.ROWS and names:
            loads = [n for one in body for n in ast.walk(one) if isinstance(n, ast.Name) and n.id == names[0]]
            seen = next((f for n in loads if (f := self._facts(n)) is not None), None)
            if seen is not None and seen["n"] in self.lengths:
                kind = Kind.ROWS
        elif receiver is Kind.CONST or receiver is Kind.STATE:
            kind = (
                Kind.CONST
                if max((self.kind(a) for a in call.args if a is not node), default=Kind.CONST) < Kind.ELEM
                else Kind.ELEM
            )
        inner = {**env, **dict.fromkeys(names[1:], Kind.CONST), **dict.fromkeys(names[:1], kind)}
        if isinstance(function, ast.FunctionDef):
            if function.name in self._calls:
                return Kind.CONST
            self._calls.append(function.name)
            self._block(function.body, inner)
            self._calls.pop()
            return Kind.CONST
        made = self._expr(function.body, {**inner, **dict.fromkeys(names, kind)})
        self.kinds[id(node)] = made if made is Kind.STATE else Kind.CONST
        return self.kinds[id(node)]

    def _own_function(self, node: ast.Call, kinds: Sequence[Kind], env: Env) -> Kind:
        """A function of the notebook's own: its body is read with the kinds of the arguments."""
        function = self.watch.functions[node.func.id]  # type: ignore[attr-defined]
        if function.name in self._calls or len(self._calls) > 6:
            return max(kinds, default=Kind.CONST)
        names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
        inner: Env = dict.fromkeys([*names, *(a.arg for a in function.args.kwonlyargs)], Kind.CONST)
        for name, kind in zip(names, kinds, strict=False):
            inner[name] = kind
        for keyword, kind in zip(node.keywords, kinds[len(node.args) :], strict=True):
            if keyword.arg:
                inner[keyword.arg] = kind
        self._calls.append(function.name)
        learned, self._learned = self._learned, []
        returned = self._block(function.body, inner)
        self._learned = learned
        self._calls.pop()
        for name, argument in zip(names, node.args, strict=False):  # changed in place inside of the function
            if isinstance(argument, ast.Name) and inner.get(name, Kind.CONST) > self._expr(argument, env):
                self._change(argument.id, inner[name], env)
        kind = returned if returned is not None else Kind.CONST
        if kind is Kind.ROWS and self._facts(node) is not None and not self._carries(node, [*node.args]):
            facts = self._facts(node)
            if facts is not None and str(facts["type"]) == "pandas.core.frame.DataFrame" and isinstance(facts["n"], int):
                self.lengths.add(facts["n"])
                return Kind.ROWS
            return Kind.STATE
        return kind

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, elements: list[ast.expr], env: Env
    ) -> Kind:
        inner = dict(env)
        kinds: list[Kind] = []
        over_rows = False
        for generator in node.generators:
            kind = self._expr(generator.iter, inner)
            rows = self.loops_over_rows(generator.iter, kind)
            over_rows = over_rows or rows
            if not rows and kind is Kind.STATE:
                kinds.append(Kind.STATE)
            self._store(generator.target, Kind.ELEM if rows else Kind.CONST, inner, loop=True)
            kinds += [self._expr(one, inner) for one in generator.ifs]
        made = [self._expr(one, inner) for one in elements]
        if over_rows:
            return Kind.ROWS if self._carries(node, []) else Kind.STATE
        if Kind.ROWS in made:
            return Kind.ROWS
        return max([*kinds, *made], default=Kind.CONST)
