"""What watches the preparation while the notebook runs as it stands, inside of its kernel.

The source of this module is sent to the kernel behind that of `recorder` and runs in the same namespace, so it may import
nothing of this package. Expressions at the places that `watch` chose are rewritten, at syntax level, to go through
`Observer.see`, which notes type, length and, where it is not as long as a table, a copy of the value. Operators that are
row-aligned and fitted all the same (``get_dummies``, ``fit_transform``, ...) go through `Observer.operate`, which makes the
notebook's own call and then notes what the operator learned: one function of the template ``captures.py`` each, which
runs in this namespace too.
"""

from __future__ import annotations

import ast
import copy
import functools
import json
import pickle
import sys
from pathlib import Path
from typing import Any

SEE, OPERATE, ENTER, HAND, KEY, SNAPSHOT = (
    "__mlops_see__",
    "__mlops_operate__",
    "__mlops_enter__",
    "__mlops_hand__",
    "__mlops_key__",
    "__mlops_snapshot__",
)
TABLE = "<table>"
MOST_NOTES = 3_000  # of one place: loops over rows go on unwatched
MOST_ITEMS = 500_000  # of a value that is worth a copy
MOST_BYTES = 200 * 2**20  # of all copies
_SCALARS = (bool, int, float, str, bytes, type(None))


class _Watch(ast.NodeTransformer):
    """Wraps the expressions at the places asked for. `shift` is what the kernel cut off above the first statement."""

    def __init__(self, places: dict[tuple[Any, ...], tuple[int, str]], shift: int) -> None:
        self.places, self.shift = places, shift
        self.keys: list[ast.expr] = []

    def _place(self, node: ast.AST) -> tuple[int, str] | None:
        if not isinstance(node, ast.expr):
            return None
        key = (
            type(node).__name__, node.lineno + self.shift, node.col_offset,
            (node.end_lineno or 0) + self.shift, node.end_col_offset,
        )  # fmt: skip
        return self.places.get(key)

    def visit(self, node: ast.AST) -> Any:
        match node:
            case ast.For():
                node.iter = self.visit(node.iter)
                with_keys = [ast.Name(n.id, ast.Load()) for n in ast.walk(node.target) if isinstance(n, ast.Name)]
                self.keys += with_keys
                node.body = [self.visit(one) for one in node.body]
                del self.keys[len(self.keys) - len(with_keys) :]
                node.orelse = [self.visit(one) for one in node.orelse]
                return node
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehension(node)
            case ast.Lambda() | ast.FunctionDef():
                kept, self.keys = self.keys, self._parameter_key(node)
                place = self._place(node)
                if isinstance(node, ast.Lambda):
                    self.keys = [*kept, *self.keys]
                    node.body = self.visit(node.body)
                else:
                    node.body = [self.visit(one) for one in node.body]
                self.keys = kept
                return node if place is None else self._wrapped(node, place)
        place = self._place(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.startswith("__mlops"):
            node.args = [one if isinstance(one, ast.Constant) else self.visit(one) for one in node.args]
            node.keywords = [self.visit(one) for one in node.keywords]
        else:
            self.generic_visit(node)
        return node if place is None else self._wrapped(node, place)

    def _comprehension(self, node: Any) -> ast.AST:
        place = self._place(node)
        count = len(self.keys)
        for generator in node.generators:
            generator.iter = self.visit(generator.iter)
            self.keys += [ast.Name(n.id, ast.Load()) for n in ast.walk(generator.target) if isinstance(n, ast.Name)]
            generator.ifs = [self.visit(one) for one in generator.ifs]
        for name in ("elt", "key", "value"):
            if hasattr(node, name):
                setattr(node, name, self.visit(getattr(node, name)))
        del self.keys[count:]
        return node if place is None else self._wrapped(node, place)

    @staticmethod
    def _parameter_key(node: ast.Lambda | ast.FunctionDef) -> list[ast.expr]:
        """pandas hands a column or a group to a function under its name: that tells the passes apart."""
        names = [*node.args.posonlyargs, *node.args.args]
        if not names:
            return []
        return [ast.Call(ast.Name(KEY, ast.Load()), [ast.Name(names[0].arg, ast.Load())], [])]

    def _wrapped(self, node: Any, place: tuple[int, str]) -> ast.AST:
        site, mode = place
        where = [ast.Constant(site), ast.Tuple([copy.deepcopy(k) for k in self.keys], ast.Load())]
        hooked = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.startswith("__mlops")
        if mode == "hand":
            made = ast.Call(ast.Name(HAND, ast.Load()), [*where, node], [])
        elif mode == "see" or hooked or not isinstance(node, ast.Call):
            made = ast.Call(ast.Name(SEE, ast.Load()), [*where, node], [])
        elif mode == "enter":
            made = ast.Call(ast.Name(ENTER, ast.Load()), [*where, node.func, *node.args], node.keywords)
        else:
            if isinstance(node.func, ast.Attribute):
                target: list[ast.expr] = [node.func.value, ast.Constant(node.func.attr)]
            else:
                target = [ast.Constant(None), node.func]
            made = ast.Call(ast.Name(OPERATE, ast.Load()), [*where, ast.Constant(mode), *target, *node.args], node.keywords)
        return ast.copy_location(made, node)


def _shift(module: ast.Module, places: set[tuple[Any, ...]]) -> int:
    """Lines that the kernel cut off above: empty ones, or the line of a cell magic. The shift that fits most places."""
    nodes = [n for n in ast.walk(module) if isinstance(n, ast.expr)]

    def fitting(shift: int) -> int:
        return sum(
            (type(n).__name__, n.lineno + shift, n.col_offset, (n.end_lineno or 0) + shift, n.end_col_offset) in places
            for n in nodes
        )

    return max(range(12), key=lambda shift: (fitting(shift), -shift))


def _kind(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _length(value: Any) -> int | None:
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return int(shape[0]) if shape else None
    if isinstance(value, (str, bytes)):
        return None
    try:
        return len(value)
    except Exception:
        return None


def _plain_key(value: Any) -> Any:
    """A loop variable as something that can be written down and looked up."""
    if hasattr(value, "iloc") and hasattr(value, "columns"):
        return (TABLE, id(value))  # a loop over tables: which one it is
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, (list, tuple)) and len(value) < 200 and all(isinstance(v, _SCALARS) for v in value):
        return tuple(value)
    return None


def _is_estimator(value: Any) -> bool:
    if isinstance(value, type) or _kind(value).startswith("pandas."):
        return False
    return hasattr(value, "transform") or hasattr(value, "get_params")


def _keepable(value: Any, depth: int = 0) -> bool:
    """Plain data, small tables, fitted transformers, and containers of them."""
    kind = _kind(value)
    if callable(value) or callable(getattr(value, "size", 0)):
        return False  # functions, groupings
    if isinstance(value, _SCALARS) or kind.startswith(("numpy.", "pandas._libs", "datetime.", "re.")):
        return bool(getattr(value, "size", 0) <= MOST_ITEMS)
    if isinstance(value, (list, tuple, set, frozenset)):
        return depth < 4 and len(value) <= MOST_ITEMS and all(_keepable(v, depth + 1) for v in list(value)[:1000])
    if isinstance(value, dict):
        return depth < 4 and len(value) <= MOST_ITEMS and all(_keepable(v, depth + 1) for v in list(value.values())[:1000])
    if kind.startswith("pandas.") and (hasattr(value, "dtype") or hasattr(value, "dtypes")):
        return getattr(value, "size", 0) <= MOST_ITEMS
    if kind.startswith("pandas.") and (hasattr(value, "categories") or hasattr(value, "left")):
        return True  # a categorical dtype, intervals
    return _is_estimator(value)


def _facts(value: Any) -> dict[str, Any]:
    out: dict[str, Any] = {"type": _kind(value), "n": _length(value)}
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        out["id"] = id(value)
        columns = list(value.columns)
        if len(columns) <= 5_000:
            out["columns"] = [str(c) for c in columns] if all(isinstance(c, str) for c in columns) else None
    if isinstance(value, (tuple, list)) and len(value) <= 8:
        parts = [_length(one) for one in value]
        if any(part is not None for part in parts):
            out["parts"] = parts
        out["tables"] = [id(one) for one in value if hasattr(one, "iloc") and hasattr(one, "columns")]
    if isinstance(value, (bool, int, float, str)):
        out["value"] = value if not isinstance(value, str) or len(value) < 200 else value[:200]
    return out


class Observer:
    """Notes of the watched places; keys are those of the loops around, the stack is that of the notebook's functions."""

    def __init__(self, plan: dict[str, Any], snapshot: Any) -> None:
        self.snapshot = snapshot
        self.snapshots = plan["snapshots"]  # {"cell", "line", "names", "places"}: where the tables to keep are complete
        self.cells = {int(cell): one for cell, one in plan["cells"].items()}
        self.always = set(plan["always"])
        self.once = set(plan["once"])
        self.lengths: set[int] = set()
        self.notes: dict[int, dict[Any, dict[str, Any]]] = {}
        self.counts: dict[int, int] = {}
        self.stack: list[tuple[int, Any]] = []
        self.bytes = 0
        self.on = True

    def transform(self, module: ast.Module, cell: int) -> ast.Module:
        """The cell's syntax with its watched places wrapped."""
        here = [one for one in self.snapshots if one["cell"] == cell]
        ours = any(isinstance(n, ast.Name) and n.id == "__mlops__" for n in ast.walk(module))
        if not (cell in self.cells or here) or not module.body or ours:
            return module
        places = {tuple(place[:5]): (place[5], place[6]) for place in self.cells.get(cell, ())}
        known = {*places, *(tuple(place) for one in here for place in one["places"])}
        shift = _shift(module, known)
        for one in here:
            self._insert_snapshot(module, one["line"] - shift, one["names"])
        _Watch(places, shift).visit(module)
        return ast.fix_missing_locations(module)

    @staticmethod
    def _insert_snapshot(module: ast.Module, line: int, names: list[str]) -> None:
        """Keep tables right behind the statement that completes them."""
        for position, node in enumerate(module.body):
            if node.lineno == line:
                kept = ast.List([ast.Constant(name) for name in names], ast.Load())
                call = ast.Expr(ast.Call(ast.Name(SNAPSHOT, ast.Load()), [kept], []))
                for inner in ast.walk(call):
                    ast.copy_location(inner, node)
                module.body.insert(position + 1, call)
                return

    def hooks(self) -> dict[str, Any]:
        """Names that the rewritten code calls."""
        return {SEE: self.see, OPERATE: self.operate, ENTER: self.enter, HAND: self.hand, KEY: self.key, SNAPSHOT: self.snapshot}

    def see(self, site: int, key: tuple[Any, ...], value: Any) -> Any:
        """Note a value and hand it on."""
        count = self.counts.get(site, 0)
        if self.on and count < (1 if site in self.once else MOST_NOTES):
            self.counts[site] = count + 1
            try:
                self._note(site, key, _facts(value), value)
            except Exception as error:  # the notebook's run must never fail because of the notes
                print(f"jupyter-mlops: could not note place {site}: {error!r}", file=sys.stderr)
        return value

    def operate(
        self, site: int, key: tuple[Any, ...], operator: str, receiver: Any, method: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Make the notebook's own call and note what the operator learned from its data."""
        call = method if receiver is None else getattr(receiver, method)
        result = call(*args, **kwargs)
        count = self.counts.get(site, 0)
        if self.on and count < MOST_NOTES:
            self.counts[site] = count + 1
            facts = _facts(result)
            learned: Any = None
            try:
                learned, more = globals()[f"learned_{operator}"](receiver, call, args, kwargs, result)
                facts.update(more)
            except Exception as error:
                facts["refused"] = f"{type(error).__name__}: {error}"
            try:
                if facts.get("fitted") is False:  # a value like any other
                    self._note(site, key, facts, result)
                else:
                    self._note(site, key, facts, learned, always=True, plain=result)
            except Exception as error:
                print(f"jupyter-mlops: could not note place {site}: {error!r}", file=sys.stderr)
        return result

    def enter(self, site: int, key: tuple[Any, ...], function: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a function of the notebook; what is seen inside belongs to this call."""
        self.stack.append((site, tuple(map(_plain_key, key))))
        try:
            result = function(*args, **kwargs)
        finally:
            self.stack.pop()
        return self.see(site, key, result)

    def hand(self, site: int, key: tuple[Any, ...], function: Any) -> Any:
        """A function of the notebook that pandas is handed; what is seen inside of its calls belongs to this place."""

        @functools.wraps(function)
        def handed(*args: Any, **kwargs: Any) -> Any:
            self.stack.append((site, tuple(map(_plain_key, key))))
            try:
                return function(*args, **kwargs)
            finally:
                self.stack.pop()

        self.see(site, key, function)
        return handed

    @staticmethod
    def key(value: Any) -> Any:
        """The name under which pandas hands a column or group to a function."""
        name = getattr(value, "name", None)
        return _plain_key(name)

    def _note(
        self, site: int, key: tuple[Any, ...], facts: dict[str, Any], value: Any, *, always: bool = False, plain: Any = None
    ) -> None:
        where = (tuple(self.stack), tuple(map(_plain_key, key)))
        note: dict[str, Any] = {"facts": facts, "data": None, "plain": None}
        length = facts["n"]
        long = length is not None and length in self.lengths and not (always or site in self.always)
        if not long and _keepable(value) and self.bytes < MOST_BYTES:
            try:
                note["data"] = pickle.dumps(value, protocol=5)
                self.bytes += len(note["data"])
            except Exception as error:
                facts["refused"] = f"it cannot be saved: {error}"
        if plain is not None and length not in self.lengths and _keepable(plain):
            note["plain"] = pickle.dumps(plain, protocol=5)
        passes = self.notes.setdefault(site, {})
        before = passes.get(where)
        if before is not None and before["data"] != note["data"]:
            facts["varied"] = True  # two values under one key
        passes[where] = note

    def finish(self, folder: Path) -> None:
        """Write facts as JSON and values, each a pickle of its own, into `folder`."""
        self.on = False
        facts: list[dict[str, Any]] = []
        values: list[bytes | None] = []
        digests: dict[bytes | None, int] = {}
        for site, passes in self.notes.items():
            for (stack, key), note in passes.items():
                same = digests.setdefault(note["data"], len(digests))
                facts.append(
                    {"site": site, "stack": stack, "key": key, "same": same, "kept": note["data"] is not None, **note["facts"]}
                )
                values.append(note["data"])
        plain = [note["plain"] for passes in self.notes.values() for note in passes.values()]
        for fact, value in zip(facts, plain, strict=True):
            if value is not None:
                fact["plain"] = len(values)
                values.append(value)
        (folder / "observed.json").write_text(
            json.dumps({"lengths": sorted(self.lengths), "notes": facts}, default=str), encoding="utf-8"
        )
        with (folder / "observed.pkl").open("wb") as file:
            pickle.dump(values, file, protocol=5)
