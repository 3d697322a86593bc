"""Constants of the notebook. Made from penguins.ipynb."""

from __future__ import annotations

NUMBERS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "bill_ratio"]
NAMES = ["island", "sex"]
