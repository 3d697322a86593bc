"""From raw rows to the model's input. Made from penguins_messy.ipynb."""

from __future__ import annotations

import pandas as pd

from penguins_messy.helpers import size_class

# Columns of the model's input, in the order in which it was trained.
MODEL_COLUMNS = [
    "bill_length_mm",
    "bill_depth_mm",
    "flipper_length_mm",
    "body_mass_g",
    "species",
    "island",
    "size",
    "bill_area",
]


def add_features(df: pd.DataFrame) -> pd.DataFrame:
    """Features that need nothing but the row itself (cell 18 of the notebook)."""
    df["size"] = df["body_mass_g"].apply(size_class)
    df["species"] = df["species"].str.strip().str.lower()
    df["bill_area"] = df["bill_length_mm"] * df["bill_depth_mm"]
    return df


def build_features(raw: pd.DataFrame) -> pd.DataFrame:
    """Raw rows to the model's input (cell 18 of the notebook)."""
    return add_features(raw.copy())[MODEL_COLUMNS]
