"""What a report says, as numbers for Prometheus, and a dashboard of Grafana that shows them beside the service's own."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

__all__ = ["dashboard", "write_dashboard", "write_numbers"]

_PANELS: tuple[tuple[str, str, str, str], ...] = (  # title, unit, query, legend
    ("Requests", "reqps", 'sum by (model_version) (rate(service_requests_total{{{service}}}[5m]))', "version {{model_version}}"),
    (
        "Failed requests", "percentunit",
        'sum by (model_version) (rate(service_requests_total{{status=~"5..", {service}}}[5m]))'
        " / sum by (model_version) (rate(service_requests_total{{{service}}}[5m]))",
        "version {{model_version}}",
    ),
    (
        "p99", "s", "histogram_quantile(0.99, sum by (le, model_version) (rate(service_request_seconds_bucket{{{service}}}[5m])))",
        "version {{model_version}}",
    ),
    (
        "Predictions", "percentunit",
        "sum by (prediction) (rate(service_predictions_total{{{service}}}[30m]))"
        " / ignoring (prediction) group_left sum(rate(service_predictions_total{{{service}}}[30m]))",
        "{{prediction}}",
    ),
    ("Not logged", "short", "sum by (reason) (increase(service_log_lost_total{{{service}}}[1h]))", "{{reason}}"),
    ("Drifted columns", "percentunit", 'max by (model_version) (mlops_drifted_columns_share{{model="{model}"}})', "version {{model_version}}"),
    ("Drift by column", "short", 'max by (column) (mlops_drift_distance{{model="{model}"}})', "{{column}}"),
    ("Drift of the predictions", "short", 'max by (model_version) (mlops_prediction_drift_distance{{model="{model}"}})', "version {{model_version}}"),
    ("Score", "short", 'max by (model_version, score) (mlops_score{{model="{model}"}})', "{{score}}, version {{model_version}}"),
    ("Alerts", "short", 'max by (kind) (mlops_alert{{model="{model}"}})', "{{kind}}"),
)  # fmt: skip
_KINDS = ("data-drift", "prediction-drift", "missing-values", "concept-drift")


def write_numbers(report: Mapping[str, Any], path: Path) -> None:
    """Write a report for node_exporter's textfile collector; the file is replaced at once.

    Parameters
    ----------
    report
        As `MonitorReport.as_dict` gives it.
    """
    from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

    registry = CollectorRegistry()
    names = ("model", "model_version")
    mine = {"model": report["model"], "model_version": report["version"]}

    def gauge(name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, (*names, *labels), registry=registry)

    gauge("mlops_monitor_rows", "Rows of the window").labels(**mine).set(report["rows"])
    ended = datetime.fromisoformat(report["window"]["until"]).timestamp()
    gauge("mlops_monitor_window_end", "End of the window, seconds since 1970").labels(**mine).set(ended)
    if report["driftedShare"] is not None:
        gauge("mlops_drifted_columns_share", "Of the input's columns").labels(**mine).set(report["driftedShare"])
    distance = gauge("mlops_drift_distance", "Of a column from the reference", "column")
    missing = gauge("mlops_missing_share", "Rows without a value", "column")
    for one in report["columns"]:
        distance.labels(**mine, column=one["column"]).set(one["distance"])
        missing.labels(**mine, column=one["column"]).set(one["missing"])
    if report["prediction"] is not None:
        found = gauge("mlops_prediction_drift_distance", "Of the predictions from the reference")
        found.labels(**mine).set(report["prediction"]["distance"])
    if (quality := report["quality"]) is not None:
        gauge("mlops_score", "On the labelled rows", "score").labels(**mine, score=quality["score"]).set(quality["value"])
        before = gauge("mlops_reference_score", "On the reference", "score")
        before.labels(**mine, score=quality["score"]).set(quality["reference"])
    alert = gauge("mlops_alert", "1: there is an alert of this kind", "kind")
    raised = {one["kind"] for one in report["alerts"]}
    for kind in _KINDS:
        alert.labels(**mine, kind=kind).set(kind in raised)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_to_textfile(str(path), registry)


def dashboard(model: str) -> dict[str, Any]:
    """A dashboard to import into Grafana: what the service counts, and what `write_numbers` says of a model.

    The services of the model are told by ``job``, a variable of the dashboard.
    """
    service = 'job=~"$job"'
    panels = []
    for number, (title, unit, query, legend) in enumerate(_PANELS):
        panels.append(
            {
                "id": number + 1, "title": title, "type": "timeseries",
                "datasource": {"type": "prometheus", "uid": "${datasource}"},
                "gridPos": {"h": 8, "w": 12, "x": 12 * (number % 2), "y": 8 * (number // 2)},
                "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
                "targets": [{"refId": "A", "expr": query.format(service=service, model=model), "legendFormat": legend}],
            }
        )  # fmt: skip
    variables = [
        {"name": "datasource", "type": "datasource", "query": "prometheus"},
        {
            "name": "job", "type": "query", "datasource": {"type": "prometheus", "uid": "${datasource}"}, "includeAll": True,
            "query": f'label_values(service_model_info{{model_name="{model}"}}, job)', "refresh": 2,
        },
    ]  # fmt: skip
    return {
        "title": f"{model} in production", "tags": ["jupyter-mlops"], "schemaVersion": 39, "timezone": "utc", "refresh": "1m",
        "time": {"from": "now-7d", "to": "now"}, "templating": {"list": variables}, "panels": panels,
    }  # fmt: skip


def write_dashboard(model: str, path: Path) -> None:
    """Write the dashboard as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(json.dumps(dashboard(model), indent=1) + "\n", encoding="utf-8")
    fresh.replace(path)
