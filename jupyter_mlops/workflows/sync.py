"""Deliver the runs that wait on disk because MLflow was away."""

from __future__ import annotations

from jupyter_mlops.tracking.delivery import Delivered, deliver_waiting
from jupyter_mlops.tracking.spool import spool_folder

__all__ = ["Delivered", "spool_folder", "sync"]


def sync(uri: str | None = None) -> Delivered:
    """Deliver what waits, of one store or of all. What cannot be delivered stays, with the reason."""
    return deliver_waiting(uri)
