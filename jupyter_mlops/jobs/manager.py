"""Jobs as the server sees them: start, look, stop, and take up again those of an earlier server."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.database import VARIABLE, Taken, now
from jupyter_mlops.environment import inherited
from jupyter_mlops.errors import ConflictError, NotFoundError
from jupyter_mlops.jobs.kinds import kind_of, notebook_of, subject_of, without_secrets
from jupyter_mlops.jobs.processes import MARK
from jupyter_mlops.jobs.recorder import JOB, event_row, plain
from jupyter_mlops.jobs.statuses import ACTIVE, WORKING
from jupyter_mlops.jobs.stopping import Stopper, is_gone, settle
from jupyter_mlops.notebook.checks.secrets import redacted
from jupyter_mlops.processes import created, machine
from jupyter_mlops.workflows.events import Event
from jupyter_mlops.workflows.person import USER_VARIABLE, system_user

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import RowMapping

__all__ = ["Jobs"]

_AT_A_TIME = 2
_KEPT = 200  # jobs whose record is kept
_LOG_END = 200_000  # bytes of a log that are shown
# Of the server's process, and wrong for a job's.
_NOT_INHERITED = ("JPY_SESSION_NAME", "JPY_PARENT_PID", "JUPYTER_MLOPS_OWNER", MARK)
_Told = list[tuple[str, dict[str, Any]]]
_children: dict[str, subprocess.Popen[bytes]] = {}  # of this process, whichever `Jobs` started them


class Jobs:
    """The jobs of one user's servers that share a database.

    Parameters
    ----------
    database
        URL of the database.
    folder
        Where logs are kept.
    root
        Only the jobs of this server's root are listed, polled and queued for; None: of every root.
    limit
        How many may run at a time; further ones wait for `poll` to start them.

    Raises
    ------
    EnvironmentLackError
        Here and in every method: the database does not answer.
    """

    def __init__(self, database: str, folder: Path, *, root: Path | None = None, limit: int = _AT_A_TIME) -> None:
        from jupyter_mlops.jobs.store import Store

        self._database, self._folder, self._limit = database, Path(folder).absolute(), max(1, limit)
        self._root = None if root is None else str(Path(root).absolute())
        self._store = Store(database)
        # Under JupyterHub every server has a user; a database may serve many of them.
        self._owner = (os.environ.get("JUPYTERHUB_USER") or system_user())[:200]
        self._lock = threading.RLock()
        self._stoppers: dict[str, Stopper] = {}
        self._seen: dict[str, int] | None = None  # number of the next event to tell, by job

    # -- one job -------------------------------------------------------------------------------------------------------

    def start(self, request: Mapping[str, Any], *, root: Path, user: str, tracking_uri: str | None = None) -> dict[str, Any]:
        """Start a job, or let it wait for its turn.

        Parameters
        ----------
        request
            A JobRequest of `schema/api/jobs.yaml`.
        root
            What the request's paths are relative to.
        user
            Who asks, for the record.
        tracking_uri
            MLflow's address; None: the one that ``%%track`` in the notebook would use. It is kept with the job: an address
            with a password belongs into ``MLFLOW_TRACKING_URI``, which the job's process inherits.

        Raises
        ------
        UsageError
            The request cannot work.
        ConflictError
            A job of this kind is at work on this notebook.
        """
        kind, root = kind_of(request), Path(root).absolute()
        notebook = notebook_of(request, root)
        ready = kind.prepare(request, notebook, root)
        job = uuid.uuid4().hex
        what = "\0".join([self._owner, ready["kind"], str(notebook.resolve())])
        row = {
            "id": job, "owner": self._owner, "root": str(root), "path": ready["path"], "kind": ready["kind"],
            "title": plain(kind.title(ready)), "user": user, "request": ready, "tracking_uri": tracking_uri,
            "status": "queued", "claim": hashlib.sha256(what.encode()).hexdigest(), "position": time.time_ns(), "created": now(),
            "next": 0, "log": str(self._folder / f"{job}.log"),
        }  # fmt: skip
        with self._lock:
            seen = self._seen_so_far()
            self._add(row)
            seen[job] = 0
            self._start_waiting()
            self._forget_old()
        return self.get(job)

    def get(self, job: str) -> dict[str, Any]:
        """A Job of `jobs.yaml`.

        Raises
        ------
        NotFoundError
            There is none of that id.
        """
        return _view(self._row(job))

    def list(self, path: str | None = None, kind: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
        """Jobs, the newest first."""
        return [_view(row) for row in self._store.find(self._owner, root=self._root, path=path, kind=kind, limit=limit)]

    def state(self, job: str, after: int = 0) -> dict[str, Any]:
        """A JobState: the job and its events from a number on."""
        row = self._row(job)
        # Events that came after the job was read belong to the next question.
        events = [one for one in self._store.events(job, after) if one["number"] < row["next"]]
        return {"job": _view(row), "events": [_event_view(one) for one in events]}

    def cancel(self, job: str) -> dict[str, Any]:
        """Ask a job to stop; what is over stays as it is. Its process gets time to clean up, and is killed then."""
        row = self._row(job)
        if row["status"] == "queued":
            event = event_row(row["next"], now(), Event(JOB, "skipped", "Taken out of the queue."))
            self._store.write(
                job, [event], only_if=("queued",), status="cancelled", claim=None, ended=now(), message=event["message"],
                request=without_secrets(row["request"]),
            )  # fmt: skip
            row = self._row(job)  # where it had just been started, it is stopped
        if row["status"] == "running":
            self._store.update(job, ("running",), status="stopping", asked=now())
        self._see_to(self._row(job))
        return self.get(job)

    def log(self, job: str) -> dict[str, Any]:
        """A JobLog: what its process printed, at most its end."""
        path = Path(self._row(job)["log"])
        try:
            with path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _LOG_END))
                text = file.read().decode("utf-8", errors="replace")
        except OSError:
            return {"text": "", "cut": False}
        if size > _LOG_END:
            text = text.partition("\n")[2]
        return {"text": redacted(text), "cut": size > _LOG_END}

    # -- all jobs ------------------------------------------------------------------------------------------------------

    def reconcile(self) -> None:
        """Find jobs whose process is gone, also those of an earlier server; go on with stopping what was asked to stop."""
        with self._lock:
            _reap()
            for row in self._store.find(self._owner, statuses=WORKING):
                if row["id"] in self._stoppers and self._stoppers[row["id"]].is_alive():
                    continue
                if is_gone(row):
                    settle(self._store, row)
                else:
                    self._see_to(row)

    def poll(self) -> _Told:
        """What has happened since the last call, as pairs of a job's id and a JobEvent; starts what waits.

        The past of jobs that were there before is not told: whoever looks on asks for their state.
        """
        with self._lock:
            seen = self._seen_so_far()
            self.reconcile()
            self._start_waiting()
            now_there = self._store.numbers(self._owner, self._root, tuple(seen))
            told: _Told = []
            for job, (_, number) in now_there.items():
                since = seen.get(job, 0)
                if number > since:
                    events = [one for one in self._store.events(job, since) if one["number"] < number]
                    told += [(job, _event_view(one)) for one in events]
            self._seen = {job: number for job, (status, number) in now_there.items() if status in ACTIVE}
        return told

    # -- inside --------------------------------------------------------------------------------------------------------

    def _seen_so_far(self) -> dict[str, int]:
        if self._seen is None:
            self._seen = {job: number for job, (_, number) in self._store.numbers(self._owner, self._root, ()).items()}
        return self._seen

    def _row(self, job: str) -> RowMapping:
        row = self._store.get(job)
        if row is None or row["owner"] != self._owner:
            raise NotFoundError(f"There is no job {job[:40]!r} (any more): the last {_KEPT} are kept. Look at the list of jobs.")
        return row

    def _add(self, row: Mapping[str, Any]) -> None:
        for attempt in (1, 2):
            try:
                self._store.add(row)
                return
            except Taken:
                if attempt == 1:
                    self.reconcile()  # the holder may be gone
        holder: Sequence[RowMapping] = self._store.find(self._owner, claim=row["claim"], limit=1)
        which = f"the job {holder[0]['id']} is {holder[0]['status']}" if holder else "another job is at work"
        doing = kind_of(row["request"]).doing
        raise ConflictError(f"{row['path']} is being {doing} already ({which}). Wait for its end, or stop it first.")

    def _start_waiting(self) -> None:
        while self._store.count(self._owner, self._root, WORKING) < self._limit:
            waiting = self._store.find(self._owner, root=self._root, statuses=("queued",), limit=1, oldest=True)
            if not waiting:
                return
            row = waiting[0]
            # Another server may have been faster.
            if self._store.update(row["id"], ("queued",), status="running", started=now(), machine=machine(), alive=now()):
                self._launch(row)

    def _launch(self, row: RowMapping) -> None:
        environment = inherited(*_NOT_INHERITED)
        environment |= {VARIABLE: self._database, MARK: row["id"], USER_VARIABLE: row["user"]}
        log = Path(row["log"])
        try:
            log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
                # -P: a module in the server's folder must not take the place of a library's.
                process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "jupyter_mlops.jobs", row["id"]], stdin=subprocess.DEVNULL, stdout=output,
                    stderr=subprocess.STDOUT, env=environment, start_new_session=True,
                )  # fmt: skip
        except OSError as error:
            message = f"The job's process could not be started: {error}. Look at memory, disk and the folder {log.parent}."
            event = event_row(row["next"], now(), Event(JOB, "failed", message))
            self._store.write(
                row["id"], [event], status="failed", claim=None, ended=now(), message=message,
                error={"code": "environment", "message": message, "fix": None}, request=without_secrets(row["request"]),
            )  # fmt: skip
            return
        _children[row["id"]] = process
        self._store.update(row["id"], WORKING, pid=process.pid, pid_created=created(process.pid))

    def _see_to(self, row: RowMapping) -> None:
        """Have a job that was asked to stop watched by a thread, here, where its process is."""
        with self._lock:
            known = self._stoppers.get(row["id"])
            if row["status"] == "stopping" and row["machine"] == machine() and (known is None or not known.is_alive()):
                self._stoppers[row["id"]] = Stopper(self._store, row["id"])
                self._stoppers[row["id"]].start()

    def _forget_old(self) -> None:
        for log in self._store.forget(self._owner, _KEPT):
            with suppress(OSError):
                Path(log).unlink()


def _reap() -> None:
    """Let ended processes of ours go: until then their ids are taken."""
    for job, process in list(_children.items()):
        if process.poll() is not None:
            _children.pop(job, None)


def _view(row: RowMapping) -> dict[str, Any]:
    names = (
        "id", "kind", "path", "title", "status", "user", "created", "started", "ended", "step", "message", "fraction", "error",
        "result", "next",
    )  # fmt: skip
    request = row["request"]
    return {**{name: row[name] for name in names}, "subject": subject_of(request)}


def _event_view(row: RowMapping) -> dict[str, Any]:
    names = ("number", "time", "step", "status", "message", "fraction", "seconds", "data")
    return {name: row[name] for name in names}
