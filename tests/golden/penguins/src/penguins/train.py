"""How the model is trained. Made from penguins.ipynb."""

from __future__ import annotations

from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from penguins.constants import NAMES, NUMBERS
from penguins.settings import Settings


def train_model(X_train: Any, y_train: Any, settings: Settings) -> Any:
    """Train the model (cell 9)."""
    encode = ColumnTransformer(
        [
            (
                "names",
                Pipeline(
                    [
                        ("fill", SimpleImputer(strategy="constant", fill_value="unknown")),
                        ("hot", OneHotEncoder(handle_unknown="ignore")),
                    ]
                ),
                NAMES,
            ),
            ("numbers", "passthrough", NUMBERS + ["is_heavy"]),
        ]
    )
    model = Pipeline(
        [
            ("encode", encode),
            ("forest", RandomForestClassifier(n_estimators=settings.n_estimators, random_state=0)),
        ]
    )
    model.fit(X_train, y_train)
    return model
