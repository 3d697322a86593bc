"""The gate of the latency: real services, quick and slow ones, side by side."""

from __future__ import annotations

import sys
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_mlops.promotion.gates.kinds import Champion, GateResult
from jupyter_mlops.promotion.gates.latency import Latency
from jupyter_mlops.promotion.gates.load import Load, LoadError
from jupyter_mlops.promotion.gates.service import started_service
from jupyter_mlops.promotion.policy import Policy
from jupyter_mlops.promotion.rules import LatencyRule
from tests.unit.promotion.small_service import MODEL, ROWS, champion_of, service_project, subject_of

# Wide, for machines that are busy with other tests; what has to fail is slower than that by far.
RULE = LatencyRule(p50_ms=1000.0, p99_ms=5000.0, throughput=1.0, ratio=30.0, clients=2, seconds=0.5)
SLOW = "def before_predict(): time.sleep(0.1)"
OTHER_ROWS = "COLUMNS = {'x', 'y', 'z'}"


def judge(project: Path, champion: Champion | None = None, **rule: Any) -> tuple[GateResult, list[str]]:
    before = {one.pid for one in psutil.Process().children(recursive=True)}
    said: list[str] = []
    subject = subject_of(project, champion=champion, policy=Policy(latency=replace(RULE, **rule)))
    result = Latency(ready=20.0).run(subject, lambda message, fraction: said.append(message))
    assert {one.pid for one in psutil.Process().children(recursive=True)} <= before
    return result, said


def test_a_first_version_is_judged_by_the_budget(tmp_path: Path) -> None:
    result, said = judge(service_project(tmp_path))
    assert result.status == "passed", result.message
    assert result.message.startswith("p50 ") and result.message.endswith("; no version is in production to compare with")
    figures: dict[str, Any] = dict(result.figures)
    assert 0 < figures["p50Ms"] <= figures["p99Ms"] < 5000
    assert figures["requests"] / figures["seconds"] == pytest.approx(figures["throughput"], rel=0.02)
    assert 0.45 < figures["seconds"] < 5
    assert (figures["failed"], figures["clients"], figures["measurements"]) == (0, 2, 1)
    assert said.count("measuring") == 8


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"p50_ms": 20.0}, "p50 is 1"),
        ({"p99_ms": 20.0}, "p99 is 1"),
        ({"throughput": 100.0}, " requests/s are answered and 100 needed"),
    ],
)
def test_what_is_beyond_the_budget_is_measured_twice(tmp_path: Path, rule: dict[str, Any], words: str) -> None:
    result, said = judge(service_project(tmp_path, SLOW), **rule)
    assert (result.status, words in result.message) == ("failed", True), result.message
    assert "measured twice" in result.message and "promotion.yaml" in result.message
    assert result.figures["measurements"] == 2
    assert any(one.startswith("measuring again: ") for one in said)
    assert result.log is not None and "serving" in result.log


def test_what_is_beyond_the_budget_once_only_passes(tmp_path: Path) -> None:
    changed = """
slow = iter(range(16))
def before_predict():
    time.sleep(0.005 if next(slow, None) is None else 0.1)
"""
    result, _ = judge(service_project(tmp_path, changed), p99_ms=60.0)
    assert result.status == "passed", result.message
    assert "A first measurement went beyond a limit (p99 is 1" in result.message


def test_beside_the_champion(tmp_path: Path) -> None:
    quick, slow = service_project(tmp_path / "quick"), service_project(tmp_path / "slow", SLOW)
    result, said = judge(quick, champion_of(slow))
    assert result.status == "passed", result.message
    assert "; champion (version 1): " in result.message
    assert isinstance(result.figures["ratio"], float) and result.figures["ratio"] < 0.5
    assert result.figures["champion"] == "1"
    assert "starting the service of the champion (version 1)" in said

    result, _ = judge(slow, champion_of(quick), ratio=2.0)
    assert result.status == "failed"
    assert "times the champion's and may be 2 times" in result.message
    figures: dict[str, Any] = dict(result.figures)
    assert figures["ratio"] == max(figures["p99Ratio"], figures["secondsRatio"]) > 2
    assert figures["secondsRatio"] == pytest.approx(figures["championThroughput"] / figures["throughput"], rel=0.01)
    assert figures["p99Ratio"] == pytest.approx(figures["p99Ms"] / figures["championP99Ms"], rel=0.01)
    assert figures["p50Ms"] > 100 > figures["championP50Ms"]


def gone() -> Path:
    raise LookupError("Its project is no longer there.")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (None, "champion (version 1) not compared: it has no service"),
        ("def on_start(): sys.exit('no')", "champion (version 1) not compared: It ended with code 1 before it was ready"),
        ("def before_predict(): raise RuntimeError('no')", "champion (version 1) not compared: its service fails"),
        (
            "asked = iter(range(40))\ndef before_predict():\n    if next(asked, None) is None: os._exit(1)",
            "champion (version 1) not compared: ",
        ),
        ("def before_predict(): raise KeyError('no answer')", "champion (version 1) not compared: its service fails"),
        (OTHER_ROWS, "champion (version 1) not compared: it refuses the golden rows"),
    ],
)
def test_a_champion_that_cannot_be_measured(tmp_path: Path, changed: str | None, words: str) -> None:
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" if changed is None else service_project(tmp_path / "other", changed)
    result, _ = judge(service_project(tmp_path / "own"), champion_of(other))
    assert (result.status, words in result.message) == ("passed", True), result.message
    assert "ratio" not in result.figures


def test_a_champion_that_is_gone_and_one_that_nobody_asks_for(tmp_path: Path) -> None:
    project = service_project(tmp_path)
    result, _ = judge(project, Champion("7", gone, gone))
    assert result.status == "passed"
    assert result.message.endswith("; champion (version 7) not compared: Its project is no longer there")
    result, _ = judge(project, Champion("7", gone, gone), ratio=None)
    assert result.message.endswith("; not compared with production: promotion.yaml sets no ratio")
    result, _ = judge(service_project(tmp_path / "slow", SLOW), Champion("7", gone, gone), p50_ms=20.0)
    assert result.status == "failed"


def test_a_champion_with_other_columns_is_asked_its_own_rows(tmp_path: Path) -> None:
    rows = [{**row, "z": 1} for row in ROWS]
    other = service_project(tmp_path / "other", OTHER_ROWS, golden={**MODEL["golden"], "rows": rows})
    result, _ = judge(service_project(tmp_path / "own"), champion_of(other))
    assert result.status == "passed", result.message
    assert "champion (version 1), on golden rows of its own since it refuses these: " in result.message
    assert "ratio" in result.figures


@pytest.mark.parametrize(("after", "words"), [(0.0, "with status 500"), (0.4, "Under load ")])
def test_requests_that_fail(tmp_path: Path, after: float, words: str) -> None:
    """From the first on, so that the warm-up finds it, and later."""
    changed = f"""
first = []
def before_predict():
    first.append(time.monotonic())
    if len(first) % 5 == 4 and time.monotonic() - first[0] >= {after}:
        raise RuntimeError("too busy")
"""
    result, _ = judge(service_project(tmp_path, changed))
    assert (result.status, words in result.message) == ("failed", True), result.message
    assert result.log is not None and "serving" in result.log
    assert ("failed" in result.figures) == (after > 0)


def test_one_that_dies_under_load(tmp_path: Path) -> None:
    changed = "asked = iter(range(100))\ndef before_predict():\n    if next(asked, None) is None: os._exit(1)"
    result, _ = judge(service_project(tmp_path, changed))
    assert (result.status, "does not stand the load: it takes no connection" in result.message) == ("failed", True), (
        result.message
    )


def test_what_cannot_be_measured(tmp_path: Path) -> None:
    result, said = judge(tmp_path, p50_ms=None, p99_ms=None, throughput=None, ratio=None)
    assert (result.status, "no limits" in result.message, said) == ("passed", True, [])
    result, _ = judge(tmp_path)
    assert (result.status, "convert the notebook again" in result.message) == ("failed", True)
    golden: dict[str, Any] = {"rows": [], "predictions": [], "probabilities": None}
    result, _ = judge(service_project(tmp_path, golden=golden))
    assert (result.status, "no golden rows" in result.message) == ("inconclusive", True)
    (tmp_path / "model" / "golden.json").write_text("[]")
    result, _ = judge(tmp_path)
    assert (result.status, "cannot be read" in result.message) == ("failed", True)
    result, _ = judge(service_project(tmp_path / "broken", "def on_start(): sys.exit('no weights')"))
    assert (result.status, "did not start" in result.message) == ("failed", True)
    assert result.log is not None and "no weights" in result.log


CLOSING = """
class Closing(Handler):
    def answer(self, status, content):
        super().answer(status, content)
        self.close_connection = True
Handler = Closing
"""
COUNTING = """
class Counting(Handler):
    def setup(self):
        counted["connections"] += 1
        super().setup()
Handler = Counting
def before_predict(): time.sleep(0.05)
"""


def test_the_load_keeps_its_connections_and_times_each_answer(tmp_path: Path) -> None:
    with started_service(service_project(tmp_path, COUNTING), sys.executable, lambda message, fraction: None) as service:
        load = Load(service.port, [*ROWS, {"x": "wrong"}], 3)
        measured = load.run(0.0, at_least=20)
        with urllib.request.urlopen(f"{service.url}/metrics") as answer:
            counted = dict(line.split() for line in answer.read().decode().splitlines())
    assert measured.requests == float(counted["service_requests_total"]) == 22
    assert (measured.statuses[422], measured.broken, measured.failed) == (4, 0, 4)
    assert len(measured.latencies) == measured.statuses[200] == 18
    assert int(counted["connections"]) == 3 + 2  # the question whether it is ready, and the one for the numbers
    assert 50 <= measured.milliseconds(0) <= measured.milliseconds(50) <= measured.milliseconds(100) < 5000
    assert measured.throughput == pytest.approx(18 / measured.seconds)


def test_the_load_connects_anew_where_it_has_to(tmp_path: Path) -> None:
    project = service_project(tmp_path, CLOSING)
    with started_service(project, sys.executable, lambda message, fraction: None) as service:
        measured = Load(service.port, ROWS, 3).run(0.0, at_least=30)
        assert measured.statuses[200] >= 10
        assert measured.broken >= 10  # it does not say that it closes
        app = project / "service" / "app.py"
        app.write_text(
            app.read_text().replace("self.end_headers()", "self.send_header('Connection', 'close'); self.end_headers()")
        )
    with started_service(project, sys.executable, lambda message, fraction: None) as service:
        measured = Load(service.port, ROWS, 3).run(0.0, at_least=30)
        assert (measured.statuses[200], measured.broken) == (measured.requests, 0)


def test_the_load_does_not_wait_for_ever(tmp_path: Path) -> None:
    asked = []
    project = service_project(tmp_path, "def before_predict(): time.sleep(60)")
    with started_service(project, sys.executable, lambda message, fraction: None) as service:
        load = Load(service.port, ROWS, 2, patience=1.0, ask=lambda: asked.append(1))
        with pytest.raises(LoadError, match="no answer within 1 s"):
            load.run(0.1)
    assert len(asked) >= 2
