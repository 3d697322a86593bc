"""A registered model is that of its project: file by file, as the gate asks it."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from jupyter_mlops.promotion.gates.kinds import GateResult, Subject
from jupyter_mlops.promotion.gates.parity import Parity
from jupyter_mlops.workflows.registered_parity import changed_files, compare_registered
from tests.unit.promotion.registry import small_project


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """A project, and the folder of the model that was registered from it."""
    project, model = small_project(tmp_path / "project"), tmp_path / "registered"
    equal = {"mismatches": 0}
    parity = {"package": equal, "service": equal, "bundle": None}
    (project / "model" / "parity.json").write_text(json.dumps(parity), encoding="utf-8")
    shutil.copytree(project / "model", model / "artifacts" / "model")
    shutil.copytree(project / "src" / "small", model / "code" / "small")
    return project, model


def judged(project: Path, model: Path) -> GateResult:
    subject = Subject(
        model="m",
        version="1",
        project=project,
        tags={},
        python=sys.executable,
        compare=lambda tell: compare_registered(project, model),
        registered=lambda: model,
    )
    return Parity().run(subject, lambda message, fraction: None)


def test_caches_are_no_difference(places: tuple[Path, Path]) -> None:
    project, model = places
    (model / "code" / "small" / "__pycache__").mkdir()
    (model / "code" / "small" / "__pycache__" / "predict.pyc").write_bytes(b"x")
    assert changed_files(project, model) == []


def test_a_model_that_was_changed_is_refused_before_it_is_loaded(places: tuple[Path, Path]) -> None:
    project, model = places
    (model / "artifacts" / "model" / "model.txt").write_text("other weights", encoding="utf-8")
    (model / "code" / "small" / "added.py").write_text("import os\n", encoding="utf-8")
    (model / "code" / "small" / "predict.py").unlink()
    names = ["model/model.txt", "src/small/added.py", "src/small/predict.py"]
    assert changed_files(project, model) == names
    result = judged(project, model)
    assert (result.status, result.figures["changedFiles"]) == ("failed", 3)
    assert ", ".join(names) in result.message and "Convert again" in result.message


def test_a_project_that_does_not_say_its_package_is_refused(places: tuple[Path, Path]) -> None:
    project, model = places
    (project / "model" / "metadata.json").write_text("{}", encoding="utf-8")
    result = judged(project, model)
    assert result.status == "failed" and "metadata.json that can be read" in result.message
