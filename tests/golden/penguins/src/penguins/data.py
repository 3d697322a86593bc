"""Where the raw table comes from. Made from penguins.ipynb."""

from __future__ import annotations

from typing import Any

from palmerpenguins import load_penguins


def load_data() -> Any:
    """Load the raw table (cell 5)."""
    penguins = load_penguins()
    return penguins


def validate_data(penguins: Any) -> None:
    """Check the raw table (cell 7)."""
    assert len(penguins) > 300, "penguins are missing"
