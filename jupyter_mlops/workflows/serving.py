"""How the service of a generated project is started for a try: on a free port of loopback, with no secret of ours."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from jupyter_mlops.environment import inherited

__all__ = ["free_port", "service_environment"]

_PRIVATE = ("JUPYTER", "JPY_", "KERNEL_")  # tokens of the server and of the hub are not for a service


def free_port() -> int:
    """A port of loopback that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def service_environment(project: Path, port: int) -> dict[str, str]:
    """For ``python -m service`` in a project."""
    return inherited(*_PRIVATE) | {
        "PYTHONPATH": os.pathsep.join((str(project / "src"), str(project))), "PYTHONUNBUFFERED": "1",
        "SERVICE_HOST": "127.0.0.1", "SERVICE_PORT": str(port), "SERVICE_WORKERS": "1", "SERVICE_ROOT_PATH": "",
        "SERVICE_DRAIN_SECONDS": "0", "SERVICE_GRACE_SECONDS": "3",
    }  # fmt: skip
