"""The prediction log: what was asked and what was answered, written behind the requests.

A request only adds its record to a batch that is bounded. A few times a second the batch goes to a
thread, which appends it to a journal: a crash loses less than a second. Journals become Parquet in a
process of their own (`segments.py`). What cannot be written is counted and said, and no request ever
fails for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import hmac
import itertools
import json
import logging
import os
import queue
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path
from typing import Any

from msgspec.structs import astuple
from starlette.types import Scope

from service.artifacts import Artifacts
from service.config import Config
from service.engine import Outputs
from service.journal import FOLDER, SUFFIX, Answered, Column, Header, Journal, Label, Records
from service.metrics import Metrics
from service.schemas import COLUMNS, Row

log = logging.getLogger(__name__)

ARM = b"x-model-arm"  # set by whoever splits the traffic
ID = b"x-request-id"
ID_LENGTH = 200  # longer ones, and ones that cannot be printed, are not taken over
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what may be written again later
BETWEEN = 0.2  # seconds for which a record waits at most, before it goes to the thread
LARGE_REQUEST = 256  # rows; more are encoded in the thread, since that would hold up others
LARGE_JOURNAL = 200_000  # records after which it becomes Parquet at once
COMPLAINTS = 60.0  # seconds between two warnings about the same
PROJECT = Path(__file__).resolve().parents[1]
NICE = ["nice", "-n", "19"] if shutil.which("nice") else []  # requests come first


class _Batch:
    """Records that are handed over together, and how many rows and labels they are."""

    def __init__(self) -> None:
        self.records = Records()
        self.rows = 0


_Large = tuple[int, str, str, Sequence[Row], Outputs]  # a request that is yet to be encoded


class PredictionLog:
    """Of one worker.

    Raises
    ------
    ValueError
        A setting names an unknown column, or lacks its key.
    ModuleNotFoundError
        Parquet cannot be written here.
    """

    def __init__(self, config: Config, artifacts: Artifacts, metrics: Metrics) -> None:
        if find_spec("pyarrow") is None:
            raise ModuleNotFoundError("SERVICE_LOG_DIR needs pyarrow: pip install pyarrow")
        self._folder = Path(config.log_dir).absolute()
        self._metrics = metrics
        self._most = config.log_queue
        self._days = config.log_days
        self._seconds = config.log_seconds
        self._values, columns = _logged(config, artifacts)
        name, version, classes = artifacts.name, artifacts.version, artifacts.output["classes"]
        self._headers: dict[type, Header] = {
            Answered: Header("predictions", name, version, kind_of(artifacts.output), columns, classes),
            Label: Header("feedback", name, version),
        }
        self._name = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"
        self._waiting = 0  # rows and labels that the thread has not written yet
        self._batches: dict[type, _Batch] = {Answered: _Batch(), Label: _Batch()}
        self._answered = self._batches[Answered]
        self.record = self._recorder()
        self._handed: queue.SimpleQueue[tuple[type, _Batch | _Large] | None] = queue.SimpleQueue()
        self._journals: dict[type, tuple[Journal, float]] = {}
        self._files = 0
        self._compacting: subprocess.Popen[bytes] | None = None
        self._said = {"queue": 0.0, "disk": 0.0}
        self._loop: asyncio.AbstractEventLoop
        self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)

    def start(self) -> None:
        """Begin to write; journals that others have left become Parquet. Call it on the event loop."""
        self._compact()
        self._thread.start()
        self._loop = asyncio.get_running_loop()
        self._loop.call_later(BETWEEN, self._tick)

    def stop(self) -> None:
        """Write what waits, and make Parquet of it."""
        self._hand_over()
        self._handed.put(None)
        self._thread.join()
        for kind in list(self._journals):
            self._close(kind)
        for _ in range(2):  # one may have begun before the last journals were closed
            if self._compacting is not None:
                self._compacting.wait()
            self._compact()
        if self._compacting is not None:
            self._compacting.wait()

    # -- on the event loop ---------------------------------------------------------------------

    def _recorder(self) -> Callable[[Scope, Sequence[Row], Outputs], str]:
        """The function that every request calls: a closure, since it must cost next to nothing."""
        values, most, mark, now = self._values, self._most, secrets.token_hex(6) + "-", time.time_ns
        numbers = itertools.count(1)

        def record(scope: Scope, rows: Sequence[Row], outputs: Outputs) -> str:
            name = arm = ""
            for key, value in scope["headers"]:
                if key == ID:
                    name = value.decode("latin-1")
                elif key == ARM:
                    arm = value.decode("latin-1")
            if not name or len(name) > ID_LENGTH or not name.isprintable():
                name = f"{mark}{next(numbers):x}"
            if arm and any(key == b"host" and b"-shadow" in value for key, value in scope["headers"]):
                arm = "shadow"  # so Envoy marks what it mirrors
            batch, number = self._answered, len(rows)
            if self._waiting + batch.rows + number > most:
                self._metrics.log_lost("queue", number)
                self._complain("queue", "the prediction log does not keep up; %d rows wait", self._waiting)
            elif number > LARGE_REQUEST:
                self._waiting += number
                self._handed.put((Answered, (now(), name, arm, rows, outputs)))
            else:
                table = [values(rows[0])] if number == 1 else list(map(values, rows))
                batch.records.add((now(), name, arm, table, *outputs))
                batch.rows += number
            return name

        return record

    def feedback(self, labels: Sequence[Label]) -> bool:
        """Take note of labels; False where too many wait already."""
        batch = self._batches[Label]
        if self._waiting + batch.rows + len(labels) > self._most:
            return False
        for label in labels:
            batch.records.add(label)
        batch.rows += len(labels)
        return True

    def _tick(self) -> None:
        self._hand_over()
        self._metrics.log_waits(self._waiting)
        self._loop.call_later(BETWEEN, self._tick)

    def _hand_over(self) -> None:
        for kind, batch in self._batches.items():
            if batch.records.count:
                self._waiting += batch.rows
                self._handed.put((kind, batch))
                self._batches[kind] = _Batch()
        self._answered = self._batches[Answered]

    def _written(self, rows: int) -> None:
        self._waiting -= rows

    # -- in the thread -------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            try:
                handed = self._handed.get(timeout=1.0)
            except queue.Empty:
                pass
            else:
                if handed is None:
                    return
                self._safely(self._write, *handed)
            self._safely(self._roll)

    def _safely(self, step: Callable[..., None], *what: Any) -> None:
        """Whatever goes wrong, the thread goes on."""
        try:
            step(*what)
        except Exception:
            log.exception("the prediction log failed")

    def _write(self, kind: type, batch: _Batch | _Large) -> None:
        if not isinstance(batch, _Batch):
            now, name, arm, rows, outputs = batch
            table = list(map(self._values, rows))
            batch = _Batch()
            batch.records.add((now, name, arm, table, *outputs))
            batch.rows = len(rows)
        try:
            if kind not in self._journals:
                self._journals[kind] = self._open(kind), time.monotonic()
            self._journals[kind][0].append(batch.records)
        except OSError as error:
            self._metrics.log_lost("disk", batch.rows)
            self._complain("disk", "the prediction log cannot be written: %s", error)
            if kind in self._journals and error.errno not in FULL:
                self._close(kind)  # a new one is begun, wherever this one is
        else:
            self._metrics.log_written(kind is Label, batch.rows)
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._written, batch.rows)

    def _open(self, kind: type) -> Journal:
        header = self._headers[kind]
        self._files += 1
        name = f"{header.kind}-{self._name}-{self._files}{SUFFIX}"
        return Journal(self._folder / FOLDER / name, header)

    def _roll(self) -> None:
        for kind, (journal, since) in list(self._journals.items()):
            if journal.records >= LARGE_JOURNAL or time.monotonic() - since >= self._seconds:
                self._close(kind)
                self._compact()

    def _close(self, kind: type) -> None:
        self._journals.pop(kind)[0].close()

    def _compact(self) -> None:
        """Make Parquet of the journals that nobody writes; one process at a time does that."""
        if self._compacting is not None and self._compacting.poll() is None:
            return
        if not any((self._folder / FOLDER).glob(f"*{SUFFIX}")):
            return
        try:
            self._compacting = subprocess.Popen(
                [*NICE, sys.executable, "-m", "service.segments", str(self._folder), str(self._days)],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
            )
        except OSError as error:
            self._complain("disk", "journals of the prediction log stay as they are: %s", error)

    def _complain(self, about: str, message: str, *what: object) -> None:
        now = time.monotonic()
        if now - self._said[about] >= COMPLAINTS or not self._said[about]:
            self._said[about] = now
            log.warning(message, *what)


def kind_of(output: dict[str, Any]) -> str:
    """Of a prediction: boolean, integer, float or string."""
    known = {bool: "boolean", int: "integer", float: "float", str: "string"}
    if output["classes"]:
        return known.get(type(output["classes"][0]), "string")
    kinds = {"b": "boolean", "i": "integer", "u": "integer", "f": "float"}
    return kinds.get(output["dtype"][:1], "string")


def _logged(
    config: Config, artifacts: Artifacts
) -> tuple[Callable[[Row], tuple[Any, ...]], list[Column]]:
    """What is logged of a row: a function that gives the values, and what they are."""
    omitted, hashed = _names(config.log_omit), _names(config.log_hash)
    known = {one["name"]: one["kind"] for one in artifacts.signature["raw"]["inputs"]}
    for setting, names in (("SERVICE_LOG_OMIT", omitted), ("SERVICE_LOG_HASH", hashed)):
        for name in names:
            if name not in known:
                raise ValueError(f"{setting} names {name!r}; the model has no such column")
    if hashed and not config.log_hash_key:
        raise ValueError("SERVICE_LOG_HASH needs SERVICE_LOG_HASH_KEY: without a key, who has the log can guess values")
    if not omitted and not hashed:  # all of a row at once, in its own order
        called = {field: name for name, field in COLUMNS.items()}
        return astuple, [Column(called[one], known[called[one]]) for one in Row.__struct_fields__]
    columns = [Column(n, kind, n in hashed) for n, kind in known.items() if n not in omitted]
    if not columns:
        return (lambda row: ()), []
    get = attrgetter(*(COLUMNS[one.name] for one in columns))
    one_only = len(columns) == 1
    if not hashed:
        return (lambda row: (get(row),)) if one_only else get, columns
    key = config.log_hash_key.encode()
    places = [one.hashed for one in columns]

    def values(row: Row) -> tuple[Any, ...]:
        plain = (get(row),) if one_only else get(row)
        return tuple(
            _hash(key, value) if hidden else value for value, hidden in zip(plain, places, strict=True)
        )

    return values, columns


def _hash(key: bytes, value: Any) -> str | None:
    """The same for the same value, and of no use without the key; a missing value stays missing."""
    if value is None:
        return None
    return hmac.new(key, str(value).encode(), hashlib.sha256).hexdigest()[:32]


def _names(text: str) -> list[str]:
    """Names with commas between them, or a JSON list where names hold commas."""
    if text.lstrip().startswith("["):
        return [str(one) for one in json.loads(text)]
    return [one.strip() for one in text.split(",") if one.strip()]
