"""Suggested stages and tags: what loads, prepares, fits and measures is found by the dataflow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyter_mlops.convert.suggest_cells import Suggestion, suggest, whole_parts
from jupyter_mlops.notebook.dataflow import Analysis, analyse
from jupyter_mlops.notebook.read import read_notebook
from tests.conftest import EXAMPLES, ROOT
from tests.notebooks import PENGUINS, Cell, write_notebook

IMPORTS = """
import numpy as np
import pandas as pd
from sklearn.datasets import load_iris, make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, classification_report
from sklearn.model_selection import train_test_split
"""


def _suggest(tmp_path: Path, cells: list[Cell]) -> tuple[Analysis, Suggestion]:
    analysis = analyse(read_notebook(write_notebook(tmp_path / "untagged.ipynb", cells)))
    return analysis, suggest(analysis)


def _tags(tmp_path: Path, *sources: str) -> list[str | None]:
    """Tag of each cell; "mixed" where none does, None where none is suggested."""
    _, suggestion = _suggest(tmp_path, [("", IMPORTS), *(("", one) for one in sources)])
    found = {one.cell: one.tag or "mixed" for one in suggestion.cells}
    assert found.pop(1) == "imports"
    return [None if number not in found else str(found[number]) for number in range(2, len(sources) + 2)]


def _by_statement(tmp_path: Path, source: str) -> dict[str, str]:
    analysis, suggestion = _suggest(tmp_path, [("", IMPORTS), ("", source)])
    return {s.source: str(suggestion.stages.of.get(s.index, "")) for s in analysis.statements if s.cell == 2}


FIT = "model = LogisticRegression().fit(X, y)"


def test_the_tags_of_a_tagged_notebook_are_found_again(tmp_path: Path) -> None:
    bare: list[Cell] = [(tag if tag == "md" else "", source) for tag, source in PENGUINS]
    _, suggestion = _suggest(tmp_path, bare)
    assert {one.cell: str(one.tag) for one in suggestion.cells} == {
        number: tag for number, (tag, _) in enumerate(PENGUINS, start=1) if tag not in ("", "md")
    }


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_tags_of_the_examples_are_found_again(name: str, tmp_path: Path) -> None:
    data = json.loads((ROOT / "example_notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    tags = {n: c["metadata"].pop("tags", []) for n, c in enumerate(data["cells"], start=1)}
    (tmp_path / "bare.ipynb").write_text(json.dumps(data), encoding="utf-8")
    suggestion = suggest(analyse(read_notebook(tmp_path / "bare.ipynb")))
    found = {one.cell: str(one.tag or "mixed") for one in suggestion.cells}
    for number, given in tags.items():
        if given and given != ["skip"]:
            # What the author counted as loading though it prepares is told apart.
            assert found[number] == given[0] or (given == ["load"] and found[number] == "mixed"), (number, given)
        if given == ["skip"]:
            assert number not in found or found[number] == "evaluate"


def test_cells_that_the_model_does_not_need_get_no_tag(tmp_path: Path) -> None:
    found = _tags(
        tmp_path,
        "df = pd.read_csv('a.csv')\ndf.head()",
        "df.describe()",
        "other = pd.read_csv('b.csv')\nother.hist()",
        "X, y = df[['a']], df['y']",
        FIT,
        "print(classification_report(y, model.predict(X)))",
    )
    assert found == ["load", None, None, "features", "train", "evaluate"]


@pytest.mark.parametrize(
    ("source", "load"),
    [
        ("df = pd.read_csv('a.csv')\nX, y = df[['a']], df['y']", ["df = pd.read_csv('a.csv')"]),
        ("path = 'a.csv'\ndf = pd.read_csv(path)\nX, y = df[['a']], df['y']", ["path = 'a.csv'", "df = pd.read_csv(path)"]),
        ("X, y = make_moons()", ["X, y = make_moons()"]),
        ("d = load_iris()\nX = d.data\ny = d.target", ["d = load_iris()", "X = d.data", "y = d.target"]),
        ("d = load_iris()\nX = d.data[:, 2:]\ny = d.target", ["d = load_iris()"]),
        ("d = load_iris()\ndf = pd.DataFrame(d.data)\nX = df[[0]]\ny = d.target", ["d = load_iris()", "df = pd.DataFrame(d.data)"]),
        ("df = pd.DataFrame({'a': [1, 2], 'y': [0, 1]})\nX, y = df[['a']], df['y']", ["df = pd.DataFrame({'a': [1, 2], 'y': [0, 1]})"]),
        ("X = np.random.rand(9, 2)\ny = X[:, 0] > 0.5", ["X = np.random.rand(9, 2)"]),
        (
            "a = pd.read_csv('a.csv')\nb = pd.read_csv('b.csv')\ndf = a.merge(b)\ndf = df.dropna()\nX, y = df[['a']], df['y']",
            ["a = pd.read_csv('a.csv')", "b = pd.read_csv('b.csv')", "df = a.merge(b)"],
        ),
        (
            "a = pd.read_csv('a.csv')\nb = pd.read_csv('b.csv')\na = a.assign(c=a.x.map(b.c))\nX, y = a[['c']], a['y']",
            ["a = pd.read_csv('a.csv')"],
        ),
        ("def read():\n    return pd.read_csv('a.csv')\ndf = read()\nX, y = df[['a']], df['y']", ["df = read()"]),
    ],
)  # fmt: skip
def test_what_binds_the_raw_table(tmp_path: Path, source: str, load: list[str]) -> None:
    found = _by_statement(tmp_path, f"{source}\n{FIT}")
    assert [text for text, stage in found.items() if stage == "load"] == load
    assert found[FIT] == "train"


def test_a_cell_of_everything_is_taken_apart(tmp_path: Path) -> None:
    source = (
        "import re\n# the data\ndf = pd.read_csv('a.csv')\ndf.head()\nX, y = df[['a']], df['y']\n\n"
        "model = LogisticRegression()\nmodel.fit(X, y)\n\nprint(accuracy_score(y, model.predict(X)))"
    )
    analysis, suggestion = _suggest(tmp_path, [("", IMPORTS), ("", source)])
    one = suggestion.cells[1]
    assert one.tag is None
    assert "mixed" in one.reason
    whole = whole_parts(analysis.notebook.cells[1], one.parts)
    assert [(str(p.stage), p.first_line, p.last_line) for p in whole] == [
        ("imports", 1, 1), ("load", 2, 4), ("features", 5, 6), ("train", 7, 9), ("evaluate", 10, 10),
    ]  # fmt: skip


def test_a_cell_magic_is_not_split(tmp_path: Path) -> None:
    source = "%%time\ndf = pd.read_csv('a.csv')\nX, y = df[['a']], df['y']\nmodel = LogisticRegression().fit(X, y)"
    analysis, suggestion = _suggest(tmp_path, [("", IMPORTS), ("", source)])
    assert suggestion.cells[1].parts
    assert whole_parts(analysis.notebook.cells[1], suggestion.cells[1].parts) == ()


def test_no_half_of_a_stage_is_tagged(tmp_path: Path) -> None:
    """The address is in a cell of its own, but the cell that reads it is mixed: a tag on the first alone would mislead."""
    found = _tags(tmp_path, "path = 'a' + '.csv'", f"df = pd.read_csv(path)\nX, y = df[['a']], df['y']\n{FIT}")
    assert found == ["mixed", "mixed"]


def test_plain_values_that_are_used_are_parameters(tmp_path: Path) -> None:
    found = _tags(
        tmp_path, "note = 'nothing uses this'", "depth = 3\nshare = 0.25", "df = pd.read_csv('a.csv')",
        "X, y = df[['a']].clip(upper=depth), df['y']", FIT, "k = 3",
    )  # fmt: skip
    assert found == [None, "parameters", "load", "features", "train", None]


def test_a_value_that_is_bound_again_is_no_parameter(tmp_path: Path) -> None:
    found = _tags(
        tmp_path, "df = pd.read_csv('a.csv')", "n = 3", "X, y = df[['a']].head(n), df['y'].head(n)", FIT, "n = 4\nprint(n)"
    )
    assert "parameters" not in found


def test_asserts_on_the_table_and_on_the_results(tmp_path: Path) -> None:
    found = _tags(
        tmp_path,
        "df = pd.read_csv('a.csv')",
        "assert len(df) > 10",
        "X, y = df[['a']], df['y']",
        "assert X.shape[1] == 1",
        FIT,
        "accuracy = accuracy_score(y, model.predict(X))",
        "low = 0.5\nassert accuracy > low",
    )
    assert found == ["load", "validate", "features", None, "train", "evaluate", "test"]


def test_tags_that_are_there_are_kept_and_win(tmp_path: Path) -> None:
    cells: list[Cell] = [
        ("", IMPORTS),
        ("", "raw = pd.read_csv('a.csv')"),
        ("load", "df = raw.dropna()"),
        ("", "X, y = df[['a']], df['y']"),
        ("skip", "X = X.head(3)"),
        ("", FIT),
        ("", "model.score(X, y)"),
    ]
    analysis, suggestion = _suggest(tmp_path, cells)
    found = {one.cell: str(one.tag) for one in suggestion.cells}
    assert found == {1: "imports", 2: "load", 4: "features", 6: "train", 7: "evaluate"}
    staged = suggestion.staged(analysis)
    assert {s.cell: str(s.stage) for s in staged.statements if s.cell in (3, 5)} == {3: "load", 5: "skip"}


def test_statements_of_one_cell_have_stages_of_their_own(tmp_path: Path) -> None:
    analysis, suggestion = _suggest(
        tmp_path, [("", IMPORTS), ("", f"df = pd.read_csv('a.csv')\nX, y = df[['a']], df['y']\n{FIT}")]
    )
    staged = suggestion.staged(analysis)
    assert [str(s.stage) for s in staged.statements if s.cell == 2] == ["load", "features", "train"]
    assert staged.notebook.cells[1].stage is None
    assert {s.stage for s in analysis.statements} == {None}


def test_without_a_model_only_imports_are_suggested(tmp_path: Path) -> None:
    _, suggestion = _suggest(tmp_path, [("", IMPORTS), ("", "df = pd.read_csv('a.csv')\ndf.plot()")])
    assert suggestion.problem is not None
    assert suggestion.problem.code == "no-model"
    assert [(one.cell, str(one.tag)) for one in suggestion.cells] == [(1, "imports")]
