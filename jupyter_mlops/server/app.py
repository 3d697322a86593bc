"""The extension: its settings, its addresses, and what it starts and stops.

Behind JupyterHub nothing has to be set: addresses are below the server's base URL, and the user is the hub's (see
`identity.py`).
"""

from __future__ import annotations

import asyncio
import os
from functools import cached_property
from pathlib import Path
from typing import Any

from jupyter_server.extension.application import ExtensionApp
from traitlets import Enum, Int, Unicode

from jupyter_mlops.server.errors import ApiError
from jupyter_mlops.server.identity import RULES
from jupyter_mlops.server.jobs import JobRunner, register
from jupyter_mlops.server.paths import Root
from jupyter_mlops.server.routes import ROUTES
from jupyter_mlops.server.services import Services
from jupyter_mlops.server.workers import Worker

__all__ = ["JupyterMlops"]

_ANALYSIS, _TRACKING = 30.0, 60.0  # seconds that a call may take
_RECONCILE = 10.0  # seconds after the start: the page loads first


class JupyterMlops(ExtensionApp):
    """jupyter-mlops in the Jupyter server."""

    name = "jupyter_mlops"
    description = "Notebooks to production: tags, runs, conversion and promotion in JupyterLab."

    tracking_uri = Unicode(
        "",
        help="Address of MLflow. It is set as MLFLOW_TRACKING_URI for kernels and terminals, too. Default: MLFLOW_TRACKING_URI, "
        "else sqlite:///mlflow.db in the folder of the notebook.",
    ).tag(config=True)
    database_url = Unicode(
        "",
        help="Database of jobs and of the journal of promotions, as SQLAlchemy writes it. It is set as JUPYTER_MLOPS_DATABASE "
        "for terminals, too. Default: JUPYTER_MLOPS_DATABASE, else an SQLite file among Jupyter's data.",
    ).tag(config=True)
    max_jobs = Int(2, min=1, help="How many jobs run at a time; others wait.").tag(config=True)
    identity = Enum(
        RULES, "auto",
        help="Who the journal says has done something. provider: the user of the identity provider; system: the account that "
        "runs the server; auto: the provider's user where the provider knows users, else the account.",
    ).tag(config=True)  # fmt: skip

    @cached_property
    def root(self) -> Root:
        """The folder that the server shows."""
        manager = self.serverapp.contents_manager if self.serverapp is not None else None
        folder = getattr(manager, "root_dir", "")
        if not folder:
            raise ApiError(
                503,
                "environment",
                "This server does not keep its files in a folder.",
                "Start Jupyter with a folder of this machine.",
            )
        return Root(Path(folder), hidden=bool(getattr(manager, "allow_hidden", False)))

    @cached_property
    def database(self) -> str:
        """URL of the database."""
        from jupyter_mlops.database import database_url

        return database_url(self.database_url or None)

    @cached_property
    def analysis(self) -> Worker:
        """The process that reads notebooks."""
        return Worker("analysis", threads=1, limit=_ANALYSIS, log=self.log)

    @cached_property
    def tracking(self) -> Worker:
        """The process that talks with MLflow, and keeps the index of runs."""
        return Worker("tracking", threads=4, limit=_TRACKING, log=self.log)

    @cached_property
    def jobs(self) -> JobRunner:
        """Jobs."""
        from jupyter_core.paths import jupyter_data_dir

        logger = self.serverapp.event_logger if self.serverapp is not None else None
        folder = Path(jupyter_data_dir()).absolute() / "jupyter-mlops" / "jobs"
        return JobRunner(self.database, folder, self.root, self.max_jobs, logger=logger, log=self.log)

    @cached_property
    def services(self) -> Services:
        """Services that were started here."""
        return Services()

    def tracking_uri_of(self, folder: Path) -> str:
        """The store that ``%%track`` uses in a notebook of this folder; a relative file lies in it."""
        from jupyter_mlops.tracking.store import absolute, tracking_uri

        return absolute(tracking_uri(self.tracking_uri or None, folder), folder)

    # -- the server's life ----------------------------------------------------------------------------------------------

    def initialize_settings(self) -> None:
        """What is configured holds for kernels, terminals and jobs, too."""
        for variable, value in (("MLFLOW_TRACKING_URI", self.tracking_uri), ("JUPYTER_MLOPS_DATABASE", self.database_url)):
            if value:
                os.environ[variable] = value

    def initialize_handlers(self) -> None:
        """Add the addresses, and the events."""
        if self.serverapp is not None and self.serverapp.event_logger is not None:
            register(self.serverapp.event_logger)
        self.handlers.extend((f"/jupyter-mlops{address}", handler) for address, handler in ROUTES)

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        asyncio.get_running_loop().call_later(_RECONCILE, self._find_jobs)

    def _find_jobs(self) -> None:
        """Go on with jobs of before the server's start, where there may be any."""
        file = self.database.removeprefix("sqlite:///")
        if file == self.database or Path(file.split("?")[0]).is_file():
            self.jobs.watch()

    def current_activity(self) -> dict[str, int] | None:
        """A server with jobs or services is not idle."""
        made = self.__dict__
        found: dict[str, int] = {name: made[name].active for name in ("jobs", "services") if name in made and made[name].active}
        return found or None

    async def stop_extension(self) -> None:
        """End what ends with the server. Jobs go on."""
        made = self.__dict__
        await asyncio.gather(*(made[name].close() for name in ("jobs", "services", "analysis", "tracking") if name in made))
