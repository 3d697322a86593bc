"""Four-way parity: what the notebook predicted, against package, service and bundle.

The service is the generated one, started as a process and asked over HTTP; the bundle is run by its own runner in a
process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.environment import free_port, service_environment
from jupyter_mlops.errors import ExportError
from jupyter_mlops.workflows.prover import _package

if TYPE_CHECKING:
    from jupyter_mlops.export.parity import Comparison, Predictions

__all__ = ["running_service", "verify"]

_BATCH = 50


@contextmanager
def running_service(project: Path, python: str = sys.executable, *, timeout: float = 90.0) -> Iterator[str]:
    """Start the generated service on a free loopback port; gives its address, stops it at the end.

    Raises
    ------
    ExportError
        It ended, or was not ready in time; the end of what it printed is in the message.
    """
    port = free_port()
    log = project.parent / f".service-{port}.log"
    with log.open("w+b") as out:
        process = subprocess.Popen(
            [python, "-m", "service"], cwd=project, env=service_environment(project, port), stdout=out, stderr=subprocess.STDOUT
        )
        try:
            base = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + timeout
            while True:
                if process.poll() is not None or time.monotonic() > deadline:
                    out.seek(0)
                    tail = out.read().decode(errors="replace")[-2000:]
                    what = f"ended with code {process.returncode}" if process.poll() is not None else "was not ready in time"
                    raise ExportError(f"The generated service {what}:\n{tail}")
                try:
                    with urllib.request.urlopen(f"{base}/health/ready", timeout=2) as answer:  # noqa: S310 - loopback
                        if answer.status == 200:
                            break
                except (urllib.error.URLError, OSError):
                    time.sleep(0.1)
            yield base
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            log.unlink(missing_ok=True)


def _post(url: str, body: Any) -> tuple[int, Any]:
    request = urllib.request.Request(  # noqa: S310 - loopback address of a process started here
        url, data=json.dumps(body).encode(), headers={"content-type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")


def _predictions(answers: list[dict[str, Any]], classes: list[Any] | None, expected: Predictions) -> Predictions:
    """Answers of service or bundle as arrays like the expected ones."""
    import numpy as np

    from jupyter_mlops.export.parity import Predictions as Made

    labels = np.array([a["prediction"] for a in answers], dtype=object)
    probabilities = None
    if expected.probabilities is not None and answers and answers[0].get("probabilities") is not None and classes:
        names = [_key(c) for c in classes]
        probabilities = np.array([[a["probabilities"][n] for n in names] for a in answers], dtype=float)
    return Made(labels, probabilities)


def _expected(golden: dict[str, Any], task: str) -> Predictions:
    """The notebook's answers in a `golden.json`."""
    import numpy as np

    from jupyter_mlops.export.parity import Predictions as Made

    labels = np.array(golden["predictions"], dtype=float if task == "regression" else object)
    return Made(labels, None if golden["probabilities"] is None else np.array(golden["probabilities"]))


def _key(label: Any) -> str:
    """A class as it stands as a JSON object's key."""
    return str(label)


def verify(project: str, package: str, folder: str, allowed_by: dict[str, Any], service: bool = True) -> dict[str, Any]:
    """Compare package, service and bundle with the golden and edge rows in `model/golden.json`.

    Parameters
    ----------
    folder
        What the export left for this: rows that the model refuses.
    allowed_by
        The `Tolerance` as a dict.
    service
        Start the service and ask it.

    Returns
    -------
    dict
        ``{"rows", "golden", "edge", "package": comparison, "service": ..., "bundle": comparison or None, "reasons"}``;
        `reasons` has the sides that are None.
    """

    from jupyter_mlops.export.parity import Predictions as Made
    from jupyter_mlops.export.parity import Tolerance, compare

    warnings.simplefilter("ignore")
    root = Path(project)
    golden = json.loads((root / "model" / "golden.json").read_text(encoding="utf-8"))
    signature = json.loads((root / "model" / "signature.json").read_text(encoding="utf-8"))
    output = signature["raw"]["output"]
    task, classes = output["task"], output["classes"]
    rows = golden["rows"]
    expected = _expected(golden, task)
    allowed = Tolerance(**allowed_by)

    def judge(got: Predictions, wanted: Predictions = expected) -> Comparison:
        return compare(wanted, got, allowed, task=task)

    schema, predict = _package(root, package, "schema"), _package(root, package, "predict")
    # Rows that the service must refuse, since they break the notebook's expectations; the package predicts them.
    held = json.loads(path.read_text(encoding="utf-8")) if (path := Path(folder) / "held.json").is_file() else None
    every = rows if held is None else [*rows, *held["rows"]]
    known = golden if held is None else {k: golden[k] and golden[k] + held[k] for k in ("predictions", "probabilities")}
    frame = schema.raw_frame({name: [row.get(name) for row in every] for name in schema.COLUMNS})
    answer = predict.predict(frame)
    names = [c for c in answer.columns if c.startswith("probability_")]
    own = Made(
        answer["prediction"].to_numpy(dtype=float if task == "regression" else object),
        answer[names].to_numpy(dtype=float) if names and expected.probabilities is not None else None,
    )
    out: dict[str, Any] = {
        "rows": len(rows), "golden": golden["kinds"].count("golden"), "edge": golden["kinds"].count("edge"),
        "package": judge(own, _expected(known, task)).as_dict(), "reasons": {},
    }  # fmt: skip
    refused = json.loads((Path(folder) / "refused.json").read_text(encoding="utf-8"))
    if service:
        with running_service(root) as base:
            answers: list[dict[str, Any]] = []
            for start in range(0, len(rows), _BATCH):
                status, body = _post(f"{base}/predict", rows[start : start + _BATCH])
                if status != 200:
                    raise ExportError(
                        f"The service answered {status} to rows that the notebook's model predicts: {str(body)[:1000]}"
                    )
                answers += body
            for position in range(0, len(rows), max(1, len(rows) // 20)):  # alone as among others
                status, body = _post(f"{base}/predict", rows[position])
                if status != 200:
                    raise ExportError(f"The service answered {status} to a single row: {str(body)[:1000]}")
                answers[position] = body
            failed = [(row, s) for row in refused if (s := _post(f"{base}/predict", row)[0]) >= 500]
            if failed:
                raise ExportError(f"The service failed (status {failed[0][1]}) on a row that the model refuses: {failed[0][0]}")
            passed = [(row, s) for row in (held["rows"] if held else ()) if (s := _post(f"{base}/predict", row)[0]) != 422]
            if passed:
                raise ExportError(
                    f"The service answered {passed[0][1]} to a row that breaks the notebook's expectations: {passed[0][0]}"
                )
        out["service"] = judge(_predictions(answers, classes, expected)).as_dict()
    else:
        out["service"] = None
        out["reasons"]["service"] = "the service was not started"
    if (root / "edge" / "model.onnx").is_file():
        taken = json.loads((root / "edge" / "golden.json").read_text(encoding="utf-8"))
        wanted = _expected(taken, task)
        out["bundle"] = judge(_predictions(_bundle(root, Path(folder), taken["rows"]), classes, wanted), wanted).as_dict()
    else:
        out["bundle"] = None
        out["reasons"]["bundle"] = "there is no ONNX model, so no bundle"
    return out


def _bundle(project: Path, folder: Path, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Predictions of the edge bundle, by its own runner."""
    given = folder / "bundle_rows.json"
    given.write_text(json.dumps(rows), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(project / "edge" / "runner.py"), str(given)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise ExportError(f"The edge bundle's runner failed: {done.stderr.strip()[-1500:]}")
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers
