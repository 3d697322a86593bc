"""Processes of jobs: who is alive, and how all of them end."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlops.workflows.processes import born, same

if TYPE_CHECKING:
    from psutil import Process

__all__ = ["MARK", "created", "end", "find", "is_alive", "machine", "marked", "tree"]

# Environment variable that a job's process and all that it starts carry. Processes of generated projects get none that begins
# with JUPYTER_MLOPS_, but are to be found as well.
MARK = "_JUPYTER_MLOPS_JOB"
_TERM = 3.0  # seconds for killed processes to be gone


@cache
def machine() -> str:
    """Where process ids mean the same: host name and process namespace (containers may share a name)."""
    try:
        namespace = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        namespace = ""
    return f"{platform.node()} {namespace}".strip()[:200]


def created(pid: int) -> float | None:
    """When a process was made (see `born`); None when there is none, or only its remains."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else born(process)
    except psutil.Error:
        return None


def is_alive(pid: int, since: float | None) -> bool:
    """Whether that very process is still there: its id may have been given to another one by now."""
    found = created(pid)
    return found is not None and (since is None or same(found, since))


def find(pid: int, since: float | None) -> Process | None:
    """The process, if it is still there."""
    import psutil

    try:
        return psutil.Process(pid) if is_alive(pid, since) else None
    except psutil.Error:
        return None


def tree(process: Process) -> set[Process]:
    """Everything that it started, whatever session that is in."""
    import psutil

    try:
        return set(process.children(recursive=True))
    except psutil.Error:
        return set()


def marked(job: str) -> set[Process]:
    """Processes of a job that are left when it is gone: they have its mark in their environment."""
    import psutil

    found = set()
    for process in psutil.process_iter():
        # Those of other users cannot be read, and are none of ours.
        with suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(MARK) == job:
                found.add(process)
    return found


def end(processes: Iterable[Process]) -> None:
    """Kill processes, and wait until they are gone."""
    import psutil

    ended = []
    for process in processes:
        with suppress(psutil.Error):
            if process.is_running():
                process.kill()
                ended.append(process)
    psutil.wait_procs(ended, timeout=_TERM)
