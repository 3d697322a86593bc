"""A promotion through a real Jupyter server: a job runs the gates, somebody else approves, a job goes on to the end."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_mlops.jobs.statuses import ENDED
from tests.conftest import Converted
from tests.messages import check_message
from tests.promotable import MODEL, add_quick_version
from tests.server import Server, as_json, running_server

pytestmark = pytest.mark.xdist_group("server-promotion")

Add = Callable[..., str]


@pytest.fixture(scope="module")
def work(converted: Callable[[str], Converted], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The converted notebook with a store of its own: what is promoted here is nobody else's."""
    folder = tmp_path_factory.mktemp("work") / "work"
    return Path(shutil.copytree(converted("penguins").folder.parent, folder))


@pytest.fixture(scope="module")
def server(work: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One whose user is the author of the version."""
    with running_server(work, tmp_path_factory.mktemp("place")) as running:
        yield running


@pytest.fixture(scope="module")
def add(work: Path, tmp_path_factory: pytest.TempPathFactory) -> Add:
    """Register a further version whose tests take no time."""

    def made(**tests: str) -> str:
        return add_quick_version(f"sqlite:///{work / 'mlflow.db'}", tmp_path_factory.mktemp("version"), **tests)

    return made


def promote(client: httpx.Client, version: str) -> str:
    """Start the job; returns its id."""
    answer = client.post("jobs", json={"kind": "promote", "path": "penguins.ipynb", "model": MODEL, "version": version})
    assert answer.status_code == 202, answer.text
    assert answer.json()["subject"] == f"{MODEL}/{version}"
    return str(answer.json()["id"])


def other_user(server: Server, place: Path) -> AbstractContextManager[Server]:
    """A server with the same database for another user: one whom Jupyter makes a name up for."""
    database = f"sqlite:///{server.place / 'data_dir' / 'jupyter-mlops' / 'mlops.db'}"
    options = ("--JupyterMlops.identity=provider", f"--JupyterMlops.database_url={database}")
    return running_server(server.work, place, options=options)


def over(client: httpx.Client, job: str) -> dict[str, Any]:
    """The job at its end."""
    deadline = time.monotonic() + 400
    while True:
        found: dict[str, Any] = as_json(client.get(f"jobs/{job}"))["job"]
        if found["status"] in ENDED:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.5)


def newest(client: httpx.Client, version: str) -> dict[str, Any]:
    """The newest version of the model, which is this one."""
    found: dict[str, Any] = as_json(client.get(f"models/versions?path=penguins.ipynb&name={MODEL}"))
    check_message("models", "ModelVersions", found)
    first: dict[str, Any] = found["versions"][0]
    assert first["version"] == version
    return {**first, "active": found["active"]}


def test_from_one_click_to_production(server: Server, add: Add, work: Path, tmp_path: Path) -> None:
    version = add()
    with server.client() as client:
        assert newest(client, version)["promotion"] is None
        job = promote(client, version)
        while (seen := newest(client, version)["promotion"]) is None:
            assert as_json(client.get(f"jobs/{job}"))["job"]["status"] in ("queued", "running")
            time.sleep(0.2)
        assert seen["status"] == "waiting" or seen["job"] == job  # which job of this server works on it
        ended = over(client, job)
        assert ended["status"] == "done", ended
        check_message("jobs", "PromoteDone", ended["result"])
        assert (ended["result"]["status"], ended["step"]) == ("waiting", "approval")
        promotion = as_json(client.get(f"promotions/{ended['result']['promotion']}?path=penguins.ipynb"))
        check_message("models", "Promotion", promotion)
        assert not promotion["mayDecide"] and promotion["whyNot"]

        decision = {"decision": "approve", "comment": "good", "digest": promotion["digest"]}
        own = client.post(f"promotions/{promotion['id']}/decision?path=penguins.ipynb", json=decision)
        assert own.status_code == 403 and own.json()["code"] == "forbidden"
        check_message("status", "ErrorMessage", own.json())

    with other_user(server, tmp_path) as other, other.client() as client:
        (work / "elsewhere").mkdir()  # a notebook of the same name, with a store of its own
        shutil.copy(work / "penguins.ipynb", work / "elsewhere")
        elsewhere = client.post(f"promotions/{promotion['id']}/decision?path=elsewhere/penguins.ipynb", json=decision)
        assert elsewhere.status_code == 404 and "store" in elsewhere.json()["message"]
        nowhere = client.post(f"promotions/{promotion['id']}/decision", json=decision)
        assert nowhere.status_code == 400 and nowhere.json()["code"] == "bad-message"
        stale = client.post(f"promotions/{promotion['id']}/decision?path=penguins.ipynb", json={**decision, "digest": "0" * 64})
        assert stale.status_code == 409 and stale.json()["code"] == "conflict"
        approved = client.post(f"promotions/{promotion['id']}/decision?path=penguins.ipynb", json=decision)
        found = as_json(approved)
        check_message("models", "Promotion", found)
        assert found["job"] is not None
        ended = over(client, found["job"])
        assert ended["result"]["status"] == "promoted", ended
        now = newest(client, version)
        assert now["lifecycle"] == "Production" and "production" in now["aliases"]
        assert now["active"] is None
        again = client.post(f"promotions/{promotion['id']}/decision?path=penguins.ipynb", json=decision)
        assert again.status_code == 409 and again.json()["code"] == "conflict"


def test_a_rejected_version_stays_out_of_production(server: Server, add: Add, tmp_path: Path) -> None:
    version = add(test_golden="def test_nothing():\n    pass\n")
    with server.client() as client:
        ended = over(client, promote(client, version))
        assert (ended["status"], ended["result"]["status"]) == ("done", "waiting"), ended
    promotion = ended["result"]["promotion"]
    address, rejection = f"promotions/{promotion}/decision?path=penguins.ipynb", {"decision": "reject", "comment": "too slow"}
    with other_user(server, tmp_path) as other, other.client() as client:
        found = as_json(client.post(address, json=rejection))
        check_message("models", "Promotion", found)
        assert (found["status"], found["job"]) == ("rejected", None)  # nothing goes on
        approval = next(step for step in found["steps"] if step["name"] == "approval")
        assert approval["status"] == "failed" and approval["message"].endswith(": too slow")
        assert found["journal"][-1]["message"] == "Rejected: too slow"
        now = newest(client, version)
        assert now["lifecycle"] == "Staging" and "production" not in now["aliases"]
        assert now["active"] is None
        again = client.post(address, json={"decision": "approve", "comment": ""})
        assert again.status_code == 409 and "is over: rejected" in again.json()["message"]


def test_a_gate_that_says_no_fails_the_job_and_is_named(server: Server, add: Add) -> None:
    version = add(test_mine="def test_mine():\n    assert 1 == 2, 'by hand'\n")
    with server.client() as client:
        job = promote(client, version)
        ended = over(client, job)
        assert (ended["status"], ended["result"]["status"]) == ("failed", "failed")
        error = ended["error"]
        assert error["code"] == "promotion-failed" and error["fix"]
        assert f"{MODEL} version {version}: failed. Tests of the project: 1 of " in error["message"]
        assert "tests.test_mine::test_mine" in error["message"]
        assert "tests failed" in as_json(client.get(f"jobs/{job}/log"))["text"]
        promotion = as_json(client.get(f"promotions/{ended['result']['promotion']}?path=penguins.ipynb"))
        steps = {step["name"]: step["status"] for step in promotion["steps"]}
        assert (steps.pop("audit"), steps.pop("tests")) == ("passed", "failed")
        assert {"parity", "api", "latency", "approval", "lifecycle"} <= steps.keys()
        assert set(steps.values()) == {"pending"}
        assert newest(client, version)["lifecycle"] == "Staging"
