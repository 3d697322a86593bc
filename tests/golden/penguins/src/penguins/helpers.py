"""Functions and classes of the notebook. Made from penguins.ipynb."""

from __future__ import annotations

from typing import Any


def is_heavy(mass: Any, *, heavy: float) -> Any:
    """Heavier than the parameter says."""
    return (mass > heavy).astype(float)
