"""Status, the notebook as it stands in the browser, runs, and what is at no address."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from jupyter_mlops import __version__
from jupyter_mlops.server.base import Handler
from jupyter_mlops.server.errors import ApiError, from_status

__all__ = [
    "NotebookHandler",
    "ParametersHandler",
    "RunsComparisonHandler",
    "RunsHandler",
    "StatusHandler",
    "UnknownHandler",
]

_NOTEBOOK = 24 * 1024 * 1024  # bytes of sources; outputs are not sent
_PAGE = 1000  # runs
_COMPARED = (2, 10)


class StatusHandler(Handler):
    """``GET status?path=``"""

    @authenticated
    @authorized
    async def get(self) -> None:
        """Version, user, and whether MLflow answers. Who looks at the sidebar is about to ask for runs."""
        path = self.text("path")
        folder = self.root.notebook(path, exists=False).parent if path else self.root.folder
        uri = self.app.tracking_uri_of(folder)
        tracking = await asyncio.to_thread(_tracking, uri)
        if tracking["reachable"]:
            self.app.tracking.warm("experiment_names", uri=uri)
        self.reply({"version": __version__, "user": self.user.as_dict(), "tracking": tracking})


def _tracking(uri: str) -> dict[str, Any]:
    from jupyter_mlops.errors import TrackingError
    from jupyter_mlops.tracking.store import check_address, is_reachable, shown

    kind = "file" if uri.startswith("sqlite:") else "server"
    reachable, message = is_reachable(uri), None
    if not reachable:
        try:
            check_address(uri)
            message = (
                f"The folder of the store {shown(uri)} cannot be written. Make it writable, or name another store"
                if kind == "file"
                else f"The MLflow server at {shown(uri)} does not answer. Start it, or name another one"
            ) + ": set MLFLOW_TRACKING_URI or JupyterMlops.tracking_uri, and start Jupyter anew. Runs are kept on disk meanwhile."
        except TrackingError as error:
            message = str(error)
    return {"uri": shown(uri), "kind": kind, "reachable": reachable, "message": message}


class NotebookHandler(Handler):
    """``POST notebook``"""

    max_body = _NOTEBOOK

    @authenticated
    @authorized
    async def post(self) -> None:
        """Stages, problems and suggestions. Of several for one notebook that wait, the newest is done (see `client=`)."""
        message = self.message("notebook", "NotebookRequest")
        path = self.root.notebook(message["path"], exists=False)
        self.reply(
            await self.app.analysis.call(
                "notebook_view", newest=(str(path), self.text("client")), path=str(path), language=message["language"],
                cells=message["cells"],
            )
        )  # fmt: skip


class ParametersHandler(Handler):
    """``POST notebook/parameters``"""

    max_body = _NOTEBOOK

    @authenticated
    @authorized
    async def post(self) -> None:
        """The parameters cell with other values."""
        message = self.message("notebook", "RestoreRequest")
        path = self.root.notebook(message["path"], exists=False)
        self.reply(
            await self.app.analysis.call(
                "restore_parameters",
                path=str(path),
                language=message["language"],
                cells=message["cells"],
                values=message["values"],
            )
        )


class RunsHandler(Handler):
    """``GET runs``"""

    @authenticated
    @authorized
    async def get(self) -> None:
        """One page of the experiment's runs, sorted and filtered."""
        path = self.notebook_path()
        experiment = self.text("experiment") or os.environ.get("MLFLOW_EXPERIMENT_NAME") or path.stem
        self.reply(
            await self.app.tracking.call(
                "runs_page", uri=self.app.tracking_uri_of(path.parent), experiment=experiment,
                offset=self.number("offset", 0, 10**9), limit=self.number("limit", 100, _PAGE), sort=self.text("sort"),
                descending=self.flag("descending", default=True), filter_text=self.text("filter"),
                refresh=self.flag("refresh", default=False),
            )
        )  # fmt: skip


class RunsComparisonHandler(Handler):
    """``GET runs/compare``"""

    @authenticated
    @authorized
    async def get(self) -> None:
        """Some runs side by side."""
        uri = self.app.tracking_uri_of(self.notebook_path().parent)
        runs = list(dict.fromkeys(self.get_query_arguments("run")))
        if not _COMPARED[0] <= len(runs) <= _COMPARED[1]:
            raise ApiError(
                400, "usage", f"{len(runs)} runs cannot be compared.", f"Choose {_COMPARED[0]} to {_COMPARED[1]} runs."
            )
        self.reply(await self.app.tracking.call("compared_runs", uri=uri, run_ids=runs))


class UnknownHandler(Handler):
    """Whatever else is asked for below the address of the extension."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """Say that there is nothing."""
        raise from_status(404, None, logged_in=True)

    post = put = patch = delete = head = get
