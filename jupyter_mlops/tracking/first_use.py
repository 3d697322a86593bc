"""The first use of an SQLite store by a process.

MLflow makes the tables of a new database without a lock. Two processes that do so at once, such as a run and the list of runs,
leave half a database behind that neither can use, now or later. So those of this package take turns, and wait for others.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from jupyter_mlops.tracking.addresses import sqlite_file

__all__ = ["taking_turns"]

_STILL = 3.0  # seconds without a change after which nobody is making tables
_PATIENCE = 60.0
_LOOK = 0.1
_known: set[str] = set()  # stores that this process has used


@contextmanager
def taking_turns(uri: str) -> Iterator[None]:
    """For the time in which MLflow opens a store."""
    file = sqlite_file(uri)
    if file is None or uri in _known:
        yield
        return
    with _lock(file):
        if uri not in _known:
            _wait_until_made(file)
        yield
    _known.add(uri)


@contextmanager
def _lock(file: Path) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    name = hashlib.sha256(str(file.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    place = Path(tempfile.gettempdir()) / f"jupyter-mlops-{os.getuid()}-{name}.lock"
    descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _wait_until_made(file: Path) -> None:
    """Wait while a program that knows nothing of the lock makes the tables, as far as can be seen."""
    if not file.exists():
        return
    import mlflow.store.db.utils

    with suppress(AttributeError):  # it is MLflow's own affair; without it, its error message has to do
        ask: Callable[[], str] = mlflow.store.db.utils._get_latest_schema_revision
        newest = ask()
        began = changed = time.monotonic()
        last = _revision(file)
        while last != newest and (now := time.monotonic()) - changed < _STILL and now - began < _PATIENCE:
            time.sleep(_LOOK)
            if (found := _revision(file)) != last:
                last, changed = found, time.monotonic()


def _revision(file: Path) -> tuple[str, int] | str:
    """What MLflow calls the state of its tables; before it has any, the number of tables that there are."""
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=5.0)) as database:
            with suppress(sqlite3.OperationalError):
                if row := database.execute("SELECT version_num FROM alembic_version").fetchone():
                    return str(row[0])
            return "", int(database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    except sqlite3.Error:
        return "", -1
