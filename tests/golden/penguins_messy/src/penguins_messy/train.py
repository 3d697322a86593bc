"""How the model is trained. Made from penguins_messy.ipynb."""

from __future__ import annotations

from typing import Any, NamedTuple

from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from penguins_messy.constants import CAT, NUM, SEED, TARGET
from penguins_messy.features import add_features
from penguins_messy.helpers import make_model
from penguins_messy.settings import Settings


class Training(NamedTuple):
    """What `train_model` gives."""

    df: Any
    X_test: Any
    y_test: Any
    model: Any


def train_model(df: Any, settings: Settings) -> Training:
    """Train the model (cells 17, 18, 24 and 30)."""
    df = df.dropna(subset=[TARGET])  # no blood sample
    df.drop(columns=["year"], inplace=True)
    df = add_features(df)
    X = df[NUM + CAT + ["size", "bill_area"]]
    y = df[TARGET]
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.3, stratify=y, random_state=SEED
    )
    model = make_model(
        RandomForestClassifier(n_estimators=settings.n_trees, min_samples_leaf=2, random_state=SEED)
    )
    model.fit(X_train, y_train)
    return Training(df=df, X_test=X_test, y_test=y_test, model=model)
