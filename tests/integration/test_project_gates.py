"""`promote --project`: the gates on a folder, as the generated CI runs them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.cli import main
from jupyter_mlops.promotion.gates import GATES
from jupyter_mlops.tracking.lifecycle import apply_lifecycle
from tests.conftest import Converted
from tests.promotable import MODEL, quick_project
from tests.unit.promotion.registry import aliases

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("penguins")]


@pytest.fixture
def uri(converted: Callable[[str], Converted], tmp_path: Path) -> str:
    """A registry of this test's own, with version 1 in production."""
    shutil.copyfile(converted(MODEL).folder.parent / "mlflow.db", tmp_path / "mlflow.db")
    found = f"sqlite:///{tmp_path / 'mlflow.db'}"
    apply_lifecycle(found, MODEL, "1", None)
    return found


def judged(capsys: pytest.CaptureFixture[str], project: Path, *more: str) -> tuple[int, dict[str, Any]]:
    code = main(["promote", "--project", str(project), "--json", *more])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_all_gates_judge_a_folder_and_change_nothing(
    uri: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    project = quick_project(uri, tmp_path / "made")
    before = {path: path.read_bytes() for path in sorted(project.rglob("*")) if path.is_file()}
    code, alone = judged(capsys, project)
    assert [one["name"] for one in alone["gates"]] == [gate.name for gate in GATES]
    assert alone["champion"] is None
    assert {one["name"]: one["status"] for one in alone["gates"] if one["name"] not in ("data", "metrics")} == dict.fromkeys(
        ("audit", "tests", "parity", "api", "latency"), "passed"
    ), alone
    assert (code, alone["ok"]) == (0, True)
    # Beside the version in production, which is the same model.
    code, beside = judged(capsys, project, "--tracking-uri", uri)
    assert code == 0
    assert beside["champion"] == "1"
    metrics = next(one for one in beside["gates"] if one["name"] == "metrics")
    assert metrics["figures"]["championVersion"] == "1"
    assert metrics["figures"]["difference"] == 0
    assert {path: path.read_bytes() for path in sorted(project.rglob("*")) if path.is_file()} == before
    assert aliases(uri, MODEL) == {"production": "1"}


def test_a_gate_that_says_no_does_not_keep_the_others_from_looking(
    uri: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = quick_project(uri, tmp_path / "made")
    (project / "tests" / "test_mine.py").write_text("def test_mine():\n    assert 1 == 2, 'by hand'\n", encoding="utf-8")
    assert main(["promote", "--project", str(project)]) == 1
    said = capsys.readouterr()
    assert "test_mine" in said.err
    assert "a gate said no" in said.out
    assert "✓ latency" in said.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name a model"),
        (["churn", "--project", "."], "Either a registered MODEL"),
        (["--project", "nowhere"], "nowhere is no converted project"),
    ],
)
def test_what_cannot_be_judged(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["promote", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_policy_that_cannot_be_read_is_said_at_once(uri: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = quick_project(uri, tmp_path / "made", policy="canary: {stpes: [1]}\n")
    assert main(["promote", "--project", str(project)]) == 2
    assert "canary.stpes is no known key" in capsys.readouterr().err
