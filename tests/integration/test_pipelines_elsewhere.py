"""A project's stages run by Kubeflow's own local runner and by Airflow: the same metrics and predictions as in one process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from jupyter_mlops.cli import main
from jupyter_mlops.workflows.output import edited_files
from tests.environments import python_with

pytestmark = pytest.mark.xdist_group("dvc-pipeline")

RUN_LOCALLY = """
import json, sys
from kfp import local
local.init(local.SubprocessRunner(use_venv=False), pipeline_root=sys.argv[1])
sys.path.insert(0, "pipelines")
import kubeflow
task = kubeflow.pipeline(**json.loads(sys.argv[2]))
print(json.dumps({name: [one.path, one.metadata] for name, one in task.outputs.items()}))
"""
RUN_DAG = """
import json, sys
sys.path.insert(0, sys.argv[1])
from linked import dag
run = dag.test(run_conf=json.loads(sys.argv[2]))
assert run.state == "success", run.state
print(json.dumps(sorted([one.task_id, sorted(one.upstream_task_ids)] for one in dag.tasks)))
"""
PARAMETERS = {"trees": 7, "share": 0.6}
SHOW_DAG = """
import json, sys
sys.path.insert(0, sys.argv[1])
from linked import dag
task = dag.get_task("train")
task.render_template_fields({"run_id": "manual__1", "params": {"trees": 7, "names": ["it's", "<b>"]}, "ti": None}, dag.get_template_env())
needs = {one.task_id: sorted(one.upstream_task_ids) for one in dag.tasks}
types = {name: dag.params.get_param(name).schema["type"] for name in dag.params}
retries = sorted({one.retries for one in dag.tasks})
print(json.dumps({"needs": needs, "types": types, "schedule": dag.schedule_interval, "retries": retries, "env": task.env}))
"""
NEEDS = {
    "load": [], "validate": ["load"], "features": ["load", "validate"], "train": ["features"], "evaluate": ["features", "train"],
}  # fmt: skip


def _run(command: list[str], folder: Path, **env: str) -> str:
    done = subprocess.run(command, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout


def _predictions(project: Path, model: Path, state: Path) -> Any:
    code = (
        "import json, sys\nfrom pathlib import Path\nfrom shops.persist import load_model\nfrom shops.predict import predict\n"
        "from shops.schema import COLUMNS, raw_frame\nfrom shops.state import FeatureState\n"
        "rows = json.load(open('model/golden.json'))['rows']\n"
        "raw = raw_frame({name: [row.get(name) for row in rows] for name in COLUMNS})\n"
        "print(predict(raw, load_model(Path(sys.argv[1])), state=FeatureState.load(Path(sys.argv[2]))).to_json())"
    )
    return json.loads(_run([sys.executable, "-c", code, str(model), str(state)], project, PYTHONPATH="src"))


@pytest.fixture(scope="module")
def whole(shops: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """Metrics and predictions of the pipeline in one process, with `PARAMETERS`."""
    out = tmp_path_factory.mktemp("whole")
    given = {f"SHOPS_{name.upper()}": str(value) for name, value in PARAMETERS.items()}
    _run([sys.executable, "-m", "shops.pipeline", "--out", str(out)], shops, PYTHONPATH="src", **given)
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))["metrics"]
    return metrics, _predictions(shops, out / "model.skops", out / "state")


@pytest.fixture
def project(shops: Path, tmp_path: Path) -> Path:
    """A copy to write into."""
    return Path(shutil.copytree(shops, tmp_path / "shops"))


def test_kubeflow_runs_the_stages_with_files_of_their_own(project: Path, whole: tuple[Any, Any], tmp_path: Path) -> None:
    assert main(["pipeline", str(project), "--to", "kubeflow", "--image", "python-shops:1"]) == 0
    assert edited_files(project) == []  # what is written is the project's
    before = (project / "model" / "model.skops").read_bytes()
    said = _run(
        [sys.executable, "-c", RUN_LOCALLY, str(tmp_path / "root"), json.dumps(PARAMETERS)], project,
        PYTHONPATH=f"pipelines{os.pathsep}src",
    )  # fmt: skip
    outputs = json.loads(said.strip().split("\n")[-1])
    metrics, predictions = whole
    assert outputs["metrics"][1] == metrics
    assert json.loads(Path(outputs["metrics"][0]).read_text(encoding="utf-8"))["metrics"] == metrics
    model, state = Path(outputs["model"][0]) / "model.skops", Path(outputs["state"][0])
    assert _predictions(project, model, state) == predictions
    assert model.read_bytes() != before  # of other parameters
    assert (project / "model" / "model.skops").read_bytes() == before
    assert not (project / "stages").exists()


def test_what_kubeflow_gets_is_the_graph_of_dvc_yaml_with_typed_parameters(project: Path) -> None:
    assert main(["pipeline", str(project), "--to", "kubeflow", "--image", "registry.example.org/shops:3"]) == 0
    text = (project / "pipelines" / "kubeflow.yaml").read_text(encoding="utf-8")
    compiled = yaml.safe_load(text)
    tasks = compiled["root"]["dag"]["tasks"]
    assert {name: sorted(task.get("dependentTasks", [])) for name, task in tasks.items()} == NEEDS
    given = compiled["root"]["inputDefinitions"]["parameters"]
    assert {name: (one["parameterType"], one["defaultValue"]) for name, one in given.items()} == {
        "rows": ("NUMBER_INTEGER", 250.0), "trees": ("NUMBER_INTEGER", 5.0), "share": ("NUMBER_DOUBLE", 0.7),
        "seed": ("NUMBER_INTEGER", 0.0), "data_dir": ("STRING", "data"),
    }  # fmt: skip
    outputs = compiled["components"]["comp-train"]["outputDefinitions"]["artifacts"]
    assert outputs["model"]["artifactType"]["schemaTitle"] == "system.Model"
    outputs = compiled["components"]["comp-evaluate"]["outputDefinitions"]["artifacts"]
    assert outputs["metrics"]["artifactType"]["schemaTitle"] == "system.Metrics"
    executors = compiled["deploymentSpec"]["executors"].values()
    assert {one["container"]["image"] for one in executors} == {"registry.example.org/shops:3"}
    assert "pip install" not in text  # nothing is fetched when a pod starts
    assert tasks["load"]["cachingOptions"] == {}
    assert tasks["train"]["cachingOptions"] == {"enableCache": True}


def test_the_generated_files_are_clean(project: Path) -> None:
    for target in ("kubeflow", "airflow"):
        assert main(["pipeline", str(project), "--to", target]) == 0
    for command in (["ruff", "check", "pipelines"], ["ruff", "format", "--check", "pipelines"]):
        _run([sys.executable, "-m", *command], project)
    _run([sys.executable, "-m", "mypy", *(f"pipelines/{name}.py" for name in ("kubeflow", "airflow_dag", "one_stage"))], project)


def _linked(project: Path, tmp_path: Path) -> dict[str, str]:
    """Airflow's environment, with a link to the DAG in its folder of DAGs."""
    assert main(["pipeline", str(project), "--to", "airflow"]) == 0
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "linked.py").symlink_to(project / "pipelines" / "airflow_dag.py")
    return {
        "AIRFLOW_HOME": str(tmp_path / "home"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"), "SHOPS_PYTHON": sys.executable, "SHOPS_RUNS": str(tmp_path / "runs"),
    }  # fmt: skip


def test_airflow_runs_the_dag(project: Path, whole: tuple[Any, Any], tmp_path: Path) -> None:
    python = python_with("apache-airflow>=3,<4")
    env = _linked(project, tmp_path)
    _run([str(python.with_name("airflow")), "db", "migrate"], tmp_path, **env)
    said = _run([str(python), "-c", RUN_DAG, str(tmp_path / "dags"), json.dumps(PARAMETERS)], tmp_path, **env)
    assert dict(json.loads(said.strip().split("\n")[-1])) == NEEDS
    (run,) = (tmp_path / "runs").iterdir()
    metrics, predictions = whole
    assert json.loads((run / "model" / "metrics.json").read_text(encoding="utf-8"))["metrics"] == metrics
    assert _predictions(project, run / "model" / "model.skops", run / "model" / "state") == predictions


def test_airflow_2_takes_the_same_file(project: Path, tmp_path: Path) -> None:
    python = python_with("apache-airflow>=2.10,<3")
    said = _run([str(python), "-c", SHOW_DAG, str(tmp_path / "dags")], tmp_path, **_linked(project, tmp_path))
    shown = json.loads(said.strip().split("\n")[-1])
    assert shown["needs"] == NEEDS
    assert shown["types"] == {"rows": "integer", "trees": "integer", "share": "number", "seed": "integer", "data_dir": "string"}
    assert (shown["schedule"], shown["retries"]) == (None, [2])
    assert json.loads(shown["env"]["PIPELINE_PARAMETERS"]) == {"trees": 7, "names": ["it's", "<b>"]}
    assert shown["env"]["STAGE_RUN"] == "manual__1"
