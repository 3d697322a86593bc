"""A notebook with `%%validate` cells becomes a project that goes on checking: in training, and for every request."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest

from jupyter_mlops.cli import main
from jupyter_mlops.convert.validated import ROW_WISE, TABLE_ONLY, validate_cells
from jupyter_mlops.notebook.read import read_notebook
from jupyter_mlops.workflows.convert import ConvertOptions, ConvertResult, convert
from jupyter_mlops.workflows.verify import running_service
from tests.notebooks import Cell, write_notebook
from tests.unit.data.expectations.generated import checking_modules

pytestmark = pytest.mark.xdist_group("validate")

RAW = """%%validate penguins --suite measures
SPECIES = ["Adelie", "Chinstrap", "Gentoo"]
expect_column_values_to_be_in_set("species", SPECIES)
expect_column_values_to_not_be_null("bill_length_mm")
expect_column_values_to_be_between("bill_length_mm", 25, longest)
expect_column_values_to_be_in_set("island", ["Biscoe", "Dream", "Torgersen"])
expect_column_values_to_be_between("body_mass_g", 2000, 6000, severity="warning")
expect_column_values_to_be_between("flipper_length_mm", 172, 229, mostly=0.9)
expect_column_values_to_be_dateutil_parseable("island", severity="info")
"""
NOTEBOOK: list[Cell] = [
    ("imports", """
%load_ext jupyter_mlops
from palmerpenguins import load_penguins
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier
"""),
    ("parameters", "longest = 70"),
    ("load", 'penguins = load_penguins().dropna(subset=["bill_length_mm"])'),
    ("validate", RAW),
    ("features", """
df = penguins.copy()
df["heavy"] = df["body_mass_g"] > 4500
"""),
    ("validate", '%%validate df\nexpect_column_values_to_be_in_set("heavy", [True, False])'),
    ("features", """
df["dream"] = df["island"].eq("Dream")
X = df[["bill_length_mm", "flipper_length_mm", "body_mass_g", "heavy", "dream"]]
y = df["species"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0)
"""),
    ("train", "model = DecisionTreeClassifier(max_depth=4, random_state=0).fit(X_train, y_train)"),
    ("evaluate", "accuracy = accuracy_score(y_test, model.predict(X_test))"),
]  # fmt: skip


@dataclass(frozen=True)
class Made:
    """The converted notebook, and its service."""

    folder: Path
    result: ConvertResult
    url: str
    row: dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    home = tmp_path_factory.mktemp("validate")
    notebook = write_notebook(home / "measured.ipynb", NOTEBOOK)
    result = convert(notebook, home / "measured", ConvertOptions(register=False))
    assert result.ok, result.report.error
    row = json.loads((home / "measured" / "model" / "golden.json").read_text(encoding="utf-8"))["rows"][0]
    with running_service(home / "measured") as url:
        yield Made(home / "measured", result, url, row)


def test_the_suites_are_in_the_project_with_the_values_of_the_notebook(made: Made) -> None:
    suite = json.loads((made.folder / "expectations" / "measures.json").read_text(encoding="utf-8"))
    kwargs = [one["kwargs"] for one in suite["expectations"]]
    assert {"column": "bill_length_mm", "min_value": 25, "max_value": 70} in kwargs
    assert [(s.name, s.table, s.placed, s.served) for s in made.result.plan.suites if made.result.plan] == [  # type: ignore[union-attr]
        ("measures", "penguins", True, True), ("df", "df", False, False),
    ]  # fmt: skip
    text = (made.folder / "src" / "measured" / "data.py").read_text(encoding="utf-8")
    assert 'check_expectations(penguins, "measures")' in text
    everything = "".join(path.read_text(encoding="utf-8") for path in made.folder.rglob("*.py"))
    assert "great_expectations" not in everything
    assert "expect_column_values_to_be_in_set(" not in "".join(p.read_text() for p in (made.folder / "src").rglob("data.py"))


def test_what_is_not_checked_is_said(made: Made) -> None:
    said = {(p.code, p.severity): p.message for p in made.result.report.problems}
    messages = [p.message for p in made.result.report.problems]
    assert any("does not check expect_column_values_to_be_dateutil_parseable" in one for one in messages)
    assert any("The table 'df' is not checked when the project trains" in one for one in messages)
    assert "judges them, the service counts" in said["judged-in-training", "info"]
    assert "the proof is that the service refuses them" in said["rows-refused", "info"]


def test_the_proof_is_about_all_rows(made: Made) -> None:
    parity = made.result.report.parity
    assert parity is not None
    assert parity["package"]["rows"] == parity["bundle"]["rows"] > parity["service"]["rows"]
    assert made.result.report.mismatches == 0


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("bill_length_mm", 71, "71.0 breaks expect_column_values_to_be_between(min_value=25, max_value=70)"),
        ("island", "Atlantis", "'Atlantis' breaks expect_column_values_to_be_in_set(value_set=['Biscoe', 'Dream', 'Torgersen'])"),
        ("bill_length_mm", None, "null"),
    ],
)
def test_a_row_that_breaks_a_critical_expectation_is_refused(made: Made, column: str, value: Any, said: str) -> None:
    bad = {**made.row, column: value}
    answer = httpx.post(f"{made.url}/predict", json=bad)
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["body", column]
    assert said in problem["msg"]
    many = httpx.post(f"{made.url}/predict", json=[made.row, bad])
    assert [one["loc"] for one in many.json()["detail"]] == [["body", 1, column]]
    names = list(bad)
    split = {"dataframe_split": {"columns": names, "data": [[made.row[n] for n in names], [bad[n] for n in names]]}}
    assert httpx.post(f"{made.url}/invocations", json=split).json()["detail"][0]["loc"] == ["body", "dataframe_split", 1, column]
    assert httpx.post(f"{made.url}/predict", json=[made.row] * 300 + [bad]).json()["detail"][0]["loc"] == ["body", 300, column]


def test_a_batch_puts_such_rows_aside(made: Made, tmp_path: Path) -> None:
    wrong = {"bill_length_mm": 71.0, "island": "Atlantis", "body_mass_g": 6500.0}  # the last one is a warning
    rows = [made.row, *({**made.row, name: value} for name, value in wrong.items()), {**made.row, "bill_length_mm": None}]
    pd.DataFrame(rows).to_parquet(tmp_path / "rows.parquet")
    assert main(["batch", "--project", str(made.folder), str(tmp_path / "rows.parquet"), str(tmp_path / "out")]) == 0
    bad = pd.read_parquet(tmp_path / "out" / "_bad")
    assert bad["row"].tolist() == [1, 2, 4]
    assert bad["reason"][0].endswith(": 71.0 breaks expect_column_values_to_be_between(min_value=25, max_value=70)")
    assert bad["reason"][1].startswith("column 'island' breaks expect_column_values_to_be_in_set: 'Atlantis' breaks")
    assert bad["reason"][2] == "column 'bill_length_mm' is missing and has to be there"
    assert len(pd.read_parquet(tmp_path / "out" / "part-00000.parquet")) == 2
    doubts = json.loads((tmp_path / "out" / "_SUCCESS").read_text(encoding="utf-8"))["doubts"]
    assert [(name.partition(":")[0], count) for name, count in doubts.items()] == [
        ("column 'body_mass_g' breaks expect_column_values_to_be_between", 1)
    ]


def test_warnings_are_answered_and_counted(made: Made) -> None:
    def count(column: str) -> float:
        lines = httpx.get(f"{made.url}/metrics").text.split("\n")
        found = [line for line in lines if line.startswith("service_expectation_failures_total") and f'column="{column}"' in line]
        return sum(float(line.rsplit(" ", 1)[1]) for line in found if 'severity="warning"' in line)

    for column, value in (("body_mass_g", 6500.0), ("flipper_length_mm", 300.0)):
        before = count(column)
        assert httpx.post(f"{made.url}/predict", json={**made.row, column: value}).status_code == 200
        assert count(column) == before + 1
        assert httpx.post(f"{made.url}/predict", json={**made.row, column: None}).status_code in (200, 422)
        assert count(column) == before + 1, "a missing value is judged by expectations about missing values only"


def test_the_signature_takes_no_null_where_the_notebook_expects_none(made: Made) -> None:
    signature = json.loads((made.folder / "model" / "signature.json").read_text(encoding="utf-8"))
    nullable = {column["name"]: column["nullable"] for column in signature["raw"]["inputs"]}
    assert not nullable["bill_length_mm"]
    assert nullable["flipper_length_mm"], "the model takes it, and the notebook says nothing"


def test_training_stops_at_data_that_breaks_the_suite(made: Made) -> None:
    code = """
import palmerpenguins, pandas as pd
real = palmerpenguins.load_penguins
def broken():
    table = real()
    table.loc[3:20, "bill_length_mm"] = 900.0
    return table
palmerpenguins.load_penguins = broken
from measured.pipeline import run
run()
"""
    environment = {**os.environ, "PYTHONPATH": str(made.folder / "src")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=made.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "ExpectationsFailed" in done.stderr
    assert "bill_length_mm: expect_column_values_to_be_between is broken by 18 of 343 rows" in done.stderr


def test_the_projects_own_tests_of_its_data_pass(made: Made) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_expectations.py"],
        cwd=made.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert "passed" in done.stdout


def test_a_critical_failure_stops_the_conversion_with_its_table(tmp_path: Path) -> None:
    cells = [(tag, source.replace("25, longest", "45, longest") if tag == "validate" else source) for tag, source in NOTEBOOK]
    result = convert(write_notebook(tmp_path / "n.ipynb", cells), tmp_path / "out", ConvertOptions(register=False))
    assert not result.ok
    assert "Cell 4" in (result.report.error or "")
    assert "bill_length_mm" in (result.report.error or "")


def test_without_a_run_the_cells_are_read_as_they_stand(tmp_path: Path) -> None:
    cells: list[Cell] = [
        (tag, source.replace("longest)", "70)").replace(" --suite measures", " --warn")) for tag, source in NOTEBOOK
    ]
    result = convert(write_notebook(tmp_path / "n.ipynb", cells), tmp_path / "out", ConvertOptions(run=False))
    assert result.ok, result.report.error
    suite = json.loads((tmp_path / "out" / "expectations" / "penguins.json").read_text(encoding="utf-8"))
    assert {one["severity"] for one in suite["expectations"]} == {"warning", "info"}, "--warn stops nothing in the project either"
    assert not {"magic", "syntax-error", "error"} & {p.code for p in result.report.problems}
    variables = write_notebook(tmp_path / "v.ipynb", NOTEBOOK)
    result = convert(variables, tmp_path / "other", ConvertOptions(run=False))
    assert "The suite 'measures' is not part of the project" in "".join(p.message for p in result.report.problems)


def test_two_cells_with_one_suite_are_told_apart(tmp_path: Path) -> None:
    cells = [*NOTEBOOK[:3], ("validate", '%%validate penguins\nexpect_column_to_exist("island")'), *NOTEBOOK[4:5],
             ("validate", '%%validate df --suite penguins\nexpect_column_to_exist("heavy")'), *NOTEBOOK[6:]]  # fmt: skip
    result = convert(write_notebook(tmp_path / "n.ipynb", cells), tmp_path / "out", ConvertOptions(run=False))
    assert [(p.cell, p.code) for p in result.report.problems if p.code.startswith("suite")] == [(4, "suite-written-twice")]


def test_cells_and_lines_are_read(tmp_path: Path) -> None:
    cells: list[Cell] = [
        ("", "%%validate df --suite='a b' --warn\n# why\nexpect_x('y')"), ("skip", "%%validate df\nexpect_x('y')"),
        ("", "x = 1\n%validate df --suite=other\ny = 2"), ("", "%%time\n%%validate table\nexpect_x('y')"),
    ]  # fmt: skip
    notebook = read_notebook(write_notebook(tmp_path / "n.ipynb", cells))
    assert not notebook.problems
    assert [(c.cell, c.line, c.table, c.suite, c.warn, c.body) for c in validate_cells(notebook)] == [
        (1, 1, "df", "a b", True, "# why\nexpect_x('y')"), (3, 2, "df", "other", False, ""), (4, 2, "table", "table", False, "expect_x('y')"),
    ]  # fmt: skip


def test_the_converter_knows_what_the_project_can_check(tmp_path: Path) -> None:
    modules = checking_modules(tmp_path)
    given = {"column": "x", "min_value": 0, "max_value": 1, "value_set": [1], "regex": "x", "regex_list": ["x"], "value": 1, "value_pairs_set": [],
             "strftime_format": "%Y", "sum_total": 1}  # fmt: skip
    column = [{"name": "x", "kind": "string", "dtype": "object"}]
    for kind in ROW_WISE:
        assert modules["expectations"].row_test(kind, given, column) is not None, kind
    for kind in TABLE_ONLY:
        assert modules["validation"].supported(kind, given), kind
        assert modules["expectations"].row_test(kind, given, column) is None, kind
    assert not modules["validation"].supported("expect_column_values_to_be_dateutil_parseable", given)


def test_the_command_line_validates_a_file(made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite = str(made.folder / "expectations" / "measures.json")
    frame = pd.DataFrame(
        {
            "species": ["Adelie"],
            "bill_length_mm": [30.0],
            "island": ["2020-01-01"],
            "body_mass_g": [3000],
            "flipper_length_mm": [180],
        }
    )
    frame.to_csv(tmp_path / "data.csv", index=False)
    assert main(["validate", str(tmp_path / "data.csv"), "--suite", suite, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert [(one["column"], one["examples"]) for one in report["failures"]] == [("island", ["2020-01-01"])]
    frame.assign(island="Dream").to_parquet(tmp_path / "good.parquet")
    assert main(["validate", str(tmp_path / "good.parquet"), "--suite", suite]) == 0
    assert "1 of 7 expectations on 1 row fail (1 info" in capsys.readouterr().out
    assert main(["validate", str(tmp_path / "none.csv"), "--suite", suite]) == 2
    assert "does not exist" in capsys.readouterr().err
    (tmp_path / "odd.xyz").write_text("")
    assert main(["validate", str(tmp_path / "odd.xyz"), "--suite", suite]) == 2
