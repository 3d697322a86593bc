"""``jupyter mlops retrain``: the notebook of the model in production, run again with other parameters."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlops.commands.console import Console, print_event
from jupyter_mlops.commands.monitor import USUAL
from jupyter_mlops.commands.run import allow_negative_values, stop_on_termination
from jupyter_mlops.monitor.rules import length

TARGETS = ("cron", "github", "kubernetes")

if TYPE_CHECKING:
    from jupyter_mlops.workflows.retraining import RetrainResult

__all__ = ["add_parser", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``retrain`` to the command line."""
    parser = commands.add_parser(
        "retrain",
        help="run the notebook of the model in production again; what comes out is a challenger",
        description="Run the notebook that is kept with the version in production with other parameters, convert it, register it as a "
        "challenger and take it through the gates; then it waits for an approval, as promotion.yaml asks for it. With --on, only when the "
        "monitor gives a reason; with --watch, again and again.",
        epilog="Values may hold {today} and {today-90d}. Exit codes: 0 done or not needed, 1 the notebook, a gate or a person said no, 2 usage "
        "or environment, 130 interrupted.",
    )
    parser.add_argument("model", metavar="MODEL[@VERSION]", help="without a version: the one in production")
    parser.add_argument(
        "-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
        help="a value for a name of the cell tagged 'parameters'; may be given several times",
    )  # fmt: skip
    parser.add_argument(
        "--folder", type=Path, default=Path(), metavar="DIR", help="where the notebook finds its data (default: here)"
    )
    parser.add_argument(
        "--data", metavar="VERSION", help="data to bring into the folder first, by DVC: what a run saw (its id or name), or 'tracked' for what "
        "the .dvc files there say",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="for the challenger's project (default: MODEL-retrained)"
    )
    parser.add_argument(
        "--on", nargs="?", const="", metavar="KINDS", help="only for these alerts of the monitor, with commas: data-drift, "
        "prediction-drift, missing-values, concept-drift, or any; without KINDS those that the version's monitoring.yaml names",
    )  # fmt: skip
    parser.add_argument("--window", metavar="LENGTH", help=f"that the monitor looks at {USUAL}")
    parser.add_argument("--rows", type=int, metavar="ROWS", help=f"that it needs to tell drift from chance {USUAL}")
    parser.add_argument("--log", type=Path, metavar="DIR", help="the prediction log (default: the deployment's)")
    parser.add_argument("--again-after", metavar="LENGTH", help=f"until then, a version is not trained again {USUAL}")
    parser.add_argument("--watch", metavar="LENGTH", help="look again and again, so far apart: 1h, 1d; needs --on")
    parser.add_argument(
        "--schedule",
        metavar="CRON",
        help="do not run now: print this very command as a schedule, such as '0 4 * * 1' or @daily; see --to",
    )
    parser.add_argument(
        "--to", choices=TARGETS, default="cron", help="a crontab, a workflow of GitHub Actions, or a CronJob (default: cron)"
    )
    parser.add_argument("--image", help="for --to kubernetes")
    parser.add_argument("--schedule-file", type=Path, metavar="FILE", help="write the schedule there instead of printing it")
    parser.add_argument("--force", action="store_true", help="replace a schedule that says something else")
    parser.add_argument("--no-promote", action="store_true", help="only register the challenger")
    parser.add_argument(
        "--tracking-uri", metavar="URI", help="MLflow's address (default: MLFLOW_TRACKING_URI, else sqlite in the folder)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per event; the last is the result")
    allow_negative_values(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run ``retrain``; returns the exit code."""
    from jupyter_mlops.errors import EnvironmentLackError, MlopsError, UsageError

    stop_on_termination()
    try:
        if arguments.schedule is not None:
            return _schedule(arguments)
        every = None if arguments.watch is None else length(arguments.watch)
        if every is not None and arguments.on is None:
            raise UsageError("--watch needs --on: without a reason it would train all the time.")
        while True:
            try:
                result = _once(arguments)
            except EnvironmentLackError as error:
                if every is None:
                    raise
                print(f"error: {error} It is tried again.", file=sys.stderr)
            else:
                _show(result, as_json=arguments.json)
                if every is None:
                    return result.exit_code
            time.sleep(every.total_seconds() if every is not None else 0)
    except MlopsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


def _schedule(arguments: argparse.Namespace) -> int:
    """Print or write the command as a schedule; what it says is checked as if it ran."""
    from jupyter_mlops.workflows.schedules import scheduled, write_schedule

    if arguments.on is not None:
        _reasons(arguments.on)
    options = [word for pair in arguments.parameter for word in ("-p", *pair)]
    for name in ("data", "on", "window", "again_after", "rows", "log", "output"):
        if (value := getattr(arguments, name)) is not None:
            options += [f"--{name.replace('_', '-')}", *([str(value)] if value != "" else [])]
    options += ["--no-promote"] if arguments.no_promote else []
    command = ["jupyter", "mlops", "retrain", arguments.model, *options]
    text = scheduled(
        command,
        arguments.schedule,
        arguments.to,
        name=f"retrain {arguments.model}",
        folder=arguments.folder.absolute(),
        image=arguments.image,
    )
    if arguments.schedule_file is None:
        print(text, end="")
    else:
        write_schedule(text, arguments.schedule_file, force=arguments.force)
        print(f"schedule    {arguments.schedule_file}")
    return 0


def _once(arguments: argparse.Namespace) -> RetrainResult:
    from jupyter_mlops.workflows.monitoring import MonitorOptions
    from jupyter_mlops.workflows.retraining import RetrainOptions, retrain, retrain_when_needed

    window, again = (None if one is None else length(one) for one in (arguments.window, arguments.again_after))
    listen = print_event if arguments.json else Console()
    model, _, version = arguments.model.partition("@")
    options = RetrainOptions(
        parameters=[tuple(pair) for pair in arguments.parameter], folder=arguments.folder, data=arguments.data, output=arguments.output,
        promote=not arguments.no_promote, again_after=again, tracking_uri=arguments.tracking_uri,
    )  # fmt: skip
    if arguments.on is None:
        return retrain(model, version or None, options, listen)
    watch = MonitorOptions(window=window, log=arguments.log, rows=arguments.rows)
    return retrain_when_needed(model, _reasons(arguments.on), options, watch, listen)


def _reasons(text: str) -> list[str]:
    from jupyter_mlops.errors import UsageError
    from jupyter_mlops.monitor.rules import REASONS

    given = [one.strip() for one in text.split(",") if one.strip()]
    if given == ["any"]:
        return list(REASONS)
    for one in given:
        if one not in REASONS:
            raise UsageError(f"--on {one!r} is no alert of the monitor. Choose among {', '.join(REASONS)}, or any.")
    return given


def _show(result: RetrainResult, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result.as_dict(), ensure_ascii=False), flush=True)
        return
    print(f"\n{result.model} version {result.champion}: {result.status}, {result.reason}")
    if result.challenger is not None:
        print(f"challenger  version {result.challenger}, {result.project}")
    if result.status == "waiting":
        print(f'next        jupyter mlops approve {result.model} -m "why"')
