"""A project's service as a process of its own, for as long as a gate asks it."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_mlops.environment import free_port, service_environment
from jupyter_mlops.notebook.checks.secrets import redacted
from jupyter_mlops.promotion.gates.kinds import Tell
from jupyter_mlops.promotion.process import OURS, descendants, end_process

__all__ = ["NO_SERVICE", "Ended", "ServiceError", "StartedService", "has_service", "started_service"]

NO_SERVICE = (
    "The project has no service: its model cannot be asked row by row. The conversion's report says what stands in the way; "
    "mend that and convert the notebook again."
)
_KEPT = 64_000  # bytes of what it prints
_SHOWN = 12_000  # characters of them in a log
_STARTS = 5  # of a service whose port was taken meanwhile
_EVERY = 0.05  # seconds between two looks whether it is ready
_GRACE = 10.0  # seconds for its end; it gives requests in flight 3


class ServiceError(Exception):
    """The service did not start; `log` is the end of what it printed."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


@dataclass(frozen=True)
class Ended:
    """How a service ended: `code` is None when it had to be killed; `left` are processes that it left behind."""

    code: int | None
    left: int


def has_service(project: Path) -> bool:
    """Whether a project can be asked over HTTP."""
    return (project / "service" / "app.py").is_file()


@contextmanager
def started_service(project: Path, python: str, tell: Tell, *, seconds: float = 90.0) -> Iterator[StartedService]:
    """Start ``python -m service`` of a project on loopback, wait until it is ready, and stop it with all its descendants.

    Between the choice of a free port and the service's own use of it, another process may take it: it is started again then.

    Parameters
    ----------
    tell
        Asked about while it starts; what it raises stops the service.
    seconds
        That it may take to be ready.

    Raises
    ------
    ServiceError
        It ended, or was not ready in time.
    """
    for _ in range(_STARTS):
        service = StartedService(project, python, free_port())
        try:
            if service.wait(tell, seconds):
                yield service
                return
        finally:
            service.stop()
    raise ServiceError(f"Its port was taken by other processes {_STARTS} times. Try again.", service.log)


class StartedService:
    """A service that runs, or is about to."""

    def __init__(self, project: Path, python: str, port: int) -> None:
        self.port = port
        self._output: deque[bytes] = deque()
        self._ended: Ended | None = None
        self._process = subprocess.Popen(
            [python, "-m", "service"], cwd=project, env=service_environment(project, port, *OURS, "SERVICE_"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0, start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, name="jupyter-mlops-service", daemon=True)
        self._reader.start()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """The end of what it printed, without secrets."""
        return redacted(b"".join(self._output).decode(errors="replace"))[-_SHOWN:]

    def has_ended(self, within: float = 0.0) -> bool:
        """Whether the process has ended, or does within these seconds."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(within)
        return self._process.poll() is not None

    def wait(self, tell: Tell, seconds: float) -> bool:
        """Wait until it is ready.

        Returns
        -------
        bool
            False when its port was taken by another process.

        Raises
        ------
        ServiceError
            It ended, or was not ready in time.
        """
        deadline = time.monotonic() + seconds
        while not self.has_ended():
            # Another process on the port may answer as well: another version's service, for example.
            if self._is_ready() and self._listens():
                return True
            if time.monotonic() > deadline:
                raise ServiceError(f"It was not ready within {seconds:.0f} s.", self.log)
            tell("", None)
            time.sleep(_EVERY)
        self._reader.join(timeout=2)
        if _is_taken(self.port) or os.strerror(errno.EADDRINUSE).lower() in self.log.lower():
            return False
        raise ServiceError(f"It ended with code {self._process.returncode} before it was ready.", self.log)

    def stop(self) -> Ended:
        """Ask it to end, kill what does not; the same answer when asked again."""
        if self._ended is None:
            family = descendants(self._process)
            try:
                self._process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(timeout=_GRACE)
                self._ended = Ended(self._process.poll(), _left(family))
            finally:
                end_process(self._process, family)
                self._reader.join(timeout=5)
                if self._process.stdout is not None and not self._reader.is_alive():
                    self._process.stdout.close()
        return self._ended

    def _read(self) -> None:
        assert self._process.stdout is not None
        kept = 0
        with suppress(ValueError, OSError):  # closed under it
            while data := self._process.stdout.read(4096):
                self._output.append(data)
                kept += len(data)
                while kept - len(self._output[0]) > _KEPT:
                    kept -= len(self._output.popleft())

    def _is_ready(self) -> bool:
        import http.client

        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _listens(self) -> bool:
        """Whether it is this service that listens on the port."""
        import psutil

        try:
            family = [psutil.Process(self._process.pid), *descendants(self._process)]
            found = [one for process in family for one in process.net_connections(kind="tcp")]
        except psutil.NoSuchProcess:
            return False
        except psutil.Error:
            return True  # this system does not say
        return any(one.status == psutil.CONN_LISTEN and one.laddr.port == self.port for one in found)


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that have ended are no obstacle to a service
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _left(family: Sequence[Any]) -> int:
    """How many live on."""
    import psutil

    def lives(process: Any) -> bool:
        with suppress(psutil.Error):
            return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
        return False

    return sum(lives(one) for one in psutil.wait_procs(family, timeout=1)[1])
