"""The monitor through a real Jupyter server: its job on a real log, its reports, and who may read which of their pages."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from jupyter_mlops.environment import free_port
from jupyter_mlops.errors import NotFoundError
from jupyter_mlops.tracking.lifecycle import apply_lifecycle
from jupyter_mlops.workflows.deploying import DeployOptions, deploy, deployment_status, undeploy
from tests.conftest import Converted
from tests.deployed import ask, larger, wait_for_job
from tests.messages import check_message
from tests.promotable import MODEL
from tests.server import Server, as_json, running_server

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("server-monitoring")]

ADDRESS = f"monitoring?path=penguins.ipynb&model={MODEL}"
NOTHING: dict[str, Any] = {"version": None, "last": None, "trend": []}


@pytest.fixture(scope="module")
def server(converted: Callable[[str], Converted], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Its folder has the converted notebook, whose version 1 is in production; nothing is left of a deployment."""
    place = tmp_path_factory.mktemp("monitoring")
    work = Path(shutil.copytree(converted("penguins").folder.parent, place / "work"))
    apply_lifecycle(f"sqlite:///{work / 'mlflow.db'}", MODEL, "1", None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_DATA_DIR", str(place / "data_dir"))
        patch.setenv("JUPYTER_MLOPS_DATABASE", f"sqlite:///{place / 'elsewhere.db'}")
        with running_server(work, place, base_url="/user/ada/") as running:
            yield running
            with suppress(NotFoundError):
                undeploy(MODEL)


@pytest.fixture(scope="module")
def url(server: Server) -> str:
    """Where version 1 is served."""
    uri = f"sqlite:///{server.work / 'mlflow.db'}"
    return deploy(MODEL, "1", DeployOptions(port=free_port(), replicas=1, tracking_uri=uri)).url


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """With the token."""
    with server.client() as made:
        yield made


def _look(client: httpx.Client, **options: Any) -> dict[str, Any]:
    """The job, when it is over."""
    request = {"kind": "monitor", "path": "penguins.ipynb", "model": MODEL, **options}
    answer = client.post("jobs", json=request)
    assert answer.status_code == 202, answer.text
    return wait_for_job(client, answer.json()["id"])


def _seen(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = as_json(client.get(ADDRESS))
    check_message("monitoring", "Monitoring", found)
    return found


def test_what_is_not_deployed_is_not_looked_at(client: httpx.Client, url: str) -> None:
    assert as_json(client.get("monitoring?path=penguins.ipynb&model=other")) == NOTHING
    ended = _look(client, model="other")
    assert (ended["status"], ended["error"]["code"]) == ("failed", "not-found")
    assert "other is not deployed on this machine. Deploy it" in ended["error"]["message"]


def test_a_deployed_model_is_looked_at_by_a_job(
    client: httpx.Client, server: Server, url: str, converted: Callable[[str], Converted]
) -> None:
    assert _seen(client) == {"version": "1", "last": None, "trend": []}
    ended = _look(client)
    assert ended["error"]["code"] == "not-found"
    assert "Nothing that version 1" in ended["error"]["message"]

    rows = json.loads((converted(MODEL).folder / "holdout/holdout.json").read_text())["rows"]
    ask(url, rows)
    ended = _look(client)  # with the rows that are needed unless somebody says another number
    assert (ended["status"], ended["subject"], ended["result"]["verdict"]) == ("done", MODEL, "inconclusive")
    check_message("jobs", "MonitorDone", ended["result"])
    assert "are needed to tell drift from chance" in ended["message"]
    assert _seen(client)["last"]["pages"] == ["report"]
    ended = _look(client, rows=50, window="1h")
    assert (ended["result"]["verdict"], ended["result"]["alerts"]) == ("ok", 0)

    ask(url, larger(rows))
    ended = _look(client, rows=50, window="1h")
    assert ended["result"]["verdict"] == "alert" and "columns drifted" in ended["message"]
    events = as_json(client.get(f"jobs/{ended['id']}?after=0"))["events"]
    assert [one["step"] for one in events if one["status"] in ("done", "skipped")] == ["read", "drift", "quality", "job"]
    found = _seen(client)
    assert found["last"]["window"] == ended["result"]["window"] and found["last"]["pages"] == ["report", "drift"]
    report = found["last"]["report"]
    assert (report["verdict"], report["rows"]) == ("alert", 2 * len(rows))
    assert [(one["verdict"], one["rows"]) for one in found["trend"]] == [("ok", len(rows)), ("alert", 2 * len(rows))]
    assert found["trend"][-1]["driftedShare"] == report["driftedShare"] > 0
    assert server.process is not None
    mapped = {Path(one.path).name for one in psutil.Process(server.process.pid).memory_maps()}
    assert not {name for name in mapped if "pandas" in name or "numpy" in name or "arrow" in name}


@pytest.fixture
def place(url: str) -> Path:
    """Folder of the deployment, with pages of the window 20260101T000000."""
    folder = deployment_status(MODEL).folder
    there = folder / "monitoring" / "version=1" / "20260101T000000"
    there.mkdir(parents=True, exist_ok=True)
    (there / "report.html").write_text("<!doctype html><title>ours</title>é", encoding="utf-8")
    (there / "drift.html").write_text("<!doctype html><script>document.title = 1</script>", encoding="utf-8")
    return folder


REPORT = f"monitoring/{MODEL}/1/20260101T000000"


def test_a_page_is_shown_as_from_nowhere(server: Server, place: Path) -> None:
    with closing(server.browser()) as browser:
        ours, evidently = (browser.get(f"{server.api}/{REPORT}/{page}.html") for page in ("report", "drift"))
    for answer in (ours, evidently):
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=UTF-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        policies = answer.headers.get_list("content-security-policy")
        own, last = ", ".join(policies).split(", ", 1)
        assert "frame-ancestors 'self'" in own and "default-src" not in own
        assert last.startswith("sandbox ") and "default-src 'none'" in last and "allow-same-origin" not in last
        assert "form-action 'none'" in last
    assert ours.text.endswith("é")
    assert "allow-scripts" not in ours.headers["content-security-policy"]
    assert "allow-scripts" in evidently.headers["content-security-policy"]


def test_nobody_else_reads_a_page(server: Server, place: Path) -> None:
    address = f"{server.api}/{REPORT}/drift.html"
    for headers in ({}, {"Authorization": "token wrong"}):
        answer = httpx.get(address, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "unauthenticated")
    with closing(server.browser()) as browser:
        answer = browser.get(address, headers={"Origin": "http://elsewhere.example"})
        assert answer.status_code == 404 and "script" not in answer.text


def test_no_name_and_no_link_leads_to_another_file(client: httpx.Client, place: Path, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("a secret", encoding="utf-8")
    (place / "report.html").write_text("a secret", encoding="utf-8")
    (place / "monitoring" / "report.html").write_text("a secret", encoding="utf-8")
    version = place / "monitoring" / "version=1"
    (version / "20260102T000000").symlink_to(tmp_path, target_is_directory=True)
    (version / "20260103T000000").mkdir(exist_ok=True)
    (version / "20260103T000000" / "report.html").symlink_to(tmp_path / "report.html")
    (place / "monitoring" / "version=9").symlink_to(tmp_path.parent, target_is_directory=True)
    (tmp_path.parent / "20260104T000000").mkdir(exist_ok=True)
    (tmp_path.parent / "20260104T000000" / "report.html").write_text("a secret", encoding="utf-8")
    for address in (
        f"{MODEL}/1/20260102T000000/report.html", f"{MODEL}/1/20260103T000000/report.html", f"{MODEL}/9/20260104T000000/report.html",
        f"{MODEL}/1/../report.html", f"{MODEL}/1/%2e%2e/report.html", f"{MODEL}/%2e%2e/%2e%2e/report.html", f"{MODEL}/1/..%2f../report.html",
        f"..%2f..%2f{MODEL}/1/20260101T000000/report.html", "%2e%2e/1/20260101T000000/report.html", "other/1/20260101T000000/report.html",
        f"{MODEL}/2/20260101T000000/report.html", f"{MODEL}/1/20260101T000001/report.html", f"{MODEL}/1/20260101T000000/report.json",
        f"{MODEL}/1/20260101T000000/%2e%2e%2freport.html", f"{MODEL}/1/20260101T000000/report.html%00.html",
        f"{MODEL}/1/20260101T000000", f"{MODEL}/1/٢٠٢٦٠١٠١T000000/report.html",
    ):  # fmt: skip
        answer = client.get(f"monitoring/{address}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), address
        assert "secret" not in answer.text
    assert client.get(f"{REPORT}/report.html").status_code == 200


def test_a_report_that_cannot_be_read_hides_no_other(client: httpx.Client, place: Path) -> None:
    before = _seen(client)
    for number, text in enumerate(("{", "[]", '{"verdict": "ok"}', "\xff")):
        broken = place / "monitoring" / "version=1" / f"2999010{number + 1}T000000"
        broken.mkdir()
        (broken / "report.json").write_bytes(text.encode("latin-1"))
    assert _seen(client) == before


def test_what_lacks_or_makes_no_sense_is_refused(client: httpx.Client) -> None:
    for address in (f"monitoring?model={MODEL}", "monitoring?path=penguins.ipynb"):
        assert client.get(address).json()["code"] == "bad-message"
    request = {"kind": "monitor", "path": "penguins.ipynb", "model": MODEL}
    for wrong, code in (
        ({"model": ""}, "bad-message"), ({"rows": 0}, "bad-message"), ({"log": "/etc"}, "bad-message"), ({"window": "7 days"}, "usage"),
        ({"window": "0d"}, "usage"),
    ):  # fmt: skip
        answer = client.post("jobs", json={**request, **wrong})
        assert answer.json()["code"] == code, answer.text


def test_another_store_has_a_model_of_this_name(client: httpx.Client, server: Server, place: Path) -> None:
    other = server.work / "other"
    other.mkdir(exist_ok=True)
    shutil.copyfile(server.work / "mlflow.db", other / "mlflow.db")
    shutil.copyfile(server.work / "penguins.ipynb", other / "penguins.ipynb")
    assert as_json(client.get(f"monitoring?path=other/penguins.ipynb&model={MODEL}")) == NOTHING
    ended = _look(client, path="other/penguins.ipynb")
    assert ended["error"]["code"] == "not-found"
    assert str(server.work / "mlflow.db") in ended["error"]["message"]
