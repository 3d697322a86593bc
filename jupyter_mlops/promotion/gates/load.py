"""Load on a service's ``/predict``, and what it measured.

One thread and one selector serve all connections, so that this process takes little of the processor that it shares with the
service: measured, 10 microseconds a request, and 10 to 20 of the system's for the loopback.
"""

from __future__ import annotations

import json
import selectors
import socket
import time
from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

__all__ = ["Load", "LoadError", "Measured"]

_RECEIVE = 65_536  # bytes at once


class LoadError(Exception):
    """The service takes no connections, or does not answer."""


@dataclass
class Measured:
    """What came back.

    Attributes
    ----------
    latencies
        Of the good answers, in seconds: from before a request is handed to the system until its answer is read completely. That
        includes the loopback and the time for which this process had others of its clients to see to, not making a connection.
    seconds
        For which there was load.
    statuses
        Answers by HTTP status.
    broken
        Connections that ended instead of an answer.
    """

    latencies: array[float] = field(default_factory=lambda: array("d"))
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    broken: int = 0

    def add(self, other: Measured) -> None:
        """Take in another measurement."""
        self.latencies.extend(other.latencies)
        self.seconds += other.seconds
        self.statuses.update(other.statuses)
        self.broken += other.broken

    @property
    def requests(self) -> int:
        """How many were sent."""
        return self.statuses.total() + self.broken

    @property
    def failed(self) -> int:
        """How many got no good answer."""
        return self.requests - self.statuses[200]

    @property
    def throughput(self) -> float:
        """Good answers a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def milliseconds(self, percent: float) -> float:
        """A percentile of the latencies."""
        import numpy as np

        return float(np.percentile(np.frombuffer(self.latencies), percent)) * 1000 if self.latencies else float("nan")


class Load:
    """So many clients, each with a connection that it keeps, and with its next request as soon as it has an answer.

    Parameters
    ----------
    rows
        Sent one a request, in turn.
    patience
        Seconds for an answer.
    ask
        Called when nothing comes for half a second; what it raises ends the load.
    """

    def __init__(
        self, port: int, rows: Sequence[Mapping[str, Any]], clients: int, *, patience: float = 10.0, ask: Callable[[], None] = lambda: None
    ) -> None:  # fmt: skip
        self._address = ("127.0.0.1", port)
        self._clients, self._patience, self._ask = clients, patience, ask
        self.rows = len(rows)
        self._requests = cycle([_request(port, row) for row in rows])

    def run(self, seconds: float, at_least: int = 0) -> Measured:
        """Send requests for so long, and at least so many; those under way are waited for.

        Connections are made before the clock starts: a service closes those that were idle for a while.

        Raises
        ------
        LoadError
            See there.
        """
        measured = Measured()
        with ExitStack() as stack:
            selector = stack.enter_context(selectors.DefaultSelector())
            clients = [stack.enter_context(_Client(self._address, self._patience)) for _ in range(self._clients)]
            started = time.perf_counter()
            for client in clients:
                selector.register(client, selectors.EVENT_READ, client)
                client.send(next(self._requests))
            while clients:
                ready = selector.select(0.5)
                if not ready:
                    self._ask()
                    if time.perf_counter() - min(one.sent for one in clients) > self._patience:
                        raise LoadError(f"a request got no answer within {self._patience:.0f} s")
                for key, _ in ready:
                    client = key.data
                    if not client.receive(measured):
                        continue
                    if time.perf_counter() - started < seconds or measured.requests < at_least:
                        if not client.is_open:
                            selector.unregister(client)
                            client.reopen()
                            selector.register(client, selectors.EVENT_READ, client)
                        client.send(next(self._requests))
                    else:
                        selector.unregister(client)
                        clients.remove(client)
            measured.seconds = time.perf_counter() - started
        return measured


class _Client:
    """One connection."""

    def __init__(self, address: tuple[str, int], patience: float) -> None:
        self._address, self._patience = address, patience
        self.sent = 0.0
        self._connect()

    def __enter__(self) -> _Client:
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def reopen(self) -> None:
        """Connect anew, since the service has closed the connection."""
        self._socket.close()
        self._connect()

    def _connect(self) -> None:
        import httptools

        try:
            self._socket = socket.create_connection(self._address, timeout=self._patience)
        except OSError as error:
            raise LoadError(f"it takes no connection ({error})") from None
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._parser = httptools.HttpResponseParser(self)
        self._complete = False
        self.is_open = True

    def send(self, request: bytes) -> None:
        self._complete = False
        self.sent = time.perf_counter()
        with suppress(OSError):  # closed by the service: reading will say so
            self._socket.sendall(request)

    def receive(self, measured: Measured) -> bool:
        """Read what has come; whether the request is over, one way or the other."""
        import httptools

        try:
            data = self._socket.recv(_RECEIVE)
            if data:
                self._parser.feed_data(data)
        except (OSError, httptools.HttpParserError):
            data = b""
        if self._complete:
            status = int(self._parser.get_status_code())
            measured.statuses[status] += 1
            if status == 200:
                measured.latencies.append(time.perf_counter() - self.sent)
            return True
        if not data:
            measured.broken += 1
            self.is_open = False
            return True
        return False

    def on_message_complete(self) -> None:
        """Called by the parser, which knows only now whether the connection stays open."""
        self._complete = True
        self.is_open = self._parser.should_keep_alive()


def _request(port: int, row: Mapping[str, Any]) -> bytes:
    body = json.dumps(row).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
