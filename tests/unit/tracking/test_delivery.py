"""The spool and what becomes of it, on a real SQLite store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import TrackingError
from jupyter_mlops.tracking.delivery import create, deliver, deliver_waiting
from jupyter_mlops.tracking.recording import Recording, flush
from jupyter_mlops.tracking.spool import SPOOL_TAG, SpooledRun, spooled_runs

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("JUPYTER_MLOPS_SPOOL", str(tmp_path / "spool"))
    yield tmp_path / "spool"
    flush(30)


def _client(uri: str) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri)


def _made(uri: str, name: str, **more: Any) -> SpooledRun:
    return SpooledRun.create(uri=uri, experiment="e", name=name, tags={"a": "b"}, **more)


def test_a_run_arrives_once_whatever_breaks_off(uri: str, spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A delivery that is cut off at any of its calls is taken up by the next one."""
    from mlflow import MlflowClient

    run = _made(uri, "once")
    run.append({"params": {"p": "1"}, "metrics": [["m", 0.5, 1000, 0], ["m", 0.6, 2000, 1]]})
    run.append({"tags": {"late": "yes"}, "end": ["FINISHED", 5000]})
    (run.files / "sub").mkdir(parents=True)
    for name in ("one.txt", "two.txt"):
        (run.files / "sub" / name).write_text(name)
    cuts = ["create_run", "log_batch", "log_artifact"]
    for name in cuts:
        real = getattr(MlflowClient, name)

        def after(self: Any, *arguments: Any, _real: Any = real, **more: Any) -> Any:
            _real(self, *arguments, **more)  # it was done, but the answer is lost
            raise ConnectionError("cut off")

        monkeypatch.setattr(MlflowClient, name, after)
        with pytest.raises((ConnectionError, Exception), match="cut off"):
            deliver(run)
        monkeypatch.setattr(MlflowClient, name, real)
    run_id = deliver(run)
    client = _client(uri)
    experiment = client.get_experiment_by_name("e").experiment_id
    (found,) = client.search_runs([experiment], "attributes.run_name = 'once'")
    assert found.info.run_id == run_id and found.info.status == "FINISHED" and found.info.end_time == 5000
    assert found.data.params == {"p": "1"} and found.data.tags["late"] == "yes" and found.data.tags["a"] == "b"
    assert [(one.step, one.value) for one in client.get_metric_history(run_id, "m")] == [(0, 0.5), (1, 0.6)]
    assert {one.path for one in client.list_artifacts(run_id, "sub")} == {"sub/one.txt", "sub/two.txt"}
    assert not run.folder.exists()


def test_many_values_and_what_mlflow_refuses(uri: str, spool: Path) -> None:
    """One value that MLflow will never take does not hold up a run: it is named in it."""
    run = _made(uri, "many")
    create(run)
    _client(uri).log_param(run.run_id, "p7", "other")
    run.append({"params": {f"p{n}": str(n) for n in range(250)} | {"long": "x" * 7000}})
    run.append({"metrics": [[f"m{n}", n, 1, 0] for n in range(2300)] + [["bad?name", 1, 1, 0]], "end": ["FINISHED", 2]})
    found = _client(uri).get_run(deliver(run))
    assert len(found.data.params) == 251 and found.data.params["p7"] == "other"
    assert len(found.data.metrics) == 2300
    assert "p7" in found.data.tags["mlops.refused"] and "bad?name" in found.data.tags["mlops.refused"]
    assert found.data.params["long"].endswith("(7000 characters)")


def test_children_find_their_parent(uri: str, spool: Path) -> None:
    parent = _made(uri, "parent")
    child = _made(uri, "child", parent=parent.local_id)
    for run in (parent, child):
        run.append({"end": ["FINISHED", 1]})
        run.release()
    done = deliver_waiting()
    ids = dict(done.runs)
    assert not done.kept
    assert _client(uri).get_run(ids["child"]).data.tags["mlflow.parentRunId"] == ids["parent"]


def test_a_child_waits_for_its_parent(uri: str, spool: Path) -> None:
    """Another process may be about to tell MLflow of the parent: a child that came first would be nested in nothing."""
    parent = _made(uri, "late parent")
    child = _made(uri, "early child", parent=parent.local_id)
    with pytest.raises(TrackingError, match="after that"):
        create(child)
    made = create(parent)
    child_id = create(child)
    assert _client(uri).get_run(child_id).data.tags["mlflow.parentRunId"] == made
    for run in (parent, child):
        run.remove()


def test_runs_begun_behind(uri: str, spool: Path) -> None:
    parent = Recording.start(uri=uri, experiment="e", name="behind", behind=True)
    local = parent.run_id
    child = Recording.start(uri=uri, experiment="e", name="child", parent=local, params={"p": 1}, behind=True)
    assert flush(30)
    assert parent.run_id != local
    assert child.finish(wait=30)
    assert parent.finish(wait=30)
    run = _client(uri).get_run(child.run_id)
    assert run.data.tags["mlflow.parentRunId"] == parent.run_id and run.data.params == {"p": "1"}


def test_what_waits(uri: str, spool: Path, tmp_path: Path) -> None:
    """Runs of an unreachable store stay; a held one is left alone; one without an end was killed."""
    away = SpooledRun.create(uri="http://127.0.0.1:9", experiment="e", name="away", tags={})
    away.release()
    held = _made(uri, "held")
    dead = _made(uri, "dead")
    dead.append({"params": {"p": "1"}})
    with (dead.folder / "journal.jsonl").open("a") as file:
        file.write('{"params": {"cut')  # the process died while it wrote
    dead.release()
    done = deliver_waiting()
    assert [name for name, _ in done.runs] == ["dead"] and [name for name, _ in done.kept] == ["away"]
    assert "does not answer" in done.kept[0][1]
    assert {json.loads((one / "run.json").read_text())["name"] for one in spooled_runs()} == {"away", "held"}
    found = _client(uri).get_run(done.runs[0][1])
    assert found.info.status == "KILLED" and found.data.params == {"p": "1"} and SPOOL_TAG in found.data.tags
    held.remove()


def test_a_recording(uri: str, spool: Path, tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("1")
    recording = Recording.start(uri=uri, experiment="e", name="recorded", params={"p": 1})
    recording.log(metrics={"m": 0.5}, tags={"t": "x"}, params={"p": 2, "q": 3})
    recording.file(tmp_path / "file.txt", "folder")
    (tmp_path / "file.txt").write_text("2")  # it was copied as it was
    recording.text("note.txt", "hello")
    assert recording.finish("FAILED") and recording.delivered and recording.wait(30)
    run = _client(uri).get_run(recording.run_id)
    assert run.info.status == "FAILED" and run.data.params == {"p": "1", "q": "3"} and run.data.metrics == {"m": 0.5}
    path = _client(uri).download_artifacts(run.info.run_id, "folder/file.txt", str(tmp_path))
    assert Path(path).read_text() == "1"
    assert not any(spool.iterdir())


def test_only_the_user_can_read_it(uri: str, spool: Path) -> None:
    run = _made(uri, "private")
    assert spool.stat().st_mode & 0o077 == 0 and run.folder.stat().st_mode & 0o077 == 0
    run.remove()
