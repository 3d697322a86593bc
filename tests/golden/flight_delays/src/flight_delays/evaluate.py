"""How good the model is. Made from flight_delays.ipynb."""

from __future__ import annotations

from typing import Any, NamedTuple

from sklearn.metrics import accuracy_score, average_precision_score, brier_score_loss, roc_auc_score

from flight_delays.settings import Settings


class Evaluation(NamedTuple):
    """What `evaluate_model` gives."""

    X_test: Any
    y_test: Any
    late: Any
    probability: Any
    roc_auc: Any
    average_precision: Any
    brier: Any
    metrics: dict[str, float]


def evaluate_model(flown: Any, X: Any, y: Any, model: Any, settings: Settings) -> Evaluation:
    """Measure the model (cell 20).

    The desk ranks flights, so the area under the ROC curve and the average precision come
    first. The probability is shown to people, so it should be honest as well: the Brier score
    says how far off it is. Accuracy is here for completeness; always answering "on time" has a
    good accuracy too.
    """
    in_test = flown["month"].isin(settings.test_months)
    X_test, y_test = X[in_test], y[in_test]
    late = model.predict(X_test)
    probability = model.predict_proba(X_test)[:, 1]
    roc_auc = roc_auc_score(y_test, probability)
    average_precision = average_precision_score(y_test, probability)
    brier = brier_score_loss(y_test, probability)
    accuracy = accuracy_score(y_test, late)
    metrics: dict[str, float] = {
        "roc_auc": float(roc_auc),
        "average_precision": float(average_precision),
        "brier": float(brier),
        "accuracy": float(accuracy),
    }
    return Evaluation(
        X_test=X_test,
        y_test=y_test,
        late=late,
        probability=probability,
        roc_auc=roc_auc,
        average_precision=average_precision,
        brier=brier,
        metrics=metrics,
    )
