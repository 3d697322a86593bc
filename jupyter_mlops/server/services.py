"""Services of generated projects, for trying them: started on loopback, asked, stopped; they end with the server.

Only ports that were opened here are ever asked. A service is a process of its own; nothing of the project is loaded into
the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_mlops.database import now
from jupyter_mlops.environment import free_port, service_environment
from jupyter_mlops.server.errors import ApiError
from jupyter_mlops.workflows.output import MANIFEST

__all__ = ["Services"]

_READY = 90.0  # seconds to load the model
_PREDICT = 30.0
_GRACE = 5.0
_AT_ONCE = 8
_KEPT = 20  # services that ended
_LOG = 16_000  # bytes of output
_BODY = 16 * 1024 * 1024  # bytes of an answer


@dataclass
class _Service:
    id: str
    project: str
    folder: Path
    stamp: tuple[int, int]
    port: int
    process: asyncio.subprocess.Process
    started: int = field(default_factory=now)
    status: str = "starting"
    message: str | None = None
    form: dict[str, Any] | None = None
    example: dict[str, Any] | None = None
    output: deque[bytes] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None

    @property
    def is_active(self) -> bool:
        return self.status in ("starting", "ready")

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id, "project": self.project, "status": self.status, "port": self.port, "started": self.started,
            "message": self.message, "form": self.form, "example": self.example,
            "log": b"".join(self.output)[-_LOG:].decode(errors="replace"),
        }  # fmt: skip


class Services:
    """The services that this server started."""

    def __init__(self) -> None:
        self._known: dict[str, _Service] = {}
        self._lock = asyncio.Lock()
        self._client: Any = None

    def list(self) -> list[dict[str, Any]]:
        """All that are known, the newest first."""
        return [one.as_dict() for one in reversed(self._known.values())]

    def get(self, service: str) -> dict[str, Any]:
        """One of them.

        Raises
        ------
        ApiError
            404: it is not of this server.
        """
        return self._find(service).as_dict()

    @property
    def active(self) -> int:
        """How many run."""
        return sum(one.is_active for one in self._known.values())

    async def start(self, folder: Path, project: str) -> dict[str, Any]:
        """Start the service of a project, and say at once what is known of it. There is one for each project.

        Raises
        ------
        ApiError
            The project has no service, or too many run.
        """
        if not (folder / "service" / "app.py").is_file():
            raise ApiError(
                409, "no-service", f"The project {project} has no service: its model cannot be asked row by row.",
                "The conversion's report says what stands in the way.",
            )  # fmt: skip
        stat = (folder / MANIFEST).stat()
        stamp = (stat.st_mtime_ns, stat.st_ino)
        async with self._lock:
            for one in [s for s in self._known.values() if s.folder == folder and s.is_active]:
                if one.stamp == stamp:
                    return one.as_dict()
                await self._end(one)  # the notebook was converted anew: this is another model
            if self.active >= _AT_ONCE:
                raise ApiError(409, "conflict", f"{_AT_ONCE} services run on this server.", "Stop one of them.")
            made = await self._launch(folder, project, stamp)
            self._known[made.id] = made
            for ended in [s.id for s in self._known.values() if not s.is_active][:-_KEPT]:
                del self._known[ended]
        made.task = asyncio.get_running_loop().create_task(self._watch(made))
        return made.as_dict()

    async def stop(self, service: str) -> dict[str, Any]:
        """End one.

        Raises
        ------
        ApiError
            404: it is not of this server.
        """
        one = self._find(service)
        await self._end(one)
        return one.as_dict()

    async def predict(self, service: str, row: dict[str, Any]) -> dict[str, Any]:
        """Ask one for a prediction.

        Raises
        ------
        ApiError
            It is not of this server, not ready, or does not answer.
        """
        one = self._find(service)
        if one.status != "ready":
            raise ApiError(
                409, "not-ready", f"The service of {one.project} is {one.status}.", "Start it, and wait until it is ready."
            )
        started = time.perf_counter()
        status, body = await self._ask(one, "/predict", row, limit=_PREDICT)
        try:
            answer = json.loads(body)
        except ValueError:
            answer = body.decode(errors="replace")
        return {"status": status, "body": answer, "milliseconds": round((time.perf_counter() - started) * 1000, 2)}

    async def close(self) -> None:
        """End all."""
        await asyncio.gather(*(self._end(one) for one in self._known.values()))
        if self._client is not None:
            self._client.close()

    def _find(self, service: str) -> _Service:
        if service not in self._known:
            raise ApiError(404, "not-found", "This server runs no such service; services end with the server.", "Start it anew.")
        return self._known[service]

    async def _launch(self, folder: Path, project: str, stamp: tuple[int, int]) -> _Service:
        port = free_port()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "jupyter_mlops.server.attached", "service", cwd=folder,
            env=service_environment(folder, port), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        return _Service(secrets.token_hex(8), project, folder, stamp, port, process)

    async def _watch(self, one: _Service) -> None:
        """From the start to the end of one."""
        loop = asyncio.get_running_loop()
        reader = loop.create_task(_keep_output(one))
        ready = loop.create_task(self._wait(one))
        try:
            code = await one.process.wait()
        finally:
            ready.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ready
        await asyncio.wait([reader], timeout=2.0)
        if one.status == "stopped":
            return
        if one.message is None:
            one.message = f"The service ended with code {code}. What it printed says why."
        one.status = "failed"

    async def _wait(self, one: _Service) -> None:
        deadline = time.monotonic() + _READY
        while time.monotonic() < deadline:
            with contextlib.suppress(ApiError):
                status, _ = await self._ask(one, "/health/ready", limit=2.0)
                if status == 200:
                    break
            await asyncio.sleep(0.1)
        else:
            one.message = f"The service was not ready within {_READY:g} seconds. What it printed may say why."
            _signal(one, force=True)
            return
        with contextlib.suppress(ApiError, ValueError):
            one.form = _form(await self._ask(one, "/openapi.json", limit=20.0))
        from jupyter_mlops.server.service_form import golden_row

        one.example = await asyncio.to_thread(golden_row, one.folder)
        if one.status == "starting" and one.process.returncode is None:
            one.status = "ready"

    async def _ask(self, one: _Service, path: str, body: Any = None, *, limit: float) -> tuple[int, bytes]:
        from tornado.httpclient import HTTPClientError, HTTPRequest
        from tornado.simple_httpclient import SimpleAsyncHTTPClient

        if self._client is None:  # Tornado's plain one: it knows no proxies
            self._client = SimpleAsyncHTTPClient(force_instance=True, max_clients=2 * _AT_ONCE, max_body_size=_BODY)
        request = HTTPRequest(
            f"http://127.0.0.1:{one.port}{path}", method="GET" if body is None else "POST", follow_redirects=False,
            body=None if body is None else json.dumps(body), headers={"Content-Type": "application/json"},
            connect_timeout=limit, request_timeout=limit,
        )  # fmt: skip
        try:
            answer = await self._client.fetch(request, raise_error=False)
        except (HTTPClientError, OSError) as error:
            late = "Timeout" in type(error).__name__
            raise ApiError(
                504 if late else 502, "time-limit" if late else "service",
                f"The service of {one.project} " + (f"took longer than {limit:g} seconds." if late else "does not answer."),
                "Look at what it printed, or start it anew.",
            ) from None  # fmt: skip
        return int(answer.code), bytes(answer.body or b"")

    async def _end(self, one: _Service) -> None:
        if one.is_active:
            one.status, one.message = "stopped", None
        _signal(one)
        try:
            await asyncio.wait_for(one.process.wait(), _GRACE)
        except TimeoutError:
            _signal(one, force=True)
            await one.process.wait()
        if one.task is not None:
            await asyncio.wait([one.task], timeout=_GRACE)


def _form(answer: tuple[int, bytes]) -> dict[str, Any] | None:
    """The form in the answer to ``/openapi.json``."""
    from jupyter_mlops.server.service_form import row_schema

    return row_schema(json.loads(answer[1])) if answer[0] == 200 else None


def _signal(one: _Service, *, force: bool = False) -> None:
    if one.process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            one.process.kill() if force else one.process.terminate()


async def _keep_output(one: _Service) -> None:
    """Read what it prints, so that it never waits for a reader, and keep the end."""
    assert one.process.stdout is not None
    kept = 0
    while data := await one.process.stdout.read(4096):
        one.output.append(data)
        kept += len(data)
        while kept - len(one.output[0]) > _LOG:
            kept -= len(one.output.popleft())
