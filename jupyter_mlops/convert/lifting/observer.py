"""What watches the preparation while the notebook runs as it stands, inside of its kernel.

The source of this module is sent to the kernel behind that of `recorder` and runs in the same namespace, so it may import
nothing of this package. Expressions at the places that `watch` chose are rewritten, at syntax level, to go through
`Observer.see`, which notes type, length and, where it is not as long as a table, a copy of the value. Operators that are
row-aligned and fitted all the same (``get_dummies``, ``fit_transform``, ...) go through `Observer.operate`, which makes the
notebook's own call and then notes what the operator learned: one `learned_*` function each, named in
`operators.Operator.capture`.
"""

from __future__ import annotations

import ast
import copy
import json
import pickle
import sys
from pathlib import Path
from typing import Any

SEE, OPERATE, ENTER, KEY, SNAPSHOT = "__mlops_see__", "__mlops_operate__", "__mlops_enter__", "__mlops_key__", "__mlops_snapshot__"
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
        if mode == "see" or not isinstance(node, ast.Call):
            made = ast.Call(ast.Name(SEE, ast.Load()), [*where, node], [])
        elif isinstance(node.func, ast.Name) and node.func.id.startswith("__mlops"):
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


def _shift(module: ast.Module, places: dict[tuple[Any, ...], Any]) -> int:
    """Lines that the kernel cut off above: empty ones, or the line of a cell magic. The shift that fits most places."""
    nodes = [n for n in ast.walk(module) if isinstance(n, ast.expr)]

    def fitting(shift: int) -> int:
        return sum(
            (type(n).__name__, n.lineno + shift, n.col_offset, (n.end_lineno or 0) + shift, n.end_col_offset) in places for n in nodes
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
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, (list, tuple)) and len(value) < 200 and all(isinstance(v, _SCALARS) for v in value):
        return tuple(value)
    return None


def _is_estimator(value: Any) -> bool:
    return not isinstance(value, type) and (hasattr(value, "transform") or hasattr(value, "get_params")) and not hasattr(value, "iloc") and not _kind(value).startswith("pandas.")


def _keepable(value: Any, depth: int = 0) -> bool:
    """Plain data, small tables, fitted transformers, and containers of them."""
    if isinstance(value, _SCALARS) or type(value).__module__ == "numpy" or _kind(value).startswith(("pandas._libs", "datetime.", "re.")):
        return getattr(value, "size", 0) <= MOST_ITEMS
    if isinstance(value, (list, tuple, set, frozenset)):
        return depth < 4 and len(value) <= MOST_ITEMS and all(_keepable(v, depth + 1) for v in list(value)[:1000])
    if isinstance(value, dict):
        return depth < 4 and len(value) <= MOST_ITEMS and all(_keepable(v, depth + 1) for v in list(value.values())[:1000])
    if _kind(value).startswith("pandas.") and hasattr(value, "dtype") or hasattr(value, "dtypes"):
        return getattr(value, "size", 0) <= MOST_ITEMS
    if _kind(value).startswith("pandas.") and (hasattr(value, "categories") or hasattr(value, "left")):
        return True  # a categorical dtype, intervals
    return _is_estimator(value)


def _facts(value: Any) -> dict[str, Any]:
    out: dict[str, Any] = {"type": _kind(value), "n": _length(value)}
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        columns = list(value.columns)
        if len(columns) <= 5_000:
            out["columns"] = [str(c) for c in columns] if all(isinstance(c, str) for c in columns) else None
    if isinstance(value, (bool, int, float, str)):
        out["value"] = value if not isinstance(value, str) or len(value) < 200 else value[:200]
    return out


class Observer:
    """Notes of the watched places; keys are those of the loops around, the stack is that of the notebook's functions."""

    def __init__(self, plan: dict[str, Any], snapshot: Any) -> None:
        self.snapshot = snapshot
        self.after = plan["snapshot"]  # {"cell", "line", "names"}: where the raw tables are complete
        self.cells = {int(cell): one for cell, one in plan["cells"].items()}
        self.always = set(plan["always"])
        self.lengths: set[int] = set()
        self.notes: dict[int, dict[Any, dict[str, Any]]] = {}
        self.counts: dict[int, int] = {}
        self.stack: list[tuple[int, Any]] = []
        self.bytes = 0
        self.on = True

    def transform(self, module: ast.Module, cell: int) -> ast.Module:
        """The cell's syntax with its watched places wrapped."""
        loads = cell == self.after["cell"]
        if (cell not in self.cells and not loads) or not module.body or any(isinstance(n, ast.Name) and n.id == "__mlops__" for n in ast.walk(module)):
            return module
        places = {tuple(place[:5]): (place[5], place[6]) for place in self.cells.get(cell, ())}
        if loads:
            places.update(dict.fromkeys(map(tuple, self.after["places"]), (-1, "")))
        shift = _shift(module, places)
        if loads:
            self._insert_snapshot(module, shift)
            places = {place: one for place, one in places.items() if one[0] >= 0}
        return ast.fix_missing_locations(_Watch(places, shift).visit(module))

    def _insert_snapshot(self, module: ast.Module, shift: int) -> None:
        """Keep the raw tables right behind the statement that completes them."""
        for position, node in enumerate(module.body):
            if node.lineno + shift == self.after["line"]:
                names = ast.List([ast.Constant(name) for name in self.after["names"]], ast.Load())
                call = ast.Expr(ast.Call(ast.Name(SNAPSHOT, ast.Load()), [names], []))
                ast.copy_location(call, node)
                for inner in ast.walk(call):
                    ast.copy_location(inner, node)
                module.body.insert(position + 1, call)
                return

    def hooks(self) -> dict[str, Any]:
        """Names that the rewritten code calls."""
        return {SEE: self.see, OPERATE: self.operate, ENTER: self.enter, KEY: self.key, SNAPSHOT: self.snapshot}

    def see(self, site: int, key: tuple[Any, ...], value: Any) -> Any:
        """Note a value and hand it on."""
        count = self.counts.get(site, 0)
        if self.on and count < MOST_NOTES:
            self.counts[site] = count + 1
            try:
                self._note(site, key, _facts(value), value)
            except Exception as error:  # the notebook's run must never fail because of the notes
                print(f"jupyter-mlops: could not note place {site}: {error!r}", file=sys.stderr)
        return value

    def operate(self, site: int, key: tuple[Any, ...], operator: str, receiver: Any, method: Any, *args: Any, **kwargs: Any) -> Any:
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
                self._note(site, key, facts, learned, always=True)
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

    @staticmethod
    def key(value: Any) -> Any:
        """The name under which pandas hands a column or group to a function."""
        name = getattr(value, "name", None)
        return _plain_key(name)

    def _note(self, site: int, key: tuple[Any, ...], facts: dict[str, Any], value: Any, *, always: bool = False) -> None:
        where = (tuple(self.stack), tuple(map(_plain_key, key)))
        note: dict[str, Any] = {"facts": facts, "data": None}
        length = facts["n"]
        long = length is not None and length in self.lengths and not (always or site in self.always)
        if not long and _keepable(value) and self.bytes < MOST_BYTES:
            try:
                note["data"] = pickle.dumps(value, protocol=5)
                self.bytes += len(note["data"])
            except Exception as error:
                facts["refused"] = f"it cannot be saved: {error}"
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
        for site, passes in self.notes.items():
            digests: dict[bytes | None, int] = {}
            for (stack, key), note in passes.items():
                same = digests.setdefault(note["data"], len(digests))
                facts.append({"site": site, "stack": stack, "key": key, "same": same, "kept": note["data"] is not None, **note["facts"]})
                values.append(note["data"])
        (folder / "observed.json").write_text(json.dumps({"lengths": sorted(self.lengths), "notes": facts}, default=str), encoding="utf-8")
        with (folder / "observed.pkl").open("wb") as file:
            pickle.dump(values, file, protocol=5)


# What operators learn: (receiver, bound call, arguments, result) -> (value, further facts) -----------------------------


def _first(args: tuple[Any, ...], kwargs: dict[str, Any], name: str) -> Any:
    return args[0] if args else kwargs[name]


def _argument(args: tuple[Any, ...], kwargs: dict[str, Any], position: int, name: str, default: Any) -> Any:
    return args[position] if len(args) > position else kwargs.get(name, default)


def learned_levels(receiver: Any, call: Any, args: Any, kwargs: Any, result: Any) -> tuple[Any, dict[str, Any]]:
    """`pd.get_dummies`: the levels of every column that it spread out."""
    import pandas as pd

    data = _first(args, kwargs, "data")
    if hasattr(data, "columns"):
        columns = _argument(args, kwargs, 4, "columns", None)
        if columns is None:
            columns = list(data.select_dtypes(include=["object", "string", "category"]).columns)
        return {c: pd.Categorical(data[c]).categories.tolist() for c in columns}, {}
    return pd.Categorical(data).categories.tolist(), {}


def learned_dtype(receiver: Any, call: Any, args: Any, kwargs: Any, result: Any) -> tuple[Any, dict[str, Any]]:
    """`astype`, `pd.Categorical`: the categories, in their order. None where the result has none."""
    import pandas as pd

    if hasattr(result, "columns"):
        found = {c: t for c, t in result.dtypes.items() if isinstance(t, pd.CategoricalDtype)}
        return found or None, {"fitted": bool(found)}
    found = isinstance(result.dtype, pd.CategoricalDtype)
    return result.dtype if found else None, {"fitted": found}


def learned_uniques(receiver: Any, call: Any, args: Any, kwargs: Any, result: Any) -> tuple[Any, dict[str, Any]]:
    """`factorize`: the level of each code."""
    return list(result[1]), {}


def learned_bins(receiver: Any, call: Any, args: Any, kwargs: Any, result: Any) -> tuple[Any, dict[str, Any]]:
    """`pd.cut` with a number of bins, `pd.qcut`: their edges."""
    _, edges = call(*args, **{**kwargs, "retbins": True})
    bins = _argument(args, kwargs, 1, "bins", _argument(args, kwargs, 1, "q", None))
    fitted = call.__name__ == "qcut" or isinstance(bins, int) or hasattr(bins, "dtype") and getattr(bins, "ndim", 1) == 0
    return [float(edge) for edge in edges] if getattr(edges, "dtype", None) is not None and edges.dtype.kind in "fiu" else edges, {"fitted": fitted}


def learned_transformer(receiver: Any, call: Any, args: Any, kwargs: Any, result: Any) -> tuple[Any, dict[str, Any]]:
    """`fit_transform`: the fitted object, as it is behind this call."""
    if not hasattr(receiver, "transform"):
        raise TypeError(f"{type(receiver).__name__} cannot transform rows that it was not fitted on")
    return copy.deepcopy(receiver), {"class": type(receiver).__name__}


def learned_groups(receiver: Any, call: Any, args: Any, kwargs: Any, result: Any) -> tuple[Any, dict[str, Any]]:
    """`groupby(...).transform(...)`: the value of each group, where a group has one. Estimators learn nothing in `transform`."""
    import pandas as pd

    if "groupby" not in _kind(receiver):
        return None, {"fitted": False}
    keys = receiver.keys if isinstance(receiver.keys, list) else [receiver.keys]
    if not all(isinstance(k, str) and k in receiver.obj.columns for k in keys):
        return None, {"fitted": False}
    by = [receiver.obj[k] for k in keys]
    frame = result if hasattr(result, "columns") else result.to_frame("value")
    grouped = frame.groupby(by if len(by) > 1 else by[0], observed=True)
    if (grouped.nunique(dropna=False) > 1).any(axis=None):
        return None, {"fitted": False, "varies": True}
    table = grouped.first()
    kept = table if hasattr(result, "columns") else table["value"]
    if isinstance(kept, pd.Series):
        kept = kept.rename(None)
    return kept, {"fitted": True, "keys": keys}


def learned_encoders(receiver: Any, call: Any, args: Any, kwargs: Any, result: Any) -> tuple[Any, dict[str, Any]]:
    """`df.apply(encoder.fit_transform)`: the encoder as fitted on each column."""
    function = _first(args, kwargs, "func")
    owner = getattr(function, "__self__", None)
    if owner is None or getattr(function, "__name__", "") != "fit_transform" or not hasattr(receiver, "columns"):
        return None, {"fitted": False}
    return {c: copy.deepcopy(owner).fit(receiver[c]) for c in receiver.columns}, {"fitted": True}


def learned_moments(receiver: Any, call: Any, args: Any, kwargs: Any, result: Any) -> tuple[Any, dict[str, Any]]:
    """`scipy.stats.zscore`, `sklearn.preprocessing.scale`: mean and standard deviation, of each column."""
    import numpy as np

    data = _first(args, kwargs, "a" if "a" in kwargs else "X")
    if _argument(args, kwargs, 1, "axis", 0) != 0 or set(kwargs) - {"a", "X", "axis", "ddof", "nan_policy"}:
        raise TypeError("only the plain call, along the rows, is carried")
    ddof = kwargs.get("ddof", 0)
    if hasattr(data, "std"):
        values = data.astype(float) if hasattr(data, "astype") else data
        plain = not hasattr(values, "iloc")
        mean = values.mean(axis=0) if plain else values.mean(skipna=kwargs.get("nan_policy") == "omit" or call.__name__ == "scale")
        std = values.std(axis=0, ddof=ddof) if plain else values.std(ddof=ddof, skipna=kwargs.get("nan_policy") == "omit" or call.__name__ == "scale")
        return (mean, std), {}
    values = np.asarray(data, dtype=float)
    return (values.mean(axis=0), values.std(axis=0, ddof=ddof)), {}


def learned_power(receiver: Any, call: Any, args: Any, kwargs: Any, result: Any) -> tuple[Any, dict[str, Any]]:
    """`scipy.stats.boxcox` without a lambda: the lambda that it found."""
    fitted = isinstance(result, tuple)
    return float(result[1]) if fitted else None, {"fitted": fitted}
