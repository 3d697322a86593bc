"""``jupyter mlops validate``: a data file against a suite of expectations."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

__all__ = ["add_parser", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand to the command line."""
    parser = commands.add_parser(
        "validate",
        help="check a data file with a suite that %%validate wrote",
        description="Check a data file with a suite of expectations: one that %%validate wrote, or one of Great Expectations.",
        epilog="Exit codes: 0 no critical expectation fails, 1 one does, 2 usage or environment.",
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="CSV, Parquet, Feather, Excel or JSON")
    parser.add_argument("--suite", type=Path, required=True, metavar="FILE", help="expectations/<suite>.json")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(arguments: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from jupyter_mlops.errors import MlopsError
    from jupyter_mlops.workflows.validate import validate_file

    try:
        validation = validate_file(arguments.data, arguments.suite)
    except MlopsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(json.dumps(validation.as_dict(), ensure_ascii=False) if arguments.json else validation.text())
    return 0 if validation.success else 1
