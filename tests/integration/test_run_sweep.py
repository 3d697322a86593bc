"""Re-runs and sweeps with real kernels, real worker processes and a real MLflow store."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import EnvironmentLackError, KernelError, MissingPackageError, ParameterError, UsageError
from jupyter_mlops.workflows.events import Event
from jupyter_mlops.workflows.run_notebook import RunOptions, record_outcome, run_notebook
from jupyter_mlops.workflows.sweep import SweepOptions, sweep
from tests.notebooks import write_notebook

# joblib's own, when workers are killed or leave.
pytestmark = [
    pytest.mark.filterwarnings("ignore:A worker stopped while some jobs:UserWarning"),
    pytest.mark.filterwarnings("ignore:resource_tracker:UserWarning"),
]
SMALL = [
    ("md", "# Small"),
    ("parameters", "depth = 3\nrate = 0.1\nname = 'a'\nlayers = (1, 2)\nchoice = {1: 'x'}\nnothing = None"),
    ("", "print('depth', depth)"),
    ("evaluate", "loss = (depth - 4) ** 2 + rate\nassert depth != 13, 'unlucky'"),
]


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"


@pytest.fixture(autouse=True)
def _surroundings(tmp_path: Path, uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_MLOPS_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", tmp_path.name)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")


def _runs(uri: str, experiment: str) -> dict[str, Any]:
    """MLflow's runs by their id."""
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    return {run.info.run_id: run for run in client.search_runs([found.experiment_id])}


def _artifacts(uri: str, run_id: str, folder: str = "") -> set[str]:
    from mlflow import MlflowClient

    from jupyter_mlops.tracking.recording import flush

    assert flush(30)  # files follow behind
    return {one.path for one in MlflowClient(uri).list_artifacts(run_id, folder or None)}


def _texts(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    cells = json.loads(text)["cells"] if text else []  # a run whose worker had not begun
    return "".join("".join(out.get("text", "")) for cell in cells for out in cell.get("outputs", ()))


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except OSError:
        return False


# -- run --------------------------------------------------------------------------------------------------------------


def test_a_run_is_recorded_and_the_notebook_stays_as_it_was(tmp_path: Path, uri: str) -> None:
    notebook = write_notebook(tmp_path / "small {x}.ipynb", SMALL)
    before = notebook.read_bytes()
    given = [
        ("depth", "5"),
        ("name", "007"),
        ("layers", "[3]"),
        ("choice", "{2: (1, None)}"),
        ("rate", "-1e-3"),
        ("nothing", "None"),
    ]
    events: list[Event] = []
    result = run_notebook(notebook, RunOptions(parameters=given), events.append)
    assert result.exit_code == 0 and result.delivered
    assert result.metrics == {"loss": pytest.approx(0.999)}
    assert notebook.read_bytes() == before
    assert result.output.parent == tmp_path / "runs" and (tmp_path / "runs" / ".gitignore").read_text() == "*\n"
    injected = next(
        cell for cell in json.loads(result.output.read_text())["cells"] if "injected-parameters" in cell["metadata"]["tags"]
    )
    values: dict[str, Any] = {}
    exec("".join(injected["source"]), values)
    assert {name: values[name] for name, _ in given} == {
        "depth": 5, "name": "007", "layers": (3,), "choice": {2: (1, None)}, "rate": -0.001, "nothing": None,
    }  # fmt: skip
    run = _runs(uri, tmp_path.name)[result.run_id]
    assert run.info.status == "FINISHED"
    assert run.data.params["depth"] == "5" and run.data.params["layers"] == "(3,)"
    assert run.data.metrics["loss"] == pytest.approx(0.999)
    assert {"duration_seconds", "peak_memory_mib"} <= run.data.metrics.keys()
    assert run.data.tags["mlops.kind"] == "rerun" and run.data.tags["notebook"] == notebook.name
    assert run.data.tags["notebook.sha256"] == hashlib.sha256(before).hexdigest()
    assert _artifacts(uri, result.run_id, "notebook") == {f"notebook/{result.output.name}"}
    assert [(e.step, e.status) for e in events if e.status != "progress"][:4] == [
        ("cell 2", "started"), ("cell 2", "done"), ("injected", "started"), ("injected", "done"),
    ]  # fmt: skip


def test_the_output_of_a_run_can_be_run_again(tmp_path: Path) -> None:
    first = run_notebook(write_notebook(tmp_path / "small.ipynb", SMALL), RunOptions(parameters={"depth": 6}))
    again = run_notebook(first.output, RunOptions(parameters={"rate": 0.5}, output=tmp_path / "again.ipynb"))
    assert again.metrics == {"loss": 4.5}
    assert again.parameters["depth"] == 6


def test_a_failing_cell_is_named_and_the_part_that_ran_is_kept(tmp_path: Path, uri: str) -> None:
    cells = [
        ("md", "# x"), ("parameters", "depth = 3"), ("", "# expected\n1 / 0"), ("", "print('so far')\nbroken = depth / 0"), ("", "late = 1"),
    ]  # fmt: skip
    notebook = write_notebook(tmp_path / "failing.ipynb", cells)
    data = json.loads(notebook.read_text())
    data["cells"][2]["metadata"] = {"tags": ["raises-exception"]}  # is meant to raise
    notebook.write_text(json.dumps(data))
    result = run_notebook(notebook, RunOptions(parameters={"depth": 2}))
    assert (result.exit_code, result.outcome.status, result.outcome.cell) == (1, "FAILED", 4)
    assert "Cell 4, line 2 (broken = depth / 0) failed: ZeroDivisionError" in result.outcome.error
    run = _runs(uri, tmp_path.name)[result.run_id]
    assert run.info.status == "FAILED" and "ZeroDivisionError" in run.data.tags["mlops.error"]
    assert {"traceback.txt", "notebook"} <= _artifacts(uri, result.run_id)
    kept = json.loads(result.output.read_text())["cells"]
    assert "so far" in _texts(result.output)
    assert [cell["metadata"]["papermill"]["status"] for cell in kept][-2:] == ["failed", "pending"]


def test_an_expected_exception_is_no_failure_and_exit_ends_well(tmp_path: Path) -> None:
    notebook = write_notebook(
        tmp_path / "nb.ipynb", [("", "1 / 0"), ("evaluate", "loss = 1.0 + 1"), ("", "import sys\nsys.exit()"), ("", "1 / 0")]
    )
    data = json.loads(notebook.read_text())
    data["cells"][0]["metadata"] = {"tags": ["raises-exception"]}
    notebook.write_text(json.dumps(data))
    result = run_notebook(notebook)
    assert result.outcome.ok and result.metrics == {"loss": 2.0}


@pytest.mark.parametrize(
    ("code", "said"), [("os.kill(os.getpid(), 9)", "SIGKILL"), ("os._exit(7)", "exit code 7"), ("os.abort()", "SIGABRT")]
)
def test_a_kernel_that_dies_is_reported_as_that(tmp_path: Path, uri: str, code: str, said: str) -> None:
    notebook = write_notebook(
        tmp_path / "dying.ipynb", [("md", "# x"), ("", "print('alive', flush=True)"), ("", f"import os\n{code}"), ("", "1")]
    )
    result = run_notebook(notebook)
    assert (result.exit_code, result.outcome.reason, result.outcome.cell) == (2, "kernel", 3)
    assert "Cell 3 ended the kernel" in result.outcome.error and said in result.outcome.error
    assert _runs(uri, tmp_path.name)[result.run_id].info.status == "FAILED"
    cells = json.loads(result.output.read_text())["cells"]
    assert [cell["metadata"]["papermill"]["status"] for cell in cells[1:]] == ["completed", "failed", "pending"]
    assert "alive" in _texts(result.output) and said in _texts(result.output)


def test_a_cell_that_takes_too_long(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "slow.ipynb", [("", "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)")])
    started = time.monotonic()
    result = run_notebook(notebook, RunOptions(cell_timeout=2))
    assert time.monotonic() - started < 15
    assert (result.exit_code, result.outcome.reason) == (1, "timeout")
    assert "did not finish within 2 s" in result.outcome.error
    assert not _alive(int(_texts(result.output).split()[0]))


def test_what_is_wrong_is_said_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = write_notebook(tmp_path / "small.ipynb", SMALL)
    for given, said in (({"dpth": 1}, "Did you mean 'depth'"), ({"depth": "x"}, "'x' is str"), ({"rate": True}, "is float")):
        with pytest.raises(ParameterError, match=said):
            run_notebook(notebook, RunOptions(parameters=given))
    with pytest.raises(KernelError, match=r"'nope', which is not installed here \(there is: .*python3"):
        run_notebook(notebook, RunOptions(kernel="nope"))
    with pytest.raises(UsageError, match="never changed"):
        run_notebook(notebook, RunOptions(output=notebook))
    assert not (tmp_path / "runs").exists() and not (tmp_path / "spool").exists()


def test_metrics_of_tracked_cells_belong_to_the_run(tmp_path: Path, uri: str) -> None:
    cells = [("parameters", "depth = 3"), ("", "%load_ext jupyter_mlops"), ("", "%%track fit --no-autolog\nauc = depth / 10")]
    result = run_notebook(write_notebook(tmp_path / "tracked.ipynb", cells), RunOptions(parameters={"depth": 5}))
    assert result.metrics == {"auc": 0.5}
    runs = _runs(uri, tmp_path.name)
    nested = [run for run in runs.values() if run.data.tags.get("mlflow.parentRunId") == result.run_id]
    assert [run.data.tags["mlops.kind"] for run in nested] == ["cell"]


def test_a_store_that_is_away_does_not_stop_a_run(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "small.ipynb", SMALL)
    result = run_notebook(notebook, RunOptions(tracking_uri="http://127.0.0.1:9"))
    assert result.exit_code == 0 and not result.delivered
    assert len(list((tmp_path / "spool").glob("*/run.json"))) == 1


def _command(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "jupyter_mlops", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def _wait_for(condition: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)


def test_ctrl_c_keeps_what_ran_and_stops_the_kernel(tmp_path: Path, uri: str) -> None:
    marker = tmp_path / "pid"
    code = f"import os, time, pathlib\nprint('begun', flush=True)\npathlib.Path({str(marker)!r}).write_text(str(os.getpid()))\ntime.sleep(60)"
    notebook = write_notebook(tmp_path / "long.ipynb", [("parameters", "depth = 3"), ("", code)])
    process = _command("run", str(notebook), "-o", str(tmp_path / "out.ipynb"), "--json")
    _wait_for(lambda: marker.exists() and marker.read_text())
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    result = json.loads(out.splitlines()[-1])
    assert (process.returncode, result["status"], result["cell"]) == (130, "KILLED", 2)
    assert _runs(uri, tmp_path.name)[result["run_id"]].info.status == "KILLED"
    assert "begun" in _texts(tmp_path / "out.ipynb")
    assert not _alive(int(marker.read_text()))


def test_the_command_line(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "small.ipynb", SMALL)
    process = _command("run", str(notebook), "-p", "rate", "-1e-3", "-p", "depth", "13")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "✗ cell 4" in out and "AssertionError: unlucky" in err
    process = _command("run", str(notebook), "-p", "deph", "1")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2 and "Did you mean 'depth'" in err


OWN, FIRST, SECOND = "horse-9-battery", "o'Türe\\4711", "staple-77-wagon"
SECRETS = [
    ("parameters", f"password = {OWN!r}\ndepth = 3"),
    ("", "import os\nprint('with', password)\nassert depth < 9 or os.path.exists('mended'), f'refused: {password}'"),
    ("evaluate", "loss = depth * 1.0"),
]


def _found(folder: Path, left_out: tuple[str, ...] = ()) -> list[str]:
    """Files in which a secret stands, in whichever form."""
    forms = {form.encode() for one in (OWN, FIRST, SECOND) for form in (one, repr(one)[1:-1], json.dumps(one)[1:-1])}
    forms |= {json.dumps(form.decode())[1:-1].encode() for form in forms}
    return [
        str(path)
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in left_out and any(one in path.read_bytes() for one in forms)
    ]


@pytest.mark.parametrize("depth", [3, 9])
def test_a_secret_of_a_run_stands_in_its_own_notebook_only(tmp_path: Path, depth: int) -> None:
    notebook = write_notebook(tmp_path / "login.ipynb", SECRETS)
    store = f"sqlite:///{tmp_path / 'store' / 'mlflow.db'}"
    given = ["-p", "password", FIRST, "-p", "depth", str(depth), "--tracking-uri", store]
    for more in ([], ["--json"]):
        out, err = _command("run", str(notebook), *given, *more).communicate(timeout=90)
        (tmp_path / f"said{len(more)}.txt").write_text(out + err, encoding="utf-8")
        assert ("with ***" in out) == bool(more) and ("refused: ***" in out + err) == (depth == 9)
    _command("sync").communicate(timeout=60)  # what a busy machine has not delivered yet
    assert len(list((tmp_path / "store" / "mlruns").rglob("login-*.ipynb"))) == 2
    assert not _found(tmp_path, (".ipynb",)) and not _found(tmp_path / "store")
    assert f"with {FIRST}" in _texts(next(tmp_path.glob("runs/login-*.ipynb")))


def test_no_half_of_a_secret_is_left_where_a_message_is_cut(tmp_path: Path) -> None:
    cells = [("parameters", "password = 'your-password'"), ("", "raise ValueError('.' * 480 + password)")]
    events: list[Event] = []
    result = run_notebook(
        write_notebook(tmp_path / "nb.ipynb", cells), RunOptions(parameters={"password": SECOND}), events.append
    )
    said = result.outcome.error + "".join(event.message for event in events)
    assert "....***" in said and SECOND[:6] not in said


# -- sweep ------------------------------------------------------------------------------------------------------------


def test_one_failed_run_does_not_stop_the_others(tmp_path: Path, uri: str) -> None:
    notebook = write_notebook(tmp_path / "small.ipynb", SMALL)
    events: list[Event] = []
    result = sweep(notebook, {"depth": [3, 13, 4], "rate": [0.1]}, SweepOptions(workers=2), events.append)
    assert result.exit_code == 1 and result.delivered
    assert [one.number for one in result.entries] == [3, 1, 2]
    assert result.best is not None and result.best.parameters == {"depth": 4, "rate": 0.1}
    assert "AssertionError: unlucky" in result.failed[0].error
    runs = _runs(uri, tmp_path.name)
    parent = runs[result.run_id]
    nested = {run_id for run_id, run in runs.items() if run.data.tags.get("mlflow.parentRunId") == result.run_id}
    assert nested == {one.run_id for one in result.entries}
    assert sorted(runs[one].info.status for one in nested) == ["FAILED", "FINISHED", "FINISHED"]
    assert parent.info.status == "FINISHED" and parent.data.tags["mlops.kind"] == "sweep"
    assert parent.data.tags["mlops.best_run"] == result.best.run_id
    assert parent.data.metrics["loss"] == pytest.approx(0.1)
    assert {"sweep.csv", "sweep.json", "notebook"} <= _artifacts(uri, result.run_id)
    rows = list(csv.DictReader((result.folder / "sweep.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["depth"], row["status"]) for row in rows] == [("4", "FINISHED"), ("3", "FINISHED"), ("13", "FAILED")]
    outputs = {one.output for one in result.entries}
    assert len(outputs) == 3 and all((result.folder / one).is_file() for one in outputs)
    last = events[-1]
    assert (last.step, last.data["done"], last.data["total"], last.data["failed"]) == ("sweep", 3, 3, 1)


def test_secrets_of_a_sweep_stand_in_its_notebooks_and_at_the_head_of_its_journal_only(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    notebook, store = write_notebook(tmp_path / "login.ipynb", SECRETS), f"sqlite:///{tmp_path / 'store' / 'mlflow.db'}"
    (tmp_path / "grid.yaml").write_text(json.dumps({"password": [FIRST, SECOND], "depth": [3, 9]}), encoding="utf-8")
    grid = ["--grid", str(tmp_path / "grid.yaml")]
    for number, more in enumerate((grid, [*grid, "--json"])):
        out, err = _command("sweep", str(notebook), "--workers", "1", "--tracking-uri", store, *more).communicate(timeout=120)
        (tmp_path / f"said{number}.txt").write_text(out + err, encoding="utf-8")
        assert "***" in out and "refused: ***" in out
    (tmp_path / "grid.yaml").unlink()
    journal = max(tmp_path.glob("runs/login-sweep-*/journal.jsonl"))
    assert journal.stat().st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines() if line]
    assert [one["password"] for one in lines[0]["sweep"]["points"]] == [FIRST, FIRST, SECOND, SECOND]
    (tmp_path / "entries.txt").write_text(json.dumps(lines[1:], ensure_ascii=False), encoding="utf-8")
    # What failed is run again with the true values.
    (tmp_path / "mended").touch()
    result = sweep(notebook, options=SweepOptions(resume="", tracking_uri=store, workers=1))
    assert (result.exit_code, result.skipped) == (0, 2)
    assert {one.parameters["password"] for one in result.entries} == {"***"}
    notebooks = [_texts(result.folder / one.output) for one in result.entries]
    assert sorted(notebooks) == sorted(2 * [f"with {FIRST}\n", f"with {SECOND}\n"])
    assert MlflowClient(store).get_run(result.run_id).data.params["sweep.password"] == "'***'"
    assert len(list((tmp_path / "store" / "mlruns").rglob("*.ipynb"))) == 13  # ten runs, and the notebook of three sweeps
    assert not _found(tmp_path, (".ipynb", ".jsonl")) and not _found(tmp_path / "store")


def test_threads_are_shared_among_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import joblib

    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    cells = [("parameters", "depth = 3"), ("evaluate", "import os\nthreads_score = int(os.environ['OMP_NUM_THREADS']) + 0")]
    result = sweep(write_notebook(tmp_path / "nb.ipynb", cells), {"depth": [1]}, SweepOptions(workers=1))
    assert result.entries[0].metrics == {"threads_score": joblib.cpu_count()}


KILLER = [
    ("parameters", "depth = 3"),
    ("", "import os, time\nif depth == 2:\n    os.kill(os.getppid(), 9)\n    time.sleep(30)\ntime.sleep(0.5)"),
    ("evaluate", "loss = depth * 1.0"),
]


def test_a_killed_worker_takes_only_its_own_run(tmp_path: Path, uri: str) -> None:
    notebook = write_notebook(tmp_path / "killer.ipynb", KILLER)
    result = sweep(notebook, {"depth": [1, 2, 3, 4]}, SweepOptions(workers=2))
    assert {one.parameters["depth"]: one.status for one in result.entries} == {
        1: "FINISHED",
        2: "FAILED",
        3: "FINISHED",
        4: "FINISHED",
    }
    assert "worker process that ran the notebook was killed" in result.failed[0].error
    statuses = [run.info.status for run in _runs(uri, tmp_path.name).values()]
    assert "RUNNING" not in statuses and statuses.count("FINISHED") == 4  # three and the sweep itself


def test_a_killed_sweep_goes_on_where_it_was(tmp_path: Path, uri: str) -> None:
    code = "import os, time\nprint(os.getpid(), flush=True)\nassert depth != 7 or os.path.exists('mended')\ntime.sleep(1.5 if depth > 2 else 0)"
    cells = [("parameters", "depth = 3"), ("", code), ("evaluate", "loss = depth * 1.0")]
    notebook = write_notebook(tmp_path / "nb.ipynb", cells)
    process = _command("sweep", str(notebook), "-p", "depth", "1,2,7,4,5", "--workers", "2", "--json", start_new_session=True)
    journal: list[Path] = []

    def three_ended() -> bool:
        journal[:] = list(tmp_path.glob("runs/nb-sweep-*/journal.jsonl"))
        return (
            bool(journal) and sum('"FINISHED"' in line or '"FAILED"' in line for line in journal[0].read_text().splitlines()) >= 3
        )

    _wait_for(three_ended)
    with pytest.raises(UsageError, match="still running"):
        sweep(notebook, options=SweepOptions(resume=""))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    started = [int(_texts(path).split()[0]) for path in journal[0].parent.glob("0*.ipynb") if _texts(path)]
    _wait_for(lambda: not any(_alive(pid) for pid in started), 15)
    ended = {line["run"]["number"] for text in journal[0].read_text().splitlines() if text for line in [json.loads(text)]
             if line.get("run", {}).get("status") == "FINISHED"}  # fmt: skip
    (tmp_path / "mended").touch()
    result = sweep(notebook, options=SweepOptions(resume="", workers=2))
    assert result.exit_code == 0 and result.sweep == journal[0].parent.name
    assert result.skipped == len(ended) > 0
    assert [one.parameters["depth"] for one in result.entries] == [1, 2, 4, 5, 7]
    statuses = [run.info.status for run in _runs(uri, tmp_path.name).values()]
    assert "RUNNING" not in statuses
    # Another notebook is another matter: nothing of it is done.
    write_notebook(notebook, [*cells, ("", "after = 1")])
    assert sweep(notebook, {"depth": [1]}, SweepOptions(resume=result.sweep, workers=1)).skipped == 0


def test_an_interrupted_sweep_stops_its_kernels(tmp_path: Path, uri: str) -> None:
    cells = [("parameters", "depth = 3"), ("", "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(depth)"), ("", "1")]
    notebook = write_notebook(tmp_path / "nb.ipynb", cells)
    process = _command("sweep", str(notebook), "-p", "depth", "0,60,60,61", "--workers", "2", "--json", start_new_session=True)
    folder: list[Path] = []

    def two_run() -> bool:
        folder[:] = list(tmp_path.glob("runs/nb-sweep-*"))
        return bool(folder) and (folder[0] / "003.ipynb").exists() and b"time.sleep" in (folder[0] / "003.ipynb").read_bytes()

    _wait_for(two_run)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the sweep and its workers
    out, _ = process.communicate(timeout=40)
    result = json.loads(out.splitlines()[-1])
    assert process.returncode == 130 and result["interrupted"]
    assert result["runs"][0]["status"] == "FINISHED"
    assert {one["status"] for one in result["runs"][1:]} <= {"KILLED", "NOT RUN"}
    runs = _runs(uri, tmp_path.name)
    assert runs[result["run_id"]].info.status == "KILLED"
    assert "RUNNING" not in {run.info.status for run in runs.values()}
    pids = [int(_texts(path).split()[0]) for path in folder[0].glob("0*.ipynb") if _texts(path)]
    _wait_for(lambda: not any(_alive(pid) for pid in pids), 15)


def test_an_interrupt_loses_no_run_that_has_ended(tmp_path: Path, uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = write_notebook(tmp_path / "small.ipynb", SMALL)

    def interrupted(*args: Any) -> dict[str, float]:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.5)  # the interrupt has come
        return record_outcome(*args)

    monkeypatch.setattr("jupyter_mlops.workflows.sweep.record_outcome", interrupted)
    result = sweep(notebook, {"depth": [1, 2, 3]}, SweepOptions(workers=1))
    assert result.interrupted
    first, *others = result.entries
    assert first.status == "FINISHED"
    assert {one.status for one in others} <= {"KILLED", "NOT RUN"}  # joblib takes one in advance
    assert _runs(uri, tmp_path.name)[first.run_id].data.metrics["loss"] == first.metrics["loss"]


def test_engines_that_are_not_there_say_what_to_install(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "small.ipynb", SMALL)
    for engine, said in (("ray", "pip install ray"), ("dask", "dask"), ("spark", "joblibspark")):
        if __import__("importlib.util").util.find_spec(said.split()[-1]) is None:
            with pytest.raises(MissingPackageError, match=said):
                sweep(notebook, {"depth": [1]}, SweepOptions(engine=engine))
    with pytest.raises(UsageError, match="no engine 'moon'"):
        sweep(notebook, {"depth": [1]}, SweepOptions(engine="moon"))


def test_a_backend_that_another_package_registers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As joblibspark does it; this backend, like Ray's, hands results over only when all of them are there."""
    (tmp_path / "pyspark.py").write_text("")
    (tmp_path / "joblibspark.py").write_text(
        "from joblib import register_parallel_backend\n"
        "from joblib._parallel_backends import LokyBackend\n"
        "class Backend(LokyBackend):\n"
        "    supports_return_generator = False\n"
        "    used = 0\n"
        "    def submit(self, *given, **named):\n"
        "        Backend.used += 1\n"
        "        return super().submit(*given, **named)\n"
        "def register_spark():\n"
        "    register_parallel_backend('spark', Backend)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    result = sweep(
        write_notebook(tmp_path / "small.ipynb", SMALL), {"depth": [3, 13, 4]}, SweepOptions(engine="spark", workers=2)
    )
    assert [one.status for one in result.entries] == ["FINISHED", "FINISHED", "FAILED"]
    assert sys.modules["joblibspark"].Backend.used == 3
    (tmp_path / "joblibspark.py").write_text("def register_spark(): raise RuntimeError('no cluster')")
    monkeypatch.delitem(sys.modules, "joblibspark")
    with pytest.raises(EnvironmentLackError, match="no cluster"):
        sweep(tmp_path / "small.ipynb", {"depth": [3]}, SweepOptions(engine="spark"))


def test_a_sweep_is_shown_in_a_notebook_that_goes_on(tmp_path: Path) -> None:
    write_notebook(tmp_path / "small.ipynb", SMALL)
    cells = [
        ("", "import time\nfrom jupyter_mlops.widgets.sweep import sweep_live\nbegun = time.monotonic()\n"
             "live = sweep_live('small.ipynb', {'depth': [3, 13]}, workers=2)\ntook = time.monotonic() - begun\nrunning = live.running"),
        ("", "live.wait(90)"),
        ("", "assert running and took < 5, took\nassert live.result['best']['parameters'] == {'depth': 3}, live.error"),
        ("", "try:\n    sweep_live('small.ipynb', {'dpth': [1]})\nexcept Exception as error:\n    print(type(error).__name__)"),
        ("", "stopped = sweep_live('small.ipynb', {'depth': list(range(30))}, workers=1)\nstopped.cancel()\nassert stopped.wait(60)"),
        ("", "try:\n    sweep_live('looking.ipynb', {'x': [1]})\nexcept Exception as error:\n    print(error)"),
    ]  # fmt: skip
    looking = write_notebook(tmp_path / "looking.ipynb", cells)
    result = run_notebook(looking)
    assert result.outcome.ok, result.outcome.error
    shown = json.loads(result.output.read_text())["cells"]
    card = shown[0]["outputs"][0]["data"]
    html = "".join(card["text/html"])
    assert "2 of 2 done" in html and "unlucky" in html and "widget-view" not in "".join(card)
    assert "run  depth" in "".join(card["text/plain"])
    assert "ParameterError" in _texts(result.output) and "it would never end" in _texts(result.output)
