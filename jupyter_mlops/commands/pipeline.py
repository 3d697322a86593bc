"""``jupyter mlops pipeline``: a project's stages for Kubeflow Pipelines or Airflow."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlops.commands.console import Console, print_event

if TYPE_CHECKING:
    from jupyter_mlops.workflows.pipelines import PipelineResult

__all__ = ["add_parser", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand to the command line."""
    parser = commands.add_parser(
        "pipeline",
        help="write a project's stages as a pipeline for Kubeflow or Airflow",
        description="Write the stages of a project's dvc.yaml into its folder pipelines/, as a Kubeflow Pipelines v2 pipeline "
        "(kubeflow.py, compiled to kubeflow.yaml where kfp is installed, and the Dockerfile of its image) or as an Airflow DAG "
        "(airflow_dag.py). A notebook is converted first, Kale's tags included.",
        epilog="Exit codes: 0 done, 1 the notebook cannot be converted or the pipeline not compiled, 2 usage or environment.",
    )
    parser.add_argument(
        "source", type=Path, metavar="PROJECT|NOTEBOOK", help="folder of a converted project, or a notebook with -o"
    )
    parser.add_argument("--to", choices=("kubeflow", "airflow"), required=True, help="which orchestrator")
    parser.add_argument("--image", metavar="IMAGE", help="with kubeflow: image with the project in it (default: NAME:latest)")
    parser.add_argument(
        "--schedule", metavar="CRON", help="with airflow: five fields of cron, or @daily and the like (default: none)"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="with a notebook: folder of the project to make")
    parser.add_argument("--model", metavar="NAME", help="with a notebook that fits several models: variable of the one to take")
    parser.add_argument("--force", action="store_true", help="replace files that were edited (they are kept beside the new ones)")
    parser.add_argument(
        "--json", action="store_true", help="one JSON object per event on standard output; the last is the result"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from jupyter_mlops.errors import MlopsError
    from jupyter_mlops.workflows.pipelines import PipelineOptions, write_pipeline

    options = PipelineOptions(arguments.image, arguments.schedule, arguments.output, arguments.model, arguments.force)
    try:
        result = write_pipeline(arguments.source, arguments.to, options, print_event if arguments.json else Console())
    except MlopsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    if arguments.json:
        print(json.dumps(result.as_dict(), ensure_ascii=False), flush=True)
    else:
        _show(result)
    return 0


def _show(result: PipelineResult) -> None:
    for problem in result.problems:
        print(f"  {problem}")
    if result.kept is not None:
        print(f"Your edited files were kept in {result.kept}")
    print()
    for name, needs in result.stages.items():
        print(f"{name:<22}{'after ' + ', '.join(needs) if needs else ''}".rstrip())
    print()
    if result.target == "kubeflow":
        print(f"Build its image:     cd {result.project} && docker build -f pipelines/Dockerfile -t IMAGE .")
        if result.compiled:
            print("Run it:              kfp run create --experiment-name NAME --package-file pipelines/kubeflow.yaml")
        else:
            print("Compile it:          python pipelines/kubeflow.py   (pip install 'jupyter-mlops[kubeflow]')")
    else:
        print(f"Link {result.project / 'pipelines' / 'airflow_dag.py'} into Airflow's folder of DAGs.")
