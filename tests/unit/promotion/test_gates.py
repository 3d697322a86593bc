"""The gates by themselves: real pytest runs in small projects, and verdicts on comparisons."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_mlops.promotion.gates import GATES
from jupyter_mlops.promotion.gates.kinds import GateResult, Subject
from jupyter_mlops.promotion.gates.parity import Parity
from jupyter_mlops.promotion.gates.project_tests import ProjectTests
from jupyter_mlops.promotion.policy import Policy
from jupyter_mlops.promotion.process import clean_environment, run_process
from jupyter_mlops.promotion.rules import ProjectTestsRule


def subject(
    project: Path, compared: Mapping[str, Any] | None = None, tags: Mapping[str, str] | None = None, **how: Any
) -> Subject:
    return Subject(
        model="m",
        version="1",
        project=project,
        tags=tags or {},
        python=sys.executable,
        compare=lambda tell: compared or {},
        registered=lambda: project,
        **how,
    )


def project_with(folder: Path, source: str, dependencies: str = "") -> Path:
    (folder / "tests").mkdir()
    (folder / "tests" / "test_it.py").write_text(source, encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "small"\nversion = "1"\ndependencies = [{dependencies}]\n'
        '[tool.pytest.ini_options]\naddopts = "-q --no-such-option"\ntestpaths = ["tests"]\n',
        encoding="utf-8",
    )
    return folder


def judge(project: Path, **how: Any) -> tuple[GateResult, list[tuple[str, float | None]]]:
    said: list[tuple[str, float | None]] = []
    result = ProjectTests().run(subject(project, **how), lambda message, fraction: said.append((message, fraction)))
    return result, [one for one in said if one[0]]


def test_names_are_those_of_the_steps() -> None:
    assert [gate.name for gate in GATES] == ["audit", "tests", "parity", "data", "metrics", "api", "latency"]


def test_tests_that_pass_are_counted_as_they_end(tmp_path: Path) -> None:
    source = (
        "import pytest\n@pytest.mark.parametrize('n', [1, 2, 3])\ndef test_a(n): pass\n@pytest.mark.skip\ndef test_b(): pass\n"
    )
    result, said = judge(project_with(tmp_path, source))
    assert (result.status, result.message) == ("passed", "3 passed, 1 skipped")
    assert {k: result.figures[k] for k in ("tests", "passed", "failed", "skipped")} == {
        "tests": 4, "passed": 3, "failed": 0, "skipped": 1,
    }  # fmt: skip
    assert said == [("1 of 4 tests", 0.25), ("2 of 4 tests", 0.5), ("3 of 4 tests", 0.75), ("4 of 4 tests", 1.0)]
    assert not list(tmp_path.rglob(".pytest_cache"))


def test_a_test_that_fails_is_named_with_its_log(tmp_path: Path) -> None:
    result, said = judge(
        project_with(tmp_path, "def test_good(): pass\ndef test_bad():\n    password = 'Tr0ub4dor&3xyz'\n    assert 1 == 2\n")
    )
    assert result.status == "failed"
    assert result.message.startswith("1 of 2 tests failed: tests.test_it::test_bad.")
    assert result.figures["failed"] == 1
    assert result.log is not None
    assert "assert 1 == 2" in result.log
    assert "Tr0ub4dor" not in result.log
    assert said[-1] == ("2 of 2 tests, 1 failed", 1.0)


@pytest.mark.parametrize(
    ("source", "status", "words"),
    [
        ("import no_such_module\n", "failed", "tests.test_it"),
        ("", "failed", "no tests"),
        ("import pytest\ndef test_a(): pytest.skip('no data')\n", "inconclusive", "All 1 tests were skipped"),
        ("import os\ndef test_a(): os._exit(9)\n", "failed", "code 9"),
    ],
)
def test_what_else_can_come_of_it(tmp_path: Path, source: str, status: str, words: str) -> None:
    result, _ = judge(project_with(tmp_path, source))
    assert result.status == status
    assert words in result.message


def test_tests_that_hang_are_stopped_with_all_they_started(tmp_path: Path) -> None:
    source = f"""
import subprocess, sys, time
from pathlib import Path
def test_first(): pass
def test_hangs():
    one = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
    Path({str(tmp_path / "pid")!r}).write_text(str(one.pid))
    time.sleep(300)
"""
    started = time.monotonic()
    result, _ = judge(project_with(tmp_path, source), policy=Policy(tests=ProjectTestsRule(seconds=6.0)))
    assert time.monotonic() - started < 60
    assert result.status == "failed"
    assert "did not end within 6 s" in result.message
    assert "stopped after 1 of 2 tests. The last one that ended was tests/test_it.py::test_first." in result.message
    left = int((tmp_path / "pid").read_text())
    for _ in range(50):
        if not psutil.pid_exists(left) or psutil.Process(left).status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.1)
    else:
        raise AssertionError("the process of the test is still there")


def test_what_this_environment_lacks_is_said_before_anything_runs(tmp_path: Path) -> None:
    project = project_with(tmp_path, "def test_a(): pass\n", '"no-such-distribution>=2", "pytest>=1000"')
    result, said = judge(project)
    assert result.status == "failed"
    assert "no-such-distribution not installed" in result.message
    assert not said
    (project / "pyproject.toml").write_text(
        '[project]\nname = "s"\nversion = "1"\ndependencies = ["pytest>=1000"]\n', encoding="utf-8"
    )
    result, _ = judge(project)
    assert result.status == "passed"
    assert "pytest" in str(result.figures["otherVersions"])


def test_other_code_gets_no_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///x.db")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-x")
    monkeypatch.setenv("JUPYTER_MLOPS_DATABASE", "postgresql://u:p@h/x")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "x")
    clean = clean_environment(MORE="1")
    assert not {"MLFLOW_TRACKING_URI", "PYTEST_ADDOPTS", "JUPYTER_MLOPS_DATABASE", "JUPYTERHUB_API_TOKEN"} & set(clean)
    assert clean["MORE"] == "1"
    assert clean["PATH"] == os.environ["PATH"]


def test_what_a_listener_raises_stops_the_process(tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    def hear(line: str) -> None:
        raise Enough

    code = "import os, time; print(os.getpid(), flush=True); time.sleep(300)"
    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(Enough):
        run_process([sys.executable, "-c", code], folder=tmp_path, environment=clean_environment(), seconds=60, hear=hear)
    assert set(psutil.Process().children(recursive=True)) <= before


EQUAL = {"mismatches": 0}
SAME = {"rows": 451, "labels_equal": True, "max_abs_diff": 0.0, "mismatches": 0, "worst": [], "tolerance": 1e-9, "seconds": 3.0}
WORST = [{"row": 4, "expected": {"label": "a"}, "got": {"label": "b"}}]


def parity_of(folder: Path, **sides: Any) -> Path:
    (folder / "model").mkdir()
    report = {"package": EQUAL, "service": EQUAL, "bundle": None, **sides}
    (folder / "model" / "parity.json").write_text(json.dumps(report), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("recorded", "compared", "allowed", "status", "words"),
    [
        ({}, SAME, False, "passed", "451 rows, no difference"),
        (
            {},
            {**SAME, "mismatches": 2, "worst": WORST},
            False,
            "failed",
            "2 of 451 rows, such as row 4: {'label': 'a'} in the notebook",
        ),
        ({"service": {"mismatches": 3}}, SAME, False, "failed", "service 3"),
        ({"package": {"mismatches": 3}}, {**SAME, "mismatches": 3}, True, "passed", "3 differ: allowed"),
        ({"package": {"mismatches": 3}}, {**SAME, "mismatches": 4, "worst": WORST}, True, "failed", "4 of 451"),
        ({}, {"changed": ["model/model.skops"]}, False, "failed", "model/model.skops"),
        ({}, {"error": "It cannot be loaded.", "log": "the log"}, False, "failed", "It cannot be loaded."),
        ({}, {**SAME, "rows": 0}, False, "inconclusive", "no golden rows"),
        ({"bundle": "odd"}, SAME, False, "failed", "no parity report that can be read"),
    ],
)
def test_parity(tmp_path: Path, recorded: Any, compared: Any, allowed: bool, status: str, words: str) -> None:
    tags = {"mismatch_allowed": "true"} if allowed else {}
    result = Parity().run(subject(parity_of(tmp_path, **recorded), compared, tags), lambda message, fraction: None)
    assert (result.status, words in result.message) == (status, True), result.message
    if allowed:
        assert result.figures["mismatchAllowed"] is True
    if "rows" in compared and status == "passed":
        assert result.figures["rows"] == 451
        assert result.figures["bundle"] == "none"


def test_no_parity_report_is_no_parity(tmp_path: Path) -> None:
    assert Parity().run(subject(tmp_path), lambda message, fraction: None).status == "failed"
