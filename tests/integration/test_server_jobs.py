"""Jobs through a real Jupyter server: on the event stream, over a restart of the server, stopped."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from jupyter_mlops.jobs.statuses import ENDED
from jupyter_mlops.server.jobs import SCHEMA_ID
from tests.messages import check_message
from tests.notebooks import write_notebook
from tests.server import Server, as_json, running_server

pytestmark = pytest.mark.xdist_group("server-jobs")

# It waits for a file, so that nothing depends on how fast a machine is.
CELLS = [
    ("parameters", 'wait = ""'),
    (
        "",
        "import pathlib, time\nwhile wait and not pathlib.Path(wait).exists():\n    time.sleep(0.05)\nprint('done')",
    ),
    ("evaluate", "score = 1 / 2"),
]
BROKEN = [
    ("imports", "import pandas as pd\nfrom sklearn.linear_model import LinearRegression"),
    ("load", "df = pd.DataFrame({'a': [1.0, 2.0, 3.0], 'b': [2.0, 4.0, 6.0]})"),
    ("features", "assert len(df) > 100, 'too few rows'\nX, y = df[['a']], df['b']"),
    ("train", "model = LinearRegression().fit(X, y)"),
]
# What the server asks before it ends because nothing goes on.
ACTIVITY = """
import json
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join

def _load_jupyter_server_extension(server):
    class Activity(APIHandler):
        def get(self):
            self.finish(json.dumps(bool(server.extension_manager.any_activity())))

    server.web_app.add_handlers(".*$", [(url_path_join(server.base_url, "activity"), Activity)])
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a small notebook."""
    work = tmp_path_factory.mktemp("work")
    for name in ("events", "restart", "stop", "twice"):
        (work / name).mkdir()
        write_notebook(work / name / "small.ipynb", CELLS)
    write_notebook(work / "broken.ipynb", BROKEN)
    with running_server(work, tmp_path_factory.mktemp("place")) as running:
        yield running


def start(client: httpx.Client, folder: str, wait: str = "") -> dict[str, Any]:
    """A run of the notebook in the folder."""
    answer = client.post("jobs", json={"kind": "run", "path": f"{folder}/small.ipynb", "parameters": {"wait": wait}})
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    check_message("jobs", "Job", job)
    return job


def until(client: httpx.Client, job: str, there: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The state of the job when it is so."""
    deadline = time.monotonic() + 120
    while True:
        state: dict[str, Any] = as_json(client.get(f"jobs/{job}"))
        check_message("jobs", "JobState", state)
        if there(state):
            return state
        assert time.monotonic() < deadline, state
        time.sleep(0.2)


def ended(state: dict[str, Any]) -> bool:
    """Whether it is over."""
    return state["job"]["status"] in ENDED


def test_what_a_job_does_is_on_the_event_stream(server: Server) -> None:
    async def main() -> list[dict[str, Any]]:
        address = f"{server.base.replace('http', 'ws', 1)}api/events/subscribe"
        socket = await websocket_connect(HTTPRequest(address, headers={"Authorization": f"token {server.token}"}))
        with server.client() as client:
            job = await asyncio.to_thread(start, client, "events")
        found: list[dict[str, Any]] = []
        try:
            while (
                not found
                or (found[-1]["step"], found[-1]["status"]) in (("job", "started"), ("job", "progress"))
                or found[-1]["step"] != "job"
            ):
                text = await asyncio.wait_for(socket.read_message(), 120)
                assert text is not None
                event = json.loads(text)
                if event["schema_id"] == SCHEMA_ID and event["job"] == job["id"]:
                    found.append(event)
        finally:
            socket.close()
            await asyncio.sleep(0.1)
        return found

    events = asyncio.run(main())
    assert events[-1]["jobStatus"] == "done" and events[-1]["status"] == "done"
    assert {one["path"] for one in events} == {"events/small.ipynb"} and {one["kind"] for one in events} == {"run"}
    numbers = [one["number"] for one in events]
    assert numbers == sorted(set(numbers)) and len(numbers) > 2
    assert all(len(json.dumps(one)) < 1000 for one in events)


def test_a_job_outlives_the_server(server: Server) -> None:
    with server.client() as client:
        job = start(client, "restart", "go")["id"]
        until(client, job, lambda state: state["job"]["status"] == "running" and state["job"]["step"] not in (None, "job"))
    server.stop(signal.SIGKILL)
    server.start()
    with server.client() as client:
        listed = as_json(client.get("jobs?path=restart/small.ipynb"))
        check_message("jobs", "Jobs", listed)
        assert [one["id"] for one in listed["jobs"]] == [job]
        assert listed["jobs"][0]["status"] == "running"
        (server.work / "restart" / "go").touch()
        state = until(client, job, ended)
        assert state["job"]["status"] == "done", state
        check_message("jobs", "RerunDone", state["job"]["result"])
        assert state["job"]["result"]["metrics"] == {"score": 0.5}
        after = as_json(client.get(f"jobs/{job}?after={state['job']['next'] - 1}"))
        assert [one["number"] for one in after["events"]] == [state["job"]["next"] - 1]
        log = as_json(client.get(f"jobs/{job}/log"))
        check_message("jobs", "JobLog", log)
        runs = as_json(client.get("runs?path=restart/small.ipynb&refresh=true"))
        check_message("runs", "RunsPage", runs)
        assert state["job"]["result"]["runId"] in [one["id"] for one in runs["rows"]]


def test_a_job_can_be_stopped(server: Server) -> None:
    with server.client() as client:
        job = start(client, "stop", "never")["id"]
        until(client, job, lambda state: state["job"]["status"] == "running" and state["job"]["step"] not in (None, "job"))
        answer = client.delete(f"jobs/{job}")
        assert answer.status_code == 202 and answer.json()["status"] == "stopping", answer.text
        assert until(client, job, ended)["job"]["status"] == "cancelled"


def test_one_job_of_a_kind_at_a_time(server: Server) -> None:
    with server.client() as client:
        job = start(client, "twice", "never")["id"]
        again = client.post("jobs", json={"kind": "run", "path": "twice/small.ipynb", "parameters": {}})
        assert again.status_code == 409 and again.json()["code"] == "conflict"
        check_message("status", "ErrorMessage", again.json())
        client.delete(f"jobs/{job}")
        until(client, job, ended)


def test_a_job_that_cannot_work_is_refused_or_says_why(server: Server) -> None:
    with server.client() as client:
        answer = client.post("jobs", json={"kind": "run", "path": "twice/small.ipynb", "parameters": {"nothing": 1}})
        assert answer.status_code == 202, answer.text
        job = until(client, answer.json()["id"], ended)["job"]
        assert (job["status"], job["error"]["code"]) == ("failed", "parameter")
        assert "nothing" in job["error"]["message"]
        missing = client.post("jobs", json={"kind": "run", "path": "twice/none.ipynb", "parameters": {}})
        assert missing.status_code == 404 and missing.json()["code"] == "not-found"


def test_a_conversion_whose_cell_raises_says_which(server: Server) -> None:
    with server.client() as client:
        answer = client.post("jobs", json={"kind": "convert", "path": "broken.ipynb"})
        assert answer.status_code == 202, answer.text
        job = until(client, answer.json()["id"], ended)["job"]
        assert (job["status"], job["error"]["code"]) == ("failed", "cell-failed"), job
        assert "ell 3" in job["error"]["message"] and "too few rows" in job["error"]["message"]
        assert (job["result"]["ok"], job["result"]["status"]) == (False, "failed")
        check_message("jobs", "ConvertDone", job["result"])
        log = as_json(client.get(f"jobs/{job['id']}/log"))["text"]
        assert "run failed" in log and "AssertionError: too few rows" in log


def test_settings_of_the_server_have_an_effect(tmp_path: Path) -> None:
    """The store for runs, how many jobs run at a time, and that a server with a job is not idle."""
    work = tmp_path / "work"
    for name in ("one", "two"):
        (work / name).mkdir(parents=True)
        write_notebook(work / name / "small.ipynb", CELLS)
    (tmp_path / "asking.py").write_text(ACTIVITY, encoding="utf-8")
    uri = f"sqlite:///{tmp_path / 'all.db'}"
    options = (
        f"--JupyterMlops.tracking_uri={uri}", "--JupyterMlops.max_jobs=1", "--ServerApp.jpserver_extensions=asking=True",
    )  # fmt: skip
    with (
        running_server(work, tmp_path, env={"PYTHONPATH": str(tmp_path)}, options=options) as server,
        server.client() as client,
    ):

        def is_active() -> bool:
            return bool(as_json(client.get(f"{server.base}activity")))

        assert as_json(client.get("status?path=one/small.ipynb"))["tracking"]["uri"] == uri
        assert not is_active()
        first = start(client, "one", "go")["id"]
        until(client, first, lambda state: state["job"]["status"] == "running")
        second = start(client, "two")
        assert second["status"] == "queued"
        assert is_active()
        (work / "one" / "go").touch()
        done = [until(client, job, ended)["job"] for job in (first, second["id"])]
        assert [job["status"] for job in done] == ["done", "done"]
        assert done[1]["started"] >= done[0]["ended"]
        deadline = time.monotonic() + 60
        while is_active():  # until the server has looked
            assert time.monotonic() < deadline
            time.sleep(0.2)
        for job in done:
            runs = as_json(client.get("runs?path=one/small.ipynb&experiment=small&refresh=true"))
            assert job["result"]["runId"] in [one["id"] for one in runs["rows"]]
        assert not list(work.rglob("*.db"))  # each run is in the store that was named


def test_logs_are_nobody_elses(server: Server) -> None:
    logs = list((Path(server.place) / "data_dir" / "jupyter-mlops" / "jobs").glob("*.log"))
    assert logs and all(one.stat().st_mode & 0o077 == 0 for one in logs)
    assert (Path(server.place) / "data_dir" / "jupyter-mlops" / "mlops.db").stat().st_mode & 0o077 == 0
