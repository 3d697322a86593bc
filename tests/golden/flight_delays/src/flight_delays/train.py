"""How the model is trained. Made from flight_delays.ipynb."""

from __future__ import annotations

from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from flight_delays.constants import CATEGORICAL, SCHEDULE, WEATHER
from flight_delays.settings import Settings


def train_model(flown: Any, X: Any, y: Any, settings: Settings) -> Any:
    """Train the model (cell 18).

    Gradient boosting deals with missing weather by itself. The three names are one-hot encoded;
    an airport that was not served in the training months gets zeros in all columns. Small trees
    keep it from learning single stormy days by heart.
    """
    in_train = flown["month"].isin(settings.train_months)
    X_train, y_train = X[in_train], y[in_train]
    encode = ColumnTransformer(
        [
            ("names", OneHotEncoder(handle_unknown="ignore", sparse_output=False), CATEGORICAL),
            ("numbers", "passthrough", SCHEDULE + WEATHER),
        ]
    )
    boosting = HistGradientBoostingClassifier(
        max_iter=settings.max_iter,
        learning_rate=settings.learning_rate,
        max_leaf_nodes=settings.max_leaf_nodes,
        min_samples_leaf=100,
        random_state=settings.random_state,
    )
    model = Pipeline([("encode", encode), ("boosting", boosting)])
    model.fit(X_train, y_train)
    return model
