"""The journal of a sweep: what a killed sweep leaves behind can be read, and nobody else writes there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyter_mlops.errors import UsageError
from jupyter_mlops.notebook.read import read_notebook
from jupyter_mlops.workflows.sweep_journal import Entry, Journal, content_hash, latest_sweep, point_key
from tests.notebooks import write_notebook


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    return write_notebook(tmp_path / "nb [1].ipynb", [("md", "# Title"), ("parameters", "depth = 3"), ("", "x = depth")])


def _journal(notebook: Path, name: str = "nb [1]-sweep-1") -> Journal:
    folder = notebook.parent / name
    folder.mkdir()
    return Journal.create(folder, notebook, {"points": [{"depth": 1}]})


def test_a_line_that_was_cut_off_is_passed_over(notebook: Path) -> None:
    journal = _journal(notebook)
    journal.note(Entry(1, "a", {"depth": 1}, "RUNNING"))
    with (journal.folder / "journal.jsonl").open("a") as file:
        file.write('{"run": {"number": 1, "key": "a", "sta')
    journal.note(Entry(2, "b", {"depth": 2}, "FINISHED", metrics={"auc": 0.5}))
    journal.close()
    again = Journal.reopen(journal.folder, notebook)
    assert {key: one.status for key, one in again.entries().items()} == {"a": "RUNNING", "b": "FINISHED"}
    assert again.head()["points"] == [{"depth": 1}]
    again.close()


def test_a_sweep_that_runs_is_left_alone(notebook: Path) -> None:
    journal = _journal(notebook)
    with pytest.raises(UsageError, match="still running"):
        Journal.reopen(journal.folder, notebook)
    journal.close()
    Journal.reopen(journal.folder, notebook).close()


def test_no_two_runs_get_the_same_file(notebook: Path) -> None:
    journal = _journal(notebook)
    assert [journal.place(7).name for _ in range(3)] == ["007.ipynb", "007-2.ipynb", "007-3.ipynb"]
    journal.close()


def test_the_last_sweep_of_a_notebook(notebook: Path) -> None:
    with pytest.raises(UsageError, match="no sweep of nb"):
        latest_sweep(notebook.parent, notebook.stem)
    first, second = _journal(notebook), _journal(notebook, "nb [1]-sweep-2")
    first.note(Entry(1, "a", {}, "RUNNING"))
    assert latest_sweep(notebook.parent, notebook.stem) == first.folder
    first.close()
    second.close()


def test_outputs_and_notes_do_not_make_another_notebook(notebook: Path) -> None:
    before = content_hash(read_notebook(notebook))
    data = json.loads(notebook.read_text())
    data["cells"][0]["source"] = ["# Another title"]
    data["cells"][2]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["1"]}]
    data["cells"][2]["execution_count"] = 4
    notebook.write_text(json.dumps(data))
    assert content_hash(read_notebook(notebook)) == before
    data["cells"][2]["source"] = ["x = depth + 1"]
    notebook.write_text(json.dumps(data))
    assert content_hash(read_notebook(notebook)) != before


def test_the_key_tells_types_apart_and_not_the_order() -> None:
    assert point_key("c", {"a": 1, "b": 2}) == point_key("c", {"b": 2, "a": 1})
    assert len({point_key("c", {"a": value}) for value in (1, 1.0, True, "1")}) == 4
