"""When a process was made: with its id, what tells it from a later one that has got the same id."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psutil import Process

__all__ = ["born", "same"]

_NEAR = 1.5  # seconds: Linux gives the time of the machine's start in whole ones


def born(process: Process) -> float:
    """When the process was made, in seconds that mean the same whatever is done to the clock meanwhile.

    Linux knows the seconds since the machine's start. As a time of day they move with every correction of the clock, and a
    process that lives would look like another one.

    Raises
    ------
    psutil.Error
        It is gone, or cannot be looked at.
    """
    import psutil

    # In this order: older versions of psutil add the start that was asked for last.
    start = float(psutil.boot_time()) if sys.platform == "linux" else 0.0
    return float(process.create_time()) - start


def same(one: float, other: float) -> bool:
    """Whether two answers of `born` are of one process."""
    return abs(one - other) < _NEAR
