"""The process of a job: from its id to its workflow, and what became of it into the database."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from jupyter_mlops.database import VARIABLE, database_url, now
from jupyter_mlops.errors import EnvironmentLackError, MlopsError
from jupyter_mlops.jobs.kinds import Outcome, Task, kind_of, notebook_of, store_of, without_secrets
from jupyter_mlops.jobs.processes import end, marked
from jupyter_mlops.jobs.recorder import JOB, Recorder, plain
from jupyter_mlops.jobs.statuses import WORKING
from jupyter_mlops.processes import created, machine
from jupyter_mlops.workflows.events import Event
from jupyter_mlops.workflows.run_job import spare_imports

__all__ = ["main"]


class _Stopping:
    """The first signal to stop interrupts the workflow; further ones must not interrupt how it cleans up."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT may come ignored from a server in a shell's background
            signal.signal(number, self._handle)

    def over(self) -> None:
        """From now on, signals change nothing."""
        self.asked = True

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self.asked:
            self.asked = True
            raise KeyboardInterrupt


def main(argv: Sequence[str]) -> int:
    """Run the job of the given id; returns the exit code: 0 done, 1 failed, 2 no such job, 130 stopped."""
    spare_imports()
    from jupyter_mlops.jobs.store import Store

    database, job = database_url(), argv[0]
    os.environ.pop(VARIABLE, None)  # it may hold a password, which is no business of the notebook's kernel
    store = Store(database)
    me = {"machine": machine(), "pid": os.getpid(), "pid_created": created(os.getpid()), "alive": now()}
    row = store.get(job)
    if row is None or not store.update(job, WORKING, **me):
        print(f"There is no job {job} that waits for its process.", file=sys.stderr)
        return 2
    stopping = _Stopping()
    recorder = Recorder(store, job, row["next"], lambda: os.kill(os.getpid(), signal.SIGINT))
    outcome: Outcome | None = None
    error: dict[str, Any] | None = None
    try:
        recorder(Event(JOB, "started", row["title"]))
        request, root = row["request"], Path(row["root"])
        uri = store_of(row["tracking_uri"], notebook_of(request, root))
        outcome = kind_of(request).perform(Task(request, root, row["user"], uri, database), recorder)
        stopping.over()
        error = outcome.error
    except KeyboardInterrupt:
        error = None
    except MlopsError as problem:
        error = {"code": problem.code, "message": str(problem), "fix": None}
    except BaseException as problem:
        traceback.print_exc()
        what = type(problem).__name__
        error = {
            "code": "internal",
            "message": f"The job ended with an unexpected error ({what}).",
            "fix": "Its log has the traceback. Run it again; if it ends so again, report it with the log.",
        }
    stopping.over()
    status = outcome.status if outcome is not None else "cancelled" if error is None else "failed"
    if status == "cancelled":
        end(marked(job))
    message = error["message"] if error is not None else outcome.message if outcome is not None else "Stopped as asked."
    how: Any = {"done": "done", "failed": "failed", "cancelled": "skipped"}[status]
    result = None if outcome is None else plain(outcome.result)
    try:
        recorder.finish(
            status, Event(JOB, how, message), message=plain(message), error=plain(error), result=result,
            request=without_secrets(row["request"]),
        )  # fmt: skip
    except EnvironmentLackError as problem:
        print(problem, file=sys.stderr)
        return 2
    return {"done": 0, "failed": 1, "cancelled": 130}[status]
