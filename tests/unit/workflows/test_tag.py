"""`jupyter mlops tag`: what it says, what it writes, and when it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_mlops.cli import main
from jupyter_mlops.convert.suggest_cells import suggest
from jupyter_mlops.errors import OutputError, UsageError
from jupyter_mlops.notebook.dataflow import analyse
from jupyter_mlops.notebook.read import read_notebook
from jupyter_mlops.workflows import tag
from jupyter_mlops.workflows.tag import suggest_tags
from tests.notebooks import PENGUINS, Cell, write_notebook

BARE: list[Cell] = [(tag_ if tag_ == "md" else "", source) for tag_, source in PENGUINS]
MIXED: list[Cell] = [
    ("", "import pandas as pd\nfrom sklearn.linear_model import LinearRegression"),
    ("", "df = pd.read_csv('a.csv')\ndf.head()\nX, y = df[['a']], df['y']"),
    ("", "model = LinearRegression()\nmodel.fit(X, y)\nmodel.score(X, y)"),
]


def _tags(path: Path) -> list[list[str]]:
    return [c["metadata"].get("tags", []) for c in json.loads(path.read_text(encoding="utf-8"))["cells"]]


def test_nothing_is_written_unless_asked(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "bare.ipynb", BARE)
    before = path.read_bytes()
    result = suggest_tags(path)
    assert not result.written
    assert result.suggestion.cells
    assert path.read_bytes() == before


def test_what_is_written_is_what_was_there(tmp_path: Path) -> None:
    """The tags of the tagged notebook come back, byte for byte."""
    tagged = write_notebook(tmp_path / "tagged.ipynb", PENGUINS)
    bare = write_notebook(tmp_path / "bare.ipynb", BARE)
    bare.chmod(0o640)
    assert suggest_tags(bare, write=True).written
    assert bare.read_bytes() == tagged.read_bytes()
    assert bare.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bare.ipynb", "tagged.ipynb"]


def test_a_second_time_there_is_nothing_to_do(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "bare.ipynb", BARE)
    suggest_tags(path, write=True)
    again = suggest_tags(path, write=True)
    assert (again.suggestion.cells, again.written) == ((), False)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "bare.ipynb", BARE)
    link = tmp_path / "link.ipynb"
    link.symlink_to(path)
    suggest_tags(link, write=True)
    assert link.is_symlink()
    assert ["load"] in _tags(path)


def test_a_notebook_that_changed_meanwhile_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_notebook(tmp_path / "bare.ipynb", BARE)

    def slow(*arguments: Any) -> Any:
        path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        return suggest(*arguments)

    monkeypatch.setattr(tag, "suggest", slow)
    with pytest.raises(OutputError, match="changed"):
        suggest_tags(path, write=True)
    assert not any(_tags(path))
    assert [p.name for p in tmp_path.iterdir()] == ["bare.ipynb"]


def test_mixed_cells_are_split_on_request(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "mixed.ipynb", MIXED)
    assert suggest_tags(path, write=True).written
    assert _tags(path) == [["imports"], [], []]
    result = suggest_tags(path, write=True, split=True)
    assert sorted(result.splits) == [2, 3]
    assert _tags(path) == [["imports"], ["load"], ["features"], ["train"], ["evaluate"]]
    sources = ["".join(c["source"]) for c in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    assert sources[1:3] == ["df = pd.read_csv('a.csv')\ndf.head()", "X, y = df[['a']], df['y']"]


def test_an_unknown_model(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="forest"):
        suggest_tags(write_notebook(tmp_path / "bare.ipynb", BARE), model="forest")


SOURCES = st.lists(
    st.sampled_from(
        ["x = 1", "df = pd.read_csv('a.csv')", "df = df.dropna()", "X, y = df[['a']], df['y']", "model = LinearRegression()",
         "model.fit(X, y)", "print(model.score(X, y))", "assert len(df)", "def f(x):\n    return x", "import re", "df.head()",
         "X = f(X)", "y = y * x", "# é", "'☃'"]
    ),
    min_size=1,
    max_size=4,
)  # fmt: skip


@given(cells=st.lists(SOURCES, min_size=1, max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_written_tags_are_the_suggested_ones(cells: list[list[str]], tmp_path: Path) -> None:
    start = "import pandas as pd\nfrom sklearn.linear_model import LinearRegression"
    path = write_notebook(tmp_path / "made.ipynb", [("", start), *(("", "\n".join(one)) for one in cells)])
    before = json.loads(path.read_text(encoding="utf-8"))
    result = suggest_tags(path, write=True)
    found = {cell.number: cell.stage for cell in read_notebook(path).code_cells if cell.stage is not None}
    assert found == {one.cell: one.tag for one in result.suggestion.cells if one.tag is not None}
    after = json.loads(path.read_text(encoding="utf-8"))
    for cell in after["cells"]:
        cell["metadata"].pop("tags", None)
    assert after == before
    # and the suggestion for the written notebook does not contradict them
    assert all(one.tag is None for one in suggest(analyse(read_notebook(path))).cells)


def test_a_tag_that_asks_for_more_brings_it_along(tmp_path: Path) -> None:
    """`load` for the whole of the second cell makes its first line, and what that needs, a part of loading."""
    cells = [("", "x = 1\nx = 2"), ("", "y = y * x\nX = f(X)"), ("", "print(model.score(X, y))")]
    path = write_notebook(tmp_path / "made.ipynb", cells)
    suggest_tags(path, write=True)
    assert _tags(path) == [["load"], ["load"], ["train"]]
    assert not suggest_tags(path, write=True).written


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_notebook(tmp_path / "mixed.ipynb", MIXED)
    assert main(["tag", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "reads (read_csv a.csv) into df" in shown
    assert "line 3 belongs to features" in shown
    assert "Nothing was written" in shown
    assert main(["tag", str(path), "--split", "--write", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["model"] == {"variable": "model", "reason": "the last one evaluated"}
    assert data["written"] is True
    assert [one["tag"] for one in data["splits"]["3"]] == ["train", "evaluate"]


@pytest.mark.parametrize("arguments", [["no.ipynb"], ["bare.ipynb", "--model", "nothing"]])
def test_a_wrong_call_ends_with_2(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_notebook(tmp_path / "bare.ipynb", BARE)
    assert main(["tag", *arguments]) == 2
    assert "error:" in capsys.readouterr().err
