"""From raw rows to the model's input. Made from house_prices.ipynb."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from house_prices.constants import CONDITION
from house_prices.helpers import bathrooms, storeys

# Columns of the model's input, in the order in which it was trained.
MODEL_COLUMNS = [
    "total_area",
    "Gr_Liv_Area",
    "area_per_room",
    "log_lot_area",
    "age",
    "years_since_works",
    "bathrooms",
    "storeys",
    "condition",
    "air_conditioned",
    "porch",
    "planned_unit",
    "Fireplaces",
    "Garage_Area",
    "Mas_Vnr_Area",
    "Heating_QC",
    "Exter_Cond",
    "neighbourhood",
    "Bldg_Type",
    "Foundation",
    "Garage_Finish",
    "masonry",
]


def add_features(df: pd.DataFrame) -> pd.DataFrame:
    """Features that need nothing but the row itself (cell 13 of the notebook)."""
    df["total_area"] = df["Gr_Liv_Area"] + df["Total_Bsmt_SF"]
    df["area_per_room"] = df["Gr_Liv_Area"] / df["TotRms_AbvGrd"]
    df["log_lot_area"] = np.log(df["Lot_Area"])
    df["age"] = df["Year_Sold"] - df["Year_Built"]
    df["years_since_works"] = (df["Year_Sold"] - df["Year_Remod_Add"]).clip(lower=0)
    df["bathrooms"] = bathrooms(df)
    df["storeys"] = df["House_Style"].apply(storeys)
    df["condition"] = df["Overall_Cond"].map(CONDITION)
    df["air_conditioned"] = np.where(df["Central_Air"] == "Y", 1, 0)
    df["porch"] = (df["Open_Porch_SF"] + df["Enclosed_Porch"] + df["Screen_Porch"] > 0).astype(int)
    df["planned_unit"] = df["MS_SubClass"].str.contains("PUD", na=False).astype(int)
    df["neighbourhood"] = df["Neighborhood"].str.replace("_", " ").str.strip()
    df["masonry"] = df["Mas_Vnr_Type"].fillna("None")
    return df


def build_features(raw: pd.DataFrame) -> pd.DataFrame:
    """Raw rows to the model's input (cell 13 of the notebook)."""
    return add_features(raw.copy())[MODEL_COLUMNS]


def make_dataset(houses: Any) -> Any:
    """Make what the model is trained and evaluated on (cell 13)."""
    df = houses.copy()
    df = add_features(df)
    return df
