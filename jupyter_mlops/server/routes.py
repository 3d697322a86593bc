"""The addresses below ``<base_url>/jupyter-mlops``. To add one: a handler, a line here, its messages in `schema/api/`."""

from __future__ import annotations

from jupyter_mlops.server.base import Handler
from jupyter_mlops.server.handlers import (
    NotebookHandler,
    ParametersHandler,
    RunsComparisonHandler,
    RunsHandler,
    StatusHandler,
    UnknownHandler,
)  # fmt: skip
from jupyter_mlops.server.job_handlers import JobHandler, JobLogHandler, JobsHandler
from jupyter_mlops.server.models import DecisionHandler, DeploymentHandler, ModelsHandler, PromotionHandler, VersionsHandler
from jupyter_mlops.server.monitoring import MonitoringHandler, ReportPageHandler
from jupyter_mlops.server.service_handlers import PredictHandler, ServiceHandler, ServicesHandler

__all__ = ["ROUTES"]

_ID = r"([A-Za-z0-9_-]{1,64})"
_REPORT = r"([^/]+)/([0-9]{1,18})/([0-9]{8}T[0-9]{6})"  # model, version, end of the window

ROUTES: tuple[tuple[str, type[Handler]], ...] = (
    ("/status", StatusHandler),
    ("/notebook", NotebookHandler),
    ("/notebook/parameters", ParametersHandler),
    ("/runs", RunsHandler),
    ("/runs/compare", RunsComparisonHandler),
    ("/models", ModelsHandler),
    ("/models/versions", VersionsHandler),
    ("/deployments", DeploymentHandler),
    ("/monitoring", MonitoringHandler),
    (rf"/monitoring/{_REPORT}/(report|drift)\.html", ReportPageHandler),
    (f"/promotions/{_ID}", PromotionHandler),
    (f"/promotions/{_ID}/decision", DecisionHandler),
    ("/jobs", JobsHandler),
    (f"/jobs/{_ID}", JobHandler),
    (f"/jobs/{_ID}/log", JobLogHandler),
    ("/services", ServicesHandler),
    (f"/services/{_ID}", ServiceHandler),
    (f"/services/{_ID}/predict", PredictHandler),
    ("(?:/.*)?", UnknownHandler),
)
