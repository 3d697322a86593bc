"""How good the model is. Made from house_prices.ipynb."""

from __future__ import annotations

from typing import Any, NamedTuple

from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error


class Evaluation(NamedTuple):
    """What `evaluate_model` gives."""

    predicted: Any
    r2: Any
    mae: Any
    metrics: dict[str, float]


def evaluate_model(X_test: Any, model: Any, y_test: Any) -> Evaluation:
    """Measure the model (cell 18)."""
    predicted = model.predict(X_test)
    r2 = r2_score(y_test, predicted)
    mae = mean_absolute_error(y_test, predicted)
    rmse = root_mean_squared_error(y_test, predicted)
    metrics: dict[str, float] = {"r2": float(r2), "mae": float(mae), "rmse": float(rmse)}
    return Evaluation(predicted=predicted, r2=r2, mae=mae, metrics=metrics)
