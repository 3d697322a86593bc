"""A promotion through a real Jupyter server: a job runs the gates, somebody else approves, a job goes on to the end."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_mlops.server.messages import problems
from tests.conftest import Converted
from tests.server import Server, as_json, running_server

REQUEST = {"kind": "promote", "path": "penguins.ipynb", "model": "penguins", "version": "1"}


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


def over(client: httpx.Client, job: str) -> dict[str, Any]:
    """The job at its end."""
    deadline = time.monotonic() + 400
    while True:
        found: dict[str, Any] = as_json(client.get(f"jobs/{job}"))["job"]
        if found["status"] not in ("queued", "running", "stopping"):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.5)


def versions(client: httpx.Client) -> dict[str, Any]:
    """The versions of the model."""
    found: dict[str, Any] = as_json(client.get("models/versions?path=penguins.ipynb&name=penguins"))
    assert not problems("models", "ModelVersions", found)
    return found


def test_from_one_click_to_production(server: Server, work: Path, tmp_path: Path) -> None:
    with server.client() as client:
        assert versions(client)["versions"][0]["promotion"] is None
        answer = client.post("jobs", json=REQUEST)
        assert answer.status_code == 202, answer.text
        job = answer.json()["id"]
        while (seen := versions(client)["versions"][0]["promotion"]) is None:
            assert as_json(client.get(f"jobs/{job}"))["job"]["status"] in ("queued", "running")
            time.sleep(0.2)
        assert seen["status"] == "waiting" or seen["job"] == job  # which job of this server works on it
        ended = over(client, job)
        assert ended["status"] == "done" and not problems("jobs", "PromoteDone", ended["result"]), ended
        assert ended["result"]["status"] == "waiting"
        promotion = as_json(client.get(f"promotions/{ended['result']['promotion']}?path=penguins.ipynb"))
        assert not problems("models", "Promotion", promotion)
        assert not promotion["mayDecide"] and promotion["whyNot"]

        decision = {"decision": "approve", "comment": "good", "digest": promotion["digest"]}
        own = client.post(f"promotions/{promotion['id']}/decision?path=penguins.ipynb", json=decision)
        assert own.status_code == 403 and own.json()["code"] == "forbidden"
        assert not problems("status", "ErrorMessage", own.json())

    # Another user of the same database: here one whom Jupyter makes a name up for.
    database = f"sqlite:///{server.place / 'data_dir' / 'jupyter-mlops' / 'mlops.db'}"
    options = ("--JupyterMlops.identity=provider", f"--JupyterMlops.database_url={database}")
    with running_server(work, tmp_path, options=options) as other, other.client() as client:
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
        assert not problems("models", "Promotion", found)
        assert found["job"] is not None
        ended = over(client, found["job"])
        assert ended["result"]["status"] == "promoted", ended
        now = versions(client)
        assert now["versions"][0]["lifecycle"] == "Production" and "production" in now["versions"][0]["aliases"]
        assert now["active"] is None
        again = client.post(f"promotions/{promotion['id']}/decision?path=penguins.ipynb", json=decision)
        assert again.status_code == 409 and again.json()["code"] == "conflict"
