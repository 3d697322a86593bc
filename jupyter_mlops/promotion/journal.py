"""The journal of promotions: entries that are only ever added, in a database that several processes share.

Two constraints of the database keep it right, whoever writes at the same time. Entries of a promotion are numbered without
gaps, so that an entry which was decided on an older state cannot be written (`Moved`). Promotions of a model take turns,
numbered too, and the next turn can only be taken when the last promotion has ended: there is one active promotion a model.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    insert,
    select,
)  # fmt: skip

from jupyter_mlops.database import Database, Taken, now

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


_METADATA = MetaData()
_ENTRIES = Table(
    "promotion_entries",
    _METADATA,
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
        self._database = Database(url, _METADATA)

    def start(self, registry: str, model: str, version: str, who: str, data: Mapping[str, Any]) -> Entry:
        """Begin a promotion.

        Raises
        ------
        Active
            The model has one that has not ended.
        """
        last_turn = select(func.max(_ENTRIES.c.turn)).where(_ENTRIES.c.subject == _subject(registry, model))
        for _ in range(3):
            with self._database.reading() as connection:
                last = connection.scalar(last_turn)
            if active := self.active(registry, model):
                raise Active(active)
            entry = Entry(f"pr-{uuid.uuid4().hex[:16]}", 1, registry, model, version, now(), who, "started", dict(data))
            try:
                self._write(entry, turn=(last or 0) + 1)
            except Taken:
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
        entry = Entry(
            last.promotion, last.number + 1, last.registry, last.model, last.version, now(), who, what, dict(data or {})
        )
        try:
            self._write(entry)
        except Taken:
            raise Moved(entry.promotion) from None
        return entry

    def entries(self, promotion: str) -> list[Entry]:
        """What happened to a promotion, the oldest first; nothing for an unknown one."""
        return self._read(_ENTRIES.c.promotion == promotion)

    def of_model(self, registry: str, model: str) -> list[list[Entry]]:
        """The promotions of a model, the newest first."""
        return list(reversed(_grouped(self._read(_ENTRIES.c.subject == _subject(registry, model)))))

    def active(self, registry: str, model: str) -> str | None:
        """The promotion of a model that has not ended."""
        of_model = _ENTRIES.c.subject == _subject(registry, model)
        ended = select(_ENTRIES.c.promotion).where(of_model, _ENTRIES.c.what.in_(ENDS))
        query = select(_ENTRIES.c.promotion).where(of_model, _ENTRIES.c.turn.is_not(None), _ENTRIES.c.promotion.not_in(ended))
        with self._database.reading() as connection:
            found: str | None = connection.scalar(query.order_by(_ENTRIES.c.turn.desc()))
        return found

    def _write(self, entry: Entry, turn: int | None = None) -> None:
        values = {
            "promotion": entry.promotion, "number": entry.number, "registry": entry.registry, "model": entry.model,
            "version": entry.version, "subject": _subject(entry.registry, entry.model), "turn": turn, "at": entry.at,
            "who": entry.who, "what": entry.what, "data": json.dumps(entry.data, ensure_ascii=False, default=repr),
        }  # fmt: skip
        with self._database.writing() as connection:
            connection.execute(insert(_ENTRIES).values(values))

    def _read(self, wanted: ColumnElement[bool]) -> list[Entry]:
        with self._database.reading() as connection:
            return [_entry(row) for row in connection.execute(select(_ENTRIES).where(wanted).order_by(_ENTRIES.c.id))]


def _entry(row: Row[Any]) -> Entry:
    return Entry(row.promotion, row.number, row.registry, row.model, row.version, row.at, row.who, row.what, json.loads(row.data))


def _grouped(entries: Sequence[Entry]) -> list[list[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.promotion, []).append(entry)
    return list(groups.values())
