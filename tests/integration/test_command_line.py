"""The command: help, exit codes, events as JSON, and nothing heavy loaded before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from tests.conftest import ROOT
from tests.notebooks import PENGUINS, write_notebook

HEAVY = ("IPython", "jinja2", "mlflow", "nbclient", "nbconvert", "nbformat", "numpy", "onnx", "onnxruntime", "pandas", "sklearn")


def _run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jupyter_mlops", *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize("code", ["import jupyter_mlops", "import jupyter_mlops.cli", "import jupyter_mlops.workflows.convert"])
def test_nothing_heavy_is_imported_at_start(code: str) -> None:
    probe = f"{code}; import sys; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("arguments", [("-h",), ("convert", "-h"), ("tag", "-h")])
def test_help_names_the_exit_codes(arguments: tuple[str, ...]) -> None:
    done = _run(*arguments)
    assert done.returncode == 0
    assert "Exit codes" in done.stdout


@pytest.mark.parametrize("arguments", [(), ("no-such-command",), ("convert",), ("convert", "x.ipynb")])
def test_a_wrong_call_ends_with_2(arguments: tuple[str, ...]) -> None:
    done = _run(*arguments)
    assert done.returncode == 2
    assert "usage" in done.stderr


def test_jupyter_finds_the_command() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("jupyter"), "mlops", "--version"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("jupyter-mlops ")


def test_json_prints_one_event_a_line_and_the_report_last(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "penguins.ipynb", PENGUINS)
    done = _run("convert", str(notebook), "-o", str(tmp_path / "out"), "--no-run", "--json")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    finished = [line["step"] for line in lines[:-1] if line["status"] in ("done", "skipped")]
    assert finished == ["read", "analyse", "lift", "plan", "render", "run", "export", "verify", "register"]
    schema = json.loads((ROOT / "jupyter_mlops" / "schema" / "report.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(lines[-1], schema)
    assert lines[-1]["status"] == "generated"


def test_parameters_reach_the_settings(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "penguins.ipynb", PENGUINS)
    done = _run(
        "convert", str(notebook), "-o", str(tmp_path / "out"), "--no-run", "-p", "n_estimators", "7", "-p", "heavy", "1e3"
    )
    assert done.returncode == 0, done.stderr
    params = (tmp_path / "out" / "params.yaml").read_text(encoding="utf-8")
    assert "n_estimators: 7" in params
    assert "heavy: 1000.0" in params
