"""Rows of a request as a frame with the types of the training table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

# Columns of a raw row and their types in the table that the model was trained on.
COLUMNS: dict[str, str] = {}
# Levels of categorical columns, in the order of training.
CATEGORIES: dict[str, list[Any]] = {}


def raw_frame(columns: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """A frame from JSON columns, missing values as None.

    Integer columns that hold a missing value become float, as pandas reads them from a file.
    """
    return pd.DataFrame({name: raw_column(name, columns[name]) for name in COLUMNS})


def raw_column(name: str, values: Sequence[Any]) -> pd.Series:
    """One column of `raw_frame`, in the type that it has in training."""
    dtype = COLUMNS[name]
    if dtype == "category":
        return pd.Series(pd.Categorical(values, categories=CATEGORIES.get(name)))
    if dtype.startswith("datetime"):
        return pd.to_datetime(pd.Series(values), format="ISO8601", utc="," in dtype).astype(dtype)
    if dtype.startswith(("int", "uint", "bool")) and any(value is None for value in values):
        return pd.Series(values, dtype="float64" if dtype != "bool" else "object")
    if dtype.startswith("float"):
        return pd.Series(
            [float("nan") if value is None else value for value in values], dtype=dtype
        )
    if dtype == "object":
        return pd.Series(
            [float("nan") if value is None else value for value in values], dtype=object
        )
    return pd.Series(values, dtype=dtype)
