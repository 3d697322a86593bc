"""How good the model is. Made from penguins.ipynb."""

from __future__ import annotations

from typing import Any, NamedTuple

from sklearn.metrics import accuracy_score


class Evaluation(NamedTuple):
    """What `evaluate_model` gives."""

    predicted: Any
    accuracy: Any
    metrics: dict[str, float]


def evaluate_model(X_test: Any, model: Any, y_test: Any) -> Evaluation:
    """Measure the model (cell 10)."""
    predicted = model.predict(X_test)
    accuracy = accuracy_score(y_test, predicted)
    metrics: dict[str, float] = {"accuracy": float(accuracy)}
    return Evaluation(predicted=predicted, accuracy=accuracy, metrics=metrics)
