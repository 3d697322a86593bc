"""What the notebook measures its models on, noted inside of its kernel.

The source of this module is sent to the kernel behind that of `recorder` and runs in the same namespace, so it may import
nothing of this package. Calls of functions that measure a model (``accuracy_score(y_test, predicted)``) and comparisons
(``predicted == y_test``) are rewritten, at syntax level, to go through `Evaluations`, which notes both sides where they are
as long as what a model was asked about. Which side is the truth is decided later, when it is known what the model predicted.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # In the kernel it stands in this same namespace, see `recorder`.
    from jupyter_mlops.convert.recorder import kept_positions  # noqa: TC004

MEASURE, LEFT, RIGHT = "__mlops_measure__", "__mlops_left__", "__mlops_right__"
# Functions that measure a model, by how their names end, and by whole names.
ENDINGS = ("_score", "_error", "_loss", "_kappa", "_corrcoef", "_deviance", "_distance")
WHOLE = frozenset({"auc", "score", "rmse", "mae", "mse", "mape", "accuracy", "log_loss", "rmsle", "r2"})
# They give tables or curves, of the same two sides.
TABLES = frozenset(
    {"classification_report", "confusion_matrix", "multilabel_confusion_matrix", "precision_recall_fscore_support", "roc_curve",
     "precision_recall_curve", "det_curve", "calibration_curve", "from_predictions"}
)  # fmt: skip
OPERATORS = {ast.Eq: "==", ast.NotEq: "!=", ast.Sub: "-"}
NO_SIDES = frozenset({"sample_weight", "labels", "target_names", "ax"})  # arguments that are about something else
OPTIONS = frozenset({"average", "pos_label", "multi_class"})  # of scores, to score alike later
MOST_PAIRS = 400
MOST_CLASSES = 200  # columns of a table of probabilities
KEPT_PASSES = 20  # of one place in a loop


class Measures(ast.NodeTransformer):
    """Wraps functions that measure, and both sides of ``==``, ``!=`` and ``-`` where they are not computed over and over."""

    def __init__(self) -> None:
        self.number = 0
        self.depth = 0  # of loops; what runs for each element is left alone

    def visit(self, node: ast.AST) -> Any:
        deeper = {ast.For: 1, ast.While: 1, ast.ListComp: 2, ast.SetComp: 2, ast.DictComp: 2, ast.GeneratorExp: 2, ast.Lambda: 2}
        self.depth += (more := deeper.get(type(node), 0))
        made = super().visit(node)
        self.depth -= more
        return made

    def visit_Module(self, node: ast.Module) -> ast.Module:
        self.generic_visit(node)
        return ast.fix_missing_locations(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in WHOLE | TABLES or name.endswith(ENDINGS):
            given = [ast.Constant(node.lineno), ast.Constant(name), node.func]
            node.func = ast.copy_location(ast.Call(ast.Name(MEASURE, ast.Load()), given, []), node.func)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) == 1 and (sign := OPERATORS.get(type(node.ops[0]))) is not None:
            node.left, node.comparators[0] = self._sides(node, sign, node.left, node.comparators[0])
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if (sign := OPERATORS.get(type(node.op))) is not None:
            node.left, node.right = self._sides(node, sign, node.left, node.right)
        return node

    def _sides(self, node: ast.expr, sign: str, left: ast.expr, right: ast.expr) -> tuple[ast.expr, ast.expr]:
        if self.depth > 1 or any(isinstance(side, (ast.Constant, ast.JoinedStr, ast.UnaryOp)) for side in (left, right)):
            return left, right
        self.number += 1
        number = ast.Constant(self.number)
        first = ast.Call(ast.Name(LEFT, ast.Load()), [number, left], [])
        second = ast.Call(ast.Name(RIGHT, ast.Load()), [number, ast.Constant(node.lineno), ast.Constant(sign), right], [])
        return ast.copy_location(first, left), ast.copy_location(second, right)


def _side(value: Any) -> Any:
    """One side of a measurement as an array of one value a row, or of a row of probabilities; None for anything else."""
    import numpy as np

    if isinstance(value, (list, tuple)):
        if not value or not all(isinstance(one, (bool, int, float, str, np.generic)) for one in (value[0], value[-1])):
            return None
        value = np.asarray(value)
    elif not hasattr(value, "shape") or (not hasattr(value, "dtype") and not hasattr(value, "columns")):
        return None
    array = np.asarray(value)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 1 or (array.ndim == 2 and 1 < array.shape[1] <= MOST_CLASSES and array.dtype.kind == "f"):
        return array
    return None


def _sampled(array: Any, rows: int) -> Any:
    """The rows that `Recorder` keeps of so many."""
    return array[kept_positions(rows)].copy()


class Evaluations:
    """Both sides of what the notebook measures.

    Parameters
    ----------
    recorder
        Knows the cell, and what models were asked about.
    """

    def __init__(self, recorder: Any) -> None:
        self.recorder = recorder
        self.pairs: list[dict[str, Any]] = []
        self._left: dict[int, Any] = {}

    def hooks(self) -> dict[str, Any]:
        """Names that the rewritten code calls."""
        return {MEASURE: self.measure, LEFT: self.left, RIGHT: self.right}

    def measure(self, line: int, name: str, function: Any) -> Callable[..., Any]:
        """The function itself, which notes what it was given."""

        def measured(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            sides = [*args, *(value for key, value in kwargs.items() if key not in NO_SIDES)]
            options = {key: value for key, value in kwargs.items() if key in OPTIONS}
            self._try_note(line, name, sides, options)
            return result

        return measured

    def left(self, number: int, value: Any) -> Any:
        """The left side of an operator, handed on."""
        self._left[number] = value
        return value

    def right(self, number: int, line: int, sign: str, value: Any) -> Any:
        """The right side, handed on; both are known now."""
        left = self._left.pop(number, None)
        if hasattr(left, "shape") and hasattr(value, "shape"):
            self._try_note(line, sign, [left, value], {})
        return value

    def _try_note(self, line: int, name: str, values: list[Any], options: dict[str, Any]) -> None:
        try:
            self._note(line, name, values, options)
        except Exception as error:  # the notebook's run must never fail because of the notes
            print(f"jupyter-mlops: could not note {name}: {error!r}", file=sys.stderr)

    def _note(self, line: int, name: str, values: list[Any], options: dict[str, Any]) -> None:
        asked = {event["rows"] for event in self.recorder.events if event["method"] != "fit"}
        sides = [side for value in values[:4] if (side := _side(value)) is not None and len(side) in asked]
        if len(sides) < 2 or len(sides[0]) != len(sides[1]):
            return
        rows = len(sides[0])
        place = (self.recorder.cell, line, name)
        same = [one for one in self.pairs if (one["cell"], one["line"], one["name"]) == place]
        if len(same) >= KEPT_PASSES:
            self.pairs.remove(same[0])
        elif len(self.pairs) >= MOST_PAIRS:
            del self.pairs[0]
        self.pairs.append(
            {"cell": place[0], "line": line, "name": name, "rows": rows, "options": options,
             "sides": [_sampled(side, rows) for side in sides[:2]]}
        )  # fmt: skip

    def about(self, asked: dict[str, Any], fit: dict[str, Any] | None) -> dict[str, Any]:
        """What was noted about the rows that a model was asked about.

        Parameters
        ----------
        asked, fit
            The model's call that is evaluated, and its last training.
        """
        import numpy as np

        model, rows = asked["object"], asked["rows"]
        near = [e for e in self.recorder.events if e["rows"] == rows and e["method"] != "fit"]
        mine = [e for e in near if e["object"] is model]
        scored = [e for e in mine if e["method"] == "score" and e["target"] is not None and alike(e["input"], asked["input"])]
        margins = [e["result"] for e in mine if e["method"] == "decision_function" and alike(e["input"], asked["input"])]
        others = [e["result"] for e in near if e["object"] is not model and e["result"] is not None and e["result"].ndim == 1]
        return {
            "rows": rows,
            "pairs": [pair for pair in self.pairs if pair["rows"] == rows],
            "scored": {key: scored[-1][key] for key in ("cell", "line", "target")} if scored else None,
            "margins": margins[-1] if margins else None,
            "others": others[-50:],
            "fit": None if fit is None else {
                "rows": fit["rows"], "index": None if fit["index"] is None else np.asarray(fit["index"]), "target": fit["target"],
                "same": fit["rows"] == rows and alike(fit["input"], asked["input"]),
            },
        }  # fmt: skip


def alike(a: Any, b: Any) -> bool:
    """Whether two model inputs hold the same values."""
    import numpy as np

    try:
        if hasattr(a, "equals"):
            return bool(a.equals(b))
        if hasattr(a, "toarray"):
            return bool(a.shape == b.shape and (a != b).nnz == 0)
        if hasattr(a, "shape"):
            return bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))
        return bool(a == b)
    except (TypeError, ValueError, AttributeError):
        return False
