"""A real MLflow server on loopback that tests can kill and start again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from jupyter_mlops.environment import free_port

__all__ = ["MlflowServer"]


class MlflowServer:
    """One server on a free port, with a store and artifacts of its own in `place`."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> MlflowServer:
        """Start it and wait until it answers."""
        command = [
            sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1",
            "--backend-store-uri", f"sqlite:///{self.place / 'server.db'}", "--artifacts-destination", str(self.place / "artifacts"),
        ]  # fmt: skip
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        with (self.place / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.place, env={**os.environ, "PATH": path}, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"{self.uri}/health", timeout=2).close()
                return self
            except (urllib.error.URLError, OSError):
                assert self._process.poll() is None and time.monotonic() < deadline, (self.place / "log").read_text()
                time.sleep(0.2)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(timeout=30)
            self._process = None
