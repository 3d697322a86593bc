"""Who is at work, for what is recorded under a name."""

from __future__ import annotations

import getpass
import os

__all__ = ["USER_VARIABLE", "current_user"]

USER_VARIABLE = "JUPYTER_MLOPS_USER"


def current_user() -> str:
    """The user that Jupyter's server started a job for, else that of the operating system."""
    if given := os.environ.get(USER_VARIABLE, "").strip():
        return given
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without an entry for its user
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"
