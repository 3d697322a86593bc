"""The service as a process of its own, on a free port of the loopback address."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

PROJECT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Service:
    """A service that runs; `pid` is the process that was started."""

    url: str
    pid: int
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self, timeout: float = 20.0) -> int:
        """Ask it to stop and return its exit code."""
        if self.process.poll() is None:
            os.kill(self.pid, signal.SIGTERM)
        return self.process.wait(timeout)


@contextmanager
def running_service(timeout: float = 60.0, **settings: object) -> Iterator[Service]:
    """Start ``python -m service`` and wait until it is ready; stop it at the end.

    Parameters
    ----------
    settings
        Fields of its configuration, for example ``max_rows=10``.

    Raises
    ------
    RuntimeError
        It ended, or was not ready in time; its log is in the message.
    """
    port = _free_port()
    given = {"port": port, "drain_seconds": 0, "log_hash_key": "of the tests", **settings}
    environment = {**os.environ, **{f"SERVICE_{k.upper()}": str(v) for k, v in given.items()}}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "service.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "service"],
                cwd=PROJECT,
                env=environment,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        service = Service(f"http://127.0.0.1:{port}", process.pid, process, log)
        try:
            _wait(service, timeout)
            yield service
        finally:
            try:
                service.stop()
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(service: Service, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while service.process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{service.url}/health/ready", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"the service is not ready:\n{service.log.read_text(errors='replace')}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
