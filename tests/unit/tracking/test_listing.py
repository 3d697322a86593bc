"""Listing runs of a real SQLite store: the newest and the best, exactly as MLflow would order them."""

from __future__ import annotations

import random
import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from benchmarks.runs_listing import build_store
from jupyter_mlops.errors import UsageError
from jupyter_mlops.tracking.directions import lower_is_better
from jupyter_mlops.tracking.listing import best_run, best_runs, experiment_names, find_run, latest_runs, quoted

EXPERIMENT = "listing"


class Store:
    """A store of a test, with runs made through MLflow's client."""

    def __init__(self, database: Path) -> None:
        self.uri = f"sqlite:///{database}"
        self.client = MlflowClient(tracking_uri=self.uri)
        self.id = self.client.create_experiment(EXPERIMENT, artifact_location=(database.parent / "artifacts").as_uri())

    def run(
        self,
        name: str,
        start: int,
        *,
        metrics: dict[str, float] | None = None,
        end: int | None = -1,
        tags: dict[str, str] | None = None,
    ) -> str:
        made = self.client.create_run(self.id, start_time=start, run_name=name, tags=tags)
        run_id = str(made.info.run_id)
        values = [Metric(key, value, start, 0) for key, value in (metrics or {}).items()]
        self.client.log_batch(run_id, metrics=values, params=[Param("p", name)], tags=[RunTag("t", name)])
        if end is not None:
            self.client.set_terminated(run_id, end_time=start + 1500 if end == -1 else end)
        return run_id

    def names(self, **options: Any) -> list[str]:
        return [row.name for row in latest_runs(self.uri, EXPERIMENT, **options)]

    def best(self, metric: str, maximize: bool, limit: int = 100) -> list[str]:
        return [row.name for row in best_runs(self.uri, EXPERIMENT, metric, maximize=maximize, limit=limit)]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables, which take seconds to make."""
    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def store(empty: Path, tmp_path: Path) -> Store:
    return Store(Path(shutil.copy(empty, tmp_path)))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> str:
    """400 runs: more than the sample, so that bounds are needed."""
    folder = tmp_path_factory.mktemp("large")
    return build_store(folder, 400, values=_values())


def _values() -> dict[str, list[float]]:
    rnd = random.Random(7)
    return {
        "uniform": [rnd.random() for _ in range(400)],
        "falling": [1.0 - n / 400 for n in range(400)],  # the best is the oldest
        "constant": [0.5] * 400,
        "few_values": [float(rnd.choice([1, 2, 3])) for _ in range(400)],
        "mostly_top": [1.0 if rnd.random() < 0.9 else rnd.random() for _ in range(400)],
        "wide": [rnd.uniform(-1, 1) * 10.0 ** rnd.randint(-300, 300) for _ in range(400)],
        "negative": [-rnd.random() * 1e-5 for _ in range(400)],
    }


def test_the_newest_come_first_and_equal_times_keep_one_order(store: Store) -> None:
    now = int(time.time() * 1000)
    store.run("old", now - 1000)
    same = [store.run(f"same{n}", now) for n in range(3)]
    store.run("ahead", now + 10**9)  # a clock that is wrong
    store.run("late", now - 10**9)  # delivered now, begun long ago
    rows = latest_runs(store.uri, EXPERIMENT)
    assert rows[0].name == "ahead"
    assert [row.name for row in rows][-2:] == ["old", "late"]
    assert [row.run_id for row in rows[1:4]] == sorted(same)
    assert [row.run_id for row in rows] == [row.run_id for row in latest_runs(store.uri, EXPERIMENT)]
    assert store.names(limit=2)[0] == "ahead"
    assert len(store.names(limit=2)) == 2


def test_a_row_holds_what_was_recorded(store: Store) -> None:
    parent = store.run("parent", 1000)
    store.run(
        "child", 2000, metrics={"auc": 0.75, "broken": float("nan")}, tags={"mlflow.parentRunId": parent, "mlops.kind": "cell"}
    )
    row = latest_runs(store.uri, EXPERIMENT, limit=1)[0]
    assert (row.name, row.status, row.start_time, row.end_time, row.experiment) == ("child", "FINISHED", 2000, 3500, EXPERIMENT)
    assert row.metrics["auc"] == 0.75
    assert row.metrics["broken"] != row.metrics["broken"]
    assert row.params == {"p": "child"}
    assert (row.tags["mlops.kind"], row.parent) == ("cell", parent)


def test_deleted_runs_vanish_and_running_ones_are_asked_again(store: Store) -> None:
    running = store.run("running", 2000, end=None)
    gone = store.run("gone", 1000)
    assert [(row.name, row.status, row.end_time) for row in latest_runs(store.uri, EXPERIMENT)] == [
        ("running", "RUNNING", None), ("gone", "FINISHED", 2500),
    ]  # fmt: skip
    store.client.log_metric(running, "auc", 0.9)
    store.client.set_terminated(running, "FAILED", end_time=4000)
    store.client.delete_run(gone)
    (row,) = latest_runs(store.uri, EXPERIMENT)
    assert (row.status, row.end_time, row.metrics) == ("FAILED", 4000, {"auc": 0.9})


def test_kinds_and_filters(store: Store) -> None:
    for n, kind in enumerate(["cell", "rerun", "sweep", "cell"]):
        store.run(f"{kind}{n}", n + 1, metrics={"auc": n / 10}, tags={"mlops.kind": kind})
    store.run("other", 9)
    assert store.names(kinds=["cell"]) == ["cell3", "cell0"]
    assert store.names(kinds=["cell", "sweep"]) == ["cell3", "sweep2", "cell0"]
    assert store.names(kinds=["cell", "sweep"], limit=2) == ["cell3", "sweep2"]
    assert store.names(filter_string="metrics.auc > 0.15 and tags.t != 'x'") == ["cell3", "sweep2"]
    assert store.names(kinds=["cell"], filter_string="metrics.auc > 0.15") == ["cell3"]
    with pytest.raises(UsageError, match="cannot read the filter"):
        store.names(filter_string="auc is good")


def test_what_does_not_exist_is_empty_and_is_not_made(store: Store, tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'none.db'}"
    assert latest_runs(uri, EXPERIMENT) == []
    assert best_run(uri, EXPERIMENT, "auc", maximize=True) is None
    assert experiment_names(uri) == []
    assert not (tmp_path / "none.db").exists()
    assert latest_runs(store.uri, "another") == []
    store.client.delete_experiment(store.id)
    assert latest_runs(store.uri, EXPERIMENT) == []


def test_best_of_few_leaves_out_what_is_no_number(store: Store) -> None:
    for name, value in {"low": 0.1, "high": 0.9, "nan": float("nan"), "inf": float("inf")}.items():
        store.run(name, 1000, metrics={"a score/1": value})
    store.run("without", 2000)
    store.run("tie", 3000, metrics={"a score/1": 0.9})
    assert store.best("a score/1", True) == ["inf", "tie", "high", "low"]
    assert store.best("a score/1", False) == ["low", "tie", "high", "inf"]
    assert store.best("nothing", True) == []
    found = best_run(store.uri, EXPERIMENT, "a score/1", maximize=False, filter_string="attributes.run_name != 'low'")
    assert found is not None
    assert found.name == "tie"


@pytest.mark.parametrize("metric", list(_values()))
@pytest.mark.parametrize("maximize", [True, False])
def test_bounds_give_what_sorting_everything_gives(large: str, metric: str, maximize: bool) -> None:
    client = MlflowClient(tracking_uri=large)
    order = [f"metrics.{metric} {'DESC' if maximize else 'ASC'}"]
    for limit in (1, 30, 150):
        wanted = client.search_runs(["1"], max_results=limit, order_by=order)
        rows = best_runs(large, "bench", metric, maximize=maximize, limit=limit)
        assert [row.run_id for row in rows] == [run.info.run_id for run in wanted], (metric, limit)


def test_mlflow_is_never_asked_to_sort_everything(large: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    search = MlflowClient.search_runs

    def note(self: MlflowClient, ids: list[str], condition: str = "", **options: Any) -> Any:
        found = search(self, ids, condition, **options)
        if any("metrics." in one for one in options.get("order_by") or ()):
            asked.append(len(search(self, ids, condition, max_results=400)))
        return found

    monkeypatch.setattr(MlflowClient, "search_runs", note)
    for metric in ("uniform", "falling", "constant", "mostly_top"):
        best_runs(large, "bench", metric, maximize=True, limit=20)
    assert asked, "some are sorted by MLflow"
    assert max(asked) < 200


def test_filters_hold_for_the_best_of_many(large: str) -> None:
    rows = best_runs(large, "bench", "uniform", maximize=True, limit=30, filter_string="metrics.few_values = 2")
    client = MlflowClient(tracking_uri=large)
    wanted = client.search_runs(["1"], "metrics.few_values = 2", max_results=30, order_by=["metrics.uniform DESC"])
    assert [row.run_id for row in rows] == [run.info.run_id for run in wanted]


def test_a_run_is_found_by_id_beginning_and_name(store: Store) -> None:
    first = store.run("it's", 1000)
    second = store.run("it's", 2000)
    assert find_run(store.uri, first).run_id == first
    assert find_run(store.uri, first[:10]).run_id == first
    assert find_run(store.uri, "it's").run_id == second
    for wrong in ("ffffffff", "nobody", "", "a'b\"c"):
        with pytest.raises(UsageError, match="There is no run"):
            find_run(store.uri, wrong)


def test_a_beginning_of_several_ids_is_refused(store: Store) -> None:
    ids = [f"abcdef{n:026x}" for n in range(2)]
    database = sqlite3.connect(store.uri.removeprefix("sqlite:///"))
    with database:
        row = "insert into runs (run_uuid, name, user_id, status, start_time, lifecycle_stage, experiment_id) values (?, ?, '', 'RUNNING', 1, 'active', ?)"
        database.executemany(row, [(one, "same", int(store.id)) for one in ids])
    database.close()
    with pytest.raises(UsageError, match="Several runs begin with 'abcdef'"):
        find_run(store.uri, "abcdef")
    assert find_run(store.uri, ids[1]).run_id == ids[1]


def test_many_runs_come_in_pages(large: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [row.run_id for row in latest_runs(large, "bench", limit=1000)]
    monkeypatch.setattr("jupyter_mlops.tracking.searching.PAGE", 150)
    assert [row.run_id for row in latest_runs(large, "bench", limit=1000)] == whole
    assert [row.run_id for row in latest_runs(large, "bench", limit=301)] == whole[:301]
    assert len(set(whole)) == 400


def test_quotes_in_filters() -> None:
    assert (quoted("a"), quoted("it's")) == ("'a'", '"it\'s"')
    with pytest.raises(UsageError, match="both kinds of quotes"):
        quoted("'\"")


@pytest.mark.parametrize(
    "metric",
    "loss val_loss valLoss error RMSE MeanSquaredError mean_absolute_error log_loss training_log_loss logloss multi_logloss brier_score "
    "perplexity deviance neg_log_likelihood false_positive_rate cross_entropy test-mae l2 duration_seconds peak_memory_mib error_rate "
    "train/loss accuracy_loss fpr max_error p_value".split(),
)
def test_lower_is_better(metric: str) -> None:
    assert lower_is_better(metric)


@pytest.mark.parametrize(
    "metric",
    "accuracy auc roc_auc terror_accuracy flossing_score f1 f1_score r2 R2Score neg_mean_squared_error neg_log_loss log_likelihood "
    "true_positive_rate error_reduction rows_per_second accuracy_at_lowest_loss something merit maerz ndcg_10 glossary".split(),
)
def test_higher_is_better(metric: str) -> None:
    assert not lower_is_better(metric)
