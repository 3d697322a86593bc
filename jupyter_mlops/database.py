"""The database of durable state: jobs and the journal of promotions. An SQLite file, or whatever SQLAlchemy's URL names."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["VARIABLE", "database_url", "open_database"]

VARIABLE = "JUPYTER_MLOPS_DATABASE"
_PATIENCE = 30  # seconds that a writer waits for another one's transaction


def database_url(explicit: str | None = None) -> str:
    """The given URL, else that of ``JUPYTER_MLOPS_DATABASE``, else an SQLite file among the user's Jupyter data."""
    if explicit or os.environ.get(VARIABLE):
        return explicit or os.environ[VARIABLE]
    from jupyter_core.paths import jupyter_data_dir

    return f"sqlite:///{Path(jupyter_data_dir()).absolute() / 'jupyter-mlops' / 'mlops.db'}"


@cache
def open_database(url: str) -> Engine:
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
