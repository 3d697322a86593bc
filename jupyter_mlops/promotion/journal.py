"""The journal of promotions: entries that are only ever added, in a database that several processes share.

Two constraints of the database keep it right, whoever writes at the same time. Entries of a promotion are numbered without
gaps, so that an entry which was decided on an older state cannot be written (`Moved`). Promotions of a model take turns,
numbered too, and the next turn can only be taken when the last promotion has ended: there is one active promotion a model.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from jupyter_mlops.database import open_database
from jupyter_mlops.errors import EnvironmentLackError

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData, Row, Select, Table

__all__ = ["ENDS", "Active", "Entry", "Journal", "Moved"]

End = Literal["promoted", "rejected", "cancelled", "failed"]
ENDS: tuple[End, ...] = ("promoted", "rejected", "cancelled", "failed")  # entries after which a promotion is over


@dataclass(frozen=True)
class Entry:
    """One thing that happened to a promotion. `at` is in milliseconds since 1970, UTC; `number` counts from 1."""

    promotion: str
    number: int
    registry: str
    model: str
    version: str
    at: int
    who: str
    what: str
    data: Mapping[str, Any]


class Moved(Exception):
    """The promotion has another entry by now: what was to be written was decided on an older state."""


class Active(Exception):
    """The model has an active promotion, whose id is the argument."""


@cache
def _schema() -> tuple[MetaData, Table]:
    from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, Text, UniqueConstraint

    metadata = MetaData()
    table = Table(
        "promotion_entries",
        metadata,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("promotion", String(64), nullable=False),
        Column("number", Integer, nullable=False),
        Column("registry", Text, nullable=False),
        Column("model", Text, nullable=False),
        Column("version", String(32), nullable=False),
        Column("subject", String(64), nullable=False, index=True),  # hash of registry and model: addresses are long for an index
        Column("turn", Integer, nullable=True),  # of the first entry only
        Column("at", BigInteger, nullable=False),
        Column("who", Text, nullable=False),
        Column("what", String(32), nullable=False),
        Column("data", Text, nullable=False),
        UniqueConstraint("promotion", "number", name="uq_promotion_entries_number"),
        UniqueConstraint("subject", "turn", name="uq_promotion_entries_turn"),
    )
    return metadata, table


@contextmanager
def _answering() -> Iterator[None]:
    from sqlalchemy.exc import DBAPIError, IntegrityError

    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        raise EnvironmentLackError(
            f"The database of promotions does not answer: {error.orig}. See JUPYTER_MLOPS_DATABASE, and try again: nothing is lost."
        ) from error


def _subject(registry: str, model: str) -> str:
    return hashlib.sha256(f"{registry}\n{model}".encode()).hexdigest()


class Journal:
    """The journal in one database.

    Parameters
    ----------
    url
        As `jupyter_mlops.database.database_url` gives it.

    Raises
    ------
    UsageError
        The URL cannot be used.
    EnvironmentLackError
        The database does not answer; so does every method.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = open_database(url)
        metadata, self._table = _schema()
        with _answering():
            _create(url, metadata)

    def start(self, registry: str, model: str, version: str, who: str, data: Mapping[str, Any]) -> Entry:
        """Begin a promotion.

        Raises
        ------
        Active
            The model has one that has not ended.
        """
        from sqlalchemy import func, select
        from sqlalchemy.exc import IntegrityError

        table, subject = self._table, _subject(registry, model)
        for _ in range(3):
            with _answering(), self._engine.connect() as connection:
                last = connection.scalar(select(func.max(table.c.turn)).where(table.c.subject == subject))
            if active := self.active(registry, model):
                raise Active(active)
            entry = Entry(f"pr-{uuid.uuid4().hex[:16]}", 1, registry, model, version, _now(), who, "started", dict(data))
            try:
                with _answering(), self._engine.begin() as connection:
                    self._insert(connection, entry, turn=(last or 0) + 1)
            except IntegrityError:  # another process was faster
                continue
            return entry
        raise Active(self.active(registry, model) or "another one")

    def append(self, last: Entry, who: str, what: str, data: Mapping[str, Any] | None = None) -> Entry:
        """Write what follows an entry.

        Raises
        ------
        Moved
            Something else followed it already.
        """
        from sqlalchemy.exc import IntegrityError

        entry = Entry(
            last.promotion, last.number + 1, last.registry, last.model, last.version, _now(), who, what, dict(data or {})
        )
        try:
            with _answering(), self._engine.begin() as connection:
                self._insert(connection, entry, turn=None)
        except IntegrityError:
            raise Moved(entry.promotion) from None
        return entry

    def entries(self, promotion: str) -> list[Entry]:
        """What happened to a promotion, the oldest first; nothing for an unknown one."""
        return self._read(self._select().where(self._table.c.promotion == promotion))

    def of_model(self, registry: str, model: str) -> list[list[Entry]]:
        """The promotions of a model, the newest first."""
        found = self._read(self._select().where(self._table.c.subject == _subject(registry, model)))
        return list(reversed(_grouped(found)))

    def models(self, registry: str) -> list[str]:
        """Models of a registry that have promotions."""
        from sqlalchemy import select

        query = select(self._table.c.model).where(self._table.c.registry == registry).distinct()
        with _answering(), self._engine.connect() as connection:
            return sorted(connection.scalars(query))

    def active(self, registry: str, model: str) -> str | None:
        """The promotion of a model that has not ended."""
        from sqlalchemy import select

        table = self._table
        ended = select(table.c.promotion).where(table.c.subject == _subject(registry, model), table.c.what.in_(ENDS))
        query = select(table.c.promotion).where(
            table.c.subject == _subject(registry, model), table.c.turn.is_not(None), table.c.promotion.not_in(ended)
        )
        with _answering(), self._engine.connect() as connection:
            found: str | None = connection.scalar(query.order_by(table.c.turn.desc()))
        return found

    # -- inside -------------------------------------------------------------------------------------------------------

    def _insert(self, connection: Connection, entry: Entry, turn: int | None) -> None:
        connection.execute(
            self._table.insert().values(
                promotion=entry.promotion, number=entry.number, registry=entry.registry, model=entry.model, version=entry.version,
                subject=_subject(entry.registry, entry.model), turn=turn, at=entry.at, who=entry.who, what=entry.what,
                data=json.dumps(entry.data, ensure_ascii=False, default=repr),
            )
        )  # fmt: skip

    def _select(self) -> Select[Any]:
        from sqlalchemy import select

        return select(self._table).order_by(self._table.c.id)

    def _read(self, query: Select[Any]) -> list[Entry]:
        with _answering(), self._engine.connect() as connection:
            return [_entry(row) for row in connection.execute(query)]


@cache
def _create(url: str, metadata: MetaData) -> None:
    from sqlalchemy.exc import OperationalError, ProgrammingError

    try:
        metadata.create_all(open_database(url))
    except (OperationalError, ProgrammingError):  # another process made it between the look and the making
        time.sleep(0.1)
        metadata.create_all(open_database(url))


def _entry(row: Row[Any]) -> Entry:
    return Entry(row.promotion, row.number, row.registry, row.model, row.version, row.at, row.who, row.what, json.loads(row.data))


def _grouped(entries: Sequence[Entry]) -> list[list[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.promotion, []).append(entry)
    return list(groups.values())


def _now() -> int:
    return time.time_ns() // 1_000_000
