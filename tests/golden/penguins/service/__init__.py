"""HTTP service of Penguin species: ``python -m service``."""
