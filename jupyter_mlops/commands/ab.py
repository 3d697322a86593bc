"""``jupyter mlops ab``: which version does better, once labels are known."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_mlops.workflows.ab import AbOptions, AbReport

__all__ = ["add_parser", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``ab`` to the command line."""
    parser = commands.add_parser(
        "ab",
        help="compare versions on the requests that each of them answered, by their true labels",
        description="Read the prediction log of a deployed model and the labels that were told since, or a table with a row for each request (the "
        "version that answered, its prediction, the true label), and show how each version scores, and how much better than the first one "
        "it is, with intervals. They hold for one look.",
        epilog="Exit codes: 0 no version is worse than the first, 1 one is, 2 usage or environment.",
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="CSV, Parquet or JSON lines")
    parser.add_argument("--model", metavar="MODEL", help="instead of files: a model that is deployed on this machine")
    parser.add_argument("--log", type=Path, metavar="DIR", help="instead of files: a prediction log")
    parser.add_argument("--window", default="7d", metavar="LENGTH", help="of the log, up to now: 90m, 24h, 7d (default: 7d)")
    parser.add_argument("--arm", default="model_version", metavar="COLUMN", help="of the version (default: model_version)")
    parser.add_argument("--label", default="label", metavar="COLUMN", help="of what was true (default: label)")
    parser.add_argument("--prediction", default="prediction", metavar="COLUMN", help="of what was answered (default: prediction)")
    parser.add_argument("--first", metavar="VERSION", help="to compare with (default: the lowest number)")
    parser.add_argument(
        "--score", metavar="NAME",
        help="accuracy, balanced_accuracy, f1, precision, recall, r2, mae, rmse, mape (default: accuracy, or rmse for fractions)",
    )  # fmt: skip
    parser.add_argument("--confidence", type=float, default=0.95, metavar="P", help="of the intervals (default: 0.95)")
    parser.add_argument("--json", action="store_true", help="the report as JSON on standard output")


def run(arguments: argparse.Namespace) -> int:
    """Run ``ab``; returns the exit code."""
    from jupyter_mlops.errors import MlopsError, UsageError
    from jupyter_mlops.workflows.ab import SCORES, AbOptions, ab_report

    try:
        if arguments.score is not None and arguments.score not in SCORES:
            raise UsageError(f"{arguments.score!r} is no score of labels or numbers. Choose one of {', '.join(SCORES)}.")
        if bool(arguments.files) == bool(arguments.model or arguments.log):
            raise UsageError("Give files, or a deployed model (--model), or a prediction log (--log).")
        if not 0.5 <= arguments.confidence < 1:
            raise UsageError(f"The confidence is {arguments.confidence:g}, but must be from 0.5 to below 1.")
        options = AbOptions(
            arguments.arm, arguments.label, arguments.prediction, arguments.first, arguments.score, arguments.confidence
        )
        report = _of_log(arguments, options) if arguments.model or arguments.log else ab_report(arguments.files, options)
    except MlopsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    if arguments.json:
        print(json.dumps(report.as_dict()), flush=True)
    else:
        _show(report)
    return 1 if any(one.verdict == "worse" for one in report.contrasts) else 0


def _of_log(arguments: argparse.Namespace, options: AbOptions) -> AbReport:
    from datetime import UTC, datetime

    from jupyter_mlops.monitor.log import PredictionLog, Window
    from jupyter_mlops.monitor.rules import length
    from jupyter_mlops.workflows.ab import ab_report_of_log
    from jupyter_mlops.workflows.watched import deployed_log

    now = datetime.now(UTC)
    log = PredictionLog(arguments.log or deployed_log(arguments.model))
    return ab_report_of_log(log, Window(now - length(arguments.window), now), options)


def _show(report: AbReport) -> None:
    less = ", less is better" if report.less_is_better else ""
    print(f"{report.score}{less}; intervals of {100 * report.confidence:g}%")
    print(f"{'version':<10}{'rows':>8}{'score':>10}   interval")
    for arm in report.arms:
        print(f"{arm.version:<10}{arm.rows:>8,}{arm.score:>10.4g}   {arm.low:.4g} to {arm.high:.4g}")
    first = report.arms[0].version
    for one in report.contrasts:
        print(f"version {one.version} against {first}: {one.difference:+.3g} ({one.low:+.3g} to {one.high:+.3g}), {one.verdict}")
    if report.unlabelled:
        print(f"{report.unlabelled:,} rows without a label were left out")
