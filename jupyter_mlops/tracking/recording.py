"""One run being recorded: kept on disk first, delivered to MLflow as soon as it answers, exactly once.

Deliveries are made by a thread of their own, so that nobody waits for uploads.
"""

from __future__ import annotations

import atexit
import math
import os
import queue
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from jupyter_mlops.errors import TrackingError
from jupyter_mlops.tracking.delivery import create, deliver, deliver_waiting
from jupyter_mlops.tracking.spool import SpooledRun
from jupyter_mlops.tracking.store import check_reachable

__all__ = ["Recording", "Status", "flush"]

Status = Literal["FINISHED", "FAILED", "KILLED"]

_BREATH = 0.25  # seconds between values and files: whoever waits for the values is answered before files take the interpreter


class Recording:
    """A run that is being recorded.

    Parameters
    ----------
    spooled
        Its place on disk.

    Attributes
    ----------
    problem
        Why it is not delivered, once that is known.
    """

    def __init__(self, spooled: SpooledRun) -> None:
        self.spooled = spooled
        self.problem: str | None = None
        self._run_id = spooled.run_id or spooled.local_id
        self._values = threading.Event()
        self._ended = threading.Event()
        self._params: dict[str, str] = {}
        self._waited_for = False

    @classmethod
    def start(
        cls, *, uri: str, experiment: str, name: str, tags: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None, parent: str | None = None, behind: bool = False,
    ) -> Recording:  # fmt: skip
        """Begin a run, in MLflow at once if it answers.

        Parameters
        ----------
        behind
            Let the courier tell MLflow, and do not wait for it (loading its client takes seconds): until then the run
            has its local id, by which its children find it later.

        Raises
        ------
        OSError
            The spool's folder cannot be written.
        """
        spooled = SpooledRun.create(uri=uri, experiment=experiment, name=name, tags=dict(tags or {}), parent=parent)
        made = cls(spooled)
        if behind:
            _courier().send(made._begin)
        else:
            made._begin()
        made.log(params=params)
        return made

    @property
    def run_id(self) -> str:
        """MLflow's id if the store has answered, else the local one."""
        return self._run_id

    @property
    def delivered(self) -> bool:
        """Whether MLflow has all values (files may follow)."""
        return self._values.is_set() and self.problem is None

    def log(
        self, *, params: Mapping[str, Any] | None = None, metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """Add values. A parameter that was given before keeps its value, as MLflow would insist."""
        now = int(time.time() * 1000)
        operation: dict[str, Any] = {}
        fresh = {name: str(value) for name, value in (params or {}).items() if name not in self._params}
        if fresh:
            self._params.update(fresh)
            operation["params"] = fresh
        if metrics:
            operation["metrics"] = [[name, float(value), now, 0] for name, value in metrics.items()]
        if tags:
            operation["tags"] = {name: str(value) for name, value in tags.items()}
        if operation:
            self.spooled.append(operation)

    def known(self, params: Mapping[str, str]) -> None:
        """Parameters that MLflow has from elsewhere, such as autologging: they stay as they are."""
        self._params.update(params)

    def text(self, artifact_path: str, text: str) -> None:
        """Add a file with this text."""
        path = self._place(artifact_path)
        path.write_text(text, encoding="utf-8", errors="backslashreplace")

    def bytes(self, artifact_path: str, content: bytes) -> None:
        """Add a file with this content."""
        self._place(artifact_path).write_bytes(content)

    def file(self, path: Path, artifact_folder: str = "") -> None:
        """Add a copy of a file as it is now, or of a folder's content."""
        target = self._place(f"{artifact_folder}/{path.name}" if artifact_folder else path.name)
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(path, target)

    def finish(self, status: Status = "FINISHED", *, wait: float = 10.0) -> bool:
        """End the run and deliver it.

        Parameters
        ----------
        wait
            Seconds to wait for its values to arrive; files follow behind in any case.

        Returns
        -------
        bool
            Whether they arrived. If not, they wait in the spool.
        """
        try:
            self.spooled.append({"end": [status, int(time.time() * 1000)]})
        except OSError as error:
            self.problem = f"The end of the run cannot be written to {self.spooled.folder}: {error.strerror}"
            self.spooled.release()
            self._values.set()
            self._ended.set()
            return False
        self._waited_for = wait > 0
        _courier().send(self._deliver)
        self._values.wait(wait)
        return self.delivered

    def wait(self, timeout: float) -> bool:
        """Wait until everything, files too, is delivered or cannot be."""
        return self._ended.wait(timeout) and self.problem is None

    def _place(self, artifact_path: str) -> Path:
        path = self.spooled.files / artifact_path
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _begin(self) -> None:
        try:
            check_reachable(self.spooled.uri)
            self._run_id = create(self.spooled)
        except TrackingError:
            pass  # it is created when it is delivered

    def _values_sent(self) -> None:
        self._values.set()
        if self._waited_for:
            time.sleep(_BREATH)

    def _deliver(self) -> None:
        try:
            check_reachable(self.spooled.uri)
            self._run_id = deliver(self.spooled, self._values_sent)
        except TrackingError as error:
            self.problem = str(error)
            self.spooled.release()
        except Exception as error:  # whatever it is: the run stays in the spool, and the notebook goes on
            self.problem = f"{type(error).__name__}: {error}"
            self.spooled.release()
        finally:
            self._values.set()
            self._ended.set()
        if self.problem is None and _courier().is_idle():
            with suppress(Exception):  # they wait on, and `sync` says why
                deliver_waiting(self.spooled.uri)


class _Courier:
    """The thread that delivers. It also takes along what waits for the same store."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._queue: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._idle = threading.Condition()
        self._open = 0
        threading.Thread(target=self._work, name="jupyter-mlops-courier", daemon=True).start()

    def send(self, errand: Callable[[], None]) -> None:
        with self._idle:
            self._open += 1
        self._queue.put(errand)

    def is_idle(self) -> bool:
        return self._queue.empty()

    def _work(self) -> None:
        while True:
            errand = self._queue.get()
            try:
                errand()
            finally:
                with self._idle:
                    self._open -= 1
                    self._idle.notify_all()

    def flush(self, timeout: float) -> bool:
        with self._idle:
            return self._idle.wait_for(lambda: self._open == 0, timeout)


_running: _Courier | None = None


def _courier() -> _Courier:
    global _running
    if _running is None or _running.pid != os.getpid():  # a fork has no threads
        _running = _Courier()
    return _running


def flush(timeout: float = math.inf) -> bool:
    """Wait for what is being delivered behind; True when nothing is left of it."""
    if _running is None or _running.pid != os.getpid():
        return True
    return _running.flush(min(timeout, threading.TIMEOUT_MAX))


# Jupyter gives a kernel five seconds to go; what is not sent by then waits in the spool.
atexit.register(flush, 4.0)
