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
    frame = {}
    for name, dtype in COLUMNS.items():
        values = columns[name]
        if dtype == "category":
            frame[name] = pd.Series(pd.Categorical(values, categories=CATEGORIES.get(name)))
        elif dtype.startswith("datetime"):
            frame[name] = pd.to_datetime(
                pd.Series(values), format="ISO8601", utc="," in dtype
            ).astype(dtype)
        elif dtype.startswith(("int", "uint", "bool")) and any(value is None for value in values):
            frame[name] = pd.Series(values, dtype="float64" if dtype != "bool" else "object")
        elif dtype.startswith("float"):
            frame[name] = pd.Series(
                [float("nan") if value is None else value for value in values], dtype=dtype
            )
        elif dtype == "object":
            frame[name] = pd.Series(
                [float("nan") if value is None else value for value in values], dtype=object
            )
        else:
            frame[name] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(frame)
