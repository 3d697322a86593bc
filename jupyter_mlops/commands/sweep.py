"""``jupyter mlops sweep``: a notebook for many combinations of parameters."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlops.commands.console import Console, print_event
from jupyter_mlops.commands.run import add_options, allow_negative_values, stop_on_termination

if TYPE_CHECKING:
    from jupyter_mlops.workflows.sweep import SweepResult

__all__ = ["add_parser", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand to the command line."""
    parser = commands.add_parser(
        "sweep",
        help="run a notebook for many combinations of parameters, several at a time",
        description="Run a notebook for each combination of parameters as nested MLflow runs, and rank them. A run that fails "
        "does not stop the others; --resume goes on with a sweep that was stopped and runs again what failed.",
        epilog="Exit codes: 0 all runs finished, 1 some did not, 2 usage or environment, 130 interrupted.",
    )
    parser.add_argument("notebook", type=Path, help="the notebook (.ipynb)")
    parser.add_argument(
        "-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUES"),
        help="values for a name of the cell tagged 'parameters', with commas between; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--grid", type=Path, metavar="FILE",
        help="YAML or JSON: parameters with lists of values, ranges ({from: 1, to: 9, step: 2} or {from: 0.001, to: 1, steps: 4, "
        "scale: log}); or a list of such grids or of single points",
    )  # fmt: skip
    parser.add_argument("--random", type=int, metavar="N", help="run N combinations drawn at random instead of all")
    parser.add_argument("--seed", type=int, default=0, help="which N: the same seed draws the same ones (default: 0)")
    parser.add_argument("--limit", type=int, metavar="N", help="allow so many runs (default: 256)")
    parser.add_argument("--workers", type=int, metavar="N", help="notebooks at a time (default: one for each core)")
    parser.add_argument(
        "--engine", choices=("local", "spark", "dask", "ray"), default="local",
        help="where they run: processes here, or the cluster that Spark, Dask or Ray is set up for (it has to see the notebook's folder)",
    )  # fmt: skip
    parser.add_argument(
        "--resume", nargs="?", const="", metavar="SWEEP", help="go on with this sweep, or with the notebook's last one"
    )
    parser.add_argument("--metric", metavar="NAME", help="rank by this metric (default: the notebook's first)")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--maximize", dest="maximize", action="store_true", default=None, help="more of the metric is better")
    way.add_argument("--minimize", dest="maximize", action="store_false", default=None, help="less of it is better")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="folder for the sweep's own folder (default: runs/ beside the notebook)"
    )
    add_options(parser)
    allow_negative_values(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from jupyter_mlops.errors import MlopsError
    from jupyter_mlops.workflows.sweep import SweepOptions, sweep

    stop_on_termination()
    options = SweepOptions(
        parameters=[tuple(pair) for pair in arguments.parameter],
        workers=arguments.workers,
        engine=arguments.engine,
        resume=arguments.resume,
        metric=arguments.metric,
        maximize=arguments.maximize,
        limit=arguments.limit,
        random=arguments.random,
        seed=arguments.seed,
        experiment=arguments.experiment,
        name=arguments.name,
        kernel=arguments.kernel,
        cell_timeout=arguments.cell_timeout,
        tracking_uri=arguments.tracking_uri,
        output=arguments.output,
    )
    try:
        result = sweep(arguments.notebook, arguments.grid, options, print_event if arguments.json else Console())
    except MlopsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    if arguments.json:
        print(json.dumps(result.as_dict(), ensure_ascii=False, default=repr), flush=True)
    else:
        _summary(result)
    return result.exit_code


def _summary(result: SweepResult) -> None:
    from jupyter_mlops.tracking.store import shown
    from jupyter_mlops.workflows.sweep_table import as_text

    by = result.by
    if by is not None:
        print(f"\nby {by.metric}, {'more' if by.maximize else 'less'} is better")
    elif any(entry.metrics for entry in result.entries):
        print("\nnot ranked: say by which metric (--metric NAME --maximize or --minimize)")
    else:
        print("\nnot ranked: the notebook gives no metric (bind one, such as auc = ..., in a cell tagged 'evaluate')")
    print(as_text(result.entries, by, width=shutil.get_terminal_size((120, 24)).columns))
    if result.skipped:
        print(f"{result.skipped} of them were done before")
    print(f"\nsweep     {result.sweep}")
    print(f"folder    {result.folder}/  (executed notebooks, sweep.csv)")
    print(f"run       {result.run_id}  (MLflow at {shown(result.tracking_uri)}, experiment {result.experiment})")
    if not result.delivered:
        print("MLflow has not answered: the runs are kept, and delivered by `jupyter mlops sync` or with the next run.")
    if result.failed:
        what = (
            "stopped: what is done is kept"
            if result.interrupted
            else f"{len(result.failed)} of {len(result.entries)} did not finish"
        )
        print(f"{what}. Go on with: --resume {result.sweep}", file=sys.stderr)
