"""Constants of the notebook. Made from flight_delays.ipynb."""

from __future__ import annotations

CATEGORICAL = ["carrier", "origin", "dest"]
SCHEDULE = ["hour", "minute", "distance", "seats"]
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib"]
