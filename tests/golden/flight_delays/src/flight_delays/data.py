"""Where the raw table comes from. Made from flight_delays.ipynb."""

from __future__ import annotations

from typing import Any, NamedTuple

from flight_delays.helpers import read_table


class Loaded(NamedTuple):
    """What `load_data` gives."""

    departures: Any
    flights: Any


def load_data() -> Loaded:
    """Load the raw table (cell 7)."""
    departures = read_table("flights.csv.zip")
    weather = read_table("weather.csv").drop(columns=["year", "month", "day", "hour"])
    planes = read_table("planes.csv")[["tailnum", "seats"]]
    # Left joins: a flight without a weather report or an entry in the register stays, with the values missing.
    flights = departures.merge(
        weather, on=["origin", "time_hour"], how="left", validate="many_to_one"
    )
    flights = flights.merge(planes, on="tailnum", how="left", validate="many_to_one")
    return Loaded(departures=departures, flights=flights)


def validate_data(flights: Any, departures: Any) -> None:
    """Check the raw table (cell 11).

    What must hold before it makes sense to go on. A flight without an arrival delay was
    cancelled or diverted; weather may be missing now and then, but not for whole airports.
    """
    assert len(flights) == len(departures), "a join has multiplied flights"
    assert set(flights["origin"]) == {"EWR", "JFK", "LGA"}
    assert flights[["carrier", "origin", "dest"]].notna().all(axis=None)
    assert flights["month"].between(1, 12).all()
    assert flights["hour"].between(0, 23).all()
    assert flights["minute"].between(0, 59).all()
    assert (flights["distance"] > 0).all()
    assert flights["arr_delay"].isna().mean() < 0.05
    assert flights["temp"].isna().groupby(flights["origin"]).mean().max() < 0.02
    assert flights["temp"].dropna().between(-20, 120).all(), "degrees Fahrenheit expected"
    assert flights["humid"].dropna().between(0, 100).all()
