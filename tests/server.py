"""A real Jupyter server on loopback with the extension, with folders of its own."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from jupyter_mlops.environment import free_port

__all__ = ["ENABLED", "Server", "as_json", "running_server"]

ENABLED = Path(__file__).resolve().parents[1] / "labextension" / "jupyter-config" / "jupyter-mlops.json"


@dataclass
class Server:
    """A server that can be stopped and started again.

    Parameters
    ----------
    work
        The folder that it shows.
    place
        Where its own files go.
    base_url
        Its addresses begin with that.
    options
        More of its command line.
    """

    work: Path
    place: Path
    base_url: str = "/"
    options: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base(self) -> str:
        """Its address."""
        return f"{self.origin}{self.base_url}"

    @property
    def api(self) -> str:
        """The address of the extension."""
        return f"{self.base}jupyter-mlops"

    @property
    def log(self) -> str:
        """What it printed."""
        return (self.place / "log").read_text(encoding="utf-8", errors="replace")

    def start(self) -> Server:
        """Start it and wait until it answers."""
        folders = {f"JUPYTER_{n}": str(self.place / n.lower()) for n in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")}
        enable = self.place / "config_dir" / "jupyter_server_config.d"
        enable.mkdir(parents=True, exist_ok=True)
        shutil.copy(ENABLED, enable)
        self.port = free_port()
        command = [
            sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={self.port}",
            "--ServerApp.port_retries=0", f"--ServerApp.root_dir={self.work}", f"--ServerApp.base_url={self.base_url}",
            f"--IdentityProvider.token={self.token}", *self.options,
        ]  # fmt: skip
        with (self.place / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.work,
                env={**os.environ, **folders, **self.env},
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        deadline = time.monotonic() + 90
        while True:
            try:
                if httpx.get(f"{self.base}api/status", params={"token": self.token}, timeout=2).status_code == 200:
                    return self
            except httpx.TransportError:
                pass
            assert self.process.poll() is None and time.monotonic() < deadline, self.log
            time.sleep(0.1)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, as a person would or as a crash would."""
        process, self.process = self.process, None
        if process is not None:
            process.send_signal(number)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def client(self) -> httpx.Client:
        """One with the token, below the address of the extension."""
        return httpx.Client(base_url=f"{self.api}/", headers={"Authorization": f"token {self.token}"}, timeout=120)

    def browser(self) -> httpx.Client:
        """One that has logged in, and has nothing but its cookies."""
        client = httpx.Client(timeout=60)
        client.get(f"{self.base}login")  # where the cookie with the XSRF token comes from
        assert client.get(f"{self.base}api/contents", params={"token": self.token}).status_code == 200
        return client


@contextmanager
def running_server(work: Path, place: Path, **settings: Any) -> Iterator[Server]:
    """A server for the folder `work`; its own files go to `place`."""
    server = Server(work, place, **settings)
    try:
        yield server.start()
    finally:
        server.stop()


def as_json(answer: httpx.Response) -> Any:
    """The body of an answer that went well."""
    assert answer.status_code < 300, answer.text
    return json.loads(answer.text)
