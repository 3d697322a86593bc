"""How the model is trained. Made from house_prices.ipynb."""

from __future__ import annotations

from typing import Any, NamedTuple

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from house_prices.constants import GRADES, NAMES, NUMBERS
from house_prices.settings import Settings


class Training(NamedTuple):
    """What `train_model` gives."""

    X_test: Any
    y_test: Any
    model: Any


def train_model(df: Any, settings: Settings) -> Training:
    """Train the model (cell 16).

    Ordinary sales of ordinary houses only. `Sale_Condition` is known after the sale, so it may
    choose the training rows but not be a feature.
    """
    ordinary = df[
        (df["Sale_Condition"] == "Normal") & (df["Gr_Liv_Area"] < settings.max_living_area)
    ]
    X = ordinary[NUMBERS + GRADES + NAMES]
    y = ordinary["Sale_Price"]
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=settings.test_size, random_state=settings.random_state
    )
    grades = OrdinalEncoder(
        categories=[["Poor", "Fair", "Typical", "Good", "Excellent"]] * len(GRADES),
        handle_unknown="use_encoded_value",
        unknown_value=-1,
    )
    prepare = ColumnTransformer(
        [
            ("numbers", SimpleImputer(strategy="median"), NUMBERS),
            ("grades", grades, GRADES),
            ("names", OneHotEncoder(handle_unknown="ignore", sparse_output=False), NAMES),
        ]
    )
    boosting = GradientBoostingRegressor(
        n_estimators=settings.n_estimators,
        learning_rate=settings.learning_rate,
        max_depth=settings.max_depth,
        subsample=0.7,
        random_state=settings.random_state,
    )
    model = Pipeline([("prepare", prepare), ("boosting", boosting)])
    model.fit(X_train, y_train)
    return Training(X_test=X_test, y_test=y_test, model=model)
