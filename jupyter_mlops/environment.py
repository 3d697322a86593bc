"""What processes that are started here get: this process' environment, in part, and a port where they serve."""

from __future__ import annotations

import os
import socket
from pathlib import Path

__all__ = ["PRIVATE", "free_port", "inherited", "service_environment"]

PRIVATE = ("JUPYTER", "JPY_", "KERNEL_")
"""Beginnings of variables with tokens of the server and of the hub, which are not for the code of a project."""


def inherited(*without: str) -> dict[str, str]:
    """The environment without variables that begin with one of these, and without what makes every import compile again."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHONDONTWRITEBYTECODE", *without))}


def free_port() -> int:
    """A port of loopback that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def service_environment(project: Path, port: int, *without: str) -> dict[str, str]:
    """For ``python -m service`` in a project: on loopback, with no secret of ours.

    Parameters
    ----------
    without
        Beginnings of further variables that it does not get.
    """
    return inherited(*PRIVATE, *without) | {
        "PYTHONPATH": os.pathsep.join((str(project / "src"), str(project))), "PYTHONUNBUFFERED": "1",
        "SERVICE_HOST": "127.0.0.1", "SERVICE_PORT": str(port), "SERVICE_WORKERS": "1", "SERVICE_ROOT_PATH": "",
        "SERVICE_DRAIN_SECONDS": "0", "SERVICE_GRACE_SECONDS": "3", "SERVICE_LOG_DIR": "",
        "SERVICE_FEATURE_STORE": "",
    }  # fmt: skip
