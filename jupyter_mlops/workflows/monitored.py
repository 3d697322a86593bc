"""What the monitor has said of a deployed model, for the sidebar: the message `Monitoring` of ``schema/api/monitoring.yaml``.

Only what lies in the deployment's own folder is shown: reports that were written elsewhere (``--output``) are none of it.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jupyter_mlops.database import database_url
from jupyter_mlops.deploy.files import prediction_log
from jupyter_mlops.deploy.spec import Deployments, Spec
from jupyter_mlops.errors import NotFoundError
from jupyter_mlops.monitor.reports import PAGES, Reports, monitoring_folder
from jupyter_mlops.processes import machine
from jupyter_mlops.tracking.store import registry_key

__all__ = ["monitoring_view", "report_page"]

_WINDOWS = 30  # of the trend


def monitoring_view(model: str, uri: str, database: str | None = None) -> dict[str, Any]:
    """The last report of the version that has the traffic, and the windows before.

    Parameters
    ----------
    uri
        Tracking URI of the store: a deployment of another store is none of this one.

    Raises
    ------
    EnvironmentLackError
        The database does not answer.
    """
    spec = _spec(model, database)
    if spec is None or registry_key(spec.tracking_uri) != registry_key(uri):
        return {"version": None, "last": None, "trend": []}
    reports = _reports(spec, spec.traffic.stable)
    known = [(window, report) for window in reports.windows()[-_WINDOWS:] if (report := _read(reports, window)) is not None]
    last = None
    if known:
        window, report = known[-1]
        pages = [page for page in PAGES if reports.page(window, page) is not None]
        last = {"window": window, "pages": pages, "report": report}
    return {"version": reports.version, "last": last, "trend": [_point(window, report) for window, report in known]}


def report_page(model: str, version: str, window: str, page: str, database: str | None = None) -> Path:
    """The file of a page, which lies in the deployment's monitoring folder.

    Parameters
    ----------
    page
        ``report`` or ``drift``.

    Raises
    ------
    NotFoundError
        The model is not deployed here, or there is no such page.
    EnvironmentLackError
        The database does not answer.
    """
    spec = _spec(model, database)
    found = None if spec is None else _reports(spec, version).page(window, page)
    if found is None:
        raise NotFoundError(f"There is no such page of a report about {model}. Look at the model again: jupyter mlops monitor.")
    return found


def _spec(model: str, database: str | None) -> Spec | None:
    try:
        return Deployments(database_url(database)).get(model, machine()).spec
    except NotFoundError:
        return None


def _reports(spec: Spec, version: str) -> Reports:
    return Reports(monitoring_folder(prediction_log(spec.place)), version)


def _read(reports: Reports, window: str) -> dict[str, Any] | None:
    """One that the page can show: a file of another version of this package, or of somebody else, may not be."""
    report = reports.read(window)
    return report if report is not None and _validator().is_valid(report) else None


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    schema = json.loads((files("jupyter_mlops.schema") / "monitor.schema.json").read_text(encoding="utf-8"))
    return Draft202012Validator(schema)


def _point(window: str, report: dict[str, Any]) -> dict[str, Any]:
    prediction, quality = report["prediction"] or {}, report["quality"] or {}
    return {
        "window": window, "until": int(datetime.fromisoformat(report["window"]["until"]).timestamp() * 1000), "verdict": report["verdict"],
        "rows": report["rows"], "driftedShare": report["driftedShare"], "prediction": prediction.get("distance"),
        "score": quality.get("value"),
    }  # fmt: skip
