"""Models, their versions, and promotions."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from jupyter_mlops.server.base import Handler
from jupyter_mlops.server.errors import ApiError

__all__ = ["DecisionHandler", "ModelsHandler", "PromotionHandler", "VersionsHandler"]

_ACTIVE = ("queued", "running", "stopping")
_TRIES, _PAUSE = 10, 1.0  # for a job that is in the way of the next, and the seconds between them


class _PromotionsHandler(Handler):
    """What is shown of promotions says which job of this server works on them."""

    async def with_jobs(self, promotions: list[dict[str, Any]]) -> None:
        """Fill `job` in."""
        if not any(one["status"] in ("running", "waiting") for one in promotions):
            return
        jobs = await self.app.jobs.call("list", kind="promote")
        for one in promotions:
            one["job"] = _job_of(one, jobs)

    async def shown(self, promotion: dict[str, Any]) -> dict[str, Any]:
        """One promotion."""
        await self.with_jobs([promotion])
        return promotion


def _job_of(promotion: dict[str, Any], jobs: list[dict[str, Any]]) -> str | None:
    """The job that works on a promotion: the active one for the version of the model."""
    for job in jobs:
        if job["status"] in _ACTIVE and job["subject"] == _subject(promotion):
            return str(job["id"])
    return None


def _subject(promotion: dict[str, Any]) -> str:
    return f"{promotion['model']}/{promotion['version']}"


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
        await self.with_jobs([one["promotion"] for one in found["versions"] if one["promotion"] is not None])
        self.reply(found)


class PromotionHandler(_PromotionsHandler):
    """``GET promotions/ID``"""

    @authenticated
    @authorized
    async def get(self, promotion: str) -> None:
        """A promotion, from its journal."""
        found = await self.app.tracking.call(
            "promotion_view", database=self.app.database, promotion_id=promotion, user=self.user.username
        )
        self.reply(await self.shown(found))


class DecisionHandler(_PromotionsHandler):
    """``POST promotions/ID/decision?path=``"""

    @authenticated
    @authorized
    async def post(self, promotion: str) -> None:
        """Approve, reject or cancel; behind an approval a job goes on with the promotion.

        ``path=`` names the notebook whose store it is about. Without it the notebook of the last promotion job is taken.
        """
        message = self.message("models", "Decision")
        path = self.text("path")
        if path:
            self.root.notebook(path)
        found = await self.app.tracking.call(
            "decide", database=self.app.database, promotion_id=promotion, decision=message["decision"],
            user=self.user.username, comment=message["comment"], digest=message.get("digest"),
        )  # fmt: skip
        if message["decision"] == "approve":
            await self._go_on(found, path)
        self.reply(await self.shown(found))

    async def _go_on(self, promotion: dict[str, Any], path: str) -> None:
        if not path:
            jobs = await self.app.jobs.call("list", kind="promote")
            path = next((one["path"] for one in jobs if one["subject"] == _subject(promotion)), "")
        if not path:
            return  # the page starts the job: it knows the notebook
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
