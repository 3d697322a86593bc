"""Stages of dvc.yaml: what runs together, what lies between, and what each depends on."""

from __future__ import annotations

from pathlib import Path

from jupyter_mlops.convert.pipeline import PipelineStage
from jupyter_mlops.convert.planner import Seen, make_plan, select
from jupyter_mlops.convert.render import render
from jupyter_mlops.notebook.dataflow import analyse
from jupyter_mlops.notebook.read import read_notebook
from tests.notebooks import Cell, write_notebook

FRAME, SERIES, MODEL = "pandas.core.frame.DataFrame", "pandas.core.series.Series", "sklearn.linear_model._base.LinearRegression"
IMPORTS = (
    "imports",
    "import pandas as pd\nfrom sklearn.linear_model import LinearRegression\nfrom sklearn.metrics import r2_score",
)
EVALUATE = ("evaluate", "r2 = r2_score(y, model.predict(X))")
KINDS = {"df": FRAME, "X": FRAME, "y": SERIES, "model": MODEL, "r2": "builtins.float"}


def _stages(tmp_path: Path, *cells: Cell, kinds: dict[str, str] | None = KINDS) -> dict[str, PipelineStage]:
    analysis = analyse(read_notebook(write_notebook(tmp_path / "notebook.ipynb", [IMPORTS, *cells])))
    selection = select(analysis)
    assert not isinstance(selection, list), selection
    seen = None if kinds is None else Seen(("a", "b"), kinds=kinds)
    plan = make_plan(analysis, selection, parameters={}, seen=seen)
    assert render(plan)["dvc.yaml"].count("cmd:") == len(plan.pipeline)
    return {stage.name: stage for stage in plan.pipeline}


def test_each_stage_takes_what_it_needs_from_where_it_was_made(tmp_path: Path) -> None:
    stages = _stages(
        tmp_path, ("load", 'df = pd.read_csv("x.csv")'), ("features", 'X = df[["a", "b"]]'),
        ("train", 'y = df["y"]\nmodel = LinearRegression().fit(X, y)'), EVALUATE,
    )  # fmt: skip
    assert list(stages) == ["load", "features", "train", "evaluate"]
    assert [(one.stage, one.name) for one in stages["train"].takes] == [("load", "df"), ("features", "X")]
    assert stages["train"].gives == ("model", "y")
    assert stages["train"].needs == ("load", "features")
    assert [name for name, stage in stages.items() if stage.saves_model] == ["train"]
    assert stages["evaluate"].last
    assert stages["load"].reads(["data/x.csv", "data/y.csv"]) == ["data/x.csv", "data/y.csv"]
    assert stages["train"].reads(["data/x.csv"]) == []


def test_a_value_without_a_file_format_keeps_its_stages_together(tmp_path: Path) -> None:
    cells = (
        ("load", 'df = pd.read_csv("x.csv")'), ("features", 'X = df[["a", "b"]]\ngroups = df.groupby("a")'),
        ("train", 'y = groups["y"].transform("mean")\nmodel = LinearRegression().fit(X, y)'), EVALUATE,
    )  # fmt: skip
    stages = _stages(tmp_path, *cells, kinds={**KINDS, "groups": "pandas.core.groupby.generic.DataFrameGroupBy"})
    assert list(stages) == ["load", "features-train", "evaluate"]
    assert "`groups` (DataFrameGroupBy) has no safe file format" in stages["features-train"].joined
    assert list(_stages(tmp_path, *cells, kinds=KINDS)) == ["load", "features-train", "evaluate"]  # deleted: not known
    assert list(_stages(tmp_path, *cells, kinds=None)) == ["load", "features", "train", "evaluate"]  # not run: optimistic


def test_what_a_stage_changes_in_place_is_handed_on(tmp_path: Path) -> None:
    stages = _stages(
        tmp_path, ("load", 'df = pd.read_csv("x.csv")\nmodel = LinearRegression()'), ("features", 'df["a"] = df["a"] * 2'),
        ("train", 'X, y = df[["a", "b"]], df["y"]\nmodel.fit(X, y)'), EVALUATE,
    )  # fmt: skip
    assert stages["features"].gives == ("df",)
    assert [(one.stage, one.name) for one in stages["train"].takes] == [("features", "df"), ("load", "model")]
    assert "model" in stages["train"].gives
    assert stages["train"].saves_model


def test_two_names_of_one_object_that_is_changed_stay_in_one_process(tmp_path: Path) -> None:
    stages = _stages(
        tmp_path, ("load", 'df = pd.read_csv("x.csv")'), ("features", "other = df"),
        ("train", 'df["a"] = df["a"] * 2\nX, y = other[["a", "b"]], df["y"]\nmodel = LinearRegression().fit(X, y)'), EVALUATE,
        kinds={**KINDS, "other": FRAME},
    )  # fmt: skip
    assert "evaluate" in stages
    joined = next(stage for name, stage in stages.items() if "train" in name)
    assert "may be one object" in joined.joined
    assert "features" in joined.name


def test_parameters_are_found_through_helpers_and_classes(tmp_path: Path) -> None:
    stages = _stages(
        tmp_path, ("parameters", "factor = 2\nshift = 1\nunused = 3\npower = 4"),
        ("functions", "def scale(x):\n    return shifted(x * factor)\n\n\ndef shifted(x):\n    return x + shift\n"),
        ("load", 'df = pd.read_csv("x.csv")'), ("features", 'X = scale(df[["a", "b"]])'),
        ("train", 'y = df["y"] ** power\nmodel = LinearRegression().fit(X, y)'), EVALUATE,
    )  # fmt: skip
    assert {name: stage.settings for name, stage in stages.items()} == {
        "load": ("seed",), "features": ("factor", "shift"), "train": ("power",), "evaluate": (),
    }  # fmt: skip
    assert "{package}/helpers.py" in stages["features"].modules
    assert "{package}/helpers.py" not in stages["train"].modules


def test_stages_of_one_kind_are_numbered(tmp_path: Path) -> None:
    stages = _stages(
        tmp_path, ("load", 'df = pd.read_csv("x.csv")'), ("features", 'X = df[["a", "b"]]'), ("train", 'y = df["y"]'),
        ("features", "X = X * 2"), ("train", "model = LinearRegression().fit(X, y)"), EVALUATE,
    )  # fmt: skip
    assert list(stages) == ["load", "features", "train", "features-2", "train-2", "evaluate"]
