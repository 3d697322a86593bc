"""Jobs as the server uses them: off the event loop, with what they do passed on to the event stream."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import MlopsError
from jupyter_mlops.jobs.statuses import ACTIVE
from jupyter_mlops.server.errors import from_error

if TYPE_CHECKING:
    import logging

    from jupyter_events import EventLogger

    from jupyter_mlops.jobs.manager import Jobs
    from jupyter_mlops.server.paths import Root

__all__ = ["SCHEMA_ID", "JobRunner", "register"]

SCHEMA_ID = "https://github.com/jupyter-mlops/jupyter-mlops/events/job/v1"
_STATUS = {"done": "done", "failed": "failed", "lost": "failed", "cancelled": "skipped"}
_FAST, _SLOW = 0.3, 5.0  # seconds between looks
_MESSAGE = 300  # characters on the event stream


def register(logger: EventLogger) -> None:
    """Make the events known. Who subscribes hears of the kinds that are known by then: before the server takes requests."""
    logger.register_event_schema((files("jupyter_mlops.schema") / "events" / "job.yaml").read_text(encoding="utf-8"))


class JobRunner:
    """The jobs of this server.

    Parameters
    ----------
    database
        URL of the database.
    folder
        Where logs go.
    root
        The server's root: jobs of other servers of the user are none of ours.
    most
        How many run at a time.
    logger
        The server's event stream.
    """

    def __init__(
        self, database: str, folder: Path, root: Root, most: int, *, logger: EventLogger | None, log: logging.Logger
    ) -> None:  # fmt: skip
        self._settings = (database, folder, most)
        self._root = root
        self._logger = logger
        self._log = log
        self._made = threading.Lock()
        self._jobs: Jobs | None = None
        self._known: dict[str, str] = {}  # active jobs of the last look
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()

    @property
    def active(self) -> int:
        """How many are not over."""
        return len(self._known)

    async def call(self, method: str, *arguments: Any, **named: Any) -> Any:
        """Call a method of `Jobs` in a thread.

        Raises
        ------
        ApiError
            What it raised.
        """
        self.watch()
        try:
            return await asyncio.to_thread(self._call, method, arguments, named)
        except MlopsError as error:
            raise from_error(error) from error

    async def start(self, request: dict[str, Any], user: str) -> dict[str, Any]:
        """Start a job.

        Raises
        ------
        ApiError
            ``conflict`` where one of the same kind works on the notebook, or what else is wrong with the request.
        """
        # The store is as MLFLOW_TRACKING_URI says, which the process inherits: an address with a password is not written down.
        job: dict[str, Any] = await self.call("start", request, root=self._root.folder, user=user, tracking_uri=None)
        self._known[job["id"]] = job["status"]
        self._wake.set()
        return job

    def watch(self) -> None:
        """Begin to look what jobs do."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._watch())

    async def close(self) -> None:
        """Look no longer. The jobs go on."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _call(self, method: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        with self._made:
            if self._jobs is None:
                from jupyter_mlops.jobs.manager import Jobs

                database, folder, most = self._settings
                made = Jobs(database, folder, root=self._root.folder, limit=most)
                made.reconcile()
                self._jobs = made
        return getattr(self._jobs, method)(*arguments, **named)

    async def _watch(self) -> None:
        failed = False
        while True:
            self._wake.clear()  # before the look: a job that is started meanwhile may have been missed by it
            try:
                for event in await asyncio.to_thread(self._look):
                    self._emit(event)
                failed = False
            except Exception as error:
                if not failed:  # once, not three times a second
                    self._log.error("What jobs do cannot be read: %s", error, exc_info=not isinstance(error, MlopsError))
                failed = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _FAST if self._known and not failed else _SLOW)

    def _look(self) -> list[dict[str, Any]]:
        """Events since the last look, and one for each job whose status changed without one."""
        polled: list[tuple[str, dict[str, Any]]] = self._call("poll", (), {})
        before = self._known
        jobs = {job["id"]: job for job in self._call("list", (), {"limit": 200 if before else 50})}
        self._known = {key: job["status"] for key, job in jobs.items() if job["status"] in ACTIVE}
        found = [_payload(jobs[key], event) for key, event in polled if key in jobs]
        told = {key for key, _ in polled}
        for key, status in before.items():
            job = jobs.get(key)
            if job is not None and key not in told and job["status"] != status:
                found.append(_payload(job, {
                    "number": max(0, job["next"] - 1), "step": job["step"] or job["kind"], "fraction": job["fraction"],
                    "status": _STATUS.get(job["status"], "progress"), "message": job["message"] or "",
                }))  # fmt: skip
        return found

    def _emit(self, event: dict[str, Any]) -> None:
        if self._logger is None:
            return
        self._logger.emit(schema_id=SCHEMA_ID, data=event)


def _payload(job: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    return {
        "job": job["id"], "kind": job["kind"], "path": job["path"], "jobStatus": job["status"], "number": event["number"],
        "step": event["step"], "status": event["status"], "message": event["message"][:_MESSAGE],
        "fraction": event.get("fraction"),
    }  # fmt: skip
