"""The gate of the API: real services that behave, and such as do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_mlops.promotion.gates import service as service_module
from jupyter_mlops.promotion.gates.api import Api
from jupyter_mlops.promotion.gates.api_checks import CHECKS
from jupyter_mlops.promotion.gates.golden import Golden, is_close
from jupyter_mlops.promotion.gates.kinds import GateResult
from tests.unit.promotion.small_service import MODEL, service_project, subject_of


def judge(project: Path, gate: Api | None = None, **how: Any) -> GateResult:
    before = {one.pid for one in psutil.Process().children(recursive=True)}
    result = (gate or Api(patience=5.0)).run(subject_of(project, **how), lambda message, fraction: None)
    assert {one.pid for one in psutil.Process().children(recursive=True)} <= before
    return result


def test_a_good_service_passes_every_check(tmp_path: Path) -> None:
    result = judge(service_project(tmp_path))
    assert result.status == "passed", (result.message, result.log)
    assert result.message == f"4 rows, {len(CHECKS)} checks"
    assert result.log == ", ".join(name for name, _ in CHECKS)
    assert result.figures == {"checks": len(CHECKS), "passed": len(CHECKS), "rows": 4}


OTHER_LABEL = """
good = predict
def predict(row):
    answer = good(row)
    return {**answer, "prediction": "high"} if row["x"] == 0.4 else answer
"""


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (OTHER_LABEL, 'one row: 1 rows differ from the notebook, such as: "low" expected for row 2, "high" came'),
        (
            "good = predict\ndef predict(row):\n    return {**good(row), 'probabilities': {'low': 0.5, 'high': row['x']}}",
            "probabilities {\"low\": 0.9, \"high\": 0.1} expected for row 0",
        ),
        ("good = predict\ndef predict(row):\n    return {'prediction': good(row)['prediction']}", "null came"),
        ("def predict(row):\n    raise RuntimeError('broken')", "one row: 200 to POST /predict expected, 500 {\"error\": \"broken\"} came"),
        (
            "good = predict\ndef predict(row):\n    if not isinstance(row.get('x', 0.0), float): raise RuntimeError('odd')\n    return good(row)",
            "wrong type: 400 to 499 to an object as x expected, 500",
        ),
        (
            "good = predict\ndef predict(row):\n    return good({k: v for k, v in row.items() if k in COLUMNS} if isinstance(row, dict) else row)",
            "unknown column: 400 to 499 to a row with an unknown column expected, 200",
        ),
        (
            "good = predict\ndef predict(row):\n    return good({'x': 0.0, **row} if isinstance(row, dict) else row)",
            "missing column: 400 to 499 to a row without x expected, 200",
        ),
        ("def refusal(error): raise KeyError('msg')", "an answer to POST /predict expected, a broken connection (Server disconnected"),
        ("def refusal(error): return b'<p>no</p>'", "an error in JSON to a row without x expected, 422 <p>no</p> came"),
        (
            "good = predictions\ndef predictions(path, data):\n    return {'predictions': ['low'] * 4} if path == '/invocations' else good(path, data)",
            "invocations: from /invocations what /predict says",
        ),
        (
            "good = predictions\ndef predictions(path, data):\n    return {'outputs': []} if 'infer' in path else good(path, data)",
            "Open Inference Protocol: an output named prediction",
        ),
        ("class Counter(Counter):\n    def items(self): return ()\ncounted = Counter()", "metrics: service_requests_total to grow by 2 expected"),
        ("def on_start(): signal.signal(signal.SIGTERM, lambda *a: os._exit(3))", "end on SIGTERM: exit code 0 after SIGTERM expected, 3 came"),
    ],
)  # fmt: skip
def test_what_a_service_does_wrong_is_named(tmp_path: Path, changed: str, words: str) -> None:
    result = judge(service_project(tmp_path, changed))
    assert (result.status, words in result.message) == ("failed", True), result.message
    assert result.figures["passed"] in range(1, len(CHECKS))
    assert result.log is not None and "serving" in result.log and "Tr0ub4dor" not in result.log


def test_a_body_that_is_too_large_may_be_read_but_not_taken(tmp_path: Path) -> None:
    text = service_project(tmp_path) / "service" / "app.py"
    text.write_text(text.read_text().replace("size > 1_000_000", "size > 100_000_000"))
    assert judge(tmp_path).status == "passed"  # it is no JSON
    text.write_text(text.read_text().replace("size > 100_000_000", "False and size").replace("(Refused, ValueError)", "Refused"))
    assert "too large body: 400 to 499 to a body of 16 MB without a row expected" in judge(tmp_path).message


def test_one_that_hangs_is_not_asked_on(tmp_path: Path) -> None:
    result = judge(service_project(tmp_path, "def before_predict(): time.sleep(60)"), Api(patience=1.0))
    assert result.status == "failed"
    assert "one row: an answer to POST /predict expected, none came within 1 s. " in result.message
    assert result.figures == {"checks": len(CHECKS), "passed": 2, "rows": 0}


def test_one_that_dies_when_it_is_asked(tmp_path: Path) -> None:
    result = judge(service_project(tmp_path, "def before_predict(): print('out of memory', flush=True); os._exit(9)"))
    assert result.status == "failed"
    assert "one row: an answer to POST /predict expected, the service ended" in result.message
    assert result.log is not None and "out of memory" in result.log


def test_one_that_does_not_end_is_killed_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "_GRACE", 1.0)
    result = judge(service_project(tmp_path, "def on_start(): signal.signal(signal.SIGTERM, signal.SIG_IGN)"))
    assert result.message.startswith("12 of 13 checks passed. end on SIGTERM: the end of the service after SIGTERM expected")


def test_one_that_does_not_start(tmp_path: Path) -> None:
    result = judge(service_project(tmp_path, "def on_start(): sys.exit('no weights')"))
    assert (result.status, "ended with code 1" in result.message) == ("failed", True)
    assert result.log is not None and "no weights" in result.log


def test_a_difference_that_was_allowed_is_said(tmp_path: Path) -> None:
    project = service_project(tmp_path, OTHER_LABEL)
    result = judge(project, tags={"mismatch_allowed": "true"})
    assert result.status == "passed", result.message
    assert result.message.endswith("; 1 rows differ: allowed when the version was made")
    parity = {**MODEL["parity"], "service": {"mismatches": 0}}
    (project / "model" / "parity.json").write_text(json.dumps(parity))
    assert judge(project, tags={"mismatch_allowed": "true"}).status == "failed"


def test_what_cannot_be_asked_or_compared(tmp_path: Path) -> None:
    result = judge(tmp_path)
    assert (result.status, "convert the notebook again" in result.message) == ("failed", True)
    golden: dict[str, Any] = {"rows": [], "predictions": [], "probabilities": None}
    result = judge(service_project(tmp_path, golden=golden))
    assert (result.status, "no golden rows" in result.message) == ("inconclusive", True)
    (tmp_path / "model" / "parity.json").write_text("{}")
    result = judge(tmp_path)
    assert (result.status, "cannot be read" in result.message) == ("failed", True)


def test_numbers_agree_within_the_tolerance_and_labels_exactly(tmp_path: Path) -> None:
    assert is_close([1.0, None], [1.0 + 1e-10, None], 1e-9, 0.0)
    assert not is_close(1.0, 1.0 + 1e-8, 1e-9, 0.0)
    assert is_close(1000.0, 1000.001, 0.0, 1e-5)
    assert not is_close(1.0, "1.0", 1.0, 1.0) and not is_close([1.0], [1.0, 2.0], 1.0, 1.0) and not is_close(1.0, None, 1.0, 1.0)
    signature = json.loads(json.dumps(MODEL["signature"]))
    signature["raw"]["output"] = {"task": "regression", "classes": None}
    golden = {"rows": [{"x": 1.0}], "predictions": [5.0], "probabilities": None}
    read = Golden.read(service_project(tmp_path, signature=signature, golden=golden))
    assert read.difference(0, {"prediction": 5.0 + 1e-10}) is None
    assert read.difference(0, {"prediction": 5.1}) == "5.0 expected for row 0, 5.1 came"
    assert read.difference(0, []) == "an answer with a prediction expected for row 0, [] came"
