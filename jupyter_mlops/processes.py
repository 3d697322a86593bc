"""Whether a process that was written down still lives: by its id, when it was made, and the machine where both mean something."""

from __future__ import annotations

import platform
import sys
from functools import cache
from pathlib import Path

__all__ = ["created", "is_alive", "machine"]

_NEAR = 1.5  # seconds: Linux gives the time of the machine's start in whole ones


@cache
def machine() -> str:
    """Where process ids mean the same: host name and process namespace (containers may share a name)."""
    try:
        namespace = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        namespace = ""
    return f"{platform.node()} {namespace}".strip()[:200]


def created(pid: int) -> float | None:
    """When a process was made, in seconds that mean the same whatever is done to the clock meanwhile.

    Linux knows the seconds since the machine's start. As a time of day they move with every correction of the clock, and a
    process that lives would look like another one.

    Returns
    -------
    float or None
        None when there is no such process, or only its remains.
    """
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        # In this order: older versions of psutil add the start that was asked for last.
        start = float(psutil.boot_time()) if sys.platform == "linux" else 0.0
        return float(process.create_time()) - start
    except psutil.Error:
        return None


def is_alive(pid: int, since: float | None) -> bool:
    """Whether that very process is still there: its id may have been given to another one by now."""
    found = created(pid)
    return found is not None and (since is None or abs(found - since) < _NEAR)
