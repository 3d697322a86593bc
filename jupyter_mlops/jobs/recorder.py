"""Events of a workflow on their way to the database: by a thread, so that the workflow never waits for it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from jupyter_mlops.database import now
from jupyter_mlops.errors import EnvironmentLackError
from jupyter_mlops.notebook.checks.secrets import judge_secret, redacted
from jupyter_mlops.workflows.events import Event

if TYPE_CHECKING:
    from jupyter_mlops.jobs.store import Store

__all__ = ["JOB", "Recorder", "event_row", "plain", "thinned"]

JOB = "job"  # the step of the job's own events: started, and its end
INTERVAL = 0.2  # seconds between two writes of progress
HEARTBEAT = 5.0  # seconds between two signs of life
_PATIENCE = 120.0  # seconds that the end of a job waits for a database that is away
_LONGEST = 4000  # characters of a message

Timed = tuple[int, Event]


class Recorder:
    """The listener of a job's workflow.

    Parameters
    ----------
    number
        Of the first event.
    stop
        Called once, in another thread, when the database says that the job is to stop.
    """

    def __init__(self, store: Store, job: str, number: int, stop: Callable[[], None] = lambda: None) -> None:
        self._store, self._job, self._number, self._stop = store, job, number, stop
        self._waiting: list[Timed] = []
        self._changed = threading.Condition()
        self._closing = False
        self._told_to_stop = False
        self._thread = threading.Thread(target=self._work, name="jupyter-mlops-events", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        if event.status != "progress":
            print(f"{time.strftime('%H:%M:%S')} {event.step} {event.status} {redacted(event.message)}".rstrip(), flush=True)
        with self._changed:
            self._waiting.append((now(), event))
            self._changed.notify()

    def finish(self, status: str, event: Event, **values: Any) -> None:
        """Write what is left and how it ended; tries for a while when the database is away.

        Raises
        ------
        EnvironmentLackError
            It stayed away.
        """
        self(event)
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        deadline, pause = time.monotonic() + _PATIENCE, 0.5
        while True:
            try:
                self._flush(status=status, ended=now(), claim=None, **values)
                return
            except EnvironmentLackError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, 10.0)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing, HEARTBEAT)
            if self._closing:
                return  # `finish` writes the rest
            with suppress(EnvironmentLackError):  # it is tried again, with what has come since
                if self._flush() == "stopping" and not self._told_to_stop:
                    self._told_to_stop = True
                    self._stop()
            with self._changed:
                # Progress can wait, the end of a step not.
                self._changed.wait_for(lambda: self._closing or any(e.status != "progress" for _, e in self._waiting), INTERVAL)

    def _flush(self, **values: Any) -> str | None:
        with self._changed:
            events, self._waiting = thinned(self._waiting), []
        rows = [event_row(self._number + place, *event) for place, event in enumerate(events)]
        steps = [row for row in rows if row["step"] != JOB]
        if steps:
            last = steps[-1]
            # Some events of a step only say that it goes on.
            said = next((row["message"] for row in reversed(steps) if row["message"]), None)
            values = {"step": last["step"], "fraction": last["fraction"], **({"message": said} if said else {}), **values}
        try:
            status = self._store.write(self._job, rows, alive=now(), **values)
        except EnvironmentLackError:
            with self._changed:
                self._waiting[:0] = events
            raise
        self._number += len(rows)
        return status


def thinned(events: Sequence[Timed]) -> list[Timed]:
    """Without progress that newer events of the same step have overtaken."""
    kept: list[Timed] = []
    seen: set[str] = set()
    for event in reversed(events):
        step, status = event[1].step, event[1].status
        if status != "progress" or step not in seen:
            kept.append(event)
        if status != "started":
            seen.add(step)
    return kept[::-1]


def event_row(number: int, at: int, event: Event) -> dict[str, Any]:
    """An event as it is kept."""
    return {
        "number": number, "time": at, "step": event.step[:200], "status": event.status,
        "message": plain(event.message)[:_LONGEST], "fraction": plain(event.fraction), "seconds": plain(event.seconds),
        "data": plain(event.data),
    }  # fmt: skip


def plain(value: Any, name: str = "") -> Any:
    """What JSON and every database can hold: no NaN, no NUL, no objects; secrets masked, also for the name they stand under."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (str, int)):
        text = redacted(str(value)).replace("\0", "")
        return "***" if name and judge_secret(name, text) else text if isinstance(value, str) else value
    if isinstance(value, Mapping):
        return {str(key): plain(one, str(key)) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(one, name) for one in value]
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return plain(value.item(), name)
    return plain(str(value), name)
