"""Pages of runs, filters and comparisons of several runs, on real SQLite stores."""

from __future__ import annotations

import math
import shutil
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from benchmarks.runs_listing import EXPERIMENT, build_store
from jupyter_mlops.errors import NotFoundError, TrackingError, UsageError
from jupyter_mlops.tracking import listing
from jupyter_mlops.tracking.listing import RunRow
from jupyter_mlops.tracking.spool import SpooledRun
from jupyter_mlops.workflows import runs_index as index_module
from jupyter_mlops.workflows.runs_filter import read_filter
from jupyter_mlops.workflows.runs_index import RunsIndex
from jupyter_mlops.workflows.runs_pages import compared_runs, runs_page
from tests.messages import check_message

Message = dict[str, Any]
NAME = "churn"


class Store:
    """An SQLite store with one experiment, copied from one with MLflow's tables, which take seconds to make."""

    def __init__(self, folder: Path, tables: Path) -> None:
        shutil.copy(tables, folder / "mlflow.db")
        self.uri = f"sqlite:///{folder / 'mlflow.db'}"
        self.client = MlflowClient(tracking_uri=self.uri)
        self.id = self.client.create_experiment(NAME, artifact_location=(folder / "artifacts").as_uri())

    def run(
        self, name: str, start: int, *, metrics: dict[str, float] | None = None, params: dict[str, Any] | None = None,
        tags: dict[str, str] | None = None, status: str | None = "FINISHED",
    ) -> str:  # fmt: skip
        run_id = str(self.client.create_run(self.id, start_time=start, run_name=name).info.run_id)
        self.client.log_batch(
            run_id, [Metric(k, v, start, 0) for k, v in (metrics or {}).items()],
            [Param(k, str(v)) for k, v in (params or {}).items()], [RunTag(k, v) for k, v in (tags or {}).items()],
        )  # fmt: skip
        if status is not None:
            self.client.set_terminated(run_id, status, end_time=start + 1500)
        return run_id

    def page(self, *, fresh: bool = True, **options: Any) -> Message:
        """A page, of a time at which what was asked before is no longer good enough."""
        if fresh:
            time.sleep(index_module._FRESH)
        found = runs_page(self.uri, NAME, **options)
        check_message("runs", "RunsPage", found)
        return found

    def whole(self, **options: Any) -> Message:
        found: Message = until(lambda: self.page(**options), lambda found: bool(found["complete"]))
        return found


def until(ask: Callable[[], Any], holds: Callable[[Any], bool], patience: float = 30) -> Any:
    end = time.monotonic() + patience
    while not holds(found := ask()):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


def names(page: Message) -> list[str]:
    return [one["name"] for one in page["rows"]]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def store(tmp_path: Path, tables: Path) -> Store:
    return Store(tmp_path, tables)


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory, tables: Path) -> Store:
    """Four runs, the newest last."""
    made = Store(tmp_path_factory.mktemp("four"), tables)
    made.run("first", 1_000, metrics={"auc": 0.7, "loss": 0.5}, params={"model": "Tree", "lr": 0.1}, tags={"mlops.kind": "cell"})
    made.run("second", 2_000, metrics={"auc": 0.9}, params={"model": "forest", "lr": "1e-2"}, tags={"git.commit": "a1b2c3d4e5"})
    made.run("third", 3_000, metrics={"auc": math.nan}, params={"model": "two words"}, status="FAILED")
    made.run("fourth", 4_000, params={"lr": 20}, tags={"note": "loss of a tree"}, status=None)
    return made


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store of 1,500 runs."""
    return build_store(tmp_path_factory.mktemp("many"), 1500)


# -- pages --------------------------------------------------------------------------------------------------------------


def test_a_page_has_the_newest_runs_with_values_in_the_order_of_the_columns(four: Store) -> None:
    found = four.whole()
    assert names(found) == ["fourth", "third", "second", "first"]
    assert (found["known"], found["matching"], found["experiment"], found["offset"]) == (4, 4, NAME, 0)
    keys = [one["key"] for one in found["columns"]]
    assert {"name", "when", "status", "duration", "metric:auc", "param:lr", "param:model", "tag:git", "tag:kind"} <= set(keys)
    third = dict(zip(keys, found["rows"][1]["values"], strict=True))
    assert third["metric:auc"] == "nan" and third["status"] == "failed" and third["duration"] == 1.5 and third["when"] == 3000
    assert found["rows"][1]["status"] == "FAILED" and found["rows"][1]["link"] is None
    assert dict(zip(keys, found["rows"][0]["values"], strict=True))["duration"] is None
    assert names(four.page(descending=False)) == ["first", "second", "third", "fourth"]
    assert names(four.page(offset=1, limit=2)) == ["third", "second"]


@pytest.mark.parametrize(
    ("sort", "descending", "order"),
    [
        ("metric:auc", True, ["second", "first", "fourth", "third"]),  # NaN and nothing come last, the newest first
        ("metric:auc", False, ["first", "second", "fourth", "third"]),
        ("param:lr", True, ["fourth", "first", "second", "third"]),  # as numbers: 20, 0.1, 1e-2
        ("param:model", False, ["second", "first", "third", "fourth"]),  # as texts, in any case
        ("name", False, ["first", "fourth", "second", "third"]),
        ("status", False, ["third", "second", "first", "fourth"]),
        ("when", False, ["first", "second", "third", "fourth"]),
        ("tag:git", True, ["second", "fourth", "third", "first"]),
        ("tag:note", True, ["fourth", "third", "second", "first"]),  # a tag that is no column
        ("tag:mlops.kind", False, ["first", "fourth", "third", "second"]),
        ("tag:duration", False, ["fourth", "third", "second", "first"]),  # no run has such a tag
        ("metric:unheard", True, ["fourth", "third", "second", "first"]),
    ],
)
def test_any_column_sorts_all_runs(four: Store, sort: str, descending: bool, order: list[str]) -> None:
    assert names(four.whole(sort=sort, descending=descending)) == order


def test_columns_stay_when_runs_are_sorted_and_filtered(four: Store) -> None:
    columns = four.whole()["columns"]
    assert four.page(sort="param:lr")["columns"] == columns == four.page(filter_text="first")["columns"]


def test_what_cannot_be_asked_is_said(four: Store) -> None:
    for offset, limit in ((0, 0), (0, 5000), (-1, 100)):
        with pytest.raises(UsageError, match="A page begins"):
            runs_page(four.uri, NAME, offset=offset, limit=limit)
    with pytest.raises(UsageError, match=r"no column 'accuracy'.*metric:NAME"):
        runs_page(four.uri, NAME, sort="accuracy")
    with pytest.raises(TrackingError, match="plain folders"):
        runs_page("/tmp/mlruns", NAME)


def test_a_run_that_begins_is_there_at_the_next_call_and_follows_as_it_goes_on(store: Store) -> None:
    store.run("old", 1_000)
    assert names(store.whole()) == ["old"]
    run_id = store.run("new", 2_000, status=None)
    assert names(store.page()) == ["new", "old"]
    store.client.log_metric(run_id, "auc", 0.5)
    page = store.page(sort="metric:auc")
    assert names(page) == ["new", "old"] and "metric:auc" in [one["key"] for one in page["columns"]]
    store.client.set_terminated(run_id)
    assert store.page()["rows"][0]["status"] == "FINISHED"
    store.client.delete_run(run_id)
    assert names(store.page()) == ["old"] and store.page()["known"] == 1


def test_an_experiment_that_begins_later_or_begins_anew_is_followed(store: Store) -> None:
    page = runs_page(store.uri, "chrun")
    assert page["rows"] == [] and page["complete"] and "Did you mean 'churn'?" in page["notes"][0]
    assert runs_page(f"{store.uri}-nowhere", NAME)["rows"] == []
    assert store.page()["notes"] == []
    store.run("first", 1_000)
    assert names(store.page()) == ["first"]
    store.client.delete_experiment(store.id)
    assert names(store.page()) == []
    store.client.restore_experiment(store.id)
    assert names(store.page()) == ["first"]


def test_runs_that_wait_on_disk_are_noted(store: Store) -> None:
    waiting = SpooledRun.create(uri=store.uri, experiment=NAME, name="waits", tags={})
    try:
        assert any("1 run waits on disk" in one for one in store.page()["notes"])
    finally:
        waiting.remove()


@pytest.mark.parametrize("experiment", [NAME, "chrun"])
def test_an_index_that_was_dropped_still_answers(four: Store, experiment: str) -> None:
    """Somebody may hold it, or wait for its first page, while another experiment takes its place."""
    index = RunsIndex(four.uri, experiment)
    index.close()

    def ask() -> None:
        with index.undisturbed():
            index.update(100)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(30)
    assert not asking.is_alive()
    assert index.count() == (4 if experiment == NAME else 0)


# -- many runs ----------------------------------------------------------------------------------------------------------


def test_the_first_page_does_not_wait_for_the_others(many: str) -> None:
    index_module._indexes._kept.clear()
    first = runs_page(many, EXPERIMENT)
    assert names(first) == [f"run-{n}" for n in range(1499, 1399, -1)]
    assert not first["complete"] and first["known"] < 1500
    best = runs_page(many, EXPERIMENT, sort="metric:metric_0")  # exact, though not all are known
    expected = listing.best_runs(many, EXPERIMENT, "metric_0", maximize=True)
    assert [one["id"] for one in best["rows"]] == [row.run_id for row in expected]
    lowest = runs_page(many, EXPERIMENT, sort="metric:metric_1", descending=False, offset=50, limit=20)
    expected = listing.best_runs(many, EXPERIMENT, "metric_1", maximize=False)[50:70]
    assert [one["id"] for one in lowest["rows"]] == [row.run_id for row in expected]
    whole = until(lambda: runs_page(many, EXPERIMENT), lambda found: bool(found["complete"]))
    assert whole["known"] == 1500
    assert [one["id"] for one in runs_page(many, EXPERIMENT, sort="metric:metric_0")["rows"]] == [
        one["id"] for one in best["rows"]
    ]
    assert names(runs_page(many, EXPERIMENT, offset=1490)) == [f"run-{n}" for n in range(9, -1, -1)]
    assert runs_page(many, EXPERIMENT, offset=5000)["rows"] == []
    assert runs_page(many, EXPERIMENT, filter_text="metric_0>2")["matching"] == 0


def test_old_runs_that_change_are_followed(many: str) -> None:
    client = MlflowClient(tracking_uri=many)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    until(lambda: runs_page(many, EXPERIMENT), lambda found: bool(found["complete"]))
    before = client.search_runs([experiment.experiment_id], "attributes.run_name = 'run-3'")[0].info
    late = str(client.create_run(experiment.experiment_id, start_time=before.start_time + 1, run_name="late").info.run_id)
    page = runs_page(many, EXPERIMENT, refresh=True)  # delivered long after it was made
    assert len(page["rows"]) == 100  # the page is there, whatever is still read
    page = until(lambda: runs_page(many, EXPERIMENT, offset=1490), lambda found: bool(found["complete"]))
    assert "late" in names(page) and page["known"] == 1501
    client.log_metric(late, "metric_0", 7.0)  # it runs, so it is asked for again
    time.sleep(index_module._FRESH)
    assert names(runs_page(many, EXPERIMENT, sort="metric:metric_0"))[0] == "late"
    client.delete_run(late)
    time.sleep(index_module._FRESH)
    assert runs_page(many, EXPERIMENT)["known"] == 1500
    client.delete_run(before.run_id)  # an old one that had ended: found by reading all again
    runs_page(many, EXPERIMENT, refresh=True)
    assert until(lambda: runs_page(many, EXPERIMENT), lambda found: bool(found["complete"]))["known"] == 1499
    client.restore_run(before.run_id)


def test_many_new_runs_at_once_are_all_found(store: Store) -> None:
    store.run("old", 1)
    store.whole()
    for n in range(index_module._NEWEST + 20):
        store.client.create_run(store.id, start_time=1_000 + n, run_name=f"new-{n}")
    assert store.page()["known"] == index_module._NEWEST + 21


def test_several_threads_see_the_same_runs(many: str) -> None:
    index_module._indexes._kept.clear()
    sorts = ["", "metric:metric_0", "param:param_1"]
    found: list[tuple[str, Message]] = []

    def ask(number: int) -> None:
        sort = sorts[number % 3]
        found.append((sort, runs_page(many, EXPERIMENT, sort=sort)))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert sorted(sort for sort, _ in found) == sorted(2 * sorts) and all(len(page["rows"]) == 100 for _, page in found)
    best = [row.run_id for row in listing.best_runs(many, EXPERIMENT, "metric_0", maximize=True)]
    for sort, page in found:  # of these two, every answer is exact, however far the reading was
        if sort == "":
            assert names(page) == [f"run-{n}" for n in range(1499, 1399, -1)]
        elif sort == "metric:metric_0":
            assert [one["id"] for one in page["rows"]] == best
    assert until(lambda: runs_page(many, EXPERIMENT), lambda page: bool(page["complete"]))["known"] == 1500


def test_a_store_that_cannot_be_read_is_said_and_its_return_is_noticed(store: Store, tmp_path: Path) -> None:
    store.run("one", 1)
    broken = tmp_path / "other.db"
    broken.write_bytes(b"this is no database, but a text of some length" * 40)
    for _ in range(2):
        with pytest.raises(TrackingError, match="cannot be used: file is not a database"):
            runs_page(f"sqlite:///{broken}", NAME)
    shutil.copy(tmp_path / "mlflow.db", broken)
    assert names(until(lambda: runs_page(f"sqlite:///{broken}", NAME), lambda page: bool(page["complete"]))) == ["one"]


def test_the_least_recently_asked_index_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "_INDEXES", 2)
    kept = index_module._Indexes()
    a, b = kept.get("u", "a"), kept.get("u", "b")
    assert kept.get("u", "a") is a
    kept.get("u", "c")
    assert kept.get("u", "a") is a and kept.get("u", "b") is not b and b._closed
    monkeypatch.setattr(index_module, "_ROWS", 1)
    a.add([RunRow("1", "x", "FINISHED", 1, 2, "a"), RunRow("2", "y", "FINISHED", 1, 2, "a")])
    assert kept.get("u", "b") is not a and list(kept._kept) == [("u", "b")]


def test_an_index_does_not_change_when_the_same_is_read_again() -> None:
    index = RunsIndex("u", "e")
    index.add([RunRow("1", "x", "FINISHED", 1, 2, "e", metrics={"auc": math.nan}, tags={"t": "v" * 9000})])
    version, _ = index.rows()
    index.add([RunRow("1", "x", "FINISHED", 1, 2, "e", metrics={"auc": float("nan")}, tags={"t": "v" * 9000})])
    assert index.rows()[0] == version and len(index.rows()[1][0].tags["t"]) < 9000


# -- the filter ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["fourth", "third", "second", "first"]),
        ("TREE", ["fourth", "first"]),  # of a tag, of a parameter
        ("tree cell", ["first"]),
        ('"two words"', ["third"]),
        ("failed", ["third"]),
        ("auc>0.8", ["second"]),
        ("auc >= 0.7", ["second", "first"]),
        ("auc<1 lr=0.10", ["first"]),
        ("lr=.01", ["second"]),
        ("metrics.auc<0.8", ["first"]),
        ("metric:loss=0.5", ["first"]),
        ("param:loss=0.5", []),
        ("status=failed", ["third"]),
        ("status!=finished", ["fourth", "third"]),
        ("model=tree", ["first"]),
        ('model="two words"', ["third"]),
        ("lr!=20", ["third", "second", "first"]),  # one without a value too
        ("kind=cell", ["first"]),
        ("duration>1", ["third", "second", "first"]),
        ("auc>0.6 auc<0.8", ["first"]),
        ("tag:note='loss of a tree'", ["fourth"]),
        (f"when>={datetime.fromtimestamp(3).isoformat()}", ["fourth", "third"]),
    ],
)
def test_words_and_comparisons(four: Store, text: str, found: list[str]) -> None:
    page = four.whole(filter_text=text)
    assert names(page) == found and page["matching"] == len(found) and page["known"] == 4


def test_a_run_is_found_by_the_beginning_of_its_id(four: Store) -> None:
    row = four.whole()["rows"][2]
    assert names(four.page(filter_text=row["id"][:10])) == [row["name"]]


def test_a_filter_that_leaves_none_says_why(four: Store) -> None:
    four.whole()
    assert four.page(filter_text="nothing-like-it")["notes"] == ["The filter leaves none."]
    assert "No run has 'aucc'. Did you mean 'auc'?" in four.page(filter_text="aucc>0.5")["notes"]


@pytest.mark.parametrize("text", ["auc>", ">0.8", "auc>>1", "auc=>1", "lr=", "a=b=c", "auc>high", "when>yesterday"])
def test_a_filter_that_cannot_be_read_is_an_error(four: Store, text: str) -> None:
    with pytest.raises(UsageError, match="filter"):
        runs_page(four.uri, NAME, filter_text=text)


def test_quotes_keep_signs_in_words() -> None:
    assert read_filter("'a=b' \"c > d\"").words == ("a=b", "c > d")


# -- side by side -------------------------------------------------------------------------------------------------------


def test_several_runs_side_by_side(four: Store) -> None:
    ids = {row["name"]: row["id"] for row in four.whole()["rows"]}
    found = compared_runs(four.uri, [ids["second"], ids["first"], ids["third"]])
    check_message("runs", "RunsComparison", found)
    assert [one["name"] for one in found["runs"]] == ["second", "first", "third"]
    assert {"name": "model", "values": ["forest", "Tree", "two words"], "same": False} in found["params"]
    assert {"name": "lr", "values": ["1e-2", "0.1", None], "same": False} in found["params"]
    assert {"name": "auc", "values": [0.9, 0.7, None], "lower": False, "best": 0} in found["metrics"]
    assert {"name": "loss", "values": [None, 0.5, None], "lower": True, "best": None} in found["metrics"]
    assert found["differences"] == []


def test_two_runs_also_show_what_else_differs(store: Store) -> None:
    def record(name: str, depth: int, commit: str) -> str:
        run_id = store.run(name, depth, tags={"git.commit": commit, "data.a.csv": f"md5:{depth:032x}"}, metrics={"auc": 0.5})
        store.client.log_text(run_id, f"model = fit({depth})\n", "cell/source.py")
        store.client.log_dict(
            run_id, {"python": "3.11", "distributions": {"numpy": f"2.{depth}"}}, "environment/environment.json"
        )
        return run_id

    found = compared_runs(store.uri, [record("a", 1, "a1b2c3d4"), record("b", 2, "b1b2c3d4")])
    check_message("runs", "RunsComparison", found)
    texts = {one["title"]: one["text"] for one in found["differences"]}
    assert list(texts) == ["Code of the cell", "Data", "Git", "Packages"]
    assert "-model = fit(1)\n+model = fit(2)" in texts["Code of the cell"]
    assert texts["Data"].startswith("a.csv: changed (") and texts["Git"] == "commit: a1b2c3d4 → b1b2c3d4"
    assert texts["Packages"] == "numpy: 2.1 → 2.2"
    assert found["metrics"][0]["best"] is None  # they tie


def test_what_cannot_be_compared_is_said(four: Store) -> None:
    ids = [row["id"] for row in four.whole()["rows"]]
    for wrong in ([], ids[:1], [ids[0], ids[0]], [f"{n:032x}" for n in range(11)]):
        with pytest.raises(UsageError, match="2 to 10 runs"):
            compared_runs(four.uri, wrong)
    with pytest.raises(NotFoundError, match="no run 'f00'"):
        compared_runs(four.uri, [ids[0], "f00"])
    with pytest.raises(NotFoundError, match="no run"):
        compared_runs(four.uri, [ids[0], "x' OR '1'='1"])
