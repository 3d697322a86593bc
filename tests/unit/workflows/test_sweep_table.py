"""Ranking: which metric, which way, what failed; and what the notebook's code says of metrics."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import UsageError
from jupyter_mlops.notebook.dataflow import analyse
from jupyter_mlops.notebook.read import read_notebook
from jupyter_mlops.workflows.run_metrics import direction, first_ranked, metric_sources
from jupyter_mlops.workflows.sweep_journal import Entry
from jupyter_mlops.workflows.sweep_table import Ranking, as_csv, as_text, rank, ranking
from tests.notebooks import write_notebook


def _entry(number: int, status: str = "FINISHED", error: str = "", **metrics: float) -> Entry:
    return Entry(number, f"k{number}", {"depth": number}, status, f"{number:03}.ipynb", f"r{number}", metrics, 1.0, error)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("auc", True), ("valid_f1", True), ("rocAuc", True), ("r2", True), ("neg_log_loss", True), ("rmse", False), ("test_error", False),
        ("brier_score", False), ("rows", None), ("n", None),
    ],
)  # fmt: skip
def test_the_name_says_which_way_is_better(name: str, more: bool | None) -> None:
    assert direction(name) is more


def test_times_are_ranked_by_only_if_there_is_nothing_else() -> None:
    assert first_ranked(["elapsed", "n", "auc"]) == "auc"
    assert first_ranked(["n", "elapsed"]) == "elapsed"
    assert first_ranked(["n"]) is None


def test_best_first_then_without_the_metric_then_failed() -> None:
    entries = [
        _entry(1, auc=0.7), _entry(2, status="FAILED", error="boom\nmore"), _entry(3, auc=float("nan")), _entry(4, auc=0.9), _entry(5, auc=0.7)
    ]  # fmt: skip
    assert [one.number for one in rank(entries, Ranking("auc", True))] == [4, 1, 5, 3, 2]
    assert [one.number for one in rank(entries, Ranking("auc", False))] == [1, 5, 4, 3, 2]
    text = as_text(rank(entries, Ranking("auc", True)), Ranking("auc", True))
    assert "run 2 (depth=2) FAILED: boom" in text and "more" not in text
    rows = list(csv.DictReader(io.StringIO(as_csv(rank(entries, Ranking("auc", True)), Ranking("auc", True)))))
    assert [row["run"] for row in rows] == ["4", "1", "5", "3", "2"]
    assert rows[-1]["rank"] == "" and rows[-1]["error"] == "boom"


def test_a_metric_without_a_direction_has_to_be_told_one() -> None:
    with pytest.raises(UsageError, match=r"--maximize or --minimize"):
        ranking("gain2", None, [])
    assert ranking("gain2", False, []) == Ranking("gain2", False)
    assert ranking(None, None, ["n", "loss", "auc"]) == Ranking("loss", False)
    assert ranking(None, None, ["n"]) is None


def _sources(tmp_path: Path, cells: list[tuple[str, str]]) -> Any:
    return metric_sources(analyse(read_notebook(write_notebook(tmp_path / "nb.ipynb", cells))))


def test_metrics_are_found_in_the_code(tmp_path: Path) -> None:
    found = _sources(
        tmp_path,
        [
            ("parameters", "auc_wanted = 0.5"),
            ("train", "score0 = model.score(X, y)"),
            ("evaluate", "limit = 0.5\nlift = top / base\nauc = roc_auc_score(y, p)\nroc_auc_score(y, p)"),
            ("", "%%track fit\nx = 1"),
        ],
    )
    assert found.names == ("score0", "auc", "lift")
    assert found.shown == ((3, "roc_auc"),)
    assert found.tracked
