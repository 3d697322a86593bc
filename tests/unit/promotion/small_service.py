"""A small project with a real service of the standard library, which behaves as its text says."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from jupyter_mlops.promotion.gates.kinds import Champion, Subject

__all__ = ["champion_of", "service_project", "subject_of"]

ROWS: list[dict[str, Any]] = [{"x": 0.1, "y": "a"}, {"x": 0.7, "y": None}, {"x": 0.4, "y": "c"}, {"x": 0.9, "y": "d"}]
MODEL: dict[str, Any] = {
    "metadata": {"name": "small"},
    "golden": {
        "rows": ROWS,
        "predictions": ["low", "high", "low", "high"],
        "probabilities": [[1 - row["x"], row["x"]] for row in ROWS],
    },
    "signature": {
        "raw": {
            "inputs": [{"name": "x", "nullable": False}, {"name": "y", "nullable": True}],
            "output": {"task": "classification", "classes": ["low", "high"]},
        }
    },
    "parity": {"tolerance": {"absolute": 1e-9, "relative": 1e-9}, "service": {"mismatches": 1}},
}
APP = """
import json, os, signal, sys, threading, time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COLUMNS = {"x", "y"}
counted = Counter()


class Refused(Exception):
    pass


def on_start():
    pass


def before_predict():
    pass


def predict(row):
    if not isinstance(row, dict) or not isinstance(row.get("x"), (int, float)) or set(row) - COLUMNS or not COLUMNS - {"y"} <= set(row):
        raise Refused("not a row")
    return {"prediction": "high" if row["x"] > 0.5 else "low", "probabilities": {"low": 1 - row["x"], "high": row["x"]}}


def refusal(error):
    return {"detail": [{"msg": str(error)}]}


def predictions(path, data):
    if path == "/invocations":
        split = data["dataframe_split"]
        return {"predictions": [predict(dict(zip(split["columns"], row)))["prediction"] for row in split["data"]]}
    if path.endswith("/infer"):
        columns = {one["name"]: one["data"] for one in data["inputs"]}
        rows = [dict(zip(columns, values)) for values in zip(*columns.values())]
        return {"outputs": [{"name": "prediction", "data": [predict(row)["prediction"] for row in rows]}]}
    before_predict()
    answer = [predict(row) for row in data] if isinstance(data, list) else predict(data)
    counted["service_rows_total"] += len(data) if isinstance(data, list) else 1
    return answer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def answer(self, status, content):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        model = {"name": "small", "inputs": [{"name": "x", "datatype": "FP64"}, {"name": "y", "datatype": "BYTES"}]}
        known = {"/health/live": {}, "/health/ready": {}, "/model": model, "/v2/models/small": model}
        if self.path == "/metrics":
            self.answer(200, "".join(f"{name} {count}\\n" for name, count in counted.items()).encode())
        else:
            self.answer(200 if self.path in known else 404, known.get(self.path, {}))

    def do_POST(self):
        size = int(self.headers["Content-Length"])
        if size > 1_000_000:
            self.close_connection = True
            return self.answer(413, {"detail": "too large"})
        if self.path == "/predict":
            counted["service_requests_total"] += 1
        try:
            status, content = 200, predictions(self.path, json.loads(self.rfile.read(size)))
        except (Refused, ValueError) as error:
            status, content = 422, refusal(error)
        except RuntimeError as error:
            status, content = 500, {"error": str(error)}
        self.answer(status, content)

    def log_message(self, *arguments):
        pass


def main():
    on_start()
    print("serving, password = 'Tr0ub4dor&3xyz'")
    server = ThreadingHTTPServer((os.environ["SERVICE_HOST"], int(os.environ["SERVICE_PORT"])), Handler)
    server.daemon_threads = True
    server.serve_forever()
"""


def service_project(folder: Path, changed: str = "", **model: Any) -> Path:
    """Write the project.

    Parameters
    ----------
    changed
        Code that replaces functions of the service.
    model
        Files of the model folder, instead of the good ones.
    """
    for name, content in {**MODEL, **model}.items():
        path = folder / "model" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    (folder / "service").mkdir()
    (folder / "service" / "__init__.py").touch()
    (folder / "service" / "app.py").write_text(f"{APP}\n\n{changed}", encoding="utf-8")
    (folder / "service" / "__main__.py").write_text("from service.app import main\n\nmain()\n", encoding="utf-8")
    return folder


def subject_of(project: Path, **how: Any) -> Subject:
    """A version as a gate of the service sees it."""
    return Subject(
        model="small", version="2", project=project, tags=how.pop("tags", {}), python=sys.executable, compare=lambda tell: {},
        registered=lambda: project, **how,
    )  # fmt: skip


def champion_of(project: Path) -> Champion:
    """The version in production."""
    return Champion("1", lambda: project, lambda: project)
