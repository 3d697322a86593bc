"""``jupyter mlops feedback``: true labels from a file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

__all__ = ["add_parser", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``feedback`` to the command line."""
    parser = commands.add_parser(
        "feedback",
        help="tell what was true of what a deployed model predicted, from a file",
        description="Put labels into the prediction log of a deployed model, joined to its predictions by the id of the answer. The service "
        "takes them one by one, too: POST /feedback.",
        epilog="Exit codes: 0 added, 2 usage or environment; then nothing was added.",
    )
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("file", type=Path, metavar="FILE", help="CSV, Parquet or JSON lines")
    parser.add_argument("--id", default="id", metavar="COLUMN", help="the answer's id, or x-request-id (default: id)")
    parser.add_argument("--label", default="label", metavar="COLUMN", help="what was true (default: label)")
    parser.add_argument("--row", metavar="COLUMN", help="position of the row in its request (default: row, where there is one)")
    parser.add_argument("--log", type=Path, metavar="DIR", help="the prediction log (default: the deployment's)")


def run(arguments: argparse.Namespace) -> int:
    """Run ``feedback``; returns the exit code."""
    from jupyter_mlops.errors import MlopsError
    from jupyter_mlops.workflows.feedback import add_feedback
    from jupyter_mlops.workflows.watched import deployed_log

    try:
        log = arguments.log or deployed_log(arguments.model)
        added = add_feedback(log, arguments.file, identity=arguments.id, label=arguments.label, row=arguments.row)
    except MlopsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{added:,} labels added")
    return 0
