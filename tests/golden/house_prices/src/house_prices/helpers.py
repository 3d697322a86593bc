"""Functions and classes of the notebook. Made from house_prices.ipynb."""

from __future__ import annotations

import numpy as np
import pandas as pd


def storeys(style: object) -> float:
    """Number of floors of a `House_Style` such as "Two_and_Half_Fin"; split levels count as one and a half."""
    if not isinstance(style, str):
        return np.nan
    if style in ("SLvl", "SFoyer"):
        return 1.5
    floors = {"One": 1.0, "Two": 2.0}.get(style.split("_")[0], np.nan)
    return floors + 0.5 if "Half" in style else floors


def bathrooms(frame: pd.DataFrame) -> pd.Series:
    """All bathrooms of a house; one without a bath or shower counts half."""
    full = frame["Full_Bath"] + frame["Bsmt_Full_Bath"]
    half = frame["Half_Bath"] + frame["Bsmt_Half_Bath"]
    return full + 0.5 * half
