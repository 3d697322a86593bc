"""How the model is trained. Made from loan_rates.ipynb."""

from __future__ import annotations

from typing import Any

from sklearn.ensemble import GradientBoostingRegressor


def train_model(X_train: Any, y_train: Any) -> Any:
    """Train the model (cell 15)."""
    gbr = GradientBoostingRegressor(n_estimators=150, max_depth=4, random_state=0)
    gbr.fit(X_train, y_train)
    return gbr
