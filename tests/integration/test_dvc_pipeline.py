"""`dvc repro` in a generated project: the stages give what the pipeline gives in one process, and run again only when needed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.xdist_group("dvc-pipeline")


@pytest.fixture(scope="module")
def project(shops: Path) -> Path:
    """The converted notebook, with what the whole pipeline gives in ``whole/``."""
    return shops


def _env() -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "1", "PYTHONPATH": "src"}


def _python(folder: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=folder, env=_env(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _repro(folder: Path) -> list[str]:
    """Names of the stages that ran."""
    said = _python(folder, "-P", "-m", "dvc", "repro")
    return [line.split("'")[1] for line in said.splitlines() if line.startswith("Running stage")]


def _predictions(folder: Path, model: Path) -> Any:
    code = (
        "import json, sys\nfrom pathlib import Path\nfrom shops.persist import load_model\nfrom shops.predict import predict\n"
        "from shops.schema import COLUMNS, raw_frame\nfrom shops.state import FeatureState\n"
        "rows = json.load(open('model/golden.json'))['rows']\n"
        "raw = raw_frame({name: [row.get(name) for row in rows] for name in COLUMNS})\n"
        "at = Path(sys.argv[1])\n"
        "print(predict(raw, load_model(at / 'model.skops'), state=FeatureState.load(at / 'state')).to_json())"
    )
    return json.loads(_python(folder, "-c", code, str(model)))


@pytest.fixture(params=["git", "no-git"])
def fresh(project: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of the project in which DVC is set up."""
    folder = Path(shutil.copytree(project, tmp_path / "shops"))
    if request.param == "git":
        for command in (
            ["init", "-q"],
            ["add", "-A"],
            ["-c", "user.name=n", "-c", "user.email=n@example.org", "commit", "-qm", "one"],
        ):
            subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    _python(folder, "-P", "-m", "dvc", "init", "-q", *([] if request.param == "git" else ["--no-scm"]))
    return folder


def test_only_what_changed_runs_again_and_the_result_is_that_of_the_whole(fresh: Path, project: Path) -> None:
    whole = project.parent / "whole"
    stages = ["load", "validate", "features", "train", "evaluate"]
    assert _repro(fresh) == stages
    measured = json.loads((fresh / "model" / "metrics.json").read_text())["metrics"]
    assert measured == json.loads((whole / "metrics.json").read_text())["metrics"]
    assert _predictions(fresh, fresh / "model") == _predictions(project, whole)
    assert json.loads((fresh / "model" / "state" / "state.json").read_text()) == json.loads(
        (whole / "state" / "state.json").read_text()
    )
    assert "accuracy" in _python(fresh, "-P", "-m", "dvc", "metrics", "show")
    assert _repro(fresh) == []
    if not (fresh / ".git").exists():
        return  # the rest does not ask whether there is git

    params = fresh / "params.yaml"
    params.write_text(params.read_text().replace("trees: 5", "trees: 6"))
    assert _repro(fresh) == ["train", "evaluate"]
    evaluate = fresh / "src" / "shops" / "evaluate.py"
    evaluate.write_text(evaluate.read_text() + "\n# a note\n")
    assert _repro(fresh) == ["evaluate"]
    data = fresh / "data" / "shop sales ü.csv"
    data.write_text(data.read_text().replace("\n", "\n90.5,31.0,True\n", 1))
    assert _repro(fresh) == stages
    ignored = subprocess.run(["git", "status", "--porcelain"], cwd=fresh, check=True, capture_output=True, text=True).stdout
    assert "stages/" not in ignored


def test_a_stage_that_fails_keeps_the_model_and_the_files_before_it(project: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(project, tmp_path / "shops"))
    done = subprocess.run(
        [sys.executable, "stage.py", "features"], cwd=folder, env=_env(), capture_output=True, text=True, check=False
    )
    assert "comes after 'validate'" in done.stderr
    _python(folder, "stage.py", "load")
    _python(folder, "stage.py", "validate")
    (folder / "src" / "shops" / "features.py").write_text("def make_dataset(*args):\n    raise ValueError('no')\n")
    before = (folder / "model" / "model.skops").read_bytes()
    done = subprocess.run(
        [sys.executable, "stage.py", "features"], cwd=folder, env=_env(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert (folder / "model" / "model.skops").read_bytes() == before
    assert sorted(one.name for one in (folder / "stages").iterdir()) == ["load", "validate"]


def test_dvc_yaml_lists_code_data_and_parameters_of_each_stage(project: Path) -> None:
    stages = yaml.safe_load((project / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert {name: stage.get("params") for name, stage in stages.items()} == {
        "load": ["rows", "seed"], "validate": ["rows"], "features": ["share"], "train": ["trees"], "evaluate": None,
    }  # fmt: skip
    assert "data/shop sales ü.csv" in stages["load"]["deps"]
    assert "src/shops/train.py" in stages["train"]["deps"]
    assert "src/shops/train.py" not in stages["load"]["deps"]
    assert {next(iter(one)) for one in stages["evaluate"]["metrics"]} == {"model/metrics.json"}


def test_the_generated_code_is_clean_and_its_own_tests_pass(project: Path) -> None:
    for command in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy", "src"]):
        done = subprocess.run([sys.executable, "-m", *command], cwd=project, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    said = _python(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_stages.py")
    assert "2 passed" in said
