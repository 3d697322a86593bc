"""Notebooks that are tagged for Kale: their steps, their stages, and what does not fit together."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.convert.models import ModelChoice
from jupyter_mlops.convert.suggest_cells import suggest
from jupyter_mlops.notebook.cells import Notebook, Stage
from jupyter_mlops.notebook.dataflow import analyse
from jupyter_mlops.notebook.kale import ancestors
from jupyter_mlops.notebook.kale_flow import missing_prev
from jupyter_mlops.notebook.read import read_notebook
from jupyter_mlops.workflows.check import CheckOptions, check
from tests.kale_notebooks import CLEAN, MESSY
from tests.notebooks import PENGUINS, Cell, write_notebook


def _read(tmp_path: Path, *cells: Cell) -> Notebook:
    return read_notebook(write_notebook(tmp_path / "kale.ipynb", list(cells)))


def _codes(notebook: Notebook) -> list[tuple[str, int | None]]:
    return [(one.code, one.cell) for one in notebook.problems]


def test_steps_come_after_what_their_tags_say(tmp_path: Path) -> None:
    notebook = _read(tmp_path, *CLEAN)
    assert {step.name: (step.cells, step.after) for step in notebook.steps} == {
        "load_data": ((5,), ()), "clean": ((7,), ("load_data",)), "make_features": ((8,), ("clean",)),
        "logistic": ((9,), ("make_features",)), "random_forest": ((10,), ("make_features",)),
    }  # fmt: skip
    assert ancestors(notebook.steps)["random_forest"] == {"load_data", "clean", "make_features"}
    assert notebook.metrics == ("acc_logistic", "acc_forest")
    assert notebook.problems == ()
    stages = {cell.number: cell.stage for cell in notebook.code_cells if cell.stage}
    assert stages == {2: Stage.IMPORTS, 3: Stage.PARAMETERS, 4: Stage.FUNCTIONS, 6: Stage.SKIP}


def test_an_untagged_cell_continues_the_one_above_but_for_skipped_ones(tmp_path: Path) -> None:
    notebook = _read(tmp_path, *MESSY)
    assert {step.name: step.cells for step in notebook.steps} == {
        "load": (6, 7, 9), "split": (10, 11), "fit": (12, 13, 15), "measure": (14, 16),
    }  # fmt: skip
    assert {cell.number: cell.stage for cell in notebook.code_cells if cell.number in (1, 3, 5, 8)} == {
        1: None, 3: None, 5: Stage.PARAMETERS, 8: Stage.SKIP,
    }  # fmt: skip
    assert notebook.metrics == ("off_by",)


def test_what_kale_would_refuse_is_said_with_its_cell(tmp_path: Path) -> None:
    notebook = _read(tmp_path, *MESSY)
    assert _codes(notebook) == [
        ("kale-resources", 10), ("kale-unknown-prev", 12), ("kale-step-apart", 15), ("kale-step-apart", 16),
    ]  # fmt: skip
    missing = missing_prev(analyse(notebook))
    assert [(one.cell, one.line, one.message.split(",")[0]) for one in missing] == [
        (12, 2, "The step 'fit' uses 'columns' of 'split'"), (12, 2, "The step 'fit' uses 'train' of 'split'"),
    ]  # fmt: skip
    assert "prev:split" in str(missing[0].fix)
    assert missing_prev(analyse(_read(tmp_path, *CLEAN))) == []


def test_check_finds_it_too(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "messy.ipynb", MESSY)
    found = check(path, CheckOptions(select=frozenset({"kale"}))).problems
    assert {one.code for one in found} == {"kale-resources", "kale-unknown-prev", "kale-step-apart", "kale-missing-prev"}
    path = write_notebook(tmp_path / "clean.ipynb", CLEAN)
    assert check(path, CheckOptions(select=frozenset({"kale"}))).problems == ()


@pytest.mark.parametrize(
    ("tags", "code"),
    [("block:a;b", "kale-several-steps"), ("step:a step:b", "kale-several-steps"), ("step:a.b", "kale-step-name"),
     ("step:a prev:a", "kale-unknown-prev"), ("notebook:other", "kale-notebook"), ("step:a image:x/y:1", "kale-resources")],
)  # fmt: skip
def test_tags_that_are_not_taken(tags: str, code: str, tmp_path: Path) -> None:
    notebook = _read(tmp_path, ("step:first", "x = 1"), (tags, "y = 2"), ("", "z = 3"))
    assert _codes(notebook) == [(code, 2)]


def test_cells_behind_another_notebook_are_of_no_step(tmp_path: Path) -> None:
    notebook = _read(tmp_path, ("step:first", "x = 1"), ("notebook:other", "# see there"), ("", "z = 3"))
    assert notebook.steps[0].cells == (1,)


def test_old_lists_in_one_tag_are_read(tmp_path: Path) -> None:
    notebook = _read(tmp_path, ("block:a", "x = 1"), ("block:b", "y = 1"), ("block:c prev:a;b", "z = x + y"))
    assert notebook.steps[2].after == ("a", "b")
    assert missing_prev(analyse(notebook)) == []


def test_metrics_that_the_cell_computes_make_it_evaluate(tmp_path: Path) -> None:
    notebook = _read(tmp_path, ("step:a", "x = 1"), ("pipeline-metrics", "accuracy = float(max(x, 0))"))
    assert (notebook.cells[1].stage, notebook.metrics) == (Stage.EVALUATE, ())


def test_a_notebook_with_our_tags_has_no_steps(tmp_path: Path) -> None:
    notebook = _read(tmp_path, *PENGUINS)
    assert (notebook.steps, notebook.metrics) == ((), ())


def test_the_metric_that_is_named_decides_the_model_and_code_decides_the_stage(tmp_path: Path) -> None:
    suggestion = suggest(analyse(_read(tmp_path, *CLEAN)))
    choice = suggestion.stages.choice
    assert isinstance(choice, ModelChoice)
    assert (choice.variable, choice.reason) == ("forest", "the last one that a cell tagged 'pipeline-metrics' measures")
    only_logistic = [*CLEAN[:-1], ("pipeline-metrics", "acc_logistic")]
    other = suggest(analyse(_read(tmp_path, *only_logistic))).stages.choice
    assert isinstance(other, ModelChoice)
    assert other.variable == "logistic"
    tags = {one.cell: one.tag for one in suggestion.cells}
    assert (tags[5], tags[7], tags[8]) == (Stage.LOAD, Stage.FEATURES, Stage.FEATURES)
    assert tags[10] is None  # trains and measures: `tag --split` takes it apart
