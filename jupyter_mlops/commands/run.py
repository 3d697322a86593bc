"""``jupyter mlops run``: a notebook with other parameters, recorded."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlops.commands.console import Console, print_event

if TYPE_CHECKING:
    from jupyter_mlops.workflows.run_notebook import RunResult

__all__ = ["add_options", "add_parser", "allow_negative_values", "run", "stop_on_termination"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand to the command line."""
    parser = commands.add_parser(
        "run",
        help="run a notebook with other parameters, as an MLflow run",
        description="Run a notebook from top to bottom in a kernel of its own, with values for names of its 'parameters' cell. "
        "Parameters, metrics and the executed notebook are recorded in MLflow. The notebook itself is never changed.",
        epilog="Exit codes: 0 done, 1 a cell failed or took too long, 2 usage or environment (also: the kernel died), 130 interrupted.",
    )
    parser.add_argument("notebook", type=Path, help="the notebook (.ipynb)")
    parser.add_argument(
        "-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
        help="a value for a name of the cell tagged 'parameters'; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="the executed notebook, or a folder for it (default: runs/ beside the notebook)",
    )
    add_options(parser)
    allow_negative_values(parser)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `run` and `sweep` have in common."""
    parser.add_argument("--experiment", metavar="NAME", help="MLflow's experiment (default: the notebook's file name)")
    parser.add_argument("--name", help="name of the run (default: the notebook's file name)")
    parser.add_argument("--kernel", metavar="NAME", help="run in this kernel instead of the notebook's own")
    parser.add_argument(
        "--cell-timeout", type=float, metavar="SECONDS", help="give up on a cell after this long (default: never)"
    )
    parser.add_argument(
        "--tracking-uri", metavar="URI", help="MLflow's address (default: MLFLOW_TRACKING_URI, else sqlite beside the notebook)"
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object per event on standard output; the last is the result"
    )


def allow_negative_values(parser: argparse.ArgumentParser) -> None:
    """Let ``-p rate -1e-3`` and ``-p shift -2,-1`` be values: argparse takes only plain negative numbers for those."""
    parser._negative_number_matcher = re.compile(r"^-(?:[\d.]|inf)")


def stop_on_termination() -> None:
    """Being asked to go is like Ctrl-C: what was done is kept, kernels are stopped.

    So is the end of the process that ``JUPYTER_MLOPS_OWNER`` names, such as the notebook that shows the progress.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    owner = os.environ.get("JUPYTER_MLOPS_OWNER")
    if owner is None or not owner.isdecimal():
        return

    def watch() -> None:
        while os.getppid() == int(owner):
            time.sleep(0.5)
        signal.raise_signal(signal.SIGTERM)

    threading.Thread(target=watch, name="jupyter-mlops-owner", daemon=True).start()


def run(arguments: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from jupyter_mlops.errors import MlopsError
    from jupyter_mlops.tracking.recording import flush
    from jupyter_mlops.workflows.run_job import spare_imports
    from jupyter_mlops.workflows.run_notebook import RunOptions, run_notebook

    spare_imports()
    stop_on_termination()
    options = RunOptions(
        parameters=[tuple(pair) for pair in arguments.parameter],
        output=arguments.output,
        experiment=arguments.experiment,
        name=arguments.name,
        kernel=arguments.kernel,
        cell_timeout=arguments.cell_timeout,
        tracking_uri=arguments.tracking_uri,
    )
    try:
        result = run_notebook(arguments.notebook, options, print_event if arguments.json else Console())
    except MlopsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    if result.delivered:
        flush(60.0)  # the files
    if arguments.json:
        print(json.dumps(result.as_dict(), ensure_ascii=False, default=repr), flush=True)
    else:
        _summary(result)
    return result.exit_code


def _summary(result: RunResult) -> None:
    from jupyter_mlops.tracking.store import shown

    outcome = result.outcome
    if outcome.error:
        print(f"error: {outcome.error}", file=sys.stderr)
    if outcome.reason == "cell":
        print("\n".join(outcome.traceback.strip().split("\n")[-12:]), file=sys.stderr)
    print()
    for name, value in result.metrics.items():
        print(f"{name:<28} {value:.6g}")
    print(f"status    {outcome.status}, {outcome.seconds:.1f} s")
    print(f"notebook  {result.output}")
    where = f"(MLflow at {shown(result.tracking_uri)}, experiment {result.experiment})"
    print(f"run       {result.run_id}  {where}")
    if not result.delivered:
        print("MLflow has not answered: the run is kept, and delivered by `jupyter mlops sync` or with the next run.")
