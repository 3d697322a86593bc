"""Services and models of a really converted notebook, through a real Jupyter server."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.conftest import Converted
from tests.messages import check_message
from tests.server import Server, as_json, running_server

pytestmark = pytest.mark.xdist_group("server-services")


@pytest.fixture(scope="module")
def project(converted: Callable[[str], Converted], tmp_path_factory: pytest.TempPathFactory) -> Converted:
    """A converted notebook in a folder of its own: one test here damages it."""
    shared = converted("penguins")
    folder = Path(shutil.copytree(shared.folder.parent, tmp_path_factory.mktemp("work") / "work"))
    return replace(shared, folder=folder / "penguins")


@pytest.fixture(scope="module")
def server(project: Converted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose folder holds the notebook, its project and its store. Its token is no business of a service."""
    with running_server(project.folder.parent, tmp_path_factory.mktemp("place"), env={"JUPYTER_SECRET": "x"}) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """With the token."""
    with server.client() as made:
        yield made


def until(client: httpx.Client, service: str, *statuses: str) -> dict[str, Any]:
    """The service when it has one of these statuses."""
    deadline = time.monotonic() + 120
    while True:
        found: dict[str, Any] = as_json(client.get(f"services/{service}"))
        check_message("services", "Service", found)
        if found["status"] in statuses:
            return found
        assert found["status"] != "failed" and time.monotonic() < deadline, f"{found['message']}\n{found['log']}"
        time.sleep(0.2)


def process_of(server: Server) -> psutil.Process:
    """The service's process."""
    assert server.process is not None
    for one in psutil.Process(server.process.pid).children(recursive=True):
        if "jupyter_mlops.server.attached" in one.cmdline():
            return one
    raise AssertionError("no service runs")


def test_a_service_is_started_asked_and_stopped(client: httpx.Client, server: Server, project: Converted) -> None:
    answer = client.post("services", json={"project": "penguins"})
    assert answer.status_code == 202, answer.text
    service = answer.json()["id"]
    early = client.post(f"services/{service}/predict", json={"row": {}})
    if early.status_code != 200:
        assert early.status_code == 409 and early.json()["code"] == "not-ready"
    found = until(client, service, "ready", "failed")
    assert found["status"] == "ready", found
    # One for each project.
    assert as_json(client.post("services", json={"project": "penguins"}))["id"] == service
    listed = as_json(client.get("services"))
    check_message("services", "Services", listed)
    assert [one["id"] for one in listed["services"]] == [service]

    form = found["form"]
    assert form["type"] == "object" and set(found["example"]) <= set(form["properties"])
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(form)
    assert not list(Draft202012Validator(form).iter_errors(found["example"]))

    good = as_json(client.post(f"services/{service}/predict", json={"row": found["example"]}))
    check_message("services", "PredictAnswer", good)
    golden = json.loads((project.folder / "model" / "golden.json").read_text(encoding="utf-8"))
    assert golden["rows"][0] == found["example"]
    assert good["status"] == 200 and good["milliseconds"] > 0
    assert good["body"]["prediction"] == golden["predictions"][0]
    bad = as_json(client.post(f"services/{service}/predict", json={"row": {"nothing": 1}}))
    assert bad["status"] == 422 and "nothing" in json.dumps(bad["body"])

    process = process_of(server)
    environment = process.environ()
    assert environment["SERVICE_HOST"] == "127.0.0.1" and not [name for name in environment if name.startswith("JUPYTER")]
    assert {one.laddr.ip for one in process.net_connections() if one.status == psutil.CONN_LISTEN} == {"127.0.0.1"}

    stopped = as_json(client.delete(f"services/{service}"))
    assert stopped["status"] == "stopped"
    check_message("services", "Service", stopped)
    assert not process.is_running()
    assert client.post(f"services/{service}/predict", json={"row": {}}).json()["code"] == "not-ready"


def test_one_that_dies_says_so(client: httpx.Client, server: Server) -> None:
    service = as_json(client.post("services", json={"project": "penguins"}))["id"]
    until(client, service, "ready")
    os.kill(process_of(server).pid, signal.SIGKILL)
    found = until(client, service, "failed")
    assert "code -9" in found["message"]
    other = as_json(client.post("services", json={"project": "penguins"}))["id"]
    assert other != service
    until(client, other, "ready")
    as_json(client.delete(f"services/{other}"))


def test_one_that_cannot_start_shows_what_it_printed(client: httpx.Client, project: Converted) -> None:
    model = project.folder / "model" / "signature.json"
    text = model.read_text(encoding="utf-8")
    model.write_text("{", encoding="utf-8")
    try:
        service = as_json(client.post("services", json={"project": "penguins"}))["id"]
        found = until(client, service, "failed")
        assert "ended with code" in found["message"] and "Error" in found["log"]
    finally:
        model.write_text(text, encoding="utf-8")


def test_the_model_that_was_registered(client: httpx.Client, project: Converted) -> None:
    models = as_json(client.get("models?path=penguins.ipynb"))
    check_message("models", "Models", models)
    assert [(one["name"], one["staging"]) for one in models["models"]] == [("penguins", "1")]
    versions = as_json(client.get("models/versions?path=penguins.ipynb&name=penguins"))
    check_message("models", "ModelVersions", versions)
    assert versions["versions"][0]["runId"] == project.report["run_id"]
    runs = as_json(client.get("runs?path=penguins.ipynb"))
    check_message("runs", "RunsPage", runs)
    assert project.report["run_id"] in [one["id"] for one in runs["rows"]]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_services_end_with_the_server(server: Server, number: int) -> None:
    """However that ends. The last tests here: they start the server anew."""
    with server.client() as client:
        service = as_json(client.post("services", json={"project": "penguins"}))["id"]
        until(client, service, "ready")
    process = process_of(server)
    server.stop(number)
    try:
        process.wait(timeout=20)
    finally:
        server.start()
    with server.client() as client:
        gone = client.get(f"services/{service}")
        assert gone.status_code == 404 and gone.json()["code"] == "not-found"
