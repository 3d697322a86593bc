"""How a job can stand."""

from __future__ import annotations

__all__ = ["ACTIVE", "ENDED", "WORKING"]

WORKING = ("running", "stopping")  # it has a process
ACTIVE = ("queued", *WORKING)
ENDED = ("done", "failed", "cancelled", "lost")  # lost: its process ended without saying how
