"""What is told of a report: numbers for Prometheus, a dashboard, a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import promql_parser
from prometheus_client.parser import text_string_to_metric_families

from jupyter_mlops.monitor.page import write_page
from jupyter_mlops.monitor.prometheus import write_dashboard, write_numbers

COLUMN = {
    "column": "size<b>", "kind": "float", "method": "wasserstein", "distance": 0.4, "threshold": 0.1, "missing": 0.25, "missing_before": 0.0,
    "new_levels": None, "drifted": True,
}  # fmt: skip


def _report(until: str = "2026-03-08T00:00:00+00:00", **changes: Any) -> dict[str, Any]:
    return {
        "model": "m", "version": "3", "window": {"since": "2026-03-01T00:00:00+00:00", "until": until}, "verdict": "alert", "reason": "",
        "rows": 5000, "sampled": 500, "reference": {"source": "rows held out", "rows": 2000},
        "alerts": [{"kind": "data-drift", "message": "1 of 1 columns drifted"}], "driftedShare": 1.0, "columns": [COLUMN],
        "prediction": {**COLUMN, "column": "prediction", "distance": 0.02, "drifted": False}, "labelled": 0, "quality": None, **changes,
    }  # fmt: skip


QUALITY = {
    "score": "roc_auc", "less_is_better": False, "rows": 400, "value": 0.7, "reference_rows": 2000, "reference": 0.75, "difference": -0.05,
    "low": -0.08, "high": -0.03, "margin": 0.02, "confidence": 0.95, "verdict": "worse",
}  # fmt: skip


def test_numbers_for_prometheus(tmp_path: Path) -> None:
    write_numbers(_report(quality=QUALITY), tmp_path / "new" / "m.prom")
    families = text_string_to_metric_families((tmp_path / "new" / "m.prom").read_text())
    found = {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}
    mine = (("model", "m"), ("model_version", "3"))
    assert found["mlops_drift_distance", (("column", "size<b>"), *mine)] == 0.4
    assert found["mlops_prediction_drift_distance", mine] == 0.02
    assert found["mlops_monitor_rows", mine] == 5000
    assert found["mlops_score", (*mine, ("score", "roc_auc"))] == 0.7
    alerts = {dict(labels)["kind"]: value for (name, labels), value in found.items() if name == "mlops_alert"}
    assert alerts == {"data-drift": 1, "prediction-drift": 0, "missing-values": 0, "concept-drift": 0}


def test_every_question_of_the_dashboard_is_one(tmp_path: Path) -> None:
    write_dashboard("flight-delays", tmp_path / "dashboard.json")
    data = json.loads((tmp_path / "dashboard.json").read_text())
    questions = [target["expr"] for panel in data["panels"] for target in panel["targets"]]
    assert len(questions) == 10
    for one in questions:
        promql_parser.parse(one.replace("$job", ".*"))
    numbers = tmp_path / "m.prom"
    write_numbers(_report(quality=QUALITY), numbers)
    asked = {word for one in questions for word in one.replace("(", " ").replace("{", " ").split() if word.startswith("mlops_")}
    assert asked and all(f"# TYPE {name} gauge" in numbers.read_text() for name in asked)


def test_the_page_shows_the_trend_and_nothing_of_a_stranger(tmp_path: Path) -> None:
    history = [_report(f"2026-03-0{day}T00:00:00+00:00", rows=day) for day in range(1, 8)]
    write_page(_report(quality=QUALITY), [*history, _report(quality=QUALITY)], tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "Trend over 8 windows" in page and page.count("<svg") == 3  # one window has a score: that is no line yet
    assert "size&lt;b&gt;" in page and "size<b>" not in page and "<script" not in page and "http" not in page
    assert "roc_auc 0.7 on 400 labelled rows" in page
    write_page(
        _report(columns=[], prediction=None, driftedShare=None, verdict="inconclusive", alerts=[], reason="only 3 rows"),
        [],
        tmp_path / "two.html",
    )
    assert "No verdict: only 3 rows." in (tmp_path / "two.html").read_text()
