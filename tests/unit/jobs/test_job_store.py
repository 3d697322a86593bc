"""Jobs and events in a real SQLite file."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.database import Taken, now
from jupyter_mlops.errors import EnvironmentLackError
from jupyter_mlops.jobs.recorder import Recorder, event_row, plain, thinned
from jupyter_mlops.jobs.store import KEPT_PROGRESS, Store
from jupyter_mlops.workflows.events import Event


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'mlops.db'}")


def _row(job: str = "a", **values: Any) -> dict[str, Any]:
    return {
        "id": job, "owner": "ann", "root": "/home", "path": "a.ipynb", "kind": "run", "title": "Run a.ipynb", "user": "ann",
        "request": {"kind": "run", "path": "a.ipynb"}, "tracking_uri": None, "status": "running", "claim": job,
        "position": time.time_ns(), "created": now(), "next": 0, "log": f"/logs/{job}.log", **values,
    }  # fmt: skip


def _shown(store: Store, job: str = "a") -> list[tuple[int, str, str, str]]:
    return [(one["number"], one["step"], one["status"], one["message"]) for one in store.events(job)]


def test_a_claim_has_one_holder(store: Store) -> None:
    store.add(_row("a", claim="same"))
    with pytest.raises(Taken):
        store.add(_row("b", claim="same"))
    store.update("a", ("running",), status="done", claim=None)
    store.add(_row("b", claim="same"))
    assert [row["id"] for row in store.find("ann")] == ["b", "a"]
    assert not store.update("a", ("running",), status="lost"), "what is over stays as it is"


def test_owners_and_roots_are_apart(store: Store) -> None:
    store.add(_row("a"))
    store.add(_row("b", owner="bob"))
    store.add(_row("c", root="/elsewhere"))
    assert {row["id"] for row in store.find("ann")} == {"a", "c"}
    assert {row["id"] for row in store.find("ann", root="/home")} == {"a"}
    assert store.count("ann", "/home", ("running",)) == 1
    assert set(store.numbers("ann", None, ("b",))) == {"a", "c"}


def test_written_again_after_a_failure_is_written_once(store: Store) -> None:
    store.add(_row())
    rows = [event_row(n, now(), Event("train", "started", str(n))) for n in range(3)]
    assert store.write("a", rows, step="train") == "running"
    assert store.write("a", rows, step="train") == "running"
    assert [number for number, *_ in _shown(store)] == [0, 1, 2]
    found = store.get("a")
    assert found is not None
    assert found["next"] == 3


def test_progress_is_bounded_and_goes_with_its_step(store: Store) -> None:
    store.add(_row())
    store.write("a", [event_row(0, now(), Event("train", "started"))])
    for number in range(1, 200):
        store.write("a", [event_row(number, now(), Event("train", "progress", str(number)))])
    assert len(_shown(store)) <= KEPT_PROGRESS + 1
    assert _shown(store)[-1] == (199, "train", "progress", "199")
    store.write("a", [event_row(200, now(), Event("train", "done"))])
    store.write("a", [event_row(201, now(), Event("other", "failed"))])
    assert [(n, status) for n, _, status, _ in _shown(store)] == [(0, "started"), (200, "done"), (201, "failed")]


def test_old_jobs_go_with_their_events(store: Store) -> None:
    for number in range(5):
        store.add(_row(f"j{number}", status="done", claim=None))
        store.write(f"j{number}", [event_row(0, now(), Event("job", "done"))])
    store.add(_row("first", position=1))  # still runs
    assert sorted(store.forget("ann", 3)) == ["/logs/j0.log", "/logs/j1.log"]
    assert [row["id"] for row in store.find("ann")] == ["j4", "j3", "j2", "first"]
    assert store.events("j0") == []


def test_a_database_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    place = tmp_path / "mlops.db"
    place.write_text("this is no database, whatever its name says")
    with pytest.raises(EnvironmentLackError, match=r"mlops\.db.*JUPYTER_MLOPS_DATABASE"):
        Store(f"sqlite:///{place}")


def test_tables_made_at_the_same_time(tmp_path: Path) -> None:
    failures: list[Exception] = []

    def make(number: int) -> None:
        try:
            Store(f"sqlite:///{tmp_path / 'both.db'}").add(_row(f"j{number}"))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=make, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not failures


def _event(step: str, status: Any, message: str = "") -> tuple[int, Event]:
    return 0, Event(step, status, message)


def test_what_newer_events_overtake_is_not_written() -> None:
    events = [
        _event("a", "started"), _event("a", "progress", "1"), _event("a", "progress", "2"), _event("a", "done"),
        _event("b", "started"), _event("b", "progress", "1"), _event("b", "progress", "2"),
    ]  # fmt: skip
    assert [(e.step, e.status, e.message) for _, e in thinned(events)] == [
        ("a", "started", ""), ("a", "done", ""), ("b", "started", ""), ("b", "progress", "2"),
    ]  # fmt: skip


def test_a_flood_of_progress_is_few_writes_and_loses_no_step(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.add(_row())
    recorder = Recorder(store, "a", 0)
    began = time.monotonic()
    for step in ("one", "two"):
        recorder(Event(step, "started"))
        for number in range(20_000):
            recorder(Event(step, "progress", str(number), number / 20_000))
        time.sleep(0.5)
        recorder(Event(step, "done", seconds=1.0))
    took = time.monotonic() - began
    recorder.finish("done", Event("job", "done", "over"), message="over")
    found = store.get("a")
    assert found is not None
    assert (found["status"], found["claim"], found["step"], found["message"]) == ("done", None, "two", "over")
    assert found["next"] <= 6 + 5 * (took + 2), "about five a second are written"
    assert [(s, status) for _, s, status, _ in _shown(store)] == [
        ("one", "started"), ("one", "done"), ("two", "started"), ("two", "done"), ("job", "done"),
    ]  # fmt: skip
    assert "progress" not in capsys.readouterr().out


def test_the_last_progress_before_a_pause_is_seen(store: Store) -> None:
    store.add(_row())
    recorder = Recorder(store, "a", 0)
    for number in range(1000):
        recorder(Event("train", "progress", str(number)))
    time.sleep(1.0)
    assert _shown(store)[-1][3] == "999"
    recorder.finish("done", Event("job", "done"))


def test_events_wait_for_a_database_that_is_away(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is really locked by another connection, longer than SQLite's patience."""
    import sqlite3

    store.add(_row())
    with store._database.engine.connect() as connection:  # the one that the thread takes from the pool
        connection.exec_driver_sql("PRAGMA busy_timeout=50")
    other = sqlite3.connect(tmp_path / "mlops.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    recorder = Recorder(store, "a", 0)
    recorder(Event("train", "started"))
    time.sleep(0.6)
    recorder(Event("train", "done"))
    time.sleep(0.6)
    other.execute("ROLLBACK")
    other.close()
    recorder.finish("done", Event("job", "done"))
    assert [(n, status) for n, _, status, _ in _shown(store)] == [(0, "started"), (1, "done"), (2, "done")]


def test_the_database_can_say_stop(store: Store) -> None:
    store.add(_row(status="stopping"))
    asked = threading.Event()
    recorder = Recorder(store, "a", 0, asked.set)
    recorder(Event("train", "started"))
    assert asked.wait(5)
    recorder.finish("cancelled", Event("job", "skipped"))


def test_what_is_kept_is_plain_and_holds_no_secret() -> None:
    import numpy as np

    found = plain(
        {"loss": float("nan"), "n": np.int64(3), "text": "a\0b", "where": Path("/x"), "password": "hunter2000", "list": (1, 2),
         "uri": "postgresql://me:verysecret1@host/db"}
    )  # fmt: skip
    assert found == {
        "loss": None, "n": 3, "text": "ab", "where": "/x", "password": "***", "list": [1, 2], "uri": "postgresql://me:***@host/db",
    }  # fmt: skip
    row = event_row(0, 0, Event("a", "progress", "key AKIAABCDEFGHIJKLMNOP", float("inf")))
    assert (row["message"], row["fraction"]) == ("key ***", None)
