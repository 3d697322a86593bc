"""From raw rows to the model's input. Made from penguins.ipynb."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd
from sklearn.model_selection import train_test_split

from penguins.constants import NAMES, NUMBERS
from penguins.helpers import is_heavy
from penguins.settings import Settings

# Columns of the model's input, in the order in which it was trained.
MODEL_COLUMNS = [
    "bill_length_mm",
    "bill_depth_mm",
    "flipper_length_mm",
    "bill_ratio",
    "is_heavy",
    "island",
    "sex",
]


def add_features(df: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Features that need nothing but the row itself (cell 8 of the notebook)."""
    df["bill_ratio"] = df["bill_length_mm"] / df["bill_depth_mm"]
    # heavy ones
    df["is_heavy"] = is_heavy(df["body_mass_g"], heavy=settings.heavy)
    return df


def build_features(raw: pd.DataFrame, settings: Settings | None = None) -> pd.DataFrame:
    """Raw rows to the model's input (cell 8 of the notebook)."""
    settings = settings or Settings.load()
    return add_features(raw.copy(), settings)[MODEL_COLUMNS]


class Dataset(NamedTuple):
    """What `make_dataset` gives."""

    y: Any
    X_train: Any
    X_test: Any
    y_train: Any
    y_test: Any


def make_dataset(penguins: Any, settings: Settings) -> Dataset:
    """Make what the model is trained and evaluated on (cell 8)."""
    df = penguins.dropna(subset=["bill_length_mm"]).copy()
    df = add_features(df, settings)
    X = df[NUMBERS + ["is_heavy"] + NAMES]
    y = df["species"]
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=settings.test_size, random_state=0
    )
    return Dataset(y=y, X_train=X_train, X_test=X_test, y_train=y_train, y_test=y_test)
