"""How the model is trained. Made from food_reviews.ipynb."""

from __future__ import annotations

from typing import Any, NamedTuple

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from food_reviews.settings import Settings


class Training(NamedTuple):
    """What `train_model` gives."""

    is_train: Any
    model: Any


def train_model(df: Any, X: Any, y: Any, settings: Settings) -> Training:
    """Train the model (cell 12)."""
    is_train = df["part"] == "train"
    X_train, y_train = X[is_train], y[is_train]
    model = Pipeline(
        [
            ("words", TfidfVectorizer(min_df=settings.min_df)),
            (
                "classifier",
                LogisticRegression(
                    C=settings.regularisation, max_iter=settings.max_iter, class_weight="balanced"
                ),
            ),
        ]
    )
    model.fit(X_train, y_train)
    return Training(is_train=is_train, model=model)
