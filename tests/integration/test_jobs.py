"""Jobs with real processes, real kernels, a real database and a real MLflow store."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_mlops.errors import ConflictError, NotFoundError, OutputError
from jupyter_mlops.jobs import manager, stopping
from jupyter_mlops.jobs.manager import Jobs
from jupyter_mlops.jobs.processes import marked
from jupyter_mlops.jobs.statuses import ENDED
from jupyter_mlops.jobs.store import Store
from jupyter_mlops.tracking.lifecycle import find_version
from tests.messages import check_message
from tests.notebooks import PENGUINS, write_notebook

SMALL = [
    ("parameters", "depth = 3"),
    ("", "assert open('beside.txt').read() == 'here'\nprint('password = \"hunter2000\"')"),
    ("evaluate", "loss = (depth - 4.0) ** 2\nassert depth != 13, 'unlucky'"),
]
# A kernel with a process of its own, and the word that it is there.
SLEEPY = [
    ("parameters", "seconds = 600"),
    ("", "import os, pathlib, subprocess, time\nchild = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
         "pathlib.Path('pids').write_text(f'{os.getpid()} {child.pid}')\ntime.sleep(seconds)\nchild.kill()\nchild.wait()"),
]  # fmt: skip


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYTER_MLOPS_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    root = tmp_path / "root"
    (root / "work").mkdir(parents=True)
    (root / "work" / "beside.txt").write_text("here")
    write_notebook(root / "work" / "small.ipynb", SMALL)
    write_notebook(root / "work" / "sleepy.ipynb", SLEEPY)
    return root


@pytest.fixture
def make(root: Path, tmp_path: Path) -> Iterator[Callable[..., Jobs]]:
    made: list[Jobs] = []

    def make(**options: Any) -> Jobs:
        jobs = Jobs(f"sqlite:///{tmp_path / 'mlops.db'}", tmp_path / "logs", **{"root": root, **options})
        made.append(jobs)
        return jobs

    yield make
    for jobs in made:
        for job in jobs.list():
            for process in marked(job["id"]):
                process.kill()
        for child in list(manager._children.values()):
            child.kill()
            child.wait()


@pytest.fixture
def start(root: Path, uri: str) -> Callable[..., str]:
    def start(jobs: Jobs, name: str, kind: str = "run", **more: Any) -> str:
        request = {"kind": kind, "path": f"work/{name}.ipynb", **({"parameters": {}} if kind == "run" else {}), **more}
        check_message("jobs", "JobRequest", request)
        job = jobs.start(request, root=root, user="ann", tracking_uri=uri)
        check_message("jobs", "Job", job)
        return str(job["id"])

    return start


def wait(jobs: Jobs, job: str, *statuses: str, timeout: float = 90) -> dict[str, Any]:
    """As the server does: poll until the job has one of the statuses."""
    deadline = time.monotonic() + timeout
    while True:
        jobs.poll()
        found = jobs.get(job)
        if found["status"] in (statuses or ENDED):
            return found
        assert time.monotonic() < deadline, f"still {found['status']}: {jobs.log(job)['text'][-2000:]}"
        time.sleep(0.1)


def pids(root: Path, timeout: float = 60) -> list[psutil.Process]:
    """The kernel of the sleepy notebook and its child, once they are there."""
    file, deadline = root / "work" / "pids", time.monotonic() + timeout
    while not (file.is_file() and file.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return [psutil.Process(int(pid)) for pid in file.read_text().split()]


def gone(processes: list[psutil.Process], timeout: float = 10) -> bool:
    deadline = time.monotonic() + timeout
    while any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def runner(tmp_path: Path, job: str) -> psutil.Process:
    row = Store(f"sqlite:///{tmp_path / 'mlops.db'}").get(job)
    assert row is not None
    return psutil.Process(row["pid"])


def run_status(uri: str, run_id: str) -> str:
    from mlflow import MlflowClient

    return str(MlflowClient(uri).get_run(run_id).info.status)


def test_a_run_from_start_to_result(make: Any, start: Any, root: Path, tmp_path: Path, uri: str) -> None:
    jobs = make()
    job = start(jobs, "small", parameters={"depth": 5}, experiment="tests")
    told: list[tuple[str, dict[str, Any]]] = []
    while jobs.get(job)["status"] != "done":
        told += jobs.poll()
        time.sleep(0.1)
    told += jobs.poll()
    state = jobs.state(job)
    check_message("jobs", "JobState", state)
    done = state["job"]
    assert (done["status"], done["user"], done["error"], done["title"]) == ("done", "ann", None, "Run small.ipynb with depth = 5")
    result = done["result"]
    check_message("jobs", "RerunDone", result)
    assert result["ok"]
    assert result["metrics"] == {"loss": 1.0}
    assert (root / result["output"]).is_file()
    assert run_status(uri, result["runId"]) == "FINISHED"
    # What was told while it ran is what is kept, but for progress: of that, what was over before it was asked for is not told.
    assert {one for one, _ in told} == {job}
    numbers = [event["number"] for _, event in told]
    assert numbers == sorted(set(numbers)) and numbers[-1] == done["next"] - 1
    lasting = [event for _, event in told if event["status"] != "progress"]
    assert state["events"] == lasting
    assert (lasting[0]["step"], lasting[0]["status"], lasting[-1]["step"], lasting[-1]["status"]) == (
        "job",
        "started",
        "job",
        "done",
    )
    assert "cell 3" in {event["step"] for event in lasting}
    assert jobs.state(job, after=done["next"])["events"] == []
    assert jobs.poll() == []
    log = jobs.log(job)
    check_message("jobs", "JobLog", log)
    assert "cell 3 done" in log["text"]
    file = tmp_path / "logs" / f"{job}.log"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "hunter2000" not in json.dumps([state, told, log]) + file.read_text()


def test_a_failing_cell_and_a_wrong_parameter(make: Any, start: Any, uri: str) -> None:
    jobs = make()
    job = start(jobs, "small", parameters={"depth": 13})
    failed = wait(jobs, job)
    assert failed["status"] == "failed"
    assert failed["error"]["code"] == "cell-failed"
    assert "Cell 3, line 2" in failed["error"]["message"]
    assert "unlucky" in failed["error"]["message"]
    check_message("jobs", "RerunDone", failed["result"])
    assert not failed["result"]["ok"]
    assert run_status(uri, failed["result"]["runId"]) == "FAILED"
    assert "AssertionError" in jobs.log(job)["text"]
    wrong = wait(jobs, start(jobs, "small", parameters={"dept": 1}))
    check_message("jobs", "Job", wrong)
    assert (wrong["status"], wrong["error"]["code"], wrong["result"]) == ("failed", "parameter", None)
    assert "Did you mean 'depth'?" in wrong["error"]["message"]


def test_stopped_in_the_middle_nothing_is_left(make: Any, start: Any, root: Path, tmp_path: Path, uri: str) -> None:
    jobs = make()
    job = start(jobs, "sleepy")
    processes = [*pids(root), runner(tmp_path, job)]
    assert jobs.cancel(job)["status"] == "stopping"
    stopped = wait(jobs, job, timeout=30)
    check_message("jobs", "Job", stopped)
    assert (stopped["status"], stopped["error"]) == ("cancelled", None)
    assert run_status(uri, stopped["result"]["runId"]) == "KILLED"
    assert gone(processes)
    assert not marked(job)
    assert jobs.cancel(job)["status"] == "cancelled", "what is over stays as it is"


def test_a_process_that_does_not_listen_is_killed_with_all_it_started(
    make: Any, start: Any, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "GRACE", 1.0)
    jobs = make()
    job = start(jobs, "sleepy")
    processes = [*pids(root), runner(tmp_path, job)]
    processes[-1].send_signal(signal.SIGSTOP)
    jobs.cancel(job)
    stopped = wait(jobs, job, timeout=20)
    assert (stopped["status"], stopped["message"]) == ("cancelled", "Stopped as asked.")
    assert jobs.state(job)["events"][-1]["status"] == "skipped"
    assert gone(processes)


def test_a_killed_process_is_lost_and_leaves_no_kernel(make: Any, start: Any, root: Path, tmp_path: Path) -> None:
    jobs = make()
    job = start(jobs, "sleepy")
    processes = pids(root)
    while jobs.get(job)["step"] != "cell 2":
        time.sleep(0.1)
    runner(tmp_path, job).kill()
    lost = wait(jobs, job, timeout=20)
    check_message("jobs", "Job", lost)
    assert (lost["status"], lost["error"]["code"]) == ("lost", "lost")
    assert "cell 2" in lost["error"]["message"]
    assert "Start it again" in lost["error"]["fix"]
    assert jobs.state(job)["events"][-1]["status"] == "failed"
    assert gone(processes)
    (root / "work" / "pids").unlink()
    again = start(jobs, "sleepy", parameters={"seconds": 0})  # it does not stand in the way
    assert wait(jobs, again)["status"] == "done"


def test_it_outlives_its_server_and_is_found_again(make: Any, root: Path, tmp_path: Path, uri: str) -> None:
    server = (
        "import os, signal, sys; from pathlib import Path; from jupyter_mlops.jobs.manager import Jobs\n"
        "database, logs, root, uri = sys.argv[1:]\n"
        "jobs = Jobs(database, Path(logs), root=Path(root))\n"
        "request = {'kind': 'run', 'path': 'work/sleepy.ipynb', 'parameters': {'seconds': 2}}\n"
        "print(jobs.start(request, root=Path(root), user='ann', tracking_uri=uri)['id'], flush=True)\n"
        "os.killpg(0, signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", server, f"sqlite:///{tmp_path / 'mlops.db'}", str(tmp_path / "logs"), str(root), uri],
        capture_output=True, text=True, start_new_session=True, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    job = done.stdout.strip()
    jobs = make()
    jobs.reconcile()
    assert [(one["id"], one["status"]) for one in jobs.list(path="work/sleepy.ipynb", kind="run")] == [(job, "running")]
    told: list[tuple[str, dict[str, Any]]] = []
    while jobs.get(job)["status"] == "running":
        told += jobs.poll()
        time.sleep(0.1)
    told += jobs.poll()
    assert jobs.get(job)["status"] == "done"
    assert told[-1][1]["status"] == "done"


def test_what_is_over_keeps_no_secret(make: Any, start: Any, root: Path, tmp_path: Path) -> None:
    jobs, given = make(limit=1), {"parameters": {"seconds": 60, "db_password": "hunter2000"}}
    ended, waiting = start(jobs, "sleepy", **given), start(jobs, "small", **given)  # neither notebook has such a parameter
    jobs.cancel(waiting)
    assert wait(jobs, ended)["status"] == "failed"
    killed = start(jobs, "sleepy", **given)
    runner(tmp_path, killed).kill()
    assert wait(jobs, killed, timeout=20)["status"] == "lost"
    for job in (ended, waiting, killed):
        row = Store(f"sqlite:///{tmp_path / 'mlops.db'}").get(job)
        assert row is not None and row["request"]["parameters"] == {"seconds": 60, "db_password": "***"}


def test_one_at_a_time_per_notebook_and_a_queue(make: Any, start: Any, root: Path) -> None:
    jobs = make(limit=1)
    first = start(jobs, "sleepy")
    with pytest.raises(ConflictError, match=f"being run already.*{first}.*stop it first"):
        start(jobs, "sleepy")
    for name in ("b", "c"):
        write_notebook(root / "work" / f"{name}.ipynb", [("", "1 + 1")])
    second, third = start(jobs, "b"), start(jobs, "c")
    assert [jobs.get(one)["status"] for one in (first, second, third)] == ["running", "queued", "queued"]
    with pytest.raises(ConflictError, match="queued"):
        start(jobs, "c")
    assert jobs.cancel(second)["status"] == "cancelled"
    jobs.cancel(first)
    assert wait(jobs, first, timeout=30)["status"] == "cancelled"
    assert wait(jobs, third)["status"] == "done", "poll starts what waits"
    assert jobs.get(second)["started"] is None
    assert [one["id"] for one in jobs.list()] == [third, second, first]


def test_servers_that_share_a_database_leave_one_another_alone(
    make: Any, start: Any, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = make(limit=1)
    job = start(jobs, "sleepy")
    pids(root)
    elsewhere = make(root=tmp_path)
    elsewhere.reconcile()
    assert elsewhere.poll() == []
    assert elsewhere.list() == []
    assert jobs.get(job)["status"] == "running"
    monkeypatch.setenv("JUPYTERHUB_USER", "bob")
    bob = make()
    bob.reconcile()
    with pytest.raises(NotFoundError, match="no job"):
        bob.cancel(job)
    # Ids of another machine mean nothing here: only its silence tells.
    store = Store(f"sqlite:///{tmp_path / 'mlops.db'}")
    machine = "another-machine"
    store.update(job, ("running",), machine=machine, pid=2**22 + 1)
    jobs.reconcile()
    assert jobs.get(job)["status"] == "running"
    # Its own process reads that it is to stop.
    jobs.cancel(job)
    assert wait(jobs, job, timeout=40)["status"] == "cancelled"


def test_only_the_last_are_kept(make: Any, start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager, "_KEPT", 1)
    jobs = make()
    first = start(jobs, "small", parameters={"none": 1})
    wait(jobs, first)
    second = start(jobs, "small", parameters={"none": 1})
    wait(jobs, second)
    assert [one["id"] for one in jobs.list()] == [second]
    assert [one.name for one in (tmp_path / "logs").iterdir()] == [f"{second}.log"]


@pytest.fixture
def penguins(root: Path) -> Path:
    return write_notebook(root / "work" / "penguins.ipynb", PENGUINS)


def at_work(jobs: Any, job: str, folder: Path, message: str) -> list[psutil.Process]:
    """The processes of a conversion, its own first, when it has come so far."""
    deadline = time.monotonic() + 120
    while message not in (jobs.get(job)["message"] or ""):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    process = runner(folder, job)
    return [process, *process.children(recursive=True)]


def test_a_conversion_stopped_in_the_middle_leaves_nothing(make: Any, start: Any, root: Path, tmp_path: Path) -> None:
    """Once while the notebook runs (in a kernel), with the process of the model beside."""
    slow = [(tag, f"{code}\nimport time\ntime.sleep(600)" if tag == "test" else code) for tag, code in PENGUINS]
    write_notebook(root / "work" / "penguins.ipynb", slow)
    jobs = make()
    job = start(jobs, "penguins", kind="convert")
    processes = at_work(jobs, job, tmp_path, "(9/10)")
    assert len(processes) >= 3, "its own, the kernel, the model's"
    began = time.monotonic()
    jobs.cancel(job)
    stopped = wait(jobs, job, timeout=40)
    assert stopped["status"] == "cancelled"
    assert time.monotonic() - began < stopping.GRACE, "it cleaned up by itself"
    assert gone(processes)
    assert sorted(one.name for one in (root / "work").iterdir()) == [
        "beside.txt", "penguins.ipynb", "sleepy.ipynb", "small.ipynb",
    ]  # fmt: skip


def test_a_conversion_killed_in_the_middle_leaves_nothing_either(make: Any, start: Any, root: Path, tmp_path: Path) -> None:
    slow = [(tag, f"import time\ntime.sleep(600)\n{code}" if tag == "imports" else code) for tag, code in PENGUINS]
    write_notebook(root / "work" / "penguins.ipynb", slow)
    jobs = make()
    job = start(jobs, "penguins", kind="convert")
    processes = at_work(jobs, job, tmp_path, "(0/10)")
    assert list((root / "work").glob(".penguins.*.partial"))
    processes[0].kill()
    assert wait(jobs, job, timeout=20)["status"] == "lost"
    assert gone(processes)
    assert not list((root / "work").glob(".penguins.*"))


def test_a_conversion_to_its_end(make: Any, start: Any, root: Path, penguins: Path, uri: str) -> None:
    jobs = make()
    job = start(jobs, "penguins", kind="convert", parameters={"n_estimators": 5})
    done = wait(jobs, job, timeout=300)
    assert done["status"] == "done", jobs.log(job)["text"]
    check_message("jobs", "Job", done)
    result = done["result"]
    check_message("jobs", "ConvertDone", result)
    assert (result["ok"], result["status"], result["project"], result["kept"]) == (True, "registered", "work/penguins", None)
    assert result["bundle"] is (root / "work" / "penguins" / "edge" / "model.onnx").is_file()
    assert result["report"] == json.loads((root / "work" / "penguins" / "report.json").read_text(encoding="utf-8"))
    steps = {event["step"]: event["status"] for event in jobs.state(job)["events"]}
    assert {steps[name] for name in ("read", "analyse", "run", "verify", "register", "job")} == {"done"}
    assert run_status(uri, result["report"]["run_id"]) == "FINISHED"
    version = result["report"]["model_version"]
    assert find_version(uri, result["projectName"], version).run_id == result["report"]["run_id"]  # what a promotion begins with
    # A project that was edited is not replaced unasked: said at once.
    (root / "work" / "penguins" / "README.md").write_text("mine")
    with pytest.raises(OutputError, match="was edited"):
        start(jobs, "penguins", kind="convert")
