"""Penguins!: made from penguins_messy.ipynb."""
