"""From raw rows to the model's input. Made from food_reviews.ipynb."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd

from food_reviews.helpers import clean


def build_features(raw: pd.DataFrame) -> Any:
    """Raw rows to the model's input (cells 11, 14 of the notebook)."""
    df = raw.copy()
    df["text"] = clean(df["review"])
    return df["text"]


class Dataset(NamedTuple):
    """What `make_dataset` gives."""

    df: Any
    X: Any
    y: Any


def make_dataset(reviews: pd.DataFrame) -> Dataset:
    """Make what the model is trained and evaluated on (cell 11)."""
    df = reviews.copy()
    df["text"] = clean(df["review"])
    X = df["text"]
    y = df["score"]
    return Dataset(df=df, X=X, y=y)
