"""Penguin species: made from penguins.ipynb."""
