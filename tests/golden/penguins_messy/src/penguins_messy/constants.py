"""Constants of the notebook. Made from penguins_messy.ipynb."""

from __future__ import annotations

TARGET = "sex"
NUM = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
CAT = ["species", "island"]
BIG = 4500  # grams
SEED = 42
