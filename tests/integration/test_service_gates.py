"""The gates of the service on a really converted notebook: its service as it is, and with faults."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.promotion.gates.api import Api
from jupyter_mlops.promotion.gates.api_checks import CHECKS
from jupyter_mlops.promotion.gates.kinds import Champion, Gate, GateResult, Subject
from jupyter_mlops.promotion.gates.latency import Latency
from jupyter_mlops.promotion.policy import Policy
from jupyter_mlops.promotion.rules import LatencyRule
from tests.conftest import Converted

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("penguins")]

RULE = LatencyRule(p50_ms=1000.0, p99_ms=5000.0, throughput=1.0, ratio=5.0, seconds=1.0)  # wide: the machine may be busy
ANSWER = "                answer = await self._handle(scope, body)\n"


@pytest.fixture
def project(converted: Callable[[str], Converted], tmp_path: Path) -> Path:
    return Path(shutil.copytree(converted("penguins").folder, tmp_path / "project"))


def judge(gate: Gate, project: Path, champion: Path | None = None) -> GateResult:
    subject = Subject(
        model="penguins", version="2", project=project, tags={}, python=sys.executable, compare=lambda tell: {},
        registered=lambda: project, policy=Policy(latency=RULE),
        champion=Champion("1", lambda: champion, lambda: champion) if champion is not None else None,
    )  # fmt: skip
    return gate.run(subject, lambda message, fraction: None)


def changed(project: Path, name: str, old: str, new: str) -> None:
    path = project / "service" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_its_api_is_as_callers_expect(project: Path) -> None:
    result = judge(Api(), project)
    assert result.status == "passed", (result.message, result.log)
    assert result.figures == {"checks": len(CHECKS), "passed": len(CHECKS), "rows": 451}


def test_a_tampered_golden_row_is_found_over_http(project: Path) -> None:
    path = project / "model" / "golden.json"
    golden: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    golden["predictions"][7] = next(one for one in golden["predictions"] if one != golden["predictions"][7])
    path.write_text(json.dumps(golden), encoding="utf-8")
    result = judge(Api(), project)
    assert result.status == "failed"
    assert "many rows: 1 rows differ from the notebook, such as:" in result.message and "for row 7" in result.message


def test_a_service_that_fails_on_wrong_rows_does_not_pass(project: Path) -> None:
    changed(project, "endpoint.py", "except RequestError as error:", "except ZeroDivisionError as error:")
    result = judge(Api(), project)
    assert result.status == "failed"
    assert "wrong type: 400 to 499 to an object as" in result.message and ", 500 " in result.message
    assert result.log is not None and "RequestError" in result.log


def test_its_latency_beside_a_slow_champion_and_the_other_way_round(project: Path, tmp_path: Path) -> None:
    slow = Path(shutil.copytree(project, tmp_path / "slow"))
    changed(slow, "endpoint.py", ANSWER, f"                import time\n\n                time.sleep(0.05)\n{ANSWER}")
    result = judge(Latency(), project, slow)
    assert result.status == "passed", (result.message, result.log)
    assert "; champion (version 1): " in result.message
    figures: dict[str, Any] = dict(result.figures)
    assert figures["p50Ms"] < 50 < figures["championP50Ms"]
    result = judge(Latency(), slow, project)
    assert result.status == "failed"
    assert "times the champion's and may be 5 times, measured twice" in result.message
