"""Bad input: a clear message with the cell and what to do, the right exit code, nothing half-written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.cli import main
from jupyter_mlops.workflows.convert import ConvertOptions, ConvertResult, convert
from tests.notebooks import PENGUINS, Cell, write_notebook

OFFLINE = ConvertOptions(register=False)


def _convert(tmp_path: Path, cells: list[Cell], options: ConvertOptions = OFFLINE, **notebook: Any) -> ConvertResult:
    path = write_notebook(tmp_path / "case.ipynb", cells, **notebook)
    return convert(path, tmp_path / "out", options)


def _with(tag: str, source: str) -> list[Cell]:
    """The penguins with the cell of one tag replaced."""
    return [(t, source if t == tag else s) for t, s in PENGUINS]


def _codes(result: ConvertResult) -> set[str]:
    return {p.code for p in result.report.problems if p.severity == "error"}


def _nothing_but_a_report(tmp_path: Path) -> None:
    left = sorted(p.name for p in tmp_path.iterdir())
    assert left in (["case.ipynb"], ["case.ipynb", "out"])
    if "out" in left:
        assert {p.name for p in (tmp_path / "out").iterdir()} == {"report.json", ".jupyter-mlops.json"}
        assert json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["status"] == "failed"


@pytest.mark.parametrize(
    ("content", "expected"),
    [("not json", "JSON"), ("{}", "notebook"), ('{"nbformat": 3, "worksheets": [], "metadata": {}, "nbformat_minor": 0}', "nbformat")],
)  # fmt: skip
def test_a_file_that_is_no_notebook(tmp_path: Path, content: str, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "case.ipynb"
    path.write_text(content, encoding="utf-8")
    assert main(["convert", str(path), "-o", str(tmp_path / "out")]) == 2
    assert expected.lower() in capsys.readouterr().err.lower()


def test_no_such_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(tmp_path / "no.ipynb"), "-o", str(tmp_path / "out")]) == 2
    assert "no.ipynb" in capsys.readouterr().err
    assert not list(tmp_path.glob(".*"))


def test_another_language(tmp_path: Path) -> None:
    result = _convert(tmp_path, PENGUINS, kernel="ir", language="R")
    assert result.exit_code == 2
    assert "kernel 'ir'" in (result.report.error or "")


def test_a_syntax_error_is_named_with_cell_and_line(tmp_path: Path) -> None:
    result = _convert(tmp_path, _with("features", "a = 1\nb = = 2"))
    assert result.exit_code == 1
    problem = next(p for p in result.report.problems if p.code == "syntax-error")
    assert (problem.cell, problem.line) == (8, 2)
    assert result.report.failed_step == "analyse"
    _nothing_but_a_report(tmp_path)


def test_a_failing_cell_is_named_with_its_line(tmp_path: Path) -> None:
    result = _convert(tmp_path, _with("features", 'x = 1\ndf = penguins["no_such_column"]'))
    assert result.exit_code == 1
    assert result.report.failed_step in ("run", "analyse")
    _nothing_but_a_report(tmp_path)


def test_a_cell_that_raises(tmp_path: Path) -> None:
    cells = [*PENGUINS, ("", "import math\nmath.sqrt(-1)")]
    result = _convert(tmp_path, cells)
    assert result.exit_code == 1
    assert result.report.failed_step == "run"
    assert "Cell 12, line 2" in (result.report.error or "")
    assert "ValueError" in (result.report.error or "")
    _nothing_but_a_report(tmp_path)


def test_no_model(tmp_path: Path) -> None:
    cells = [(t, s) for t, s in PENGUINS if t not in ("train", "evaluate", "test")]
    assert _codes(_convert(tmp_path, cells)) == {"no-model"}


def test_an_unknown_model(tmp_path: Path) -> None:
    result = _convert(tmp_path, PENGUINS, ConvertOptions(register=False, model="forest"))
    assert _codes(result) == {"unknown-model"}
    assert "model" in (result.report.error or "")


def test_without_tags_and_without_data(tmp_path: Path) -> None:
    cells = [
        ("", "from sklearn.linear_model import LinearRegression"),
        ("", "model = LinearRegression()\nmodel.fit([[1.0], [2.0]], [1.0, 2.0])\nmodel.score([[1.0], [2.0]], [1.0, 2.0])"),
    ]
    result = _convert(tmp_path, cells)
    assert _codes(result) == {"missing-tag"}
    assert "'load'" in (result.report.error or "")
    _nothing_but_a_report(tmp_path)


def test_a_second_table_of_the_load_cell_is_state(tmp_path: Path) -> None:
    cells = _with("load", "penguins = load_penguins()\nislands = pd.DataFrame({'island': ['Biscoe'], 'area': [1.0]})")
    cells = [
        (t, s.replace("df = penguins", "df = penguins.merge(islands, how='left')") if t == "features" else s) for t, s in cells
    ]
    result = _convert(tmp_path, cells)
    assert result.ok, result.report.error
    assert result.report.boundary == "raw"
    assert [entry["name"] for entry in result.report.state] == ["islands"]


def test_a_missing_package(tmp_path: Path) -> None:
    result = _convert(tmp_path, _with("load", "import no_such_package_xyz\npenguins = load_penguins()"))
    assert result.exit_code == 2
    assert "no_such_package_xyz" in (result.report.error or "")
    assert "Cell 5" in (result.report.error or "")


def test_a_kernel_that_is_not_installed(tmp_path: Path) -> None:
    result = _convert(tmp_path, PENGUINS, kernel="no-such-kernel")
    assert result.exit_code == 2
    assert "no-such-kernel" in (result.report.error or "")


def test_an_unknown_parameter_and_one_of_another_type(tmp_path: Path) -> None:
    result = _convert(tmp_path, PENGUINS, ConvertOptions(parameters=[("n_estimator", "3")], register=False))
    assert result.exit_code == 2
    assert "Did you mean 'n_estimators'" in (result.report.error or "")
    result = _convert(tmp_path, PENGUINS, ConvertOptions(parameters=[("n_estimators", "many")], register=False))
    assert result.exit_code == 2
    assert "'many'" in (result.report.error or "")


def test_a_lambda_in_the_model_is_refused_with_what_to_do(tmp_path: Path) -> None:
    cells = _with(
        "train",
        "from sklearn.preprocessing import FunctionTransformer\n"
        "model = Pipeline([('f', FunctionTransformer(lambda x: x[NUMBERS])), ('i', SimpleImputer()), ('m', RandomForestClassifier(5))])\n"
        "model.fit(X_train, y_train)",
    )
    result = _convert(tmp_path, cells)
    assert result.exit_code == 1
    assert "lambda" in (result.report.error or "")
    _nothing_but_a_report(tmp_path)


def test_the_tracking_server_is_away(tmp_path: Path) -> None:
    result = _convert(tmp_path, PENGUINS, ConvertOptions(tracking_uri="http://127.0.0.1:9"))
    assert result.exit_code == 2
    assert result.report.failed_step == "register"
    assert "127.0.0.1:9" in (result.report.error or "")
    _nothing_but_a_report(tmp_path)


def test_a_former_project_survives_a_failure(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "case.ipynb", PENGUINS)
    out = tmp_path / "out"
    assert convert(path, out, ConvertOptions(run=False)).ok
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    write_notebook(path, [*PENGUINS, ("", "1 / 0")])
    assert not convert(path, out, OFFLINE).ok
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before


def test_a_kill_in_the_middle_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "case.ipynb", [*PENGUINS, ("", "import time\ntime.sleep(60)")])
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_mlops", "convert", str(path), "-o", str(out), "--json"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "cell 12" in line:
            break
    process.kill()
    process.wait()
    process.stdout.close()
    assert not out.exists()
    assert convert(path, out, ConvertOptions(run=False)).ok
    assert sorted(p.name for p in tmp_path.iterdir()) == ["case.ipynb", "out"]


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("only root can mount a small disk")
    try:
        path = write_notebook(tmp_path / "case.ipynb", PENGUINS)
        result = convert(path, disk / "out", ConvertOptions(run=False))
        assert result.exit_code == 2
        assert "disk is full" in (result.report.error or "")
        assert [p.name for p in disk.iterdir()] == ["out"]
        assert {p.name for p in (disk / "out").iterdir()} == {"report.json", ".jupyter-mlops.json"}
    finally:
        subprocess.run(["umount", disk], check=True)
