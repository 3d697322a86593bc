"""``jupyter mlops sync``: deliver the runs that wait on disk."""

from __future__ import annotations

import argparse
import json
import sys

__all__ = ["add_parser", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand to the command line."""
    parser = commands.add_parser(
        "sync",
        help="deliver runs that were recorded while MLflow was away",
        description="Deliver the runs that wait on disk since their tracking server did not answer. Each arrives once, however often "
        "this is called. Runs that are being recorded are left alone; what a killed kernel left behind arrives as KILLED.",
        epilog="Exit codes: 0 nothing waits any more, 1 something still waits, 2 usage or environment.",
    )
    parser.add_argument("--tracking-uri", metavar="URI", help="only those of this store")
    parser.add_argument("--json", action="store_true", help="the outcome as one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from jupyter_mlops.workflows.sync import spool_folder, sync

    done = sync(arguments.tracking_uri)
    if arguments.json:
        print(json.dumps({"delivered": dict(done.runs), "kept": dict(done.kept), "folder": str(spool_folder())}))
        return int(bool(done.kept))
    for name, run_id in done.runs:
        print(f"delivered {name} as {run_id}")
    for name, reason in done.kept:
        print(f"waiting   {name}: {reason}", file=sys.stderr)
    if not (done.runs or done.kept):
        print("nothing waits")
    return int(bool(done.kept))
