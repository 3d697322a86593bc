"""What a deployment shall be, and where that is kept: one row in the database, changed whole and read by its supervisor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.database import Database, Taken, now
from jupyter_mlops.deploy.traffic import Traffic
from jupyter_mlops.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from sqlalchemy import Table

__all__ = ["Deployment", "Deployments", "Served", "Spec"]


@dataclass(frozen=True)
class Served:
    """A version that is served.

    Attributes
    ----------
    project
        Folder of its generated project.
    replicas
        How many processes.
    first
        Number of the first of them: a version that is started anew under other settings has others.
    """

    project: str
    replicas: int = 2
    first: int = 0

    @property
    def numbers(self) -> range:
        """Of the processes."""
        return range(self.first, self.first + self.replicas)


@dataclass(frozen=True)
class Spec:
    """A deployment as it shall be.

    Attributes
    ----------
    model
        Its registered model, which names the deployment, too.
    tracking_uri
        Registry of that model.
    host, port
        Where the versions are asked.
    folder
        For Envoy's files and the logs.
    versions
        What is served, by version; those without traffic are kept warm.
    feature_stores
        Folder of the feature repository by version, of those that were served before, too: they may come back. Empty is none.
    """

    model: str
    tracking_uri: str
    host: str
    port: int
    folder: str
    versions: Mapping[str, Served]
    traffic: Traffic
    running: bool = True
    feature_stores: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> Path:
        """`folder` as a path."""
        return Path(self.folder)

    def feature_store(self, version: str) -> str:
        """Folder of a version's feature repository; of a new one, the stable version's. Empty is none."""
        return self.feature_stores.get(version, self.feature_stores.get(self.traffic.stable, ""))

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Spec:
        """The reverse of `as_dict`."""
        versions = {version: Served(**served) for version, served in data["versions"].items()}
        return cls(**{**data, "versions": versions, "traffic": Traffic(**data["traffic"])})


@dataclass(frozen=True)
class Deployment:
    """A spec and how often it was changed."""

    spec: Spec
    revision: int
    changed: int = field(default=0, compare=False)  # ms since 1970


class Deployments:
    """The table of deployments.

    Raises
    ------
    EnvironmentLackError
        Here and in every method: the database does not answer.
    """

    def __init__(self, database: str) -> None:
        self._database = Database(database, _table().metadata)

    def names(self, machine: str) -> list[str]:
        """Models that are deployed on a machine."""
        from sqlalchemy import select

        table = _table()
        with self._database.reading() as connection:
            return list(
                connection.execute(select(table.c.name).where(table.c.machine == machine).order_by(table.c.name)).scalars()
            )

    def get(self, name: str, machine: str) -> Deployment:
        """One of them.

        Raises
        ------
        NotFoundError
            It is not deployed there.
        """
        from sqlalchemy import select

        table = _table()
        with self._database.reading() as connection:
            row = connection.execute(select(table).where(table.c.name == name, table.c.machine == machine)).mappings().first()
        if row is None:
            raise NotFoundError(f"{name} is not deployed on this machine. Deploy it: jupyter mlops deploy {name}.")
        return Deployment(Spec.from_dict(row["spec"]), row["revision"], row["changed"])

    def add(self, spec: Spec, machine: str) -> Deployment:
        """A new one.

        Raises
        ------
        ConflictError
            There is one of this name.
        """
        from sqlalchemy import insert

        made = Deployment(spec, 1, now())
        row = {"name": spec.model, "machine": machine, "spec": spec.as_dict(), "revision": 1, "changed": made.changed}
        try:
            with self._database.writing() as connection:
                connection.execute(insert(_table()).values(**row))
        except Taken:
            raise ConflictError(f"{spec.model} is being deployed by somebody else in this moment. Try again.") from None
        return made

    def change(self, known: Deployment, machine: str, **changes: Any) -> Deployment:
        """Change the spec that somebody has seen.

        Raises
        ------
        ConflictError
            It was changed since.
        """
        from sqlalchemy import update

        table = _table()
        made = Deployment(replace(known.spec, **changes), known.revision + 1, now())
        wanted = update(table).where(
            table.c.name == known.spec.model, table.c.machine == machine, table.c.revision == known.revision
        )
        with self._database.writing() as connection:
            row = {"spec": made.spec.as_dict(), "revision": made.revision, "changed": made.changed}
            if not connection.execute(wanted.values(**row)).rowcount:
                raise ConflictError(
                    f"The deployment of {known.spec.model} was changed by somebody else meanwhile. Look at it again."
                )
        return made

    def remove(self, name: str, machine: str) -> None:
        """Forget one that has ended."""
        from sqlalchemy import delete

        table = _table()
        with self._database.writing() as connection:
            connection.execute(delete(table).where(table.c.name == name, table.c.machine == machine))


@cache
def _table() -> Table:
    from sqlalchemy import JSON, BigInteger, Column, Integer, MetaData, String, Table

    return Table(
        "deployments",
        MetaData(),
        Column("name", String(250), primary_key=True),
        Column("machine", String(200), primary_key=True),  # ports and processes mean nothing on another one
        Column("spec", JSON, nullable=False),
        Column("revision", Integer, nullable=False),
        Column("changed", BigInteger, nullable=False),
    )
