"""The database of durable state: jobs and the journal of promotions. An SQLite file, or whatever SQLAlchemy's URL names."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import EnvironmentLackError, UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, MetaData

__all__ = ["VARIABLE", "Database", "Taken", "database_url", "now"]

VARIABLE = "JUPYTER_MLOPS_DATABASE"
_PATIENCE = 30  # seconds that a writer waits for another one's transaction


def database_url(explicit: str | None = None) -> str:
    """The given URL, else that of ``JUPYTER_MLOPS_DATABASE``, else an SQLite file among the user's Jupyter data."""
    if explicit or os.environ.get(VARIABLE):
        return explicit or os.environ[VARIABLE]
    from jupyter_core.paths import jupyter_data_dir

    return f"sqlite:///{Path(jupyter_data_dir()).absolute() / 'jupyter-mlops' / 'mlops.db'}"


def now() -> int:
    """The time as it is kept: in milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


class Taken(Exception):
    """What was to be written breaks a constraint of the tables: somebody else was faster."""


class Database:
    """Some tables in the database, made where they are missing.

    Parameters
    ----------
    url
        As `database_url` gives it.

    Raises
    ------
    UsageError
        The URL cannot be used.
    EnvironmentLackError
        Here and in every method: the database does not answer, or refuses.
    """

    def __init__(self, url: str, tables: MetaData) -> None:
        self.engine = _open(url)
        with self._telling():
            _make(url, tables)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to look."""
        with self._telling(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection whose changes are all made at the end, or none.

        Raises
        ------
        Taken
            A change breaks a constraint.
        """
        with self._telling(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def _telling(self) -> Iterator[None]:
        from sqlalchemy.exc import DBAPIError, IntegrityError

        try:
            yield
        except IntegrityError as error:
            raise Taken(str(error.orig)) from error
        except DBAPIError as error:
            where = self.engine.url.render_as_string(hide_password=True)
            raise EnvironmentLackError(
                f"The database of jobs and promotions ({where}) does not answer as it should: {str(error.orig).strip()}. "
                f"Look whether it runs and may be written, or name another one in {VARIABLE}. Then try again."
            ) from error


@cache
def _make(url: str, tables: MetaData) -> None:
    from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

    try:
        _make_missing(_open(url), tables)
    except (IntegrityError, OperationalError, ProgrammingError):  # another process made them in the same moment
        _make_missing(_open(url), tables)


def _make_missing(engine: Engine, tables: MetaData) -> None:
    from sqlalchemy.schema import CreateIndex, CreateTable

    with engine.begin() as connection:
        for table in tables.sorted_tables:
            connection.execute(CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                connection.execute(CreateIndex(index, if_not_exists=True))


@cache
def _open(url: str) -> Engine:
    """An engine for the database; its file and folder are made for this user alone. One engine per URL and process.

    Raises
    ------
    UsageError
        SQLAlchemy cannot read the URL, or its driver is not installed, or the file cannot be made.
    """
    from sqlalchemy import create_engine, event, make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parts = make_url(url)
        if parts.get_backend_name() != "sqlite":
            return create_engine(parts, pool_pre_ping=True)
        if parts.database and parts.database != ":memory:":
            path = Path(parts.database).absolute()
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
        engine = create_engine(parts, connect_args={"timeout": _PATIENCE})
    except (ArgumentError, ImportError) as error:
        raise UsageError(
            f"The database of {VARIABLE} cannot be used: {error}. Write it as sqlite:////folder/mlops.db or postgresql://HOST/NAME."
        ) from None
    except OSError as error:
        raise UsageError(f"The database {url} cannot be made: {error}. Name another one in {VARIABLE}.") from None

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        # Readers never wait for the writer.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA foreign_keys=ON")

    return engine
