"""Do two sides predict the same? One comparison for notebook, package, service and bundle."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Comparison", "Predictions", "Tolerance", "compare", "predict_estimator", "tolerance", "tolerance_of"]

WORST = 5


@dataclass(frozen=True)
class Predictions:
    """What a model said: one label or number per row, and for classifiers the probability of each class."""

    labels: np.ndarray
    probabilities: np.ndarray | None = None


@dataclass(frozen=True)
class Tolerance:
    """How far two numbers may lie apart: `absolute + relative * |expected|`, and why."""

    absolute: float
    relative: float
    why: str

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Comparison:
    """Result of a comparison. A row is a mismatch when its label differs or a number is beyond the tolerance."""

    rows: int
    labels_equal: bool
    max_abs_diff: float  # infinite where one side has a number and the other has none
    mismatches: int
    worst: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every row agrees."""
        return self.mismatches == 0

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; an infinite difference is null."""
        finite = math.isfinite(self.max_abs_diff)
        return {**asdict(self), "max_abs_diff": self.max_abs_diff if finite else None}


def tolerance_of(task: str, predictions: Predictions) -> Tolerance:
    """The tolerance for the numbers that a model gave: its predictions, or the probabilities of its classes."""
    numbers = predictions.labels if task == "regression" else predictions.probabilities
    return tolerance(task, "float64" if numbers is None else numbers.dtype)


def tolerance(task: str, dtype: Any) -> Tolerance:
    """The tolerance for the numbers of a task; labels are always compared exactly.

    Parameters
    ----------
    task
        "classification", "regression", "clustering" or "outlier".
    dtype
        Type of the numbers: of the prediction for a regression, of the probabilities for a classification.
    """
    import numpy as np

    try:
        kind = np.dtype(dtype)
    except TypeError:
        kind = np.dtype(np.float64)
    if task in {"clustering", "outlier"}:
        return Tolerance(0.0, 0.0, "labels only, compared exactly")
    if kind.kind == "f" and kind.itemsize <= 4:
        return Tolerance(
            1e-6, 1e-5, "the model computes in float32 (24 bits, 6e-8 each step), and sums are added in another order"
        )
    return Tolerance(
        1e-9,
        1e-9,
        "both sides compute in double (53 bits, 1.1e-16 each step); matrix products and sums are added in another "
        "order, and exp and log differ in the last digit, which deep models amplify to at most about 1e-11",
    )


def predict_estimator(estimator: Any, model_input: Any) -> Predictions:
    """What the fitted estimator itself predicts; probabilities in the order of `classes_`."""
    import numpy as np

    labels = np.asarray(estimator.predict(model_input))
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    probabilities = None
    if hasattr(estimator, "classes_") and hasattr(estimator, "predict_proba"):
        found = estimator.predict_proba(model_input)
        probabilities = np.asarray(found) if not isinstance(found, list) else None
    return Predictions(labels, probabilities)


def _plain(value: Any) -> Any:
    """A label as a Python value: numpy scalars, 1.0 and 1, True and 1 are one value, as JSON makes them."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def _json(value: Any) -> Any:
    plain = _plain(value)
    return str(plain) if isinstance(plain, float) and not math.isfinite(plain) else plain


def _gaps(expected: np.ndarray, got: np.ndarray, limit: Tolerance) -> tuple[np.ndarray, np.ndarray]:
    """Per row: the largest difference, and whether it is beyond the tolerance."""
    import numpy as np

    a = np.asarray(expected, dtype=np.float64).reshape(len(expected), -1 if len(expected) else 1)
    b = np.asarray(got, dtype=np.float64).reshape(len(got), -1 if len(got) else 1)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        gap = np.where(same, 0.0, np.abs(a - b))
        gap = np.where(np.isnan(gap), np.inf, gap)
        beyond = gap > limit.absolute + limit.relative * np.where(np.isfinite(a), np.abs(a), 0.0)
    if not a.shape[1]:
        return np.zeros(len(a)), np.zeros(len(a), dtype=bool)
    return gap.max(axis=1), np.asarray(beyond.any(axis=1))


def compare(expected: Predictions, got: Predictions, tolerance: Tolerance, *, task: str) -> Comparison:
    """Compare two sides row by row.

    NaN equals NaN. Class labels and cluster ids must be equal as values; predictions of a regression and probabilities
    may differ within the tolerance. A side without probabilities where the other has them differs in every row.
    """
    import numpy as np

    rows = len(expected.labels)
    if len(got.labels) != rows:
        raise ValueError(f"{rows} rows expected, {len(got.labels)} predicted")
    gap = np.zeros(rows)
    wrong = np.zeros(rows, dtype=bool)
    unequal = np.zeros(rows, dtype=bool)
    if task == "regression":
        gap, wrong = _gaps(expected.labels, got.labels, tolerance)
        unequal = wrong
    else:
        unequal = np.array(
            [_plain(a) != _plain(b) for a, b in zip(expected.labels, got.labels, strict=True)], dtype=bool
        ).reshape(rows)
        wrong = unequal.copy()
    a, b = expected.probabilities, got.probabilities
    if (a is None) != (b is None) or (a is not None and b is not None and a.shape != b.shape):
        gap, wrong = np.full(rows, np.inf), np.ones(rows, dtype=bool)
    elif a is not None and b is not None and rows:
        apart, beyond = _gaps(a, b, tolerance)
        gap, wrong = np.maximum(gap, apart), wrong | beyond

    def shown(side: Predictions, row: int) -> Any:
        label = _json(np.asarray(side.labels, dtype=object)[row])
        if side.probabilities is None:
            return label
        return {"label": label, "probabilities": [_json(p) for p in side.probabilities[row]]}

    order = sorted(np.flatnonzero(wrong).tolist(), key=lambda row: (-gap[row], row))[:WORST]
    return Comparison(
        rows=rows,
        labels_equal=not bool(unequal.any()),
        max_abs_diff=float(gap.max()) if rows else 0.0,
        mismatches=int(wrong.sum()),
        worst=[{"row": row, "expected": shown(expected, row), "got": shown(got, row)} for row in order],
    )
