"""``jupyter mlops runs``: the runs of an experiment, and two of them side by side."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

__all__ = ["add_parser", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand to the command line."""
    parser = commands.add_parser(
        "runs",
        help="list the runs of an experiment, or compare two of them",
        description="List the newest runs of an experiment, or the best ones by a metric, or put two runs side by side: "
        "parameters, metrics, code, data versions, git, environment.",
        epilog="Exit codes: 0 done, 2 usage or environment.",
    )
    parser.add_argument(
        "notebook", type=Path, nargs="?", metavar="NOTEBOOK", help="runs of this notebook: the experiment of its name, beside it"
    )
    parser.add_argument(
        "--experiment", metavar="E", help="name of the experiment (default: MLFLOW_EXPERIMENT_NAME, or the notebook's)"
    )
    parser.add_argument("-n", "--limit", type=int, default=100, metavar="N", help="how many runs at most (default: 100)")
    parser.add_argument("--sort", metavar="METRIC", help="the best runs by this metric first, of all runs of the experiment")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--maximize", action="store_true", help="with --sort: higher is better (default: by the metric's name)")
    how.add_argument("--minimize", action="store_true", help="with --sort: lower is better")
    parser.add_argument(
        "--filter", default="", metavar="EXPR", help="in MLflow's language: \"metrics.auc > 0.8 and params.model = 'tree'\""
    )
    parser.add_argument(
        "--kind", action="append", default=[], choices=["cell", "rerun", "sweep"],
        help="only tracked cells, runs of whole notebooks, or sweeps; may be given several times",
    )  # fmt: skip
    parser.add_argument("--compare", nargs=2, metavar=("A", "B"), help="two runs: ids, beginnings of ids, or names")
    parser.add_argument(
        "--tracking-uri", metavar="URI", help="MLflow's address (default: MLFLOW_TRACKING_URI, else sqlite beside it)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(arguments: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from jupyter_mlops.errors import MlopsError

    try:
        return _run(arguments)
    except MlopsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


def _run(arguments: argparse.Namespace) -> int:
    from jupyter_mlops.errors import UsageError
    from jupyter_mlops.tracking.store import tracking_uri
    from jupyter_mlops.workflows.runs import chosen_experiment, compare_runs, list_runs

    folder = Path.cwd() if arguments.notebook is None else arguments.notebook.absolute().parent
    uri = tracking_uri(arguments.tracking_uri, folder)
    experiment = chosen_experiment(uri, arguments.experiment, arguments.notebook, needed=arguments.compare is None)
    if arguments.compare:
        compared = compare_runs(uri, *arguments.compare, experiment=experiment)
        print(json.dumps(compared.as_dict(), ensure_ascii=False) if arguments.json else compared.text())
        return 0
    if (arguments.maximize or arguments.minimize) and arguments.sort is None:
        raise UsageError("--maximize and --minimize say how --sort METRIC orders: give them together.")
    table = list_runs(
        uri, experiment or "", limit=arguments.limit, sort=arguments.sort,
        maximize=True if arguments.maximize else False if arguments.minimize else None,
        filter_string=arguments.filter, kinds=arguments.kind,
    )  # fmt: skip
    print(json.dumps(table.as_dict(), ensure_ascii=False) if arguments.json else table.text())
    return 0
