"""Models, their versions, promotions and deployments."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from jupyter_mlops.jobs.statuses import ACTIVE
from jupyter_mlops.server.base import Handler
from jupyter_mlops.server.errors import ApiError

__all__ = ["DecisionHandler", "DeploymentHandler", "ModelsHandler", "PromotionHandler", "VersionsHandler"]

_TRIES, _PAUSE = 10, 1.0  # for a job that is in the way of the next, and the seconds between them


class _PromotionsHandler(Handler):
    """What is shown of promotions says which job of this server works on them."""

    async def with_jobs(self, promotions: list[dict[str, Any]], uri: str | None) -> None:
        """Fill `job` in: the active one for the version of the model, in this store (None: in any)."""
        if not any(one["status"] in ("running", "waiting") for one in promotions):
            return
        listed = [job for kind in ("promote", "rollback") for job in await self.app.jobs.call("list", kind=kind)]
        jobs = {job["subject"]: job["id"] for job in listed if self._works(job, uri)}
        for one in promotions:
            one["job"] = jobs.get(f"{one['model']}/{one['version']}")

    def _works(self, job: dict[str, Any], uri: str | None) -> bool:
        # Notebooks of one name in several folders make models of one name, each in the store of its folder.
        return job["status"] in ACTIVE and uri in (None, self.app.tracking_uri_of((self.root.folder / job["path"]).parent))


class ModelsHandler(Handler):
    """``GET models``"""

    @authenticated
    @authorized
    async def get(self) -> None:
        """The registered models of the notebook's store."""
        uri = self.app.tracking_uri_of(self.notebook_path().parent)
        self.reply(await self.app.tracking.call("list_models", uri=uri))


class VersionsHandler(_PromotionsHandler):
    """``GET models/versions``"""

    @authenticated
    @authorized
    async def get(self) -> None:
        """The versions of one model, with what is known of each."""
        uri = self.app.tracking_uri_of(self.notebook_path().parent)
        found = await self.app.tracking.call(
            "list_versions", uri=uri, name=self.text("name", None), user=self.user.username, database=self.app.database
        )
        await self.with_jobs([one["promotion"] for one in found["versions"] if one["promotion"] is not None], uri)
        self.reply(found)


class DeploymentHandler(Handler):
    """``GET deployments?path=&model=``"""

    @authenticated
    @authorized
    async def get(self) -> None:
        """How the model of the notebook's store does where it is deployed."""
        uri = self.app.tracking_uri_of(self.notebook_path().parent)
        model = self.text("model", None)
        self.reply(await asyncio.to_thread(_deployment, model, uri, self.app.database))


def _deployment(model: str, uri: str, database: str) -> dict[str, Any]:
    from jupyter_mlops.workflows.deployments import deployment_view

    return deployment_view(model, uri, database)


class PromotionHandler(_PromotionsHandler):
    """``GET promotions/ID?path=``"""

    @authenticated
    @authorized
    async def get(self, promotion: str) -> None:
        """A promotion, from its journal."""
        found = await self.app.tracking.call(
            "promotion_view", database=self.app.database, promotion_id=promotion, user=self.user.username
        )
        path = self.text("path")
        await self.with_jobs([found], self.app.tracking_uri_of(self.root.notebook(path).parent) if path else None)
        self.reply(found)


class DecisionHandler(_PromotionsHandler):
    """``POST promotions/ID/decision?path=``"""

    @authenticated
    @authorized
    async def post(self, promotion: str) -> None:
        """Approve, reject or cancel; behind an approval a job goes on with the promotion.

        ``path=`` names the notebook whose store it is about.
        """
        message = self.message("models", "Decision")
        path = self.notebook_path()
        uri = self.app.tracking_uri_of(path.parent)
        found = await self.app.tracking.call(
            "decide", database=self.app.database, promotion_id=promotion, decision=message["decision"],
            user=self.user.username, comment=message["comment"], digest=message.get("digest"), registry=uri,
        )  # fmt: skip
        if message["decision"] == "approve":
            await self._go_on(found, self.root.relative(path))
        await self.with_jobs([found], uri)
        self.reply(found)

    async def _go_on(self, promotion: dict[str, Any], path: str) -> None:
        request = {"kind": "promote", "path": path, "model": promotion["model"], "version": promotion["version"]}
        for last in range(_TRIES):
            try:
                await self.app.jobs.start(request, self.user.username)
                return
            except ApiError as error:
                if error.code != "conflict":
                    raise
                # The job that came as far as the approval may still be about to end.
                if last < _TRIES - 1:
                    await asyncio.sleep(_PAUSE)
