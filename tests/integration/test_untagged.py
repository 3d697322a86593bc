"""A notebook without tags converts like the same one with its tags, and it is said."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from jupyter_mlops.workflows.convert import ConvertOptions, ConvertResult, convert
from jupyter_mlops.workflows.tag import suggest_tags
from tests.conftest import ROOT
from tests.notebooks import PENGUINS, Cell, write_notebook

BARE: list[Cell] = [(tag if tag == "md" else "", source) for tag, source in PENGUINS]
# The same in three cells, as people write it.
GROUPS: list[tuple[str, ...]] = [("imports",), ("parameters", "functions", "load", "validate", "features"), ("train", "evaluate")]


def _grouped() -> list[Cell]:
    return [("", "\n\n".join(source.strip("\n") for tag, source in PENGUINS if tag in group)) for group in GROUPS]


def _convert(path: Path, out: Path, **options: object) -> ConvertResult:
    return convert(path, out, ConvertOptions(register=False, **options))  # type: ignore[arg-type]


def _code(folder: Path) -> dict[str, str]:
    return {p.name: p.read_text(encoding="utf-8") for p in (folder / "src").rglob("*.py")}


def test_an_untagged_notebook_gives_the_same_project(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    tagged = write_notebook(tmp_path / "a" / "penguins.ipynb", PENGUINS)
    bare = write_notebook(tmp_path / "b" / "penguins.ipynb", BARE)
    before = bare.read_bytes()
    one = _convert(tagged, tmp_path / "tagged", run=False)
    other = _convert(bare, tmp_path / "bare", run=False, parameters=[("n_estimators", "7")])
    assert one.ok, one.report.error
    assert other.ok, other.report.error
    assert _code(tmp_path / "tagged") == {
        name: text.replace("n_estimators: int = 7", "n_estimators: int = 20") for name, text in _code(tmp_path / "bare").items()
    }
    assert bare.read_bytes() == before
    assert [p.code for p in other.report.problems].count("suggested-tags") == 1
    assert not [p for p in one.report.problems if p.code == "suggested-tags"]
    assert [t["tag"] for t in other.report.tags] == [tag for tag, _ in PENGUINS if tag not in ("", "md")]
    schema = json.loads((ROOT / "jupyter_mlops" / "schema" / "report.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads((tmp_path / "bare" / "report.json").read_text(encoding="utf-8")), schema)


@pytest.mark.timeout(240)
def test_a_notebook_in_three_cells_keeps_the_raw_boundary(tmp_path: Path) -> None:
    """Its middle cell loads and prepares; what it reads is the raw table all the same."""
    path = write_notebook(tmp_path / "penguins.ipynb", _grouped())
    result = _convert(path, tmp_path / "out", parameters=())
    assert result.ok, result.report.error
    assert result.report.boundary == "raw"
    assert result.report.mismatches == 0
    assert result.report.metrics["accuracy"] > 0.9
    assert {t["tag"] for t in result.report.tags} == {"imports", None}


def test_writing_the_tags_or_splitting_changes_no_stage(tmp_path: Path) -> None:
    found = []
    for how in ("untagged", "tagged", "split"):
        (tmp_path / how).mkdir()
        path = write_notebook(tmp_path / how / "penguins.ipynb", _grouped())
        if how != "untagged":
            suggest_tags(path, write=True, split=how == "split")
        result = _convert(path, tmp_path / f"out_{how}", run=False)
        assert result.ok, result.report.error
        assert result.plan is not None
        found.append([(s.stage, s.name, s.body) for s in result.plan.stages])
    assert found[0] == found[1] == found[2]
