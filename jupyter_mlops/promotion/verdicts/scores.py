"""The scores that a metric gate compares models by, computed by scikit-learn.

To add a score: a `Kind` in `KINDS`, its function in `scorer`, what notebooks call it in `CALLED`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CALLED", "KINDS", "Kind", "called", "fast", "scorer"]

Needs = Literal["labels", "probabilities", "numbers"]


@dataclass(frozen=True)
class Kind:
    """What a score needs of a model, and whether it is an error: less is better then."""

    needs: Needs
    error: bool = False


KINDS: dict[str, Kind] = {
    "accuracy": Kind("labels"),
    "balanced_accuracy": Kind("labels"),
    "f1": Kind("labels"),
    "precision": Kind("labels"),
    "recall": Kind("labels"),
    "roc_auc": Kind("probabilities"),
    "average_precision": Kind("probabilities"),
    "log_loss": Kind("probabilities", error=True),
    "r2": Kind("numbers"),
    "mae": Kind("numbers", error=True),
    "rmse": Kind("numbers", error=True),
    "mape": Kind("numbers", error=True),
}
# What notebooks measure with -> the score that says the same.
CALLED: dict[str, str] = {
    "score": "accuracy", "accuracy_score": "accuracy", "==": "accuracy", "!=": "accuracy", "confusion_matrix": "accuracy",
    "classification_report": "accuracy", "balanced_accuracy_score": "balanced_accuracy", "f1_score": "f1",
    "precision_score": "precision", "recall_score": "recall", "roc_auc_score": "roc_auc", "roc_curve": "roc_auc",
    "average_precision_score": "average_precision", "precision_recall_curve": "average_precision", "r2_score": "r2",
    "mean_absolute_error": "mae", "mean_squared_error": "rmse", "root_mean_squared_error": "rmse", "mse": "rmse",
    "mean_absolute_percentage_error": "mape",
}  # fmt: skip


def called(name: str, task: str) -> str | None:
    """The score behind a metric's name in a notebook; None where it is no such score or not one of the task."""
    score = name if name in KINDS else CALLED.get(name)
    if task == "regression" and name in ("score", "r2_score"):
        return "r2"
    return score if score is not None and (KINDS[score].needs == "numbers") == (task == "regression") else None


def scorer(
    name: str, classes: int = 0, options: Mapping[str, Any] | None = None
) -> Callable[[NDArray[Any], NDArray[Any]], float]:
    """A function of truth and answers; of errors the negative: more is better always.

    Parameters
    ----------
    classes
        How many the model knows. Truth and labels are codes: 0 to `classes` - 1, more for labels that it does not know; shape
        of probabilities is (rows, classes).
    options
        ``average`` (None: that of the positive class where there are two, else ``macro``) and ``positive`` (a code).
    """
    import numpy as np
    from sklearn import metrics

    options = options or {}
    average = options.get("average") or ("binary" if classes == 2 else "macro")
    of_two = {"pos_label": options.get("positive", 1)} if average == "binary" else {}
    codes: Sequence[int] = list(range(classes))

    def averaged(function: Callable[..., float]) -> Callable[[Any, Any], float]:
        return lambda truth, labels: float(function(truth, labels, average=average, zero_division=0, **of_two))

    def roc_auc(truth: Any, table: Any) -> float:
        if classes == 2:
            return float(metrics.roc_auc_score(truth, table[:, 1]))
        return float(metrics.roc_auc_score(truth, table, multi_class=options.get("multi_class") or "ovr", labels=codes))

    def average_precision(truth: Any, table: Any) -> float:
        if classes == 2:
            return float(metrics.average_precision_score(truth, table[:, 1]))
        return float(metrics.average_precision_score(np.eye(classes)[truth], table))

    functions: dict[str, Callable[[Any, Any], float]] = {
        "accuracy": metrics.accuracy_score,
        "balanced_accuracy": metrics.balanced_accuracy_score,
        "f1": averaged(metrics.f1_score),
        "precision": averaged(metrics.precision_score),
        "recall": averaged(metrics.recall_score),
        "roc_auc": roc_auc,
        "average_precision": average_precision,
        "log_loss": lambda truth, table: metrics.log_loss(truth, table, labels=codes),
        "r2": metrics.r2_score,
        "mae": metrics.mean_absolute_error,
        "rmse": metrics.root_mean_squared_error,
        "mape": metrics.mean_absolute_percentage_error,
    }
    function, sign = functions[name], -1.0 if KINDS[name].error else 1.0
    return lambda truth, answers: sign * float(function(truth, answers))


@contextmanager
def fast() -> Iterator[None]:
    """Let scikit-learn score the same arrays thousands of times: what they hold was looked at once, its warnings are no news."""
    import warnings

    import sklearn

    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
