"""Suites as files: stable, readable, written in one step, and never at the cost of a person's edits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from jupyter_mlops.data.expectations.library import quiet
from jupyter_mlops.data.expectations.suite import Expectation, Suite, read_suite, suite_path, write_suite
from jupyter_mlops.errors import OutputError, UsageError
from jupyter_mlops.workflows.validate import Validation, validate_cell

FRAME = pd.DataFrame({"age": [1.0, 2.0, None], "name": ["a", "b", "c"]})
AGE = 'expect_column_values_to_be_between("age", 0, 10)'


def cell(
    folder: Path, body: str, *, frame: Any = FRAME, suite: str | None = None, infer: bool = False, warn: bool = False
) -> Validation:
    return validate_cell(body, frame, frame_name="df", namespace={}, suite=suite, infer=infer, warn=warn, folder=folder)


def kept(folder: Path) -> list[Path]:
    return sorted((folder / "expectations").glob("*.kept"))


def test_a_file_is_read_back_and_great_expectations_reads_it(tmp_path: Path) -> None:
    with quiet():
        import great_expectations as gx

    suite = Suite(
        "s", (Expectation("expect_column_values_to_be_in_set", {"column": "name", "value_set": list("abcdefgh") * 6}, "info"),)
    )
    path = suite_path(tmp_path, "s")
    write_suite(suite, path)
    text = path.read_text(encoding="utf-8")
    assert read_suite(path).expectations == suite.expectations
    assert Suite("s", read_suite(path).expectations).text() == text
    assert max(map(len, text.splitlines())) < 120, "one value a line where it is long"
    made = gx.ExpectationSuite(**json.loads(text)).expectations[0]
    assert made.expectation_type == "expect_column_values_to_be_in_set"
    assert made.severity == "info"


def test_the_cell_writes_its_suite_only_when_it_changed(tmp_path: Path) -> None:
    cell(tmp_path, AGE)
    path = tmp_path / "expectations" / "df.json"
    before = path.stat().st_mtime_ns, path.read_text(encoding="utf-8")
    assert not cell(tmp_path, AGE).notes
    assert (path.stat().st_mtime_ns, path.read_text(encoding="utf-8")) == before
    changed = cell(tmp_path, AGE.replace("10", "11"))
    assert not changed.notes, "what a cell wrote, a cell may replace"
    assert '"max_value": 11' in path.read_text(encoding="utf-8")
    assert not kept(tmp_path)
    assert [one.name for one in path.parent.iterdir()] == ["df.json"], "no partial file is left"


def test_edits_by_hand_are_run_by_an_empty_cell_and_kept_when_a_cell_replaces_them(tmp_path: Path) -> None:
    cell(tmp_path, AGE)
    path = tmp_path / "expectations" / "df.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"max_value": 10', '"max_value": 1'), encoding="utf-8")
    edited = path.read_text(encoding="utf-8")
    found = cell(tmp_path, "# as it stands")
    assert [one.unexpected for one in found.failures] == [1]
    assert path.read_text(encoding="utf-8") == edited
    found = cell(tmp_path, AGE)
    assert found.success
    (aside,) = kept(tmp_path)
    assert aside.read_text(encoding="utf-8") == edited
    assert "edited by hand" in found.notes[0]
    assert aside.name in found.notes[0]
    assert "max_value=1)" in found.notes[0]
    assert not cell(tmp_path, AGE).notes, "it is said once"


def test_a_suite_of_another_tool_keeps_its_notes(tmp_path: Path) -> None:
    path = tmp_path / "expectations" / "df.json"
    path.parent.mkdir()
    theirs = {
        "name": "df",
        "expectations": [{"type": "expect_column_to_exist", "kwargs": {"column": "age"}}],
        "meta": {"owner": "Ada"},
    }
    path.write_text(json.dumps(theirs), encoding="utf-8")
    assert cell(tmp_path, "").success
    cell(tmp_path, AGE)
    assert read_suite(path).meta["owner"] == "Ada"
    assert json.loads(kept(tmp_path)[0].read_text(encoding="utf-8")) == theirs


def test_a_file_that_cannot_be_read_is_kept_and_said(tmp_path: Path) -> None:
    path = tmp_path / "expectations" / "df.json"
    path.parent.mkdir()
    path.write_text("{ broken", encoding="utf-8")
    with pytest.raises(UsageError, match="is not JSON"):
        cell(tmp_path, "")
    assert "was kept as" in cell(tmp_path, AGE).notes[0]
    assert kept(tmp_path)[0].read_text(encoding="utf-8") == "{ broken"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "is no suite"),
        ('{"expectations": [1]}', "expectation 1 is no object"),
        ('{"expectations": [{"type": 1}]}', "expectation 1 needs a 'type'"),
        ('{"expectations": [{"type": "expect_column_to_exist", "kwargs": {}, "severity": "bad"}]}', "severity 'bad'"),
        ('{"expectations": [{"type": "expect_nothing_like_it_at_all", "kwargs": {}}]}', "There is no expectation"),
        ('{"expectations": [{"type": "expect_column_values_to_be_between", "kwargs": {"column": "age"}}]}', "cannot both be None"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "expectations" / "df.json"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        cell(tmp_path, "")


@pytest.mark.parametrize("name", ["../away", "a/b", "", ".", "x" * 200, "..", "a\n"])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a suite"):
        suite_path(tmp_path, name)


def test_there_is_nothing_to_run(tmp_path: Path) -> None:
    cell(tmp_path, AGE, suite="other")
    with pytest.raises(UsageError, match=r"There are: other\. Write expectations into the cell, or learn some with --infer"):
        cell(tmp_path, "")


def test_a_folder_that_cannot_be_written_does_not_stop_the_guard(tmp_path: Path) -> None:
    (tmp_path / "expectations").write_text("a file is in the way")
    found = cell(tmp_path, AGE.replace("10", "1"))
    assert not found.success
    assert "The suite was not stored" in found.notes[0]
    with pytest.raises(OutputError, match="cannot be written"):
        cell(tmp_path, "", infer=True)


def test_only_tables_are_validated(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="df is a list, not a pandas DataFrame"):
        cell(tmp_path, AGE, frame=[1])
    with pytest.raises(UsageError, match="several columns of the same name"):
        cell(tmp_path, AGE, frame=pd.DataFrame([[1, 2]], columns=["age", "age"]))
    with pytest.raises(UsageError, match="--infer learns a suite and takes an empty cell"):
        cell(tmp_path, AGE, infer=True)
