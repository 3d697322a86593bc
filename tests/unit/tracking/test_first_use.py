"""Several processes that use a new SQLite store at the same moment: a run, another run, and the list that shows them."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

_LATER = """
import os, sys, time
from jupyter_mlops.tracking.imports import import_mlflow
import_mlflow()
uri, ready, go = sys.argv[1:4]
open(ready, "w").close()
while not os.path.exists(go):
    time.sleep(0.005)
"""
_RECORDS = """
from jupyter_mlops.tracking.store import experiment_id, store
with store(uri) as client:
    client.create_run(experiment_id(client, "e", uri))
"""
_READS = """
from jupyter_mlops.tracking.listing import latest_runs
from jupyter_mlops.tracking.searching import store_exists
while not store_exists(uri):
    time.sleep(0.005)
latest_runs(uri, "e")
"""
_KNOWS_NOTHING_OF_US = """
import mlflow
mlflow.MlflowClient(tracking_uri=uri).search_experiments()
"""


@pytest.mark.parametrize(
    "programs", [(_RECORDS, _RECORDS, _READS), (_KNOWS_NOTHING_OF_US, _READS)], ids=["ours", "a notebook with plain MLflow"]
)
def test_a_new_store_is_made_once(tmp_path: Path, programs: tuple[str, ...]) -> None:
    uri = f"sqlite:///{tmp_path / 'new store' / 'mlflow.db'}"
    (tmp_path / "new store").mkdir()
    go, ready = tmp_path / "go", [tmp_path / f"ready{number}" for number in range(len(programs))]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _LATER + program, uri, str(mark), str(go)], cwd=tmp_path, text=True, stderr=subprocess.PIPE
        )
        for program, mark in zip(programs, ready, strict=True)
    ]
    try:
        while not all(one.exists() for one in ready):
            assert all(one.poll() is None for one in started)
        go.touch()
        said = [one.communicate(timeout=120)[1] for one in started]
        assert [one.returncode for one in started] == [0] * len(programs), said
    finally:
        for one in started:
            one.kill()
            one.wait()


def test_a_store_of_another_version_is_not_waited_for_long(tmp_path: Path) -> None:
    """MLflow's own message says what to do about it."""
    from jupyter_mlops.errors import TrackingError
    from jupyter_mlops.tracking.first_use import _PATIENCE
    from jupyter_mlops.tracking.store import store

    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    with store(uri) as client:
        client.search_experiments()
    other = tmp_path / "other.db"
    other.write_bytes((tmp_path / "mlflow.db").read_bytes())
    with sqlite3.connect(other) as database:
        database.execute("UPDATE alembic_version SET version_num = 'older'")
    database.close()
    started = time.monotonic()
    with pytest.raises(TrackingError, match="out-of-date"), store(f"sqlite:///{other}"):
        pass
    assert time.monotonic() - started < _PATIENCE / 2  # nobody makes tables there
