"""Which flights out of New York will land late?: made from flight_delays.ipynb."""
