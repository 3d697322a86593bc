"""The frozen holdout of really converted notebooks: whose labels they are, where they go, and registered models asked about them."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from palmerpenguins import load_penguins

from jupyter_mlops.promotion.gates.holdout_data import HoldoutData
from jupyter_mlops.promotion.gates.kinds import Champion, GateResult, Subject
from jupyter_mlops.promotion.gates.metrics import Metrics
from jupyter_mlops.promotion.holdout import FILE
from jupyter_mlops.tracking.lifecycle import apply_lifecycle, fetch_archive, find_version
from jupyter_mlops.workflows.convert import ConvertOptions, convert
from jupyter_mlops.workflows.promote import PromoteOptions, PromoteResult, promote
from jupyter_mlops.workflows.registered_model import predict_registered
from tests.conftest import Converted
from tests.notebooks import Cell, write_notebook
from tests.promotable import MODEL, model_folder, quick_project
from tests.unit.promotion.registry import add_version

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("penguins"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning:mlflow", "ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def uri(converted: Callable[[str], Converted], tmp_path: Path) -> str:
    """A store of this test's own that has the converted notebook as version 1."""
    shutil.copyfile(converted(MODEL).folder.parent / "mlflow.db", tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


def test_it_holds_what_the_notebook_evaluates_on(converted: Callable[[str], Converted]) -> None:
    done = converted(MODEL)
    made = json.loads((done.folder / FILE).read_text(encoding="utf-8"))
    assert made["source"] == {"measure": "accuracy_score", "cell": 10, "line": 2}
    assert made["evaluated_on"] == "rows held out"
    rows, labels = made["rows"], made["labels"]
    assert len(rows) == len(labels) == len(made["predictions"]) == 103
    right = sum(a == b for a, b in zip(labels, made["predictions"], strict=True)) / len(labels)
    assert right == pytest.approx(done.report["metrics"]["accuracy"])
    table = load_penguins()
    for row, label in zip(rows, labels, strict=True):
        same = table[(table["bill_length_mm"] == row["bill_length_mm"]) & (table["body_mass_g"] == row["body_mass_g"])]
        assert label in set(same["species"])


def test_it_goes_into_the_archive_and_nowhere_else(uri: str, converted: Callable[[str], Converted], tmp_path: Path) -> None:
    project = converted(MODEL).folder
    archive = fetch_archive(uri, find_version(uri, MODEL, "1").run_id, tmp_path)
    assert archive is not None and FILE in zipfile.ZipFile(archive).namelist()
    assert not list(model_folder(uri, "1").rglob("holdout*"))
    assert "holdout" not in (project / "Dockerfile").read_text(encoding="utf-8")
    assert "holdout" in (project / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "103 labelled rows" in (project / "README.md").read_text(encoding="utf-8")


# -- registered models --------------------------------------------------------------------------------------------------


def _subject(project: Path, model: Path, champion: Path | None = None) -> Subject:
    def gives(path: Path) -> Callable[[], Path]:
        return lambda: path

    return Subject(
        model=MODEL, version="2", project=project, tags={}, python=sys.executable, compare=lambda tell: {}, registered=gives(model),
        champion=None if champion is None else Champion("1", gives(project), gives(champion)),
        predict=lambda folder, rows, tell: predict_registered(folder, rows),
    )  # fmt: skip


def _changed(model: Path, copy: Path, file: str, old: str, new: str) -> Path:
    """A copy of a registered model with other code."""
    shutil.copytree(model, copy)
    path = copy / "code" / MODEL / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return copy


def _judged(given: Subject) -> GateResult:
    return Metrics().run(given, lambda message, fraction: None)


def test_registered_models_are_asked(uri: str, converted: Callable[[str], Converted], tmp_path: Path) -> None:
    project, model = converted(MODEL).folder, model_folder(uri, "1")
    assert HoldoutData().run(_subject(project, model), lambda message, fraction: None).status == "passed"
    first = _judged(_subject(project, model))
    assert first.status == "passed" and "always answering 'Adelie', the most frequent class" in first.message
    assert first.figures["challenger"] == pytest.approx(converted(MODEL).report["metrics"]["accuracy"], abs=1e-6)
    again = _judged(_subject(project, model, model))
    assert (again.status, again.figures["difference"]) == ("passed", 0)

    columns = "COLUMNS: dict[str, str] = {"
    needy = _changed(model, tmp_path / "needy", "schema.py", columns, columns + '"diet": "object",')
    result = _judged(_subject(project, model, needy))
    assert (result.status, result.ask) == ("inconclusive", True)
    assert "needs columns that the holdout of this version does not have: diet." in result.message

    build = "def build_features("
    choosy = _changed(model, tmp_path / "choosy", "features.py", build, f"raise ValueError('not today')\n\n\n{build}")
    result = _judged(_subject(project, model, choosy))
    assert (result.status, result.ask) == ("inconclusive", True)
    assert "not today" in result.message and "not today" in str(result.log)


def test_a_row_that_the_model_refuses_is_an_answer_too(uri: str) -> None:
    found = predict_registered(model_folder(uri, "1"), [{"island": "Biscoe"}])
    assert found["missing"][:2] == ["bill_length_mm", "bill_depth_mm"] and "needs columns" in found["error"]


# -- on the way into production -----------------------------------------------------------------------------------------


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_MLOPS_DATABASE", f"sqlite:///{tmp_path / 'mlops.db'}")


def _promote(uri: str, project: Path, scratch: Path) -> PromoteResult:
    (project / "tests" / "test_golden.py").write_text("def test_nothing():\n    pass\n", encoding="utf-8")
    add_version(uri, MODEL, project, scratch, author="ada", source=model_folder(uri, "1"))
    return promote(MODEL, None, PromoteOptions(tracking_uri=uri, user="ada"))


def _step(result: PromoteResult, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in result.view["steps"] if one["name"] == name)
    return found


@pytest.mark.usefixtures("database")
def test_a_holdout_with_missing_columns_stops_a_promotion(uri: str, tmp_path: Path) -> None:
    project = quick_project(uri, tmp_path)
    made = json.loads((project / FILE).read_text(encoding="utf-8"))
    made["rows"] = [{name: value for name, value in row.items() if name != "island"} for row in made["rows"]]
    (project / FILE).write_text(json.dumps(made), encoding="utf-8")
    apply_lifecycle(uri, MODEL, "1", None)
    result = _promote(uri, project, tmp_path / "scratch")
    assert (result.status, result.exit_code) == ("failed", 1)
    assert _step(result, "data")["status"] == "failed" and "column island is missing" in _step(result, "data")["message"]
    assert _step(result, "metrics")["status"] == "pending"
    assert find_version(uri, MODEL, "2").champion == "1"


@pytest.mark.usefixtures("database")
def test_a_version_without_a_holdout_is_for_whoever_approves(uri: str, tmp_path: Path) -> None:
    project = quick_project(uri, tmp_path)
    shutil.rmtree(project / "holdout")
    apply_lifecycle(uri, MODEL, "1", None)
    result = _promote(uri, project, tmp_path / "scratch")
    assert result.status == "waiting", result.view
    assert {_step(result, name)["status"] for name in ("data", "metrics")} == {"inconclusive"}
    assert "Evaluate the model in the notebook" in _step(result, "data")["message"]


# -- other notebooks ----------------------------------------------------------------------------------------------------

IMPORTS = """
import numpy as np
from palmerpenguins import load_penguins
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, mean_absolute_error
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.preprocessing import LabelEncoder
"""
FEATURES = """
df = penguins.dropna().copy()
df["ratio"] = df["bill_length_mm"] / df["bill_depth_mm"]
X = df[["ratio", "flipper_length_mm"]]
"""
SPLIT = "\nX_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0)\n"
LOGARITHMS = [
    ("features", FEATURES + 'y = np.log1p(df["body_mass_g"])' + SPLIT),
    ("train", "model = LinearRegression().fit(X_train, y_train)"),
    ("evaluate", "predicted = np.expm1(model.predict(X_test))\nmae = mean_absolute_error(np.expm1(y_test), predicted)"),
]
CODES = [
    ("features", FEATURES + 'encoder = LabelEncoder()\ny = encoder.fit_transform(df["species"])' + SPLIT),
    ("train", "model = LogisticRegression(max_iter=2000).fit(X_train, y_train)"),
    ("evaluate", "predicted = encoder.inverse_transform(model.predict(X_test))\nacc = accuracy_score(encoder.inverse_transform(y_test), predicted)"),
]  # fmt: skip
SPECIES = [
    ("features", FEATURES + 'y = df["species"]' + SPLIT),
    ("train", "model = LogisticRegression(max_iter=2000).fit(X_train, y_train)"),
]
TRAINING = [*SPECIES, ("evaluate", "acc = accuracy_score(y_train, model.predict(X_train))")]
PARTLY = [*SPECIES, ("evaluate", "acc = accuracy_score(y, model.predict(X))")]
COLUMN = [*SPECIES, ("evaluate", "predicted = model.predict(X_test)\nprint(cross_val_score(model, X, y).mean())")]
NEVER = [*SPECIES, ("evaluate", "print(cross_val_score(model, X, y).mean())")]


def _converted(folder: Path, cells: list[Cell]) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """The holdout and the report."""
    notebook = write_notebook(folder / "small.ipynb", [("imports", IMPORTS), ("load", "penguins = load_penguins()"), *cells])
    result = convert(notebook, folder / "small", ConvertOptions(register=False))
    assert result.ok, result.report.error
    assert result.report.boundary == "raw"
    path = folder / "small" / FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None, result.report.as_dict()


def _raw_values(rows: list[dict[str, Any]], column: str) -> list[set[Any]]:
    """What the raw table has in a column, for rows like these."""
    table = load_penguins()
    keys = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm"]
    known: dict[Any, set[Any]] = {}
    for values, value in zip(table[keys].itertuples(index=False), table[column], strict=True):
        known.setdefault(tuple(values), set()).add(value)
    return [known[tuple(row[key] for key in keys)] for row in rows]


def test_labels_in_logarithms_are_those_of_the_raw_table(tmp_path: Path) -> None:
    made, report = _converted(tmp_path, LOGARITHMS)
    assert made is not None and made["source"]["measure"] == "mean_absolute_error"
    for label, values in zip(made["labels"], _raw_values(made["rows"], "body_mass_g"), strict=True):
        assert any(label == pytest.approx(value) for value in values)
    errors = [abs(a - b) for a, b in zip(made["labels"], made["predictions"], strict=True)]
    assert sum(errors) / len(errors) == pytest.approx(report["metrics"]["mae"])


def test_labels_in_codes_get_their_names(tmp_path: Path) -> None:
    made, report = _converted(tmp_path, CODES)
    assert made is not None
    assert all(label in values for label, values in zip(made["labels"], _raw_values(made["rows"], "species"), strict=True))
    right = [a == b for a, b in zip(made["labels"], made["predictions"], strict=True)]
    assert sum(right) / len(right) == pytest.approx(report["metrics"]["acc"])


def test_an_evaluation_on_the_training_rows_is_said(tmp_path: Path) -> None:
    made, report = _converted(tmp_path, TRAINING)
    assert made is not None and made["evaluated_on"] == "training rows" and len(made["rows"]) == 233
    [problem] = [one for one in report["problems"] if one["code"] == "holdout-trained-on"]
    assert (problem["severity"], problem["cell"]) == ("info", 5) and "rows held out" in problem["fix"]


def test_of_an_evaluation_on_everything_the_rows_held_out_are_taken(tmp_path: Path) -> None:
    made, report = _converted(tmp_path, PARTLY)
    assert made is not None and (made["evaluated_on"], len(made["rows"])) == ("rows held out", 100)
    assert not [one for one in report["problems"] if one["code"] == "holdout-trained-on"]


def test_without_a_measure_the_column_that_was_learned_tells(tmp_path: Path) -> None:
    made, _ = _converted(tmp_path, COLUMN)
    assert made is not None and made["source"] == {"measure": "column", "cell": None, "line": None}
    assert all({label} <= values for label, values in zip(made["labels"], _raw_values(made["rows"], "species"), strict=True))


def test_a_model_that_is_never_measured_has_no_holdout(tmp_path: Path) -> None:
    made, report = _converted(tmp_path, NEVER)
    assert made is None
    [problem] = [one for one in report["problems"] if one["code"] == "no-holdout"]
    assert problem["severity"] == "info" and "Evaluate the model on rows held out" in problem["fix"]
