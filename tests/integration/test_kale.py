"""Notebooks that are tagged for Kale, converted and run: their steps are the stages, the result is the notebook's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from jupyter_mlops.cli import main
from jupyter_mlops.notebook.kale import ancestors
from jupyter_mlops.notebook.read import read_notebook
from jupyter_mlops.workflows.run_job import NotebookJob, perform
from tests.kale_notebooks import CLEAN, MESSY
from tests.notebooks import Cell, write_notebook

STAGE_BY_STAGE = """
import json, sys
from pathlib import Path
from {package}.settings import Settings
from {package}.stages import STAGES, run_stage
place = Path(sys.argv[1])
for name in STAGES:
    run_stage(name, Settings.load(), folder=place, model_dir=place / "model")
print((place / "model" / "metrics.json").read_text())
"""


def _compiled(tmp_path: Path, name: str, cells: list[Cell], capsys: pytest.CaptureFixture[str]) -> tuple[Path, Path, str]:
    """Notebook, project, and what was said."""
    notebook = write_notebook(tmp_path / f"{name}.ipynb", cells)
    project = tmp_path / "project"
    assert main(["pipeline", str(notebook), "--to", "kubeflow", "-o", str(project)]) == 0
    return notebook, project, capsys.readouterr().out


def _report(project: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project / "report.json").read_text(encoding="utf-8"))
    return found


def _stage_by_stage(project: Path, package: str, place: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", STAGE_BY_STAGE.format(package=package), str(place)], cwd=project,
        env={**os.environ, "PYTHONPATH": "src"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout)["metrics"]
    return found


def _paths(project: Path) -> dict[str, set[str]]:
    """Stages that Kubeflow has run before each, by name."""
    compiled = yaml.safe_load((project / "pipelines" / "kubeflow.yaml").read_text(encoding="utf-8"))
    tasks = compiled["root"]["dag"]["tasks"]
    before: dict[str, set[str]] = {}
    todo = list(tasks)
    while todo:
        name = todo.pop(0)
        needs = tasks[name].get("dependentTasks", [])
        if all(one in before for one in needs):
            before[name] = set(needs).union(*(before[one] for one in needs))
        else:
            todo.append(name)
    return {name.replace("-", "_"): {one.replace("-", "_") for one in ones} for name, ones in before.items()}


def test_the_steps_are_the_stages_and_their_order_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notebook, project, said = _compiled(tmp_path, "penguins_kale", CLEAN, capsys)
    report = _report(project)
    assert report["parity"]["rows"] > 100
    assert all(report["parity"][side]["mismatches"] == 0 for side in ("package", "service", "bundle"))
    assert list(yaml.safe_load((project / "dvc.yaml").read_text())["stages"]) == [
        "load_data",
        "clean",
        "make_features",
        "random_forest",
    ]
    wanted = ancestors(read_notebook(notebook).steps)
    assert all(wanted[name] <= before for name, before in _paths(project).items())
    assert list(report["metrics"]) == ["acc_forest"]
    assert _stage_by_stage(project, "penguins_kale", tmp_path / "apart") == report["metrics"]
    assert [(one["code"], one["cell"]) for one in report["problems"] if one["code"].startswith("kale")] == [
        ("kale-step-left-out", 9)
    ]
    assert "The step 'logistic' is left out" in said
    assert yaml.safe_load((project / "params.yaml").read_text())["trees"] == 15


def test_a_messy_one_is_converted_and_what_does_not_fit_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, project, said = _compiled(tmp_path, "messy", MESSY, capsys)
    report = _report(project)
    assert report["parity"]["package"]["mismatches"] == 0
    assert _paths(project) == {"load": set(), "split": {"load"}, "fit": {"load", "split"}, "measure": {"load", "split", "fit"}}
    assert list(report["metrics"]) == ["off_by"]
    assert _stage_by_stage(project, "messy", tmp_path / "apart") == report["metrics"]
    for code in ("kale-resources", "kale-unknown-prev", "kale-step-apart", "kale-missing-prev"):
        assert f"[{code}]" in said


def test_parameters_are_kales(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notebook = write_notebook(tmp_path / "kale.ipynb", CLEAN)
    assert main(["convert", str(notebook), "-o", str(tmp_path / "out"), "--no-run", "-p", "TREES", "4"]) == 0
    assert yaml.safe_load((tmp_path / "out" / "params.yaml").read_text())["trees"] == 4
    assert main(["tag", str(notebook)]) == 0
    assert "Kale, which refuses other tags" in capsys.readouterr().out


def test_a_run_again_has_the_given_parameters(tmp_path: Path) -> None:
    cells = [*CLEAN[:3], ("step:say", "print('trees', TREES)")]
    notebook = write_notebook(tmp_path / "kale.ipynb", cells)
    assert perform(NotebookJob(notebook, tmp_path, tmp_path / "out.ipynb", "python3", {"TREES": 4})).ok
    assert "trees 4" in (tmp_path / "out.ipynb").read_text(encoding="utf-8")
