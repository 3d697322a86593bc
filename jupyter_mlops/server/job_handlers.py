"""Jobs: conversions, re-runs, promotions, rollbacks, deployments and looks at them."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from jupyter_mlops.jobs.kinds import KINDS
from jupyter_mlops.server.base import Handler, executes
from jupyter_mlops.server.errors import ApiError

__all__ = ["JobHandler", "JobLogHandler", "JobsHandler"]


class JobsHandler(Handler):
    """``GET jobs?path=&kind=`` and ``POST jobs``"""

    @authenticated
    @authorized
    async def get(self) -> None:
        """The last jobs, the newest first."""
        path, kind = self.text("path"), self.text("kind")
        if kind and kind not in KINDS:
            raise ApiError(400, "bad-message", f"There are no jobs of the kind {kind[:50]!r}.")
        if path:
            path = self.root.relative(self.root.notebook(path, exists=False))
        self.reply({"jobs": await self.app.jobs.call("list", path=path or None, kind=kind or None)})

    @authenticated
    @executes
    async def post(self) -> None:
        """Start one."""
        request = self.message("jobs", "JobRequest")
        request["path"] = self.root.relative(self.root.notebook(request["path"]))
        if "output" in request:
            request["output"] = self.root.relative(self.root.target(request["output"]))
        self.reply(await self.app.jobs.start(request, self.user.username), 202)


class JobHandler(Handler):
    """``GET jobs/ID?after=`` and ``DELETE jobs/ID``"""

    @authenticated
    @authorized
    async def get(self, job: str) -> None:
        """The job and its events from a number on."""
        self.reply(await self.app.jobs.call("state", job, after=self.number("after", 0, 10**9)))

    @authenticated
    @executes
    async def delete(self, job: str) -> None:
        """Ask it to stop."""
        self.reply(await self.app.jobs.call("cancel", job), 202)


class JobLogHandler(Handler):
    """``GET jobs/ID/log``"""

    @authenticated
    @authorized
    async def get(self, job: str) -> None:
        """What it printed."""
        self.reply(await self.app.jobs.call("log", job))
