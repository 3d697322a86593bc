"""`%%track` in a real kernel, on a real store: what is recorded, and that the cell is what it was without it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kernel import Kernel, running_kernel
from tests.notebooks import write_notebook

pytestmark = [
    pytest.mark.xdist_group("track"),
    pytest.mark.filterwarnings(
        "ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
    ),
]

TRAIN = """\
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv('data/points.csv')
model = LogisticRegression(C=C).fit(df[['x']], df['y'])
auc = float(model.score(df[['x']], df['y']))"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a notebook and a data file under DVC, both with a change that was not committed."""
    place = tmp_path_factory.mktemp("project")
    (place / "data").mkdir()
    (place / "data" / "points.csv").write_text("x,y\n" + "".join(f"{n},{int(n > 4)}\n" for n in range(10)))
    digest = subprocess.run(["md5sum", "data/points.csv"], cwd=place, capture_output=True, text=True, check=True).stdout[:32]
    (place / "data" / "points.csv.dvc").write_text(f"outs:\n- md5: {digest}\n  size: 44\n  hash: md5\n  path: points.csv\n")
    (place / "work.py").write_text("a = 1\n")
    write_notebook(place / "churn.ipynb", [("parameters", "C = 0.5\nseed = 3"), ("", f"%%track\n{TRAIN}")])
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], cwd=place, check=True)
    (place / "work.py").write_text("a = 2\n")
    return place


@pytest.fixture(scope="module")
def kernel(folder: Path) -> Iterator[Kernel]:
    """A kernel as JupyterLab starts it for the notebook."""
    env = {"JPY_SESSION_NAME": str(folder / "churn.ipynb"), "JUPYTER_MLOPS_SPOOL": str(folder / ".spool")}
    with running_kernel(folder, env) as running:
        running.run("C = 0.5\nseed = 3")
        yield running


@pytest.fixture(scope="module")
def client(folder: Path) -> Any:
    """MLflow's client on the store that a notebook gets where nothing else is set."""
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")


def _last(client: Any) -> Any:
    ids = [one.experiment_id for one in client.search_experiments()]
    return client.search_runs(ids, order_by=["attributes.start_time DESC"], max_results=1)[0]


def _artifacts(client: Any, kernel: Kernel, run: Any) -> dict[str, bytes]:
    """Content of all files of a run, once they have arrived."""
    assert kernel.run("from jupyter_mlops.tracking.recording import flush\nassert flush(60)").error is None
    root = Path(run.info.artifact_uri.removeprefix("file://"))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_everything_is_recorded(kernel: Kernel, client: Any, folder: Path) -> None:
    shown = "df.head(2)"
    reply = kernel.run(
        f"%%track first --metric auc*100 --metric n=len(df) --tag team=a\nimport matplotlib.pyplot as plt\n{TRAIN}\nplt.plot([1, 2])\n{shown}"
    )
    assert reply.error is None
    run = _last(client)
    assert (run.info.run_name, run.info.status) == ("first", "FINISHED")
    assert client.get_experiment(run.info.experiment_id).name == "churn"
    # the parameters that the cell uses, and the estimator's
    assert run.data.params["C"] == "0.5" and "seed" not in run.data.params
    assert run.data.params["fit_intercept"] == "True"
    assert run.data.metrics["auc"] == 1.0 and run.data.metrics["auc_100"] == 100.0 and run.data.metrics["n"] == 10
    assert run.data.metrics["training_accuracy_score"] == 1.0
    assert 0 < run.data.metrics["duration_seconds"] < 60 and run.data.metrics["peak_memory_mib"] > 50
    tags = run.data.tags
    assert tags["team"] == "a" and tags["mlops.kind"] == "cell" and tags["notebook"] == "churn.ipynb"
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
    assert tags["git.commit"] == head and tags["git.dirty"] == "true"
    files = _artifacts(client, kernel, run)
    assert files["cell/source.py"].decode().startswith("import matplotlib") and shown in files["cell/source.py"].decode()
    assert files["notebook/churn.ipynb"] == (folder / "churn.ipynb").read_bytes()
    assert "+a = 2" in files["git.diff"].decode()
    assert "distributions" in json.loads(files["environment/environment.json"])
    assert files["figures/01.png"].startswith(b"\x89PNG") and b"<table" in files["tables/01.html"]
    (data,) = json.loads(files["data.json"])
    assert data["path"].endswith("data/points.csv") and data["how"] == "opened"
    assert data["dvc"]["state"] == "unchanged" and data["dvc"]["md5"] == data["md5"] and data["dvc"]["commit"] == head
    assert tags["data.points.csv"] == f"md5:{data['md5']}"
    # and the cell's own output is all there, behind the card
    assert [one["data"]["text/plain"].split()[0] for one in reply.of("execute_result")] == ["x"]
    assert "auc" in reply.card and "text/html" in reply.of("update_display_data")[-1]["data"]


def test_a_change_of_the_data_shows(kernel: Kernel, client: Any, folder: Path) -> None:
    with (folder / "data" / "points.csv").open("a") as file:
        file.write("11,1\n")
    kernel.run(f"%%track first\n{TRAIN}")
    run = _last(client)
    (data,) = json.loads(_artifacts(client, kernel, run)["data.json"])
    assert data["dvc"]["state"] == "modified" and data["dvc"]["md5"] != data["md5"]


def test_the_card_compares(kernel: Kernel, folder: Path) -> None:
    kernel.run("%%track compared\nloss = float(len('abc'))")
    kernel.run("%%track compared\nloss = float(len('ab'))")
    deadline = time.monotonic() + 30
    html = ""
    while "new best" not in html and time.monotonic() < deadline:
        # The comparison comes as an update of the card, in a message of its own.
        message = kernel.client.get_iopub_msg(timeout=30)
        html = str(message["content"].get("data", {}).get("text/html", ""))
    assert "▼ 1" in html and "new best" in html


def test_a_failing_cell(kernel: Kernel, client: Any) -> None:
    plain = kernel.run("x = 1\n\n1/0").error
    tracked = kernel.run("%%track broken\n\n1/0").error
    assert plain is not None and tracked is not None
    assert (tracked["ename"], tracked["evalue"]) == (plain["ename"], plain["evalue"])
    assert "line 3" in "".join(tracked["traceback"])
    run = _last(client)
    assert run.info.status == "FAILED" and run.data.tags["mlops.error"] == "ZeroDivisionError: division by zero"
    assert "ZeroDivisionError" in _artifacts(client, kernel, run)["traceback.txt"].decode()
    # the next cell is a run of its own
    kernel.run("%%track\npass")
    assert _last(client).info.status == "FINISHED"


def test_an_interrupt(kernel: Kernel, client: Any) -> None:
    sent = kernel.start("%%track long\nimport time\nprint('going', flush=True)\ntime.sleep(60)")
    deadline = time.monotonic() + 60
    while kernel.client.get_iopub_msg(timeout=60)["content"].get("text") != "going\n":
        assert time.monotonic() < deadline
    kernel.manager.interrupt_kernel()
    reply = kernel.finish(sent)
    assert reply.error is not None and reply.error["ename"] == "KeyboardInterrupt"
    assert _last(client).info.status == "KILLED"


def test_results_displays_and_await_are_untouched(kernel: Kernel, client: Any) -> None:
    cell = "import asyncio\nfrom IPython.display import display\ndisplay(1)\nawait asyncio.sleep(0)\nprint('p')\n41 + 1"
    plain, tracked = kernel.run(cell), kernel.run(f"%%track same\n{cell}")

    def own(reply: Any) -> list[Any]:
        return [
            (m["msg_type"], m["content"].get("data", {}).get("text/plain"), m["content"].get("text"))
            for m in reply.messages
            if m["msg_type"] in ("display_data", "execute_result", "stream", "error")
            and "application/vnd.jupyter.widget-view+json" not in m["content"].get("data", {})
        ]

    assert own(tracked) == own(plain)
    assert kernel.run("_").of("execute_result")[0]["data"]["text/plain"] == "42"
    assert _last(client).info.run_name == "same"


def test_magics_under_and_over(kernel: Kernel, client: Any) -> None:
    assert "Wall time" in kernel.run("%%track inner\n%%time\nq = sum(range(5))").text
    assert _last(client).info.run_name == "inner"
    assert kernel.run("%%time\n%%track outer\nq = float(sum(range(5)))").error is None
    assert _last(client).info.run_name == "outer" and _last(client).data.metrics["q"] == 10.0


def test_scalars_of_branches_that_were_not_taken(kernel: Kernel, client: Any) -> None:
    kernel.run("auc = 0.123456; flag = False")
    kernel.run(
        "%%track\nif flag:\n    auc = float('1')\nfor i in range(3):\n    k = i * 2.0\nlimit = 5\nmean = sum([1, 2.0]) / 2"
    )
    assert set(_last(client).data.metrics) == {"mean", "duration_seconds", "peak_memory_mib"}


def test_the_notebooks_own_mlflow_calls_go_into_the_run(kernel: Kernel, client: Any) -> None:
    kernel.run(
        "%%track own\nimport mlflow\nmlflow.log_metric('m', 1, step=1)\nmlflow.log_metric('m', 2, step=2)\n"
        "with mlflow.start_run(run_name='child', nested=True):\n    mlflow.log_param('a', 1)"
    )
    ids = [one.experiment_id for one in client.search_experiments()]
    (run,) = client.search_runs(ids, "attributes.run_name = 'own'")
    assert [one.value for one in client.get_metric_history(run.info.run_id, "m")] == [1.0, 2.0]
    (child,) = client.search_runs(ids, "attributes.run_name = 'child'")
    assert child.data.tags["mlflow.parentRunId"] == run.info.run_id and child.info.status == "FINISHED"
    assert kernel.run("assert mlflow.active_run() is None").error is None


def test_an_active_run(kernel: Kernel, client: Any) -> None:
    kernel.run("import mlflow\nown = mlflow.start_run(run_name='mine')")
    reply = kernel.run("%%track\ntouched = True")
    assert "--nested" in reply.text and kernel.run("touched").error is not None
    assert kernel.run("%%track inside --nested\npass").error is None
    inside = client.search_runs([_last(client).info.experiment_id], "attributes.run_name = 'inside'")[0]
    assert inside.data.tags["mlflow.parentRunId"]
    assert kernel.run("assert mlflow.active_run().info.run_id == own.info.run_id\nmlflow.end_run()").error is None


def test_autologging_is_the_cells_only(kernel: Kernel, client: Any) -> None:
    kernel.run(f"%%track --no-autolog\n{TRAIN}")
    assert "fit_intercept" not in _last(client).data.params
    before = _last(client).info.run_id
    assert kernel.run(TRAIN).error is None  # an untracked fit begins no run
    assert _last(client).info.run_id == before


def test_wrong_arguments_run_nothing(kernel: Kernel) -> None:
    reply = kernel.run("%%track --metrik auc\nwas_run = True")
    assert "unrecognized arguments: --metrik" in reply.text
    assert kernel.run("was_run").error is not None
    assert "--no-autolog" in kernel.run("%%track -h\n1").text


def test_defaults_of_the_session(kernel: Kernel, client: Any, folder: Path) -> None:
    reply = kernel.run("%track --experiment other --tag owner=b --no-autolog")
    assert "other" in reply.of("display_data")[0]["data"]["text/plain"]
    kernel.run("%%track\npass")
    run = _last(client)
    assert client.get_experiment(run.info.experiment_id).name == "other" and run.data.tags["owner"] == "b"
    kernel.run("%track --reset")
    kernel.run("%%track\npass")
    assert client.get_experiment(_last(client).info.experiment_id).name == "churn"


def test_secrets_are_not_recorded(kernel: Kernel, client: Any, folder: Path) -> None:
    secret = "9f8a7c6e5d4b3a29180716253443526f"
    kernel.run(f"%%track\napi_key = '{secret}'\nraise ValueError('https://me:hunter22@example.org')")
    files = _artifacts(client, kernel, _last(client))
    assert not [name for name, content in files.items() if secret.encode() in content or b"hunter22" in content]
    assert b"***" in files["cell/source.py"] and b"***" in files["traceback.txt"]
    assert "hunter22" not in _last(client).data.tags["mlops.error"]


def test_a_validation_goes_to_the_next_run(kernel: Kernel, client: Any) -> None:
    kernel.run("import pandas as pd\ndf = pd.DataFrame({'x': [1.0, 2.0]})")
    reply = kernel.run("%%validate df --suite points\nexpect_column_values_to_not_be_null('x')")
    assert reply.error is None, reply.text
    kernel.run("%%track\npass")
    run = _last(client)
    assert run.data.tags["validation.points"] == "passed"
    assert json.loads(_artifacts(client, kernel, run)["validation/points.json"])["success"] is True


def test_table_of_runs(kernel: Kernel) -> None:
    kernel.run("%%track one\nauc = float('0.5')")
    kernel.run("%%track listed\nauc = float('0.75')")
    reply = kernel.run("%runs")
    bundle = reply.of("display_data")[0]["data"]
    assert "listed" in bundle["text/html"] and "application/vnd.jupyter.widget-view+json" in bundle
    assert "auc" in kernel.run("%runs one listed --text").text


def test_conversions_record_nothing(kernel: Kernel, client: Any) -> None:
    before = _last(client).info.run_id
    kernel.run("import os; os.environ['JUPYTER_MLOPS_TRACKING'] = 'off'")
    assert kernel.run("%%track\n5").of("execute_result")[0]["data"]["text/plain"] == "5"
    kernel.run("del os.environ['JUPYTER_MLOPS_TRACKING']")
    assert _last(client).info.run_id == before


def test_the_data_of_a_run_comes_back(tmp_path: Path) -> None:
    """From `%%track` to `jupyter mlops data checkout`, on real DVC."""
    path = tmp_path / "points.csv"
    mlops = [sys.executable, "-m", "jupyter_mlops", "data"]
    env = {**os.environ, "JUPYTER_MLOPS_SPOOL": str(tmp_path / ".spool")}

    def keep(text: str) -> None:
        path.write_text(text)
        subprocess.run([*mlops, "add", "points.csv"], cwd=tmp_path, env=env, check=True, capture_output=True)

    keep("x\n1\n")
    with running_kernel(tmp_path, env) as kernel:
        reply = kernel.run("%%track seen --experiment e\nimport pandas as pd\nmean = float(pd.read_csv('points.csv').x.mean())")
        assert reply.error is None
        assert kernel.run("from jupyter_mlops.tracking.recording import flush\nassert flush(60)").error is None
    keep("x\n2\n3\n")
    done = subprocess.run([*mlops, "checkout", "seen"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert path.read_text() == "x\n1\n"


def test_texts_that_are_no_paths(kernel: Kernel, client: Any, folder: Path) -> None:
    kernel.run(
        "import pandas as pd\npd.DataFrame({'x': [1, 2]}).to_parquet('table.parquet')\nframe = pd.DataFrame({'x': [1, 2]})"
    )
    reply = kernel.run("%%track texts\nn = len(frame.query('~(x > 1)'))\nparts = 'a.b'.split('.')")
    assert reply.error is None and "Error in callback" not in reply.text
    run = _last(client)
    assert (run.info.run_name, run.info.status, run.data.metrics["n"]) == ("texts", "FINISHED", 1.0)
    assert json.loads(_artifacts(client, kernel, run)["data.json"]) == []  # and the project's folder is no table


@pytest.mark.parametrize(
    "cell",
    [
        "from unittest.mock import MagicMock\nmock = MagicMock()\nfield = mock.field",
        "In = 7",
        "del In",
        "raise ValueError('bad \\udc80 character')",
        "class Silent(Exception):\n    def __str__(self):\n        raise ValueError('no')\nraise Silent",
    ],
)
def test_unusual_values_do_not_disturb(kernel: Kernel, client: Any, cell: str) -> None:
    plain, tracked = kernel.run(f"In = []\n{cell}").error, kernel.run(f"%%track odd\n{cell.replace('del In', 'pass')}")
    assert (plain and plain["ename"]) == (tracked.error and tracked.error["ename"])
    assert "Error in callback" not in tracked.text and "odd" in tracked.card
    assert (_last(client).info.run_name, _last(client).info.status) == ("odd", "FAILED" if plain else "FINISHED")


def test_what_a_cell_deletes_is_freed(kernel: Kernel) -> None:
    kernel.run("import gc, weakref\nclass Big:\n    pass\nbig = Big()\nseen = weakref.ref(big)")
    assert kernel.run("%%track\ndel big\n_ = gc.collect()\nassert seen() is None").error is None


def test_a_run_that_the_cell_begins_itself(kernel: Kernel, client: Any) -> None:
    kernel.run("%%track around\nimport mlflow\nwith mlflow.start_run(run_name='within'):\n    mlflow.log_metric('a', 1)")
    ids = [one.experiment_id for one in client.search_experiments()]
    (around,) = client.search_runs(ids, "attributes.run_name = 'around'")
    (within,) = client.search_runs(ids, "attributes.run_name = 'within'")
    assert around.info.status == within.info.status == "FINISHED"
    assert within.data.tags["mlflow.parentRunId"] == around.info.run_id and within.data.metrics["a"] == 1.0
    assert within.info.experiment_id == around.info.experiment_id
    error = kernel.run("%%track two\nwith mlflow.start_run():\n    mlflow.start_run()").error
    assert error is not None and "already active" in error["evalue"]
    assert kernel.run("assert mlflow.active_run() is None and mlflow.start_run is mlflow.tracking.fluent.start_run").error is None


def test_a_cell_that_goes_to_another_store(kernel: Kernel, client: Any, folder: Path) -> None:
    other = f"sqlite:///{folder / 'other.db'}"
    reply = kernel.run(f"%%track leaves\nimport mlflow\nmlflow.set_tracking_uri('{other}')")
    assert reply.error is None and "Error in callback" not in reply.text
    assert (_last(client).info.run_name, _last(client).info.status) == ("leaves", "FINISHED")
    assert kernel.run(f"assert mlflow.active_run() is None and mlflow.get_tracking_uri() == '{other}'").error is None
    kernel.run(f"mlflow.set_tracking_uri('sqlite:///{folder / 'mlflow.db'}')")


def test_many_nested_runs_hold_no_files(kernel: Kernel, client: Any) -> None:
    many = "for _ in range(20):\n    with mlflow.start_run(nested=True):\n        pass\n"
    count = "import os\nopen_files = len(os.listdir('/proc/self/fd'))\n"
    reply = kernel.run(f"%%track many\nimport mlflow\n{many}{count}{many}more = len(os.listdir('/proc/self/fd')) - open_files")
    assert reply.error is None
    (run,) = client.search_runs([_last(client).info.experiment_id], "attributes.run_name = 'many'")
    assert run.data.metrics["more"] < 10


def test_autologging_that_a_cell_switches_on_stays(kernel: Kernel, client: Any) -> None:
    kernel.run("%%track\nimport mlflow.sklearn\nmlflow.sklearn.autolog(log_models=False, disable=False)")
    enabled = (
        "from mlflow.utils.autologging_utils import AUTOLOGGING_INTEGRATIONS as set_up\nassert set_up['sklearn']['disable'] is {}"
    )
    assert kernel.run(enabled.format(False)).error is None
    kernel.run("mlflow.sklearn.autolog(disable=True)\nmlflow.autolog(disable=True, silent=True)")
    assert kernel.run(enabled.format(True)).error is None


def test_errors_under_another_magic(kernel: Kernel, client: Any) -> None:
    error = kernel.run("%%time\n%%track under\n1/0").error
    assert error is not None and error["ename"] == "ZeroDivisionError"
    assert (_last(client).info.run_name, _last(client).info.status) == ("under", "FAILED")


def test_first_lines(kernel: Kernel, client: Any) -> None:
    for cell in ("%%track\r\nvalue = float('4')\r\n", "   \n\n%%track\nvalue = float('4')"):
        assert kernel.run(cell).error is None
        assert _last(client).data.metrics["value"] == 4.0
    files = _artifacts(client, kernel, _last(client))
    assert files["cell/source.py"] == b"value = float('4')"
    assert "not found" in kernel.run("# a comment\n%%track\npass").text  # as IPython says of every cell magic
    assert kernel.run("%%track -h\n1").text.count("usage:") == 1


def test_metrics_that_are_no_numbers_any_more(kernel: Kernel, client: Any) -> None:
    kernel.run("%%track --metric \"diverged=float('nan')\" --metric len([1,2,3])//2\npass")
    metrics = _last(client).data.metrics
    assert metrics["diverged"] != metrics["diverged"] and metrics["len_1_2_3_/2"] == 1.0


def test_another_store_for_a_while(kernel: Kernel, client: Any, folder: Path) -> None:
    kernel.run(f"%track --uri sqlite:///{folder / 'while.db'}")
    kernel.run("%%track elsewhere\npass")
    reply = kernel.run("%track --reset")
    assert str(folder / "mlflow.db") in reply.of("display_data")[0]["data"]["text/plain"]
    kernel.run("%%track back\npass")
    assert _last(client).info.run_name == "back"


def test_the_extension_is_loaded_anew_in_a_tracked_cell(kernel: Kernel, client: Any) -> None:
    assert kernel.run("%%track reloads\n%reload_ext jupyter_mlops\nvalue = float('5')").error is None
    assert _last(client).info.status == "FINISHED" and _last(client).data.metrics["value"] == 5.0
    kernel.run("%%track afterwards\npass")
    assert _last(client).info.run_name == "afterwards"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"MLFLOW_TRACKING_URI": "file:///tmp/runs"}, "plain folders"),
        ({"MLFLOW_TRACKING_URI": "htp://localhost"}, "knows no tracking store"),
        ({"JUPYTER_MLOPS_SPOOL": "/proc/none"}, "cannot be recorded"),
    ],
)
def test_places_where_nothing_can_be_recorded(tmp_path: Path, settings: dict[str, str], message: str) -> None:
    with running_kernel(
        tmp_path, {"JUPYTER_MLOPS_SPOOL": str(tmp_path / ".spool"), "JPY_SESSION_NAME": "", **settings}
    ) as kernel:
        reply = kernel.run("%%track\nwas_run = True")
        assert message in reply.text and "Traceback" not in reply.text
        assert kernel.run("import mlflow\nassert mlflow.active_run() is None and 'was_run' not in globals()").error is None
