"""The table of runs and the comparison of two, on runs that were recorded into a real store."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.cli import main
from jupyter_mlops.errors import TrackingError, UsageError
from jupyter_mlops.tracking.listing import latest_runs
from jupyter_mlops.tracking.runs import RunRecord, log_run
from jupyter_mlops.tracking.spool import SpooledRun
from jupyter_mlops.widgets.runs_html import comparison_html, runs_html
from jupyter_mlops.widgets.runs_table import ComparisonView, RunsView
from jupyter_mlops.workflows.runs import compare_runs, list_runs

WIDGET = "application/vnd.jupyter.widget-view+json"
EVIL = "<img src=x onerror=alert(1)>"


def _environment(numpy: str) -> str:
    return json.dumps({"python": "3.11.7", "platform": "Linux", "distributions": {"numpy": numpy, "pandas": "2.3.0"}})


def _notebook(*cells: str) -> str:
    return json.dumps({"cells": [{"cell_type": "code", "source": one.splitlines(keepends=True)} for one in cells]})


def _record(uri: str, name: str, metrics: Mapping[str, float], params: Mapping[str, Any], **more: Any) -> str:
    return log_run(RunRecord("churn", name, params=params, metrics=metrics, **more), uri=uri)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, str]]:
    """A store with five runs; its URI and their ids."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"
    tags = {"git.commit": "a1b2c3d4e5f60718", "git.branch": "main", "mlops.kind": "cell", "notebook": "churn.ipynb"}
    same = {"seed": 1, "model": "tree"}
    ids = {
        "first": _record(
            uri, "first", {"auc": 0.81, "log_loss": 0.4, "duration_seconds": 1.0}, {**same, "depth": 4},
            tags={**tags, "git.dirty": "true", "data.train.csv": "md5:aaaaaaaaaaaa"},
            texts={
                "cell/source.py": "model = fit(4)\nauc = score(model)\n", "environment/environment.json": _environment("2.0.0"),
                "notebook/churn.ipynb": _notebook("x = 1", "model = fit(4)"),
                "data.json": json.dumps([{"path": p, "md5": m, "size": 1, "how": "read", "dvc": None} for p, m in
                                         {"train.csv": "aaaa", "same.csv": "cccc", "old.csv": "dddd"}.items()]),
            },
        ),
        "second": _record(
            uri, "second", {"auc": 0.9, "log_loss": 0.5, "duration_seconds": 1.0}, {**same, "depth": 10},
            tags={**tags, "git.dirty": "false", "data.train.csv": "md5:bbbbbbbbbbbb"},
            texts={
                "cell/source.py": "model = fit(10)\nauc = score(model)\n", "environment/environment.json": _environment("2.1.0"),
                "notebook/churn.ipynb": _notebook("x = 1", "y = 2", "model = fit(10)"),
                "data.json": json.dumps([{"path": p, "md5": m, "size": 1, "how": "read", "dvc": None} for p, m in
                                         {"train.csv": "bbbb", "same.csv": "cccc", "new.csv": "eeee"}.items()]),
            },
        ),
        "bare": _record(uri, "bare", {"log_loss": math.nan}, {**same, "depth": 9}),
        "evil": _record(
            uri, EVIL, {"auc": 0.5}, {**same, "depth": EVIL}, tags={"notebook": EVIL}, texts={"cell/source.py": f"x = '{EVIL}'\n"}
        ),
    }  # fmt: skip
    return uri, ids


def test_columns_are_what_differs(runs: tuple[str, dict[str, str]]) -> None:
    table = list_runs(runs[0], "churn")
    shown = [one.title for one in table.columns if one.shown]
    assert shown == ["name", "when", "status", "duration", "auc", "log_loss", "depth", "git", "data", "notebook"]
    assert {one.title for one in table.columns if not one.shown} == {"seed", "model", "kind", "duration_seconds"}
    by_name = {one.title: one for one in table.columns}
    assert (by_name["auc"].lower, by_name["log_loss"].lower) == (False, True)
    assert by_name["seed"].numeric
    assert not by_name["depth"].numeric
    assert [row.name for row in table.rows] == [EVIL, "bare", "second", "first"]
    values = dict(zip([one.title for one in table.columns], table.values(table.rows[3]), strict=True))
    assert (values["git"], values["data"], values["depth"]) == ("a1b2c3d4*", "train.csv aaaaaaaa", "4")
    assert table.link(table.rows[0]) is None


def test_sorting_is_by_what_is_better_and_missing_ones_come_last(runs: tuple[str, dict[str, str]]) -> None:
    uri, _ = runs
    assert [row.name for row in list_runs(uri, "churn", sort="auc").rows] == ["second", "first", EVIL, "bare"]
    assert [row.name for row in list_runs(uri, "churn", sort="log_loss").rows] == ["first", "second", EVIL, "bare"]
    assert [row.name for row in list_runs(uri, "churn", sort="auc", maximize=False, limit=1).rows] == [EVIL]
    with pytest.raises(UsageError, match="Did you mean 'auc'"):
        list_runs(uri, "churn", sort="aux")
    with pytest.raises(UsageError, match="at least 1"):
        list_runs(uri, "churn", limit=0)


def test_text_fits_the_width_and_names_what_does_not(runs: tuple[str, dict[str, str]]) -> None:
    table = list_runs(runs[0], "churn")
    wide, narrow = table.text(300), table.text(70)
    assert "log_loss" in wide.splitlines()[0]
    assert "train.csv aaaaaaaa" in wide
    assert max(map(len, narrow.splitlines()[:-1])) <= 70
    assert re.search(r"Not shown for lack of width: .*depth", narrow)


def test_an_empty_list_says_why(runs: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    uri, _ = runs
    assert "Did you mean 'churn'?" in list_runs(uri, "churm").text()
    assert "The filter leaves none." in list_runs(uri, "churn", filter_string="metrics.auc > 5").text()
    assert "No runs" in runs_html(list_runs(f"sqlite:///{tmp_path / 'x.db'}", "churn"))
    with pytest.raises(TrackingError):
        list_runs("http://127.0.0.1:9", "churn")


def test_runs_that_wait_on_disk_are_mentioned(
    runs: tuple[str, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_MLOPS_SPOOL", str(tmp_path))
    SpooledRun.create(uri=runs[0], experiment="churn", name="waits", tags={}).release()
    SpooledRun.create(uri=runs[0], experiment="other", name="waits", tags={}).release()
    assert any(note.startswith("1 run waits on disk") for note in list_runs(runs[0], "churn").notes)


def test_html_is_escaped_and_needs_no_script(runs: tuple[str, dict[str, str]]) -> None:
    table = list_runs(runs[0], "churn")
    html = runs_html(table)
    assert EVIL not in html
    assert "&lt;img" in html
    assert "<script" not in html
    assert html.count("<tr>") == 5
    assert re.search(r'class="mlops-runs-n mlops-runs-best">0\.9<', html)
    assert re.search(r'class="mlops-runs-n mlops-runs-best">0\.4<', html)
    compared = comparison_html(compare_runs(runs[0], runs[1]["evil"], runs[1]["first"]))
    assert EVIL not in compared
    assert "onerror" in compared


def test_the_bundle_has_the_widget_and_what_stays_without_it(runs: tuple[str, dict[str, str]]) -> None:
    table = list_runs(runs[0], "churn")
    view = RunsView(table)
    bundle = view._repr_mimebundle_()
    assert {WIDGET, "text/html", "text/plain"} == set(bundle)
    assert WIDGET not in RunsView(table, live=False)._repr_mimebundle_()
    assert [row[0] for row in view.widget.rows] == [row.run_id for row in table.rows]
    assert [row[3][5] for row in view.widget.rows] == [None, "nan", 0.5, 0.4]  # JSON knows no NaN
    view.widget.selected = [runs[1]["second"], runs[1]["first"]]  # what ticking does
    assert view.widget.comparison["pair"] == " ".join(sorted(view.widget.selected))
    assert "fit(10)" in view.widget.comparison["html"]
    view.widget.selected = [runs[1]["second"], "f" * 32]
    assert "There is no run" in view.widget.comparison["html"]
    view.widget.close()


def test_two_runs_side_by_side(runs: tuple[str, dict[str, str]]) -> None:
    uri, ids = runs
    found = compare_runs(uri, "first", ids["second"][:8])
    assert {one.name: one.better for one in found.metrics} == {"auc": "b", "log_loss": "a", "duration_seconds": None}
    assert {one.name: (one.a, one.b) for one in found.params if not one.same} == {"depth": ("4", "10")}
    assert {one.name for one in found.params if one.same} == {"seed", "model"}
    cell, notebook = found.code
    assert cell.what == "cell"
    assert cell.diff.splitlines()[3:5] == ["-model = fit(4)", "+model = fit(10)"]
    assert "+y = 2" in notebook.diff
    assert {one.path: one.state for one in found.data} == {
        "train.csv": "changed", "same.csv": "same", "old.csv": "only_a", "new.csv": "only_b",
    }  # fmt: skip
    assert [(one.name, one.a, one.b) for one in found.environment or ()] == [("numpy", "2.0.0", "2.1.0")]
    assert [(one.name, one.a, one.b) for one in found.git] == [
        ("commit", "a1b2c3d4*", "a1b2c3d4"), ("branch", "main", "main"),
    ]  # fmt: skip
    text = found.text()
    assert re.search(r"auc +0\.81 +0\.9 +\+0\.09 +b is better", text)
    assert re.search(r"! +depth +4 +10", text)
    assert re.search(r"= +seed +1 +1", text)
    html = ComparisonView(found)._repr_mimebundle_()["text/html"]
    assert "-model = fit(4)" in html
    json.dumps(found.as_dict(), allow_nan=False)


def test_what_is_missing_is_said(runs: tuple[str, dict[str, str]]) -> None:
    uri, ids = runs
    found = compare_runs(uri, ids["bare"], "first")
    assert found.code == []
    assert found.data == []
    assert found.environment is None
    assert {one.name: one.better for one in found.metrics}["log_loss"] is None
    notes = " ".join(found.notes)
    for part in (
        "The first run does not have the code",
        "The first run has no record of the data",
        "The first run has no record of its env",
    ):
        assert part in notes
    json.dumps(found.as_dict(), allow_nan=False)
    with pytest.raises(UsageError, match="same run"):
        compare_runs(uri, "first", ids["first"])
    with pytest.raises(UsageError, match="There is no run"):
        compare_runs(uri, "first", "third")


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    broken = _record(uri, "broken", {}, {}, texts={"data.json": "{", "notebook/a.ipynb": "[]"})
    gone = _record(uri, "gone", {}, {}, texts={"cell/source.py": "x = 1"})
    for path in tmp_path.rglob("source.py"):
        path.unlink()
    notes = " ".join(compare_runs(uri, broken, gone).notes)
    assert "data.json of run" in notes
    assert "Neither run has its code" in notes


def test_the_command_line(
    runs: tuple[str, dict[str, str]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    uri, ids = runs
    monkeypatch.chdir(tmp_path)
    assert main(["runs", "churn.ipynb", "--tracking-uri", uri, "--sort", "auc", "-n", "2", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in listed["runs"]] == ["second", "first"]
    assert listed["runs"][0]["run_id"] == ids["second"]
    assert main(["runs", "--tracking-uri", uri, "--kind", "cell"]) == 0  # the only experiment
    out = capsys.readouterr().out
    assert "second" in out
    assert "bare" not in out
    assert main(["runs", "--tracking-uri", uri, "--compare", "first", "second", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["b"]["run_id"] == ids["second"]
    for wrong, message in (
        (["--filter", "auc good"], "cannot read the filter"), (["--maximize"], "--sort"), (["notes.txt"], "no notebook"),
        (["--compare", "first", "nobody"], "There is no run"), (["--sort", "nothing_like_it"], "There are: auc"),
    ):  # fmt: skip
        assert main(["runs", "--tracking-uri", uri, *wrong]) == 2
        assert message in capsys.readouterr().err


def test_links_lead_to_the_server_without_password(runs: tuple[str, dict[str, str]]) -> None:
    from dataclasses import replace

    table = list_runs(runs[0], "churn")
    served = replace(table, uri="https://me:secret@mlflow.example.org/")
    (row,) = latest_runs(runs[0], "churn", limit=1)
    assert served.link(row) == f"https://mlflow.example.org/#/experiments/{row.experiment_id}/runs/{row.run_id}"
    assert "secret" not in runs_html(served) + json.dumps(served.as_dict())
