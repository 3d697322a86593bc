"""Expressions on `rows.Value`s: what calls, methods and indices do to rows."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from jupyter_mlops.notebook.checks import kinds
from jupyter_mlops.notebook.checks.context import argument, constant, last_name
from jupyter_mlops.notebook.checks.rows import NOTHING, Part, Rows, Scope, Value, joined

if TYPE_CHECKING:
    from jupyter_mlops.notebook.checks.rows import Follower

__all__ = ["Evaluator", "element"]

_TEST_NAME = re.compile(r"(?:^|_)(?:[xyi]_?)?(?:test|tst|te|val|valid|validation|holdout|eval)\d*(?:_|$)", re.IGNORECASE)
_TRAIN_NAME = re.compile(r"(?:^|_)(?:[xyi]_?)?(?:train|training|trn|tr)\d*(?:_|$)", re.IGNORECASE)
_TEST_FILE = re.compile(r"(?:^|[/\\_.-])(?:test|holdout)(?:[_.-]|\d|$)", re.IGNORECASE)
_FITS = frozenset({"fit", "fit_transform", "fit_predict", "fit_resample", "fit_sample", "partial_fit"})
_ANSWERS = frozenset({"predict", "predict_proba", "decision_function", "predict_log_proba"})
_FITS_BY_FUNCTION = {"xgboost.train": 1, "lightgbm.train": 1}
_SPLITTERS = re.compile(r"(?:KFold|ShuffleSplit|TimeSeriesSplit|LeaveOneOut|GroupOut)")
_MERGES = frozenset("append join merge concat assign combine_first update hstack vstack".split())
_STATISTIC_FUNCTIONS = ("numpy.", "scipy.", "statistics.")
_DEPTH = 4  # of functions of the notebook that call one another
_STEPS = 60_000  # statements; a bound for generated notebooks


class Evaluator:
    """Evaluates expressions for a `Follower`."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower
        self.context = follower.context
        self._running: list[str] = []

    def evaluate(self, node: ast.expr) -> Value:
        """The value of an expression; what happens on the way is noted."""
        match node:
            case ast.Name(id=name):
                return self.follower.scope.get(name)
            case ast.Constant(value=value):
                return Value(words=(value,)) if isinstance(value, str) else NOTHING
            case ast.Call():
                return self._call(node)
            case ast.Attribute(value=inner, attr=name):
                return self._attribute(self.evaluate(inner), name)
            case ast.Subscript():
                return self._subscript(node)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                items = tuple(self.evaluate(one) for one in elements)
                whole = joined(items)
                return replace(whole, items=items) if 0 < len(items) <= 12 and whole is not NOTHING else whole
            case ast.Dict(values=values):
                items = tuple(self.evaluate(one) for one in values)
                return replace(joined(items), items=items) if items else NOTHING
            case ast.BinOp(left=left, right=right):
                return self._operator(node, self.evaluate(left), self.evaluate(right))
            case ast.Lambda():
                return NOTHING
            case ast.ListComp(elt=inner) | ast.SetComp(elt=inner) | ast.GeneratorExp(elt=inner):
                return self._comprehension(node.generators, inner)
            case ast.DictComp(value=inner):
                return self._comprehension(node.generators, inner)
            case _:
                return joined([self.evaluate(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)])

    def named(self, name: str, value: Value, source: ast.expr | None, *, taken: bool = False) -> Value:
        """A value under its name: rows that were taken by hand are what their name says."""
        if not value.rows or value.parts != {"whole"} or not (taken or _takes_rows(source)):
            return value
        part = _part_of_name(name)
        if part is None:
            return value
        number = min(one.of for one in value.rows)
        return replace(value, rows=self.follower.table(("by name", part, number), part).rows)

    def _comprehension(self, generators: list[ast.comprehension], shown: ast.expr) -> Value:
        for one in generators:
            self.follower.bind(one.target, element(self.evaluate(one.iter)), None)
            for condition in one.ifs:
                self.evaluate(condition)
        return replace(self.evaluate(shown), items=None)

    def _attribute(self, value: Value, name: str) -> Value:
        if name in ("best_estimator_", "estimator", "named_steps", "steps", "model"):
            return Value(models=value.models)
        if name == "index":
            return NOTHING
        if kinds.describes_data(name):
            return NOTHING
        if value.rows and not name.startswith("_") and name not in _PARTS_OF_DATA:
            return replace(value, columns=frozenset((name,)), words=(), items=None)
        return replace(value, items=None) if value.items else value

    def _subscript(self, node: ast.Subscript) -> Value:
        value = self.evaluate(node.value)
        index = self.evaluate(node.slice)
        position = constant(node.slice)
        if value.items is not None and isinstance(position, int) and -len(value.items) <= position < len(value.items):
            return value.items[position]
        if not value.rows:
            return replace(value, items=None) if value.items else value
        chosen = {one for one in index.rows if one.part != "whole"}
        if chosen and "test" not in value.parts:
            return replace(value, rows=frozenset(chosen), items=None)
        number = min(one.of for one in value.rows)
        if (named := _part_of_name(_row_index(node.slice))) is not None and value.parts == {"whole"}:
            return replace(value, rows=self.follower.table(("by name", named, number), named).rows, items=None, words=())
        value = replace(value, items=None, words=())
        if _selects_rows(node):
            part = next(iter(value.parts)) if len(value.parts) == 1 else "whole"
            value = replace(value, rows=self.follower.table(("some", part, number, ast.unparse(node.slice)), part, number).rows)
        if index.words and not isinstance(node.value, ast.Attribute):
            return replace(value, columns=frozenset(index.words))
        return replace(value, columns=frozenset())

    def _operator(self, node: ast.BinOp, left: Value, right: Value) -> Value:
        if left.rows and right.summary and not right.rows and isinstance(node.op, (ast.Sub, ast.Div)):
            self.follower.note("fill", node, "scaling", left, other=right)
        if left.words and right.words and isinstance(node.op, ast.Add):
            return Value(words=left.words + right.words)
        return replace(joined([left, right]), words=())

    # Calls

    def _call(self, node: ast.Call) -> Value:
        if (
            isinstance(node.func, ast.Name)
            and node.func.id in self.context.functions
            and self.follower.scope.get(node.func.id) is NOTHING
        ):
            return self._own_function(node, node.func.id)
        origin = self.context.origin(node.func)
        name = origin.rpartition(".")[2]
        receiver = NOTHING
        method = isinstance(node.func, ast.Attribute) and origin.startswith(".")
        if isinstance(node.func, ast.Attribute) and method:
            receiver = self.evaluate(node.func.value)
        elif not isinstance(node.func, (ast.Name, ast.Attribute)):
            receiver = self.evaluate(node.func)
        arguments = [self.evaluate(one.value if isinstance(one, ast.Starred) else one) for one in node.args]
        keywords = {k.arg or "**": self.evaluate(k.value) for k in node.keywords}
        if method:
            return self._method(node, name, receiver, arguments, keywords)
        return self._function(node, origin, name, arguments, keywords)

    def _own_function(self, node: ast.Call, name: str) -> Value:
        statement, function = self.context.functions[name]
        arguments = [self.evaluate(one.value if isinstance(one, ast.Starred) else one) for one in node.args]
        keywords = {k.arg: self.evaluate(k.value) for k in node.keywords}
        follower = self.follower
        if name in self._running or len(self._running) >= _DEPTH or follower.steps > _STEPS:
            return joined([*arguments, *keywords.values()])
        given = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
        names: dict[str, Value] = dict(zip(given, arguments, strict=False))
        names.update({k: v for k, v in keywords.items() if k is not None})
        for parameter in (*given, *(one.arg for one in function.args.kwonlyargs)):
            names.setdefault(parameter, NOTHING)
        outer, cell = follower.scope, follower.cell
        base = outer
        while base.outer is not None:
            base = base.outer
        follower.scope, follower.cell = Scope(names, base), statement.cell
        follower.depth += 1
        self._running.append(name)
        try:
            follower.block(function.body)
            results = follower.scope.result
            after = follower.scope.names
        finally:
            self._running.pop()
            follower.depth -= 1
            follower.scope, follower.cell = outer, cell
        for parameter, one in zip(given, node.args, strict=False):
            # What the function did to the objects that it was handed.
            if isinstance(one, ast.Name) and parameter in after and after[parameter].rows == outer.get(one.id).rows:
                if outer.get(one.id).rows:
                    outer.names[one.id] = replace(after[parameter], items=None)
        tuples = [one for one in results if one.items is not None]
        if len(results) == 1 or (tuples and len(tuples) == len(results) == 1):
            return results[0]
        return joined(results) if results else NOTHING

    def _function(self, node: ast.Call, origin: str, name: str, arguments: list[Value], keywords: dict[str, Value]) -> Value:
        first = arguments[0] if arguments else NOTHING
        everything = joined([*arguments, *keywords.values()])
        follower = self.follower
        if name == "train_test_split":
            number = follower.split(node, arguments, name)
            return _halves(number, arguments)
        if name in kinds.CROSS_VALIDATION:
            data = joined([*arguments[1:3], *(keywords[k] for k in ("X", "y") if k in keywords)])
            models = first.models or keywords.get("estimator", NOTHING).models
            event = follower.note("cross-validate", node, name, data, models=models)
            return Value(predicted=frozenset((event.order,)), rows=data.rows) if name == "cross_val_predict" else NOTHING
        if kinds.is_metric(name):
            models = frozenset(model for one in everything.predicted for model in follower.events[one].models)
            follower.note("evaluate", node, name, everything, models=models, asked=everything.predicted)
            return NOTHING
        if name == "get_dummies":
            data = first if arguments else keywords.get("data", NOTHING)
            follower.note("dummies", node, name, data)
            return replace(data, prepared=data.prepared | {"get_dummies"}, columns=frozenset(), words=(), items=None)
        if name in ("clone", "deepcopy", "copy"):
            return first
        if origin == "next":
            return element(first)
        if name in kinds.REDUCTIONS and origin.startswith(_STATISTIC_FUNCTIONS):
            follower.note("statistic", node, name, first)
            return Value(summary=first.rows)
        if name.startswith(("read_", "load_", "fetch_", "make_")) or name in ("loadtxt", "genfromtxt", "load_data"):
            return self._reader(node, name, arguments)
        if origin == "sklearn.utils.resample" or (name == "resample" and "replace" in keywords):
            follower.note("fit", node, "resample", first, models=frozenset())
            return replace(first, synthetic=True, columns=frozenset())
        if name in _FITS_BY_FUNCTION or origin in _FITS_BY_FUNCTION:
            return NOTHING
        if self._is_estimator(origin, name):
            inner = everything.models
            parts = [self.follower.estimators[one] for one in inner]
            kind = kinds.kind_of(name, [one.kind for one in parts])  # type: ignore[misc]
            return follower.estimator(name, kind, node, inner)
        if name in (
            "print",
            "len",
            "display",
            "range",
            "type",
            "isinstance",
            "id",
            "min",
            "max",
            "sum",
            "round",
            "format",
            "str",
        ):
            return NOTHING if name != "round" else everything
        if name in ("zip", "enumerate", "list", "sorted", "tuple"):
            return _stored(name, arguments, everything)
        if name in ("concat", "vstack", "hstack", "concatenate", "append", "merge", "r_", "c_", "column_stack"):
            return replace(everything, rows=self._gathered(everything), columns=frozenset(), items=None, words=())
        return replace(everything, words=(), items=None, columns=first.columns if name in kinds.DATA_TYPES else frozenset())

    def _gathered(self, value: Value) -> frozenset[Rows]:
        """Parts of folds that are put together are the whole table again, fold by fold."""
        found: set[Rows] = set()
        for one in value.rows:
            split = self.follower.splits.get(one.of) if one.part == "test" else None
            found |= split.value.rows if split is not None and split.name == "split" and split.value.rows else {one}
        return frozenset(found)

    def _is_estimator(self, origin: str, name: str) -> bool:
        if name in kinds.COMPOSED:
            return True
        if (
            not name[:1].isupper()
            or name in kinds.DATA_TYPES
            or (name.isupper() and name not in kinds.RESAMPLERS | {"SVC", "SVR", "PCA", "RFE", "NMF"})
        ):
            return False
        package = origin.partition(".")[0]
        return package not in (
            "pandas",
            "numpy",
            "matplotlib",
            "seaborn",
            "plotly",
            "datetime",
            "pathlib",
            "collections",
            "scipy",
            "os",
        )

    def _reader(self, node: ast.Call, name: str, arguments: list[Value]) -> Value:
        words = " ".join(arguments[0].words) if arguments else ""
        part: Part = "test" if name.startswith("read_") and _TEST_FILE.search(words.rpartition("/")[2]) else "whole"
        return replace(self.follower.table(id(node), part), synthetic=name.startswith("make_"))

    # Methods

    def _method(self, node: ast.Call, name: str, receiver: Value, arguments: list[Value], keywords: dict[str, Value]) -> Value:
        first = arguments[0] if arguments else keywords.get("X", keywords.get("x", keywords.get("raw_documents", NOTHING)))
        follower = self.follower
        if name in _FITS and not (receiver.rows and not receiver.models):
            return self._fit(node, name, receiver, first, arguments, keywords)
        if receiver.models:
            found = self._ask(node, name, receiver, first, arguments, keywords)
            if found is not None:
                return found
        if name == "split" and any(_SPLITTERS.search(follower.estimators[one].name) for one in receiver.models):
            number = follower.split(node, [first, *arguments[1:]], "split")
            halves = [Value(rows=frozenset((Rows(part, number),))) for part in ("train", "test")]
            return Value(items=(Value(items=tuple(halves)),))
        if name in ("fillna", "replace") and receiver.rows:
            filling = joined([*arguments, *keywords.values()])
            if filling.summary:
                follower.note("fill", node, name, receiver, other=filling)
            if _is_true(node, "inplace"):
                return NOTHING
            return receiver
        if name in kinds.REDUCTIONS or (name in ("transform", "agg") and receiver.grouped and _reduces(node)):
            return self._reduction(node, name, receiver)
        return self._data_method(node, name, receiver, arguments, keywords)

    def _fit(
        self, node: ast.Call, name: str, receiver: Value, first: Value, arguments: list[Value], keywords: dict[str, Value]
    ) -> Value:
        follower = self.follower
        target = arguments[1] if len(arguments) > 1 else keywords.get("y", NOTHING)
        models = receiver.models
        names = [follower.estimators[one].name for one in sorted(models)]
        title = names[0] if len(names) == 1 else "model" if names else last_name(node.func)
        event = follower.note("fit", node, title, first, other=target, models=models, again=name != "fit")
        if name == "fit_transform":
            return replace(first, prepared=first.prepared | set(names), columns=frozenset(), items=None, words=())
        if name in ("fit_resample", "fit_sample"):
            made = replace(first, synthetic=True, columns=frozenset(), items=None, words=())
            return Value(
                rows=made.rows, prepared=made.prepared, synthetic=True, items=(made, replace(made, prepared=frozenset()))
            )
        if name == "fit_predict":
            return Value(rows=first.rows, predicted=frozenset((event.order,)))
        return receiver

    def _ask(
        self, node: ast.Call, name: str, receiver: Value, first: Value, arguments: list[Value], keywords: dict[str, Value]
    ) -> Value | None:
        follower = self.follower
        models = receiver.models
        if name in ("transform", "fit_transform", "texts_to_sequences"):
            follower.note("transform", node, name, first, models=models)
            names = {follower.estimators[one].name for one in models}
            return replace(first, prepared=first.prepared | names, columns=frozenset(), items=None, words=())
        if name in _ANSWERS:
            event = follower.note("predict", node, name, first, models=models)
            return Value(rows=first.rows, predicted=frozenset((event.order,)), prepared=first.prepared)
        if name in ("score", "evaluate"):
            follower.note("evaluate", node, name, first, models=models)
            return NOTHING
        if name in ("from_estimator", "set_params", "named_steps", "get", "values", "items", "set_output"):
            return Value(models=models, items=(Value(items=(NOTHING, Value(models=models))),) if name == "items" else None)
        return None

    def _reduction(self, node: ast.Call, name: str, receiver: Value) -> Value:
        axis = constant(argument(node, "axis", 0))
        if axis in (1, "columns") or not receiver.rows:
            return replace(receiver, items=None) if axis in (1, "columns") else NOTHING
        column = next(iter(receiver.columns)) if len(receiver.columns) == 1 else ""
        self.follower.note("statistic", node, "group" if receiver.grouped else name, receiver, column=column)
        if receiver.grouped and name not in ("transform",):
            return Value(summary=receiver.rows)
        return Value(summary=receiver.rows)

    def _data_method(
        self, node: ast.Call, name: str, receiver: Value, arguments: list[Value], keywords: dict[str, Value]
    ) -> Value:
        if not receiver.rows:
            if receiver.models:
                return receiver
            given = joined([*arguments, *keywords.values()])
            if name in ("load_data", "load", "as_frame"):
                return self._reader(node, name, arguments)
            if receiver.summary:
                return receiver
            return replace(given, items=None, words=()) if given.rows and name not in kinds.NO_ROWS else receiver
        if name in ("iterrows", "itertuples", "items", "iteritems"):
            return NOTHING
        if name in ("groupby", "resample", "rolling", "expanding"):
            return replace(receiver, grouped=True, columns=frozenset(), items=None)
        if kinds.describes_data(name):
            return NOTHING
        if name == "pop":
            return replace(receiver, columns=frozenset(arguments[0].words) if arguments else frozenset())
        if name in kinds.SUBSETS or (name == "drop" and _drops_rows(node)):
            number = min(one.of for one in receiver.rows)
            if receiver.parts == {"whole"}:
                return replace(
                    receiver,
                    rows=self.follower.table(("some", number, ast.unparse(node)[-60:]), "whole", number).rows,
                    items=None,
                )
            return receiver
        if name in _MERGES:
            both = joined([receiver, *arguments])
            return replace(both, rows=self._gathered(both), columns=frozenset(), words=(), items=None)
        kept = (
            receiver.columns
            if name in ("copy", "astype", "to_numpy", "reset_index", "ravel", "reshape", "map", "values")
            else frozenset()
        )
        grouped = receiver.grouped and name not in ("reset_index", "copy")
        return replace(receiver, columns=kept, grouped=grouped, items=None, words=())


_PARTS_OF_DATA = frozenset("values iloc loc at iat T str dt cat data target frame A flat array sparse real plot style ix".split())


def _halves(number: int, inputs: list[Value]) -> Value:
    items: list[Value] = []
    for one in inputs:
        for part in ("train", "test"):
            items.append(replace(one, rows=frozenset((Rows(part, number),)), items=None))
    return Value(rows=frozenset(r for one in items for r in one.rows), items=tuple(items))


def _stored(name: str, arguments: list[Value], everything: Value) -> Value:
    if name == "zip" and arguments:
        return Value(items=(Value(items=tuple(element(one) for one in arguments)),))
    if name == "enumerate" and arguments:
        return Value(items=(Value(items=(NOTHING, element(arguments[0]))),))
    return arguments[0] if len(arguments) == 1 else everything


def _part_of_name(name: str) -> Part | None:
    # `X_train_valid` is what is not the test.
    return "train" if _TRAIN_NAME.search(name) else "test" if _TEST_NAME.search(name) else None


def _row_index(index: ast.expr) -> str:
    """``train`` of ``X[train]`` and ``X[train, :]``: a name in the place of rows."""
    if isinstance(index, ast.Tuple) and index.elts:
        index = index.elts[0]
    return index.id if isinstance(index, ast.Name) else ""


def element(value: Value) -> Value:
    """What a loop over a value gives."""
    if value.items is not None:
        return joined(value.items)
    # A loop over a table goes through its columns, rows or cells: what is done with one of them says nothing of its rows.
    return Value(models=value.models, predicted=value.predicted) if value.rows else value


def _is_true(node: ast.Call, name: str) -> bool:
    return constant(argument(node, name)) is True


def _reduces(node: ast.Call) -> bool:
    first = node.args[0] if node.args else argument(node, "func")
    if isinstance(first, ast.Lambda):
        return any(isinstance(n, ast.Attribute) and n.attr in kinds.REDUCTIONS for n in ast.walk(first.body))
    return isinstance(constant(first), str) and constant(first) in kinds.REDUCTIONS


def _drops_rows(node: ast.Call) -> bool:
    labels = argument(node, "labels", 0) or argument(node, "index")
    return labels is not None and any(isinstance(n, ast.Attribute) and n.attr == "index" for n in ast.walk(labels))


def _selects_rows(node: ast.Subscript) -> bool:
    """Whether an index takes rows: a slice, a mask, or `.iloc` and `.loc` with more than ``:`` for the rows."""
    index = node.slice
    by_position = isinstance(node.value, ast.Attribute) and node.value.attr in ("iloc", "loc", "ix", "values")
    if isinstance(index, ast.Tuple) and index.elts:
        index = index.elts[0]
    elif by_position and isinstance(node.value, ast.Attribute) and node.value.attr == "values":
        by_position = False
    if isinstance(index, ast.Slice):
        return index.lower is not None or index.upper is not None
    if isinstance(index, (ast.Compare, ast.UnaryOp, ast.BinOp)):
        return not isinstance(index, ast.UnaryOp) or isinstance(index.op, ast.Invert)
    return by_position and isinstance(index, (ast.Name, ast.Call))


def _takes_rows(source: ast.expr | None) -> bool:
    """Whether an expression takes some rows of a table, or is what a loader gives in parts."""
    match source:
        case ast.Subscript():
            return _selects_rows(source) or _takes_rows(source.value)
        case ast.Call(func=ast.Attribute(value=inner, attr=name)):
            if name in kinds.SUBSETS or (name == "drop" and _drops_rows(source)):
                return True
            return name in ("load_data", "copy", "reset_index", "drop", "sort_index", "astype", "to_numpy") and (
                name == "load_data" or _takes_rows(inner)
            )
        case ast.Tuple(elts=elements):
            return all(_takes_rows(one) for one in elements)
        case ast.Attribute(value=inner):
            return _takes_rows(inner)
    return False
