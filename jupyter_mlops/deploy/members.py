"""Processes of a deployment, written down so that whoever supervises next finds them running.

They are sessions of their own: when their supervisor is killed, they go on answering.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from jupyter_mlops.deploy.files import replace_json
from jupyter_mlops.processes import created, is_alive

__all__ = ["Member", "kill", "launch", "read_members", "terminate", "write_members"]

_FILE = "members.json"
_LOG = 5_000_000  # bytes of a log, after which it begins anew; the former one is kept
_children: dict[int, subprocess.Popen[bytes]] = {}  # started here: asked for their end, so that no zombie stays


@dataclass(frozen=True)
class Member:
    """A process: an Envoy, or a replica of a version.

    Attributes
    ----------
    name
        Such as ``envoy-a`` or ``2.0``, the first replica of version 2.
    version
        None for an Envoy.
    port
        Of a replica.
    since
        When the process was made, as `created` tells it.
    started
        ms since 1970.
    restarts
        How often it was started again after it had ended by itself.
    """

    name: str
    pid: int
    since: float | None
    started: int
    version: str | None = None
    port: int | None = None
    ready: bool = False
    restarts: int = 0
    last_end: str = ""

    @property
    def alive(self) -> bool:
        """Whether that very process is still there."""
        child = _children.get(self.pid)
        if child is not None:
            return child.poll() is None
        return is_alive(self.pid, self.since)

    @property
    def ended_with(self) -> str:
        """Exit code or signal, where that is known."""
        child = _children.get(self.pid)
        code = None if child is None else child.poll()
        if code is None:
            return "ended"
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def launch(command: Sequence[str], log: Path, *, folder: Path, environment: Mapping[str, str], member: Member) -> Member:
    """Start the process of a member; what it prints goes to the end of its log."""
    if log.exists() and log.stat().st_size > _LOG:
        log.replace(log.with_suffix(".1.log"))
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    _children[process.pid] = process
    return replace(member, pid=process.pid, since=created(process.pid), ready=False)


def terminate(member: Member) -> None:
    """Ask it to end."""
    _signal(member, signal.SIGTERM)


def kill(member: Member) -> None:
    """End it, and all that is of its session."""
    _signal(member, signal.SIGKILL)


def _signal(member: Member, number: int) -> None:
    if member.alive:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(member.pid, number)


def read_members(folder: Path) -> dict[str, Member]:
    """By name; none where nothing was written down."""
    try:
        rows = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {row["name"]: Member(**row) for row in rows}


def write_members(folder: Path, members: Mapping[str, Member]) -> None:
    """Replace what was written down."""
    replace_json(folder / _FILE, [one.as_dict() for one in members.values()])
