"""Who is at work, for what is recorded under a name."""

from __future__ import annotations

import getpass
import os

__all__ = ["USER_VARIABLE", "current_user", "system_user"]

USER_VARIABLE = "JUPYTER_MLOPS_USER"
_HUB_VARIABLE = "JUPYTERHUB_USER"  # the accounts of its servers often have one name for all users


def current_user() -> str:
    """The user that Jupyter's server started a job for, else that of JupyterHub, else that of the operating system."""
    for variable in (USER_VARIABLE, _HUB_VARIABLE):
        if given := os.environ.get(variable, "").strip():
            return given
    return system_user()


def system_user() -> str:
    """The account that this runs under."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container without an entry for its user
        return f"uid-{os.getuid()}" if hasattr(os, "getuid") else "unknown"
