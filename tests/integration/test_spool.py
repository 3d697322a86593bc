"""MLflow away, dying in the middle, coming back: every run arrives, once. A real server, killed and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kernel import Kernel, running_kernel
from tests.mlflow_server import MlflowServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("spool"),
    pytest.mark.filterwarnings(
        "ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
    ),
]

FIT = (
    "from sklearn.linear_model import LogisticRegression\n"
    "model = LogisticRegression(C=0.3).fit([[0], [1], [2], [3]], [0, 0, 1, 1])\n"
    "auc = float(model.score([[0], [3]], [0, 1]))\n"
)
# The test kills the server when the first flag is gone, and says so with the second.
DIES = (
    "import mlflow, pathlib, time\n"
    "mlflow.log_param('before', 1)\nmlflow.log_metric('m', 1, step=1)\n"
    "pathlib.Path('alive').unlink()\n"
    "while not pathlib.Path('dead').exists():\n    time.sleep(0.05)\n"
    "mlflow.log_metric('m', 2, step=2)\nmlflow.log_text('hello', 'notes/note.txt')\nmlflow.set_tag('late', 'yes')\n"
    "with mlflow.start_run(run_name='child', nested=True):\n    mlflow.log_metric('c', 7)\n"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MlflowServer]:
    server = MlflowServer(tmp_path)
    try:
        yield server.start()
    finally:
        server.kill()


@pytest.fixture
def kernel(server: MlflowServer, tmp_path: Path) -> Iterator[Kernel]:
    env = {"MLFLOW_TRACKING_URI": server.uri, "JUPYTER_MLOPS_SPOOL": str(tmp_path / "spool"), "MLFLOW_EXPERIMENT_NAME": "e"}
    with running_kernel(tmp_path, env) as running:
        yield running


def _sync(tmp_path: Path) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "jupyter_mlops", "sync", "--json"],
        env={**os.environ, "JUPYTER_MLOPS_SPOOL": str(tmp_path / "spool")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def _runs(uri: str) -> dict[str, Any]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    found = client.search_runs([one.experiment_id for one in client.search_experiments()])
    assert len({run.info.run_name for run in found}) == len(found), "a run is there twice"
    return {run.info.run_name: run for run in found}


def _files(uri: str, run: Any, folder: str) -> set[str]:
    from mlflow import MlflowClient

    return {Path(one.path).name for one in MlflowClient(tracking_uri=uri).list_artifacts(run.info.run_id, folder)}


def test_a_server_that_dies_and_comes_back(kernel: Kernel, server: MlflowServer, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    assert kernel.run(f"%%track online\n{FIT}").error is None
    arrived = kernel.run("from jupyter_mlops.tracking import recording\nassert recording.flush(60)")
    assert arrived.error is None
    (tmp_path / "alive").touch()
    sent = kernel.start(f"%%track dies\n{DIES}{FIT}")
    while (tmp_path / "alive").exists():
        assert kernel.manager.is_alive()
    server.kill()
    (tmp_path / "dead").touch()
    reply = kernel.finish(sent, timeout=120)
    assert reply.error is None, reply.error
    assert "waits on disk" in reply.card
    away = kernel.run(f"%%track away --metric auc+1\n{FIT}")
    assert away.error is None and "waits on disk" in away.card
    failed = kernel.run("%%track fails\nraise ValueError('x')")
    assert failed.error is not None and failed.error["ename"] == "ValueError"
    code, answer = _sync(tmp_path)
    assert code == 1 and not answer["delivered"] and set(answer["kept"]) == {"dies", "child", "away", "fails"}

    server.start()
    code, answer = _sync(tmp_path)
    assert code == 0 and set(answer["delivered"]) == {"dies", "child", "away", "fails"}
    assert _sync(tmp_path) == (0, {**answer, "delivered": {}, "kept": {}})
    assert not any((tmp_path / "spool").iterdir())

    runs = _runs(server.uri)
    assert set(runs) == {"online", "dies", "child", "away", "fails"}
    assert {name: run.info.status for name, run in runs.items()} == {
        "online": "FINISHED", "dies": "FINISHED", "child": "FINISHED", "away": "FINISHED", "fails": "FAILED",
    }  # fmt: skip
    dies = runs["dies"]
    assert dies.data.params["before"] == "1" and dies.data.params["C"] == "0.3"
    assert dies.data.metrics["auc"] == 1.0 and dies.data.tags["late"] == "yes"
    history = MlflowClient(tracking_uri=server.uri).get_metric_history(dies.info.run_id, "m")
    assert [(one.step, one.value) for one in history] == [(1, 1.0), (2, 2.0)]
    assert _files(server.uri, dies, "notes") == {"note.txt"} and "source.py" in _files(server.uri, dies, "cell")
    assert runs["child"].data.tags["mlflow.parentRunId"] == dies.info.run_id and runs["child"].data.metrics["c"] == 7.0
    assert runs["away"].data.metrics["auc_1"] == 2.0 and runs["away"].data.params["C"] == "0.3"
    assert "estimator.html" in _files(server.uri, runs["away"], "")
    assert _files(server.uri, runs["fails"], "") >= {"traceback.txt"}
    # the times are those of the cells, not of the delivery
    assert runs["away"].info.end_time - runs["away"].info.start_time < 60_000
    assert runs["away"].info.start_time < runs["fails"].info.start_time


def test_the_next_run_takes_along_what_waits(kernel: Kernel, server: MlflowServer, tmp_path: Path) -> None:
    server.kill()
    kernel.run("%%track first\nx = float('1')")
    server.start()
    kernel.run("%%track second\nx = float('2')")
    kernel.run("from jupyter_mlops.tracking.recording import flush\nassert flush(60)")
    assert {name: run.data.metrics["x"] for name, run in _runs(server.uri).items()} == {"first": 1.0, "second": 2.0}


def test_a_killed_kernel(kernel: Kernel, server: MlflowServer, tmp_path: Path) -> None:
    """What it had recorded arrives, and the run does not stay RUNNING for ever."""
    kernel.start(
        "%%track gone\nimport mlflow, os, pathlib, time\nmlflow.log_metric('m', 1)\npathlib.Path('going').touch()\ntime.sleep(60)"
    )
    while not (tmp_path / "going").exists():
        assert kernel.manager.is_alive()
    process: Any = kernel.manager.provisioner
    os.kill(process.pid, signal.SIGKILL)
    process.process.wait(timeout=30)
    code, answer = _sync(tmp_path)
    assert code == 0 and set(answer["delivered"]) == {"gone"}
    run = _runs(server.uri)["gone"]
    assert run.info.status == "KILLED" and run.data.metrics["m"] == 1.0 and "died" in run.data.tags["mlops.ended"]
    assert _files(server.uri, run, "cell") == {"source.py"}


def test_sync_leaves_a_running_cell_alone(kernel: Kernel, server: MlflowServer, tmp_path: Path) -> None:
    sent = kernel.start(
        "%%track running\nimport pathlib, time\npathlib.Path('going').touch()\nwhile not pathlib.Path('go').exists():\n    time.sleep(0.05)"
    )
    while not (tmp_path / "going").exists():
        assert kernel.manager.is_alive()
    assert _sync(tmp_path)[1]["delivered"] == {}
    (tmp_path / "go").touch()
    kernel.finish(sent)
    assert _runs(server.uri)["running"].info.status == "FINISHED"
