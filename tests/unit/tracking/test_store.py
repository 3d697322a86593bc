"""Which addresses are stores, and what using one leaves behind."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jupyter_mlops.errors import TrackingError
from jupyter_mlops.tracking.imports import import_mlflow
from jupyter_mlops.tracking.store import absolute, check_address, experiment_id, is_reachable, store


@pytest.mark.parametrize(
    "uri", ["sqlite:///a.db", "http://host", "postgresql+psycopg://u:p@host/db", "databricks", "databricks://me"]
)
def test_addresses(uri: str) -> None:
    check_address(uri)


@pytest.mark.parametrize("uri", ["", "mlruns", "file:///runs", "htp://host", "C:/runs"])
def test_addresses_of_no_store(uri: str) -> None:
    with pytest.raises(TrackingError, match=r"sqlite:///mlflow\.db"):
        check_address(uri)


def test_the_log_level_after_stores_in_two_threads() -> None:
    import_mlflow()  # which sets a level of its own
    logger = logging.getLogger("mlflow")
    before = logger.level
    first, second = store("sqlite://"), store("sqlite://")
    first.__enter__()
    second.__enter__()
    assert logger.level == logging.ERROR
    first.__exit__(None, None, None)
    assert logger.level == logging.ERROR
    second.__exit__(None, None, None)
    assert logger.level == before


def test_a_store_is_the_same_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute("sqlite:///mlflow.db") == f"sqlite:///{tmp_path}/mlflow.db"
    for uri in ("sqlite:////tmp/x.db", "sqlite:///:memory:", "http://127.0.0.1:5000", "databricks"):
        assert absolute(uri) == uri


def test_a_silent_server_is_not_asked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """It accepts a connection and says nothing: the first question takes its time, the next none."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert not is_reachable(uri)
        started = time.monotonic()
        assert not is_reachable(uri)
        assert time.monotonic() - started < 1.0


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("a text that is no database " * 50)
    with (
        pytest.raises(TrackingError, match="cannot be used: file is not a database"),
        store(f"sqlite:///{tmp_path}/mlflow.db") as client,
    ):
        client.search_experiments()


@pytest.mark.parametrize("name", ["/Shared/ada/churn", "../../churn", "..", "a/../../b", "plain"])
def test_artifacts_stay_beside_the_store_whatever_the_experiment_is_called(tmp_path: Path, name: str) -> None:
    (tmp_path / "books").mkdir()
    uri = f"sqlite:///{tmp_path / 'books' / 'mlflow.db'}"
    with store(uri) as client:
        location = client.get_experiment(experiment_id(client, name, uri)).artifact_location
    folder = Path(location.removeprefix("file://")).resolve()
    assert folder.is_relative_to(tmp_path / "books" / "mlruns")
    assert folder != tmp_path / "books" / "mlruns"


def test_a_new_store_says_nothing(tmp_path: Path) -> None:
    """In a process of its own: warnings of what MLflow imports would stand above each command's output."""
    program = "import sys\nfrom jupyter_mlops.tracking.store import store\nwith store(sys.argv[1]) as client: client.search_experiments()"
    done = subprocess.run(
        [sys.executable, "-c", program, f"sqlite:///{tmp_path / 'mlflow.db'}"], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")
