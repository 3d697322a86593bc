"""Values of a notebook as plain JSON, for the files that suites are kept in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["plain", "shown"]


def plain(value: Any) -> Any:
    """A value as JSON holds it: dates in ISO 8601, numpy's and pandas' values as Python's, sets and arrays as lists.

    Raises
    ------
    ValueError
        JSON has no such value; the message says which.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(
            (plain(one) for one in value),
            key=lambda one: (type(one).__name__, one if isinstance(one, (int, float, str)) else str(one)),
        )
    if isinstance(value, (list, tuple, range)):
        return [plain(one) for one in value]
    if hasattr(value, "isoformat"):
        if value != value:
            raise ValueError("the missing date NaT")
        return value.isoformat()
    if hasattr(value, "tolist"):  # numpy scalars and arrays, pandas Series and Index
        return plain(value.tolist())
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"the number {value}")
        return float(value)
    if type(value).__name__ in ("dict_keys", "dict_values", "Categorical"):
        return [plain(one) for one in value]
    if hasattr(value, "as_integer_ratio"):  # Decimal, Fraction
        return float(value)
    raise ValueError(f"of type {type(value).__name__}")


def shown(value: Any, limit: int = 60) -> str:
    """A value in a message, in one line of bounded length."""
    text = value if isinstance(value, str) else repr(value) if isinstance(value, (list, tuple, dict, set)) else str(value)
    text = " ".join(repr(text)[1:-1].split()) if isinstance(value, str) else " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
