"""From raw rows to the model's input. Made from flight_delays.ipynb."""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd

from flight_delays.constants import CATEGORICAL, SCHEDULE, WEATHER
from flight_delays.settings import Settings


def build_features(raw: pd.DataFrame) -> pd.DataFrame:
    """Raw rows to the model's input (cells 16, 20 of the notebook)."""
    return raw[CATEGORICAL + SCHEDULE + WEATHER]


class Dataset(NamedTuple):
    """What `make_dataset` gives."""

    flown: Any
    X: Any
    y: Any


def make_dataset(flights: Any, settings: Settings) -> Dataset:
    """Make what the model is trained and evaluated on (cell 16).

    Only what is known the evening before. `dep_delay`, `air_time` and the actual times would
    give the answer away. Month and day are left out too: a model trained on January to March
    cannot learn anything from them that holds in May.
    """
    flown = flights.dropna(subset=["arr_delay"])
    X = flown[CATEGORICAL + SCHEDULE + WEATHER]
    y = (flown["arr_delay"] > settings.late_minutes).astype(int)
    return Dataset(flown=flown, X=X, y=y)
