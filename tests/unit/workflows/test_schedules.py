"""Schedules: what is written is what the command says, in the form that cron, GitHub and Kubernetes read."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from jupyter_mlops.cli import main
from tests.unit.deploy.schemas import check

COMMAND = [
    "retrain", "flight-delays", "--on", "data-drift", "-p", "since", "{today-90d}", "-p", "share", "50% of it", "--window", "30d", "--no-promote",
]  # fmt: skip
SAID = [
    "jupyter",
    "mlops",
    "retrain",
    "flight-delays",
    "-p",
    "since",
    "{today-90d}",
    "-p",
    "share",
    "50% of it",
    "--on",
    "data-drift",
    "--window",
    "30d",
    "--no-promote",
]


def _printed(capsys: pytest.CaptureFixture[str], *more: str) -> str:
    assert main([*COMMAND, *more]) == 0
    return capsys.readouterr().out


def test_a_line_of_a_crontab(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = _printed(capsys, "--schedule", "30 4 * * 1", "--folder", str(tmp_path))
    comment, line = text.splitlines()
    assert comment.startswith("#") and line.startswith("30 4 * * 1 cd ")
    command = line.removeprefix("30 4 * * 1 ").replace(r"\%", "%")  # as cron does
    assert shlex.split(command) == ["cd", str(tmp_path), "&&", *SAID]
    assert "%" not in line.replace(r"\%", "")


def test_a_workflow(capsys: pytest.CaptureFixture[str]) -> None:
    data: dict[Any, Any] = yaml.safe_load(_printed(capsys, "--schedule", "@daily", "--to", "github"))
    assert data["on"]["schedule"] == [{"cron": "0 0 * * *"}]
    (job,) = data["jobs"].values()
    assert shlex.split(job["steps"][-1]["run"]) == SAID
    assert job["env"]["MLFLOW_TRACKING_URI"] == "${{ secrets.MLFLOW_TRACKING_URI }}"


def test_a_cron_job(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMAND, "--schedule", "@daily", "--to", "kubernetes"]) == 2
    assert "--image" in capsys.readouterr().err
    file = tmp_path / "deploy" / "retrain.yaml"
    how = ["--schedule", "0 4 * * *", "--to", "kubernetes", "--image", "registry.example.com/ml:1", "--schedule-file", str(file)]
    _printed(capsys, *how)
    manifest = yaml.safe_load(file.read_text())
    assert check(manifest) == []
    assert manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["command"] == SAID
    file.write_text("mine: true\n")
    assert main([*COMMAND, *how]) == 2 and file.read_text() == "mine: true\n"
    assert main([*COMMAND, *how, "--force"]) == 0 and yaml.safe_load(file.read_text()) == manifest


@pytest.mark.parametrize("cron", ["4 * *", "61 4 * * *", "soon"])
def test_what_is_no_schedule_is_refused(cron: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COMMAND, "--schedule", cron]) == 2
    assert "is no schedule" in capsys.readouterr().err
