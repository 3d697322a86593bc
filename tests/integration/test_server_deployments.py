"""Deployments through a real Jupyter server: what is said of them, and the jobs that deploy and roll back."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from jupyter_mlops.deploy.members import read_members
from jupyter_mlops.environment import free_port
from jupyter_mlops.errors import NotFoundError
from jupyter_mlops.jobs.processes import MARK
from jupyter_mlops.tracking.lifecycle import apply_lifecycle
from jupyter_mlops.workflows.deploying import DeployOptions, deploy, deployment_status, undeploy
from tests.conftest import Converted
from tests.deployed import Load, a_row, supervisors, wait_for_job
from tests.messages import check_message
from tests.promotable import MODEL, add_quick_version
from tests.server import Server, as_json, running_server
from tests.unit.promotion.registry import aliases

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("server-deployments")]

ADDRESS = f"deployments?path=penguins.ipynb&model={MODEL}"
NOTHING = {"deployment": None, "elsewhere": None}
SLOW = "approval: {required: false}\nlatency: {seconds: 0.5, ratio: 10}\ncanary: {steps: [10], seconds: 600, requests: 20, bake: 2}\n"


@pytest.fixture
def server(converted: Callable[[str], Converted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Its folder has the converted notebook, whose version 1 is in production; nothing is left of a deployment.

    Jobs and deployments are in a database that the server has by its settings only.
    """
    work = Path(shutil.copytree(converted("penguins").folder.parent, tmp_path / "work"))
    apply_lifecycle(_uri(work), MODEL, "1", None)
    place, database = tmp_path / "place", f"sqlite:///{tmp_path / 'elsewhere.db'}"
    place.mkdir()
    options = (f"--JupyterMlops.database_url={database}",)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(place / "data_dir"))
    with running_server(work, place, options=options) as running:
        monkeypatch.setenv("JUPYTER_MLOPS_DATABASE", database)
        yield running
        with suppress(NotFoundError):
            undeploy(MODEL)


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """With the token."""
    with server.client() as made:
        yield made


def _uri(work: Path) -> str:
    return f"sqlite:///{work / 'mlflow.db'}"


def _start(client: httpx.Client, **request: Any) -> str:
    answer = client.post("jobs", json={"path": "penguins.ipynb", "model": MODEL, **request})
    assert answer.status_code == 202, answer.text
    check_message("jobs", "Job", answer.json())
    return str(answer.json()["id"])


def _seen(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = as_json(client.get(ADDRESS))
    check_message("models", "DeploymentStatus", found)
    return found


def _deploy(client: httpx.Client) -> str:
    """By a job; the address."""
    port = free_port()
    ended = wait_for_job(client, _start(client, kind="deploy", port=port))
    assert ended["status"] == "done", ended
    check_message("jobs", "DeployDone", ended["result"])
    assert ended["result"] == {"ok": True, "url": f"http://127.0.0.1:{port}", "version": "1"}
    return str(ended["result"]["url"])


def test_what_is_in_production_is_deployed_and_looked_at(
    client: httpx.Client, server: Server, converted: Callable[[str], Converted]
) -> None:
    assert _seen(client) == NOTHING
    url = _deploy(client)
    with Load(url, a_row(converted)) as load:
        load.phase(requests=20)
    found = _seen(client)["deployment"]
    assert (found["url"], found["supervised"], found["envoys"], found["shadow"]) == (url, True, 2, None)
    [one] = found["versions"]
    assert (one["version"], one["share"], one["ready"], one["replicas"]) == ("1", 1, 2, 2)
    assert one["requests"] >= 20
    assert one["errors"] == 0
    assert 0 < one["p50"] <= one["p99"]

    again = wait_for_job(client, _start(client, kind="deploy"))
    assert again["status"] == "failed"
    assert again["error"]["code"] == "conflict"
    assert url in again["error"]["message"]
    assert as_json(client.get("deployments?path=penguins.ipynb&model=other")) == NOTHING
    assert server.process is not None
    mapped = {Path(one.path).name for one in psutil.Process(server.process.pid).memory_maps()}
    assert not {name for name in mapped if "pandas" in name or "numpy" in name or "multiarray" in name}


def test_a_model_of_this_name_in_another_store_is_only_named(client: httpx.Client, server: Server, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    shutil.copyfile(server.work / "mlflow.db", other / "mlflow.db")
    deploy(MODEL, "1", DeployOptions(port=free_port(), replicas=1, tracking_uri=_uri(other)))
    assert _seen(client) == {"deployment": None, "elsewhere": _uri(other)}
    ended = wait_for_job(client, _start(client, kind="deploy"))
    assert ended["error"]["code"] == "conflict"
    assert _uri(other) in ended["error"]["message"]


def test_what_lacks_or_leads_out_is_refused(client: httpx.Client) -> None:
    for address, status, code in (
        (f"deployments?model={MODEL}", 400, "bad-message"),
        ("deployments?path=penguins.ipynb", 400, "bad-message"),
        (f"deployments?path=../penguins.ipynb&model={MODEL}", 403, "outside-root"),
    ):
        answer = client.get(address)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    rollback = {"path": "penguins.ipynb", "model": MODEL, "kind": "rollback"}
    for request in (rollback, {**rollback, "version": "x"}, {**rollback, "kind": "deploy", "port": 70_000}):
        assert client.post("jobs", json=request).json()["code"] == "bad-message"


def test_back_to_the_version_before(
    client: httpx.Client, server: Server, converted: Callable[[str], Converted], tmp_path: Path
) -> None:
    uri = _uri(server.work)
    assert add_quick_version(uri, tmp_path / "version") == "2"
    apply_lifecycle(uri, MODEL, "2", "1")
    deploy(MODEL, "2", DeployOptions(port=free_port(), replicas=1, tracking_uri=uri))
    stale = wait_for_job(client, _start(client, kind="rollback", version="2"))
    assert stale["error"]["code"] == "conflict"
    assert "version 1 was in production before" in stale["error"]["message"]
    with Load(deployment_status(MODEL).url, a_row(converted)) as load:
        job = _start(client, kind="rollback", version="1", comment="it drifts")
        assert as_json(client.get(f"jobs/{job}"))["job"]["subject"] == f"{MODEL}/1"
        ended = wait_for_job(client, job)
        assert ended["status"] == "done", ended
        check_message("jobs", "PromoteDone", ended["result"])
        assert set(load.phase()) == {"1"}
        assert load.failed == []
    promotion = as_json(client.get(f"promotions/{ended['result']['promotion']}?path=penguins.ipynb"))
    check_message("models", "Promotion", promotion)
    assert [(step["name"], step["status"]) for step in promotion["steps"]] == [("lifecycle", "passed")]
    assert "it drifts" in promotion["journal"][0]["message"]
    assert aliases(uri, MODEL) == {"production": "1", "previous": "2"}
    events = as_json(client.get(f"jobs/{job}?after=0"))["events"]
    said = [(one["status"], one["message"]) for one in events if one["step"] == "lifecycle"]
    assert said[-1] == ("done", "version 1 of penguins is in production; version 2 is archived")


def test_a_job_that_is_stopped_leaves_what_is_deployed(
    client: httpx.Client, server: Server, converted: Callable[[str], Converted], tmp_path: Path
) -> None:
    """Also what the job itself has started: everything else of a job ends with it."""
    _deploy(client)
    place = deployment_status(MODEL).folder
    for one in supervisors(place):  # the promotion's own job starts the next one
        one.kill()
    assert add_quick_version(_uri(server.work), tmp_path / "version", policy=SLOW) == "2"
    with Load(deployment_status(MODEL).url, a_row(converted)) as load:
        job = _start(client, kind="promote", version="2")
        deadline = time.monotonic() + 300
        while sum(one["share"] > 0 for one in _seen(client)["deployment"]["versions"]) < 2:
            state = as_json(client.get(f"jobs/{job}"))["job"]
            assert state["status"] in ("queued", "running") and time.monotonic() < deadline, state
            time.sleep(0.3)
        members = read_members(place)
        assert {one.version for one in members.values()} == {None, "1", "2"}
        for one in members.values():
            assert MARK not in psutil.Process(one.pid).environ()
        as_json(client.delete(f"jobs/{job}"))
        assert wait_for_job(client, job)["status"] == "cancelled"
        load.phase()
        assert {name: one.pid for name, one in read_members(place).items()} == {n: one.pid for n, one in members.items()}
        assert all(one.alive for one in members.values())
        assert _seen(client)["deployment"]["supervised"]
        assert load.failed == []
