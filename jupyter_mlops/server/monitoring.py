"""What the monitor has said of a deployed model, and the pages of its reports.

A page is shown to people inside JupyterLab, and one of them runs scripts that are not ours. It is confined twice: its path is
made of a deployment's own folder, digits and two names, and the browser is told to treat it as from nowhere, so that it
reaches neither the server with the user's cookies nor any other address.
"""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado.web import authenticated

from jupyter_mlops.server.base import Handler

__all__ = ["MonitoringHandler", "ReportPageHandler"]

# What a page may do. Its styles, pictures and fonts are in it; ours has a link to the other one, which opens a tab.
_POLICIES = {
    "report": "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "drift": "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "font-src data:",
}  # fmt: skip


class MonitoringHandler(Handler):
    """``GET monitoring?path=&model=``"""

    @authenticated
    @authorized
    async def get(self) -> None:
        """The last report about the model of the notebook's store where it is deployed, and the trend."""
        uri = self.app.tracking_uri_of(self.notebook_path().parent)
        model = self.text("model", None)
        self.reply(await asyncio.to_thread(_monitoring, model, uri, self.app.database))


class ReportPageHandler(Handler):
    """``GET monitoring/MODEL/VERSION/WINDOW/PAGE.html``"""

    @authenticated
    @authorized
    async def get(self, model: str, version: str, window: str, page: str) -> None:
        """A page of a report; for a tab of JupyterLab, or of the browser."""
        text = await asyncio.to_thread(_page, model, version, window, page, self.app.database)
        self.add_header("Content-Security-Policy", f"{_POLICIES[page]}; base-uri 'none'; form-action 'none'")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        await self.finish(text, set_content_type="text/html; charset=UTF-8")

    @property
    def content_security_policy(self) -> str:
        """The server's own, which says who may show it in a frame; not that of its messages, which forbids everything."""
        return super(APIHandler, self).content_security_policy


def _monitoring(model: str, uri: str, database: str) -> dict[str, Any]:
    from jupyter_mlops.workflows.monitored import monitoring_view

    return monitoring_view(model, uri, database)


def _page(model: str, version: str, window: str, page: str, database: str) -> bytes:
    from jupyter_mlops.workflows.monitored import report_page

    return report_page(model, version, window, page, database).read_bytes()
