"""How good the model is. Made from food_reviews.ipynb."""

from __future__ import annotations

from typing import Any, NamedTuple

from sklearn.metrics import accuracy_score, f1_score, roc_auc_score


class Evaluation(NamedTuple):
    """What `evaluate_model` gives."""

    y_test: Any
    predicted: Any
    accuracy: Any
    roc_auc: Any
    metrics: dict[str, float]


def evaluate_model(X: Any, y: Any, is_train: Any, model: Any) -> Evaluation:
    """Measure the model (cell 14)."""
    X_test, y_test = X[~is_train], y[~is_train]
    predicted = model.predict(X_test)
    probability = model.predict_proba(X_test)[:, list(model.classes_).index("great")]
    accuracy = accuracy_score(y_test, predicted)
    macro_f1 = f1_score(y_test, predicted, average="macro")
    roc_auc = roc_auc_score(y_test == "great", probability)
    metrics: dict[str, float] = {
        "accuracy": float(accuracy),
        "macro_f1": float(macro_f1),
        "roc_auc": float(roc_auc),
    }
    return Evaluation(
        y_test=y_test, predicted=predicted, accuracy=accuracy, roc_auc=roc_auc, metrics=metrics
    )
