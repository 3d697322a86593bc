"""Processes of jobs: what belongs to a job, and how all of it ends."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psutil import Process

__all__ = ["MARK", "end", "marked", "tree"]

# Environment variable that a job's process and all that it starts carry. Processes of generated projects get none that begins
# with JUPYTER_MLOPS_, but are to be found as well.
MARK = "_JUPYTER_MLOPS_JOB"
_TERM = 3.0  # seconds for killed processes to be gone


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
