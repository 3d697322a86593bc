"""Where the raw table comes from. Made from penguins_messy.ipynb."""

from __future__ import annotations

from typing import Any

from palmerpenguins import load_penguins


def load_data() -> Any:
    """Load the raw table (cell 4)."""
    df = load_penguins()
    return df
