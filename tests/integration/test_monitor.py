"""A deployed model asked through Envoy, its log, its labels, and what the monitor says of them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from jupyter_mlops.cli import main
from jupyter_mlops.deploy.files import prediction_log
from jupyter_mlops.monitor.log import PredictionLog, Window
from jupyter_mlops.tracking.store import store
from jupyter_mlops.workflows.deploying import DeployOptions, deploy
from tests.conftest import Converted
from tests.promotable import MODEL, add_quick_version

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("envoy")]
SCHEMA = json.loads((files("jupyter_mlops") / "schema/monitor.schema.json").read_text(encoding="utf-8"))


class _Listener(HTTPServer):
    """Somebody who wants to hear of alerts."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Listener

    def do_POST(self) -> None:
        self.server.heard.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def _ask(url: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    with httpx.Client(base_url=url, timeout=30) as client:
        answers = [client.post("/predict", json=row) for row in rows]
    assert {one.status_code for one in answers} == {200}
    assert all(one.headers["x-request-id"] == one.json()["id"] for one in answers)  # Envoy's, which mirrored requests share
    return [one.json() for one in answers]


def _told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main(["monitor", MODEL, "--rows", "50", "--json", *arguments])
    report = json.loads(capsys.readouterr().out)
    folder = Path(report.pop("folder"))
    jsonschema.validate(report, SCHEMA)
    assert json.loads((folder / "report.json").read_text()) == report
    return code, report


def test_what_a_deployed_model_is_asked_is_watched(
    deployable: str, port: int, converted: Callable[[str], Converted], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    holdout = json.loads((converted(MODEL).folder / "holdout/holdout.json").read_text())
    rows, labels = holdout["rows"], holdout["labels"]
    found = deploy(MODEL, "1", DeployOptions(port=port, replicas=1))
    assert main(["monitor", MODEL]) == 2
    assert "Nothing that version 1" in capsys.readouterr().err

    # The rows that the model was evaluated on: nothing has drifted, and it is as right as it was.
    answers = _ask(found.url, rows)
    told = [{"id": one["id"], "label": label} for one, label in zip(answers, labels, strict=True)]
    assert httpx.post(f"{found.url}/feedback", json=told).json() == {"accepted": len(rows)}
    time.sleep(1)
    code, report = _told(capsys)
    assert (code, report["verdict"], report["alerts"]) == (0, "ok", [])
    assert (report["rows"], report["labelled"], report["driftedShare"]) == (len(rows), len(rows), 0)
    assert report["quality"]["value"] == report["quality"]["reference"] and report["quality"]["verdict"] != "worse"
    with store(deployable) as client:
        assert client.get_model_version(MODEL, "1").tags["monitor"] == "ok"

    # Larger animals, of which half are told to be another kind than is predicted.
    begin = datetime.now(UTC)
    numbers = [name for name, value in rows[0].items() if isinstance(value, float)]
    larger = [{**row, **{name: 1.3 * row[name] for name in numbers if row[name] is not None}} for row in rows]
    answers = _ask(found.url, larger)
    others = sorted({one["prediction"] for one in answers} | {*labels})
    told = [
        {"id": one["id"], "label": others[(others.index(one["prediction"]) + at % 2) % len(others)]}
        for at, one in enumerate(answers)
    ]
    httpx.post(f"{found.url}/feedback", json=told).raise_for_status()
    time.sleep(1)
    listener = _Listener()
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    try:
        end = datetime.now(UTC)
        length = f"{(end - begin).total_seconds() / 60:.6f}m"
        code, report = _told(
            capsys, "--window", length, "--until", end.isoformat(), "--share", "0.3",
            "--webhook", f"http://127.0.0.1:{listener.server_port}/hook", "--prometheus", str(tmp_path / "m.prom"),
        )  # fmt: skip
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()
    assert code == 1 and report["rows"] == len(rows)
    kinds = {one["kind"] for one in report["alerts"]}
    assert {"data-drift", "concept-drift"} <= kinds
    assert {one["column"] for one in report["columns"] if one["drifted"]} >= {*numbers}
    assert listener.heard == [report]
    assert f'mlops_alert{{kind="concept-drift",model="{MODEL}",model_version="1"}} 1.0' in (tmp_path / "m.prom").read_text()
    with store(deployable) as client:
        assert client.get_model_version(MODEL, "1").tags["monitor"] == "alert"

    # A second version with a part of the traffic: who was asked, and for whom.
    begin = datetime.now(UTC)
    assert add_quick_version(deployable, tmp_path) == "2"
    deploy(MODEL, "2", DeployOptions(share=0.5))
    time.sleep(1)
    asked = [one["model_version"] for one in _ask(found.url, rows)]
    time.sleep(1)
    log, window = PredictionLog(prediction_log(found.folder)), Window(begin, datetime.now(UTC) + timedelta(minutes=1))
    for version, arm in (("1", "stable"), ("2", "canary")):
        logged = log.read(version, window, sample=1000)
        assert logged.rows == asked.count(version) > 0
        assert set(logged.meta["arm"]) == {arm}
