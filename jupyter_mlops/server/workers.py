"""Work that is too heavy for the server's process: one worker process for analysis, one for MLflow.

They are started when they are first needed and ended when nobody has needed them for a while. One that dies or hangs is
replaced at the next call. MLflow is never imported into the Jupyter server, and the index of runs, which lives in the memory
of its worker, is always the same one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import Hashable
from itertools import count
from typing import Any

from jupyter_mlops.server.errors import ApiError, from_code
from jupyter_mlops.server.frames import HEADER, packed, size_of

__all__ = ["Worker"]

_START = 120.0  # seconds for the imports, on a busy machine
_WAITING = 64  # calls; more are refused


class Worker:
    """One worker process.

    Parameters
    ----------
    kind
        ``analysis`` or ``tracking``; see `worker.py`.
    threads
        How many calls it does at a time.
    limit
        Seconds that a call may take.
    idle
        Seconds without a call after which the process is ended.
    log
        Where it is said that one was replaced.
    """

    def __init__(self, kind: str, *, threads: int, limit: float, idle: float = 600.0, log: logging.Logger | None = None) -> None:
        self.kind = kind
        self.limit = limit
        self.idle = idle
        self._threads = threads
        self._log = log or logging.getLogger(__name__)
        self._slots = asyncio.Semaphore(threads)
        self._starting = asyncio.Lock()
        self._newest: dict[Hashable, int] = {}
        self._numbers = count()
        self._waiting = 0
        self._running = 0
        self._used = 0.0
        self._live: _Live | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._warming: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Of the process, if there is one."""
        return self._live.process.pid if self._live is not None and self._live.works else None

    async def call(self, name: str, /, *, newest: Hashable = None, **arguments: Any) -> Any:
        """Do a call of `worker.CALLS` there.

        Parameters
        ----------
        newest
            Calls with the same key replace one another while they wait.

        Raises
        ------
        ApiError
            What the function raised; ``superseded`` (409), ``busy`` (503), ``time-limit`` (504), ``worker`` (503).
        """
        number = next(self._numbers)
        if self._waiting >= _WAITING:
            raise ApiError(503, "busy", "Too many requests wait for this.", "Try again in a moment.")
        if newest is not None:
            self._newest[newest] = number
        self._waiting += 1
        try:
            async with self._slots:
                if newest is not None and self._newest.get(newest) != number:
                    raise ApiError(409, "superseded", "A newer request of the same kind took the place of this one.")
                self._running += 1
                try:
                    return await self._do(number, name, arguments)
                finally:
                    self._running -= 1
                    self._used = time.monotonic()
        finally:
            self._waiting -= 1
            if newest is not None and self._newest.get(newest) == number:
                del self._newest[newest]

    def warm(self, name: str, /, **arguments: Any) -> None:
        """Do a call that nobody waits for: what is asked soon after finds the process started and what the call opened."""
        if self._warming is None or self._warming.done():
            self._warming = asyncio.get_running_loop().create_task(self._warm(name, arguments))

    async def _warm(self, name: str, arguments: dict[str, Any]) -> None:
        with contextlib.suppress(ApiError):  # a call that somebody waits for will say so
            await self.call(name, **arguments)

    async def close(self) -> None:
        """End the process."""
        self._closed = True
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.wait([self._warming])
        if self._keeper is not None:
            self._keeper.cancel()
            self._keeper = None
        live, self._live = self._live, None
        if live is not None:
            await live.end()

    async def _do(self, number: int, name: str, arguments: dict[str, Any]) -> Any:
        live = await self._process()
        try:
            answer = await asyncio.wait_for(live.ask(number, name, arguments), self.limit)
        except TimeoutError:
            self._log.error("The %s process took longer than %g s for %s: it is replaced.", self.kind, self.limit, name)
            await live.end()
            raise ApiError(
                504, "time-limit", f"This took longer than {self.limit:g} seconds and was stopped.", "Try again in a moment."
            ) from None
        except ConnectionError:
            self._log.error("The %s process died while it did %s: it is replaced.", self.kind, name)
            raise _died() from None
        error = answer.get("error")
        if error is None:
            return answer.get("result")
        if error["code"] is not None:
            raise from_code(error["code"], error["message"])
        raise ApiError(
            500, "internal", f"The server met an error that it did not expect ({error['message']}).",
            "The server's log has the details.",
        )  # fmt: skip

    async def _process(self) -> _Live:
        async with self._starting:
            if self._closed:
                raise ApiError(503, "stopping", "The server is stopping.")
            if self._live is None or not self._live.works:
                try:
                    self._live = await asyncio.wait_for(_Live.start(self.kind, self._threads), _START)
                except (OSError, TimeoutError) as error:
                    self._log.error("The %s process could not be started: %r", self.kind, error)
                    raise _died() from None
                self._used = time.monotonic()
                if self._keeper is None or self._keeper.done():
                    self._keeper = asyncio.get_running_loop().create_task(self._keep())
            return self._live

    async def _keep(self) -> None:
        """End the process when it has been idle."""
        while self._live is not None:
            await asyncio.sleep(max(0.05, min(self.idle, self._used + self.idle - time.monotonic())))
            live = self._live
            if live is not None and not self._running and time.monotonic() - self._used >= self.idle:
                self._live = None
                await live.end()


class _Live:
    """A process that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._ended = False

    @classmethod
    async def start(cls, kind: str, threads: int) -> _Live:
        # -P: modules in the folder that Jupyter was started in are not ours. A session of its own: Ctrl-C is the server's.
        command = [sys.executable, "-P", "-m", "jupyter_mlops.server.worker", kind, str(threads)]
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True
        )
        live = cls(process)
        try:
            if await live._next() is None:
                raise ConnectionError("it ended at once")
        except BaseException:
            await live.end()
            raise
        live._reader = asyncio.get_running_loop().create_task(live._read())
        return live

    @property
    def works(self) -> bool:
        return self._reader is not None and not self._ended

    async def ask(self, number: int, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = future
        try:
            if not self.works:
                raise ConnectionError
            self.process.stdin.write(packed({"id": number, "call": name, "arguments": arguments}))
            await self.process.stdin.drain()
            return await future
        finally:
            self._answers.pop(number, None)

    async def end(self) -> None:
        self._ended = True
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()  # it holds nothing that has to be written
        await self.process.wait()
        if self._reader is not None:
            await asyncio.wait([self._reader])

    async def _read(self) -> None:
        try:
            while (message := await self._next()) is not None:
                future = self._answers.get(message["id"])
                if future is not None and not future.done():
                    future.set_result(message)
        finally:
            self._ended = True  # before anybody who waits goes on
            for future in self._answers.values():
                if not future.done():
                    future.set_exception(ConnectionError("the worker is gone"))
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()

    async def _next(self) -> dict[str, Any] | None:
        import json

        assert self.process.stdout is not None
        try:
            size = size_of(await self.process.stdout.readexactly(HEADER))
            found: dict[str, Any] = json.loads(await self.process.stdout.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return found


def _died() -> ApiError:
    return ApiError(
        503, "worker", "The process that does this on the server ended unexpectedly; a new one takes its place.",
        "Try again. If it happens again, look at the server's log: the machine may be out of memory.",
    )  # fmt: skip
