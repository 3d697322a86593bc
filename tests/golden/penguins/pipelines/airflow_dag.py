"""Penguin species: the stages of dvc.yaml as a DAG for Airflow 2.10 and later, 3 included.

Link this file into Airflow's folder of DAGs. All workers must see the project's folder, and the folder of runs, under the
same path. A run leaves its model and metrics in RUNS/<run>/model; the metrics are also what the last task returns.

PENGUINS_PROJECT, _PYTHON and _RUNS in Airflow's environment say where the project is (default: the folder above
this file), which Python has its requirements.lock (default: .venv in the project, else Airflow's own), and where runs go.
"""
# mypy: disable-error-code="import-not-found,import-untyped,no-redef,no-any-unimported"

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG, Param
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.models.param import Param
    from airflow.operators.bash import BashOperator

PROJECT = Path(os.environ.get("PENGUINS_PROJECT", Path(__file__).resolve().parents[1]))
_OWN = PROJECT / ".venv" / "bin" / "python"
PYTHON = os.environ.get("PENGUINS_PYTHON", str(_OWN) if _OWN.exists() else sys.executable)
RUNS = os.environ.get("PENGUINS_RUNS", str(PROJECT / "stages" / "airflow"))


def stage(name: str) -> BashOperator:
    """A stage of dvc.yaml as a task; parameters go by the environment, never through the shell."""
    return BashOperator(
        task_id=name,
        bash_command='exec "$STAGE_PYTHON" pipelines/one_stage.py "$STAGE" --run "$STAGE_RUNS/$STAGE_RUN"',
        cwd=str(PROJECT),
        env={
            "STAGE": name,
            "STAGE_PYTHON": PYTHON,
            "STAGE_RUNS": RUNS,
            "STAGE_RUN": "{{ run_id }}",
            "PIPELINE_PARAMETERS": "{{ params | tojson }}",
        },
        append_env=True,
    )


with DAG(
    dag_id="penguins",
    description="Penguin species",
    schedule="30 4 * * 1",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
    params={
        "n_estimators": Param(20, type="integer", description="trees"),
        "heavy": Param(4500.0, type="number"),
        "test_size": Param(0.3, type="number"),
        "seed": Param(
            0, type="integer", description="of the global generators, for code that sets none"
        ),
    },
) as dag:
    load = stage("load")
    validate = stage("validate")
    features = stage("features")
    train = stage("train")
    evaluate = stage("evaluate")

    load >> validate
    [load, validate] >> features
    features >> train
    [features, train] >> evaluate


if __name__ == "__main__":
    dag.test()  # once, here, without a scheduler
