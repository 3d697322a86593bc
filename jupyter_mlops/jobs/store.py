"""Jobs and their events in the database. Events have numbers and are only added; progress that is over may be dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    RowMapping,
    String,
    Table,
    Text,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)  # fmt: skip

from jupyter_mlops.database import Database
from jupyter_mlops.jobs.statuses import ACTIVE, ENDED

__all__ = ["KEPT_PROGRESS", "Store"]

KEPT_PROGRESS = 20  # of a step that runs

_METADATA = MetaData()
# Times of jobs and events are milliseconds since 1970; `position` is in nanoseconds, for the order of the queue.
_JOBS = Table(
    "jobs",
    _METADATA,
    Column("id", String(32), primary_key=True),
    Column("owner", String(200), nullable=False, index=True),  # whose server it was started from
    Column("root", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("title", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("request", JSON, nullable=False),
    Column("tracking_uri", Text),
    Column("status", String(10), nullable=False, index=True),
    Column("claim", String(64), unique=True),  # what only one job may do at a time; none once it has ended
    Column("position", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("started", BigInteger),
    Column("ended", BigInteger),
    Column("asked", BigInteger),  # when it was asked to stop
    Column("step", Text),
    Column("message", Text),
    Column("fraction", Float),
    Column("error", JSON(none_as_null=True)),
    Column("result", JSON(none_as_null=True)),
    Column("next", Integer, nullable=False),
    Column("log", Text, nullable=False),
    Column("machine", String(200)),
    Column("pid", Integer),
    Column("pid_created", Float),  # in seconds since the machine's start, where that is known
    Column("alive", BigInteger),  # the process' last sign of life
)
_EVENTS = Table(
    "job_events",
    _METADATA,
    Column("job", String(32), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("time", BigInteger, nullable=False),
    Column("step", String(200), nullable=False),
    Column("status", String(10), nullable=False),
    Column("message", Text, nullable=False),
    Column("fraction", Float),
    Column("seconds", Float),
    Column("data", JSON, nullable=False),
)


class Store:
    """The two tables.

    Parameters
    ----------
    database
        URL of the database.

    Raises
    ------
    EnvironmentLackError
        Here and in every method: the database does not answer, or refuses.
    """

    def __init__(self, database: str) -> None:
        self._database = Database(database, _METADATA)

    # -- one job -------------------------------------------------------------------------------------------------------

    def add(self, row: Mapping[str, Any]) -> None:
        """A new job.

        Raises
        ------
        Taken
            A job with the same claim is not over yet.
        """
        with self._database.writing() as connection:
            connection.execute(insert(_JOBS).values(**row))

    def get(self, job: str) -> RowMapping | None:
        """A job by its id."""
        with self._database.reading() as connection:
            return connection.execute(select(_JOBS).where(_JOBS.c.id == job)).mappings().first()

    def update(self, job: str, only_if: Sequence[str], **values: Any) -> bool:
        """Change a job, if it has one of these statuses; says whether it had."""
        with self._database.writing() as connection:
            return self._change(connection, job, only_if, values)

    # -- many ----------------------------------------------------------------------------------------------------------

    def find(
        self, owner: str, *, root: str | None = None, path: str | None = None, kind: str | None = None,
        statuses: Sequence[str] | None = None, claim: str | None = None, limit: int | None = None, oldest: bool = False,
    ) -> Sequence[RowMapping]:  # fmt: skip
        """Jobs of an owner, the newest first."""
        wanted = [_JOBS.c.owner == owner]
        wanted += [
            column == value
            for column, value in ((_JOBS.c.root, root), (_JOBS.c.path, path), (_JOBS.c.kind, kind), (_JOBS.c.claim, claim))
            if value is not None
        ]
        if statuses is not None:
            wanted.append(_JOBS.c.status.in_(statuses))
        order = _JOBS.c.position.asc() if oldest else _JOBS.c.position.desc()
        with self._database.reading() as connection:
            return connection.execute(select(_JOBS).where(*wanted).order_by(order).limit(limit)).mappings().all()

    def count(self, owner: str, root: str | None, statuses: Sequence[str]) -> int:
        """How many jobs have one of these statuses."""
        wanted = [_JOBS.c.owner == owner, _JOBS.c.status.in_(statuses)]
        if root is not None:
            wanted.append(_JOBS.c.root == root)
        with self._database.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(_JOBS).where(*wanted)).scalar_one())

    def numbers(self, owner: str, root: str | None, also: Sequence[str]) -> dict[str, tuple[str, int]]:
        """Status and number of the next event of the jobs that are not over, and of the given ones."""
        wanted = [_JOBS.c.owner == owner, or_(_JOBS.c.status.in_(ACTIVE), _JOBS.c.id.in_(also))]
        if root is not None:
            wanted.append(_JOBS.c.root == root)
        with self._database.reading() as connection:
            rows = connection.execute(select(_JOBS.c.id, _JOBS.c.status, _JOBS.c.next).where(*wanted)).all()
        return {row[0]: (row[1], row[2]) for row in rows}

    def forget(self, owner: str, keep: int) -> list[str]:
        """Delete all but the newest jobs, and none that is not over; returns the logs that they leave."""
        old = select(_JOBS.c.id, _JOBS.c.log, _JOBS.c.status).where(_JOBS.c.owner == owner)
        with self._database.reading() as connection:
            rows = connection.execute(old.order_by(_JOBS.c.position.desc()).offset(keep)).all()
        rows = [row for row in rows if row.status in ENDED]
        if rows:
            ids = [row.id for row in rows]
            with self._database.writing() as connection:
                connection.execute(delete(_EVENTS).where(_EVENTS.c.job.in_(ids)))
                connection.execute(delete(_JOBS).where(_JOBS.c.id.in_(ids)))
        return [row.log for row in rows]

    # -- events --------------------------------------------------------------------------------------------------------

    def events(self, job: str, after: int = 0) -> Sequence[RowMapping]:
        """Events from this number on."""
        with self._database.reading() as connection:
            wanted = select(_EVENTS).where(_EVENTS.c.job == job, _EVENTS.c.number >= after).order_by(_EVENTS.c.number)
            return connection.execute(wanted).mappings().all()

    def write(
        self, job: str, events: Sequence[Mapping[str, Any]], *, only_if: Sequence[str] | None = None, **values: Any
    ) -> str | None:
        """Add events and change the job, both or neither. A second try after a failure does no harm.

        Parameters
        ----------
        events
            With their numbers, in order. Those of status ``progress`` are dropped when there are many newer ones of their
            step, or the step is over.
        only_if
            Do nothing unless the job has one of these statuses.

        Returns
        -------
        str or None
            The job's status; None when nothing was done.
        """
        with self._database.writing() as connection:
            if events:
                values["next"] = events[-1]["number"] + 1
            if values and not self._change(connection, job, only_if, values):
                return None
            if events:
                first = events[0]["number"]
                connection.execute(delete(_EVENTS).where(_EVENTS.c.job == job, _EVENTS.c.number >= first))
                connection.execute(insert(_EVENTS), [{"job": job, **event} for event in events])
                self._thin(connection, job, events)
            return connection.execute(select(_JOBS.c.status).where(_JOBS.c.id == job)).scalar()

    def _thin(self, connection: Connection, job: str, events: Sequence[Mapping[str, Any]]) -> None:
        over = {event["step"] for event in events if event["status"] in ("done", "failed", "skipped")}
        last = {event["step"]: event["number"] for event in events if event["status"] == "progress"}
        old = [
            and_(_EVENTS.c.step == step, _EVENTS.c.number <= number - KEPT_PROGRESS)
            for step, number in last.items()
            if step not in over
        ]
        if over:
            old.append(_EVENTS.c.step.in_(over))
        if old:
            connection.execute(delete(_EVENTS).where(_EVENTS.c.job == job, _EVENTS.c.status == "progress", or_(*old)))

    def _change(self, connection: Connection, job: str, only_if: Sequence[str] | None, values: Mapping[str, Any]) -> bool:
        wanted = update(_JOBS).where(_JOBS.c.id == job)
        if only_if is not None:
            wanted = wanted.where(_JOBS.c.status.in_(only_if))
        return bool(connection.execute(wanted.values(**values)).rowcount)
