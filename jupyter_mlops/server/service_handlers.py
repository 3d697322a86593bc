"""Services of generated projects."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from jupyter_mlops.server.base import Handler, executes

__all__ = ["PredictHandler", "ServiceHandler", "ServicesHandler"]


class ServicesHandler(Handler):
    """``GET services`` and ``POST services``"""

    @authenticated
    @authorized
    async def get(self) -> None:
        """Those that this server started."""
        self.reply({"services": self.app.services.list()})

    @authenticated
    @executes
    async def post(self) -> None:
        """Start the service of a project; one that runs already is the answer."""
        project = self.root.project(self.message("services", "StartService")["project"])
        self.reply(await self.app.services.start(project, self.root.relative(project)), 202)


class ServiceHandler(Handler):
    """``GET services/ID`` and ``DELETE services/ID``"""

    @authenticated
    @authorized
    async def get(self, service: str) -> None:
        """One service."""
        self.reply(self.app.services.get(service))

    @authenticated
    @executes
    async def delete(self, service: str) -> None:
        """Stop it."""
        self.reply(await self.app.services.stop(service))


class PredictHandler(Handler):
    """``POST services/ID/predict``"""

    @authenticated
    @executes
    async def post(self, service: str) -> None:
        """One row to the service, its answer back."""
        row = self.message("services", "PredictRequest")["row"]
        self.reply(await self.app.services.predict(service, row))
