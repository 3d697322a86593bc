"""``jupyter mlops monitor``: drift and quality of a model in production."""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_mlops.workflows.monitoring import MonitorReport

__all__ = ["USUAL", "add_parser", "run"]

WEBHOOK = "JUPYTER_MLOPS_WEBHOOK"
USUAL = "(default: as the version's monitoring.yaml says)"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``monitor`` to the command line."""
    parser = commands.add_parser(
        "monitor",
        help="drift and quality of what a deployed model is asked",
        description="Compare what a version was asked in a window of time with the reference data that is kept with it: drift of each "
        "column and of the predictions, missing values, and, where labels are known, how right it was. Writes report.json, "
        "report.html (with the trend over earlier windows) and drift.html (Evidently's own).",
        epilog="Exit codes: 0 nothing to look at, 1 an alert, 2 usage or environment.",
    )
    parser.add_argument("model", metavar="MODEL[@VERSION]", help="without a version: the one that has the traffic")
    parser.add_argument("--window", metavar="LENGTH", help=f"such as 90m, 24h, 7d, 2w {USUAL}")
    parser.add_argument("--until", metavar="TIME", help="end of the window, ISO 8601 (default: the last logged row)")
    parser.add_argument("--log", type=Path, metavar="DIR", help="the prediction log (default: the deployment's)")
    parser.add_argument(
        "--project", type=Path, metavar="DIR", help="the version's project (default: the deployed one, else the registry's)"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="for the results (default: monitoring/ beside the log)")
    parser.add_argument("--rows", type=int, metavar="ROWS", help=f"that are needed to tell drift from chance {USUAL}")
    parser.add_argument("--sample", type=int, metavar="ROWS", help=f"that are compared at most {USUAL}")
    parser.add_argument("--numeric", type=float, metavar="D", help=f"limit of a number's Wasserstein distance {USUAL}")
    parser.add_argument("--categorical", type=float, metavar="D", help=f"limit of a text's Jensen-Shannon distance {USUAL}")
    parser.add_argument(
        "--text", type=float, metavar="AUC", help=f"limit of how well texts are told from the reference's {USUAL}"
    )
    parser.add_argument("--share", type=float, metavar="S", help=f"of the columns that has to drift {USUAL}")
    parser.add_argument("--margin", type=float, metavar="M", help=f"by which the score may be worse {USUAL}")
    parser.add_argument("--prometheus", type=Path, metavar="FILE", help="numbers for node_exporter's textfile collector (*.prom)")
    parser.add_argument("--grafana", type=Path, metavar="FILE", help="write a dashboard to import into Grafana, too")
    parser.add_argument(
        "--tracking-uri", metavar="URI", help="MLflow's address (default: the deployment's, else MLFLOW_TRACKING_URI)"
    )
    parser.add_argument(
        "--webhook",
        metavar="URL",
        help=f"where a report with alerts is sent as JSON (default: the variable {WEBHOOK}, if it is set)",
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON on standard output")


def run(arguments: argparse.Namespace) -> int:
    """Run ``monitor``; returns the exit code."""
    from jupyter_mlops.commands.console import Console
    from jupyter_mlops.errors import MlopsError
    from jupyter_mlops.monitor.prometheus import write_dashboard
    from jupyter_mlops.monitor.rules import length
    from jupyter_mlops.workflows.monitoring import MonitorOptions, monitor

    model, _, version = arguments.model.partition("@")
    try:
        options = MonitorOptions(
            window=None if arguments.window is None else length(arguments.window), until=_moment(arguments.until), log=arguments.log, project=arguments.project,
            output=arguments.output, rows=arguments.rows, sample=arguments.sample,
            numeric=arguments.numeric, categorical=arguments.categorical, text=arguments.text, share=arguments.share, margin=arguments.margin,
            prometheus=arguments.prometheus, tracking_uri=arguments.tracking_uri,
            webhook=arguments.webhook or os.environ.get(WEBHOOK) or None,
        )  # fmt: skip
        report, folder = monitor(model, version or None, options, *([] if arguments.json else [Console()]))
    except MlopsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    if arguments.grafana is not None:
        write_dashboard(model, arguments.grafana)
    if arguments.json:
        print(json.dumps(report.as_dict() | {"folder": str(folder)}, ensure_ascii=False), flush=True)
    else:
        _show(report, folder)
    return 1 if report.alerts else 0


def _show(report: MonitorReport, folder: Path) -> None:
    print()
    if report.drift is not None:
        print(f"{'column':<24}{'distance':>10}{'limit':>8}{'missing':>10}{'before':>10}")
        for one in sorted(report.drift.columns, key=lambda one: -one.distance / one.threshold)[:12]:
            mark = "  drifted" if one.drifted else ""
            print(
                f"{one.column:<24.24}{one.distance:>10.3f}{one.threshold:>8g}{one.missing:>10.1%}{one.missing_before:>10.1%}{mark}"
            )
        if (answers := report.drift.prediction) is not None:
            mark = "  drifted" if answers.drifted else ""
            print(f"{'(prediction)':<24}{answers.distance:>10.3f}{answers.threshold:>8g}{'':>20}{mark}")
        print()
    for alert in report.alerts:
        print(f"{alert.kind}: {alert.message}")
    if report.reason:
        print(f"no verdict: {report.reason}")
    elif not report.alerts:
        print("nothing to look at")
    print(f"report    {folder / 'report.html'}")


def _moment(text: str | None) -> datetime | None:
    from jupyter_mlops.errors import UsageError

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--until {text!r} is no time. Give it in ISO 8601: 2026-11-30 or 2026-11-30T12:00.") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
