"""How good the model is. Made from penguins_messy.ipynb."""

from __future__ import annotations

from typing import Any

from sklearn.metrics import accuracy_score, f1_score, log_loss

from penguins_messy.helpers import sure
from penguins_messy.settings import Settings


def evaluate_model(X_test: Any, model: Any, y_test: Any, settings: Settings) -> dict[str, float]:
    """Measure the model (cell 32)."""
    pred = model.predict(X_test)
    proba = model.predict_proba(X_test)
    acc = accuracy_score(y_test, pred)
    f1 = f1_score(y_test, pred, average="macro")
    log_loss_value = log_loss(y_test, proba)
    share_sure = sure(proba, threshold=settings.threshold).mean()
    accuracy = accuracy_score(
        y_test[sure(proba, threshold=settings.threshold)],
        pred[sure(proba, threshold=settings.threshold)],
    )
    metrics: dict[str, float] = {
        "acc": float(acc),
        "f1": float(f1),
        "log_loss_value": float(log_loss_value),
        "accuracy": float(accuracy),
    }
    return metrics
