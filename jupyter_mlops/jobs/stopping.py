"""How a job's process ends when it is asked to, and what is cleared behind one that ended by itself."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.database import now
from jupyter_mlops.errors import EnvironmentLackError
from jupyter_mlops.jobs.kinds import kind_of, without_secrets
from jupyter_mlops.jobs.processes import end, marked, tree
from jupyter_mlops.jobs.recorder import JOB, event_row
from jupyter_mlops.jobs.statuses import WORKING
from jupyter_mlops.processes import is_alive, machine
from jupyter_mlops.workflows.events import Event

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

    from jupyter_mlops.jobs.store import Store

__all__ = ["GRACE", "Stopper", "is_gone", "settle"]

GRACE = 15.0  # seconds from SIGINT to SIGKILL: kernels and the model's process get five each to go
_PAUSE = 0.2
_UNBORN = 60_000  # ms that a job may be without a process while that starts
_SILENT = 90_000  # ms without a sign of life from another machine


def is_gone(row: RowMapping) -> bool:
    """Whether a job that is not over has no process any more."""
    if row["status"] not in WORKING:
        return False
    if row["machine"] != machine():
        return now() - max(row["started"] or 0, row["alive"] or 0) > _SILENT
    if row["pid"] is None:
        return bool(now() - (row["started"] or 0) > _UNBORN)
    return not is_alive(row["pid"], row["pid_created"])


def settle(store: Store, row: RowMapping) -> None:
    """Say what became of a job whose process is gone without a word, and clear behind it."""
    last = store.get(row["id"])  # it may have written until it went
    if last is None or last["status"] not in WORKING:
        return
    row = last
    asked = row["status"] == "stopping"
    error: dict[str, Any] | None = None
    message = "Stopped as asked."
    if not asked:
        place = f" in the step {row['step']!r}" if row["step"] else ""
        message = f"The job's process ended{place} without saying how: it was killed (often for want of memory), or the machine went down."
        error = {
            "code": "lost",
            "message": message,
            "fix": "Start it again. If it is lost again, read its log, and try with less data.",
        }
    # Only what still stands as it was read: its process may have said its last word in between.
    event = event_row(row["next"], now(), Event(JOB, "skipped" if asked else "failed", message))
    written = store.write(
        row["id"], [event], only_if=(row["status"],), status="cancelled" if asked else "lost", claim=None, ended=now(),
        message=message, error=error, request=without_secrets(row["request"]),
    )  # fmt: skip
    if written is not None and row["machine"] == machine():
        end(marked(row["id"]))
        if row["pid"] is not None:
            kind_of(row["request"]).clear(row["request"], Path(row["root"]), row["pid"])


class Stopper(threading.Thread):
    """Asks a job's process to end, and sees to it that it does, with everything that it started."""

    def __init__(self, store: Store, job: str) -> None:
        super().__init__(name=f"jupyter-mlops-stop-{job[:8]}", daemon=True)
        self._store, self._job = store, job

    def run(self) -> None:
        """Interrupt, wait, kill; until the job is over."""
        with suppress(EnvironmentLackError):  # the next `poll` tries again
            while (row := self._store.get(self._job)) is not None and row["status"] == "stopping":
                if is_gone(row):
                    settle(self._store, row)
                elif row["pid"] is not None:
                    _end(row["pid"], row["pid_created"])
                else:
                    time.sleep(_PAUSE)  # it is about to start


def _end(pid: int, since: float | None) -> None:
    import psutil

    try:
        process = psutil.Process(pid)
    except psutil.Error:
        return
    # Kernels have sessions of their own and the processes of a killed parent are nobody's children: note them in time.
    started = tree(process)
    with suppress(psutil.Error):
        process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline and is_alive(pid, since):
        started |= tree(process)
        time.sleep(_PAUSE)
    started |= tree(process)
    end([process, *started])
