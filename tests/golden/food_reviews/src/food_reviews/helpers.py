"""Functions and classes of the notebook. Made from food_reviews.ipynb."""

from __future__ import annotations

import pandas as pd


def clean(text: pd.Series) -> pd.Series:
    """Plain words: no mark-up, no replacement characters, single spaces."""
    plain = text.fillna("").str.replace(r"<[^>]*>", " ", regex=True)
    plain = plain.str.replace("\N{REPLACEMENT CHARACTER}", " ", regex=False)
    return plain.str.replace(r"\s+", " ", regex=True).str.strip()
