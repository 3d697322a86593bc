"""How good the model is. Made from loan_rates.ipynb."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import mean_absolute_error, r2_score


def evaluate_model(X_test: Any, gbr: Any, y_test: Any) -> dict[str, float]:
    """Measure the model (cell 16)."""
    rates = np.expm1(gbr.predict(X_test))
    mae = mean_absolute_error(np.expm1(y_test), rates)
    r2 = r2_score(np.expm1(y_test), rates)
    metrics: dict[str, float] = {"mae": float(mae), "r2": float(r2)}
    return metrics
