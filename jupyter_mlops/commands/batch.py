"""``jupyter mlops batch``: score files of any size, here or on Spark."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlops.commands.console import Console, print_event
from jupyter_mlops.commands.run import stop_on_termination

if TYPE_CHECKING:
    from jupyter_mlops.workflows.batch import BatchResult

__all__ = ["add_parser", "run"]

_SHOWN = 5  # reasons


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``batch`` to the command line."""
    parser = commands.add_parser(
        "batch",
        help="score Parquet or CSV files with a registered model, here or on Spark",
        usage="jupyter mlops batch [options] MODEL[@VERSION|@ALIAS] IN OUT\n       jupyter mlops batch [options] --project DIR IN OUT",
        description="Score a Parquet or CSV file, or a folder of them, in bounded memory. OUT gets the parts, with all columns of IN and "
        "prediction and probabilities beside them; what cannot be scored goes to OUT/_bad with file, row (from 0) and reason; and at the "
        "end _SUCCESS, which says what was scored by what. The predictions are those of the service.",
        epilog="Exit codes: 0 done, 1 too many bad rows, 2 usage or environment, 130 interrupted.",
    )
    # Two or three of them: argparse can leave out the last one only.
    parser.add_argument("first", metavar="MODEL", help="a registered model (default version: the one in production)")
    parser.add_argument("second", metavar="IN", help="a Parquet or CSV file, or a folder of them")
    parser.add_argument("third", metavar="OUT", nargs="?", help="folder for the parts; new or empty")
    parser.add_argument("--project", type=Path, metavar="DIR", help="a generated project instead of a registered model")
    parser.add_argument(
        "--engine", choices=("local", "spark"), default="local",
        help="where: this process, or executors of Spark, which see IN and OUT under the same paths (default: local)",
    )  # fmt: skip
    parser.add_argument("--master", metavar="URL", help="of Spark (default: as Spark is set up, else local[*])")
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet", help="of the parts (default: parquet)")
    parser.add_argument("--prefix", default="", metavar="TEXT", help="before the names of the columns that are added")
    parser.add_argument("--batch-rows", type=_positive, metavar="N", help="rows of one call of the model")
    parser.add_argument("--part-rows", type=_positive, metavar="N", help="rows of a part, at least (default: a million)")
    parser.add_argument("--workers", type=_positive, metavar="N", help="threads of the local engine (default: one for each core)")
    parser.add_argument("--max-bad", type=_share, metavar="SHARE", help="fail when more rows are bad, such as 0.01")
    parser.add_argument("--resume", action="store_true", help="go on with a batch that was stopped: parts that are whole stay")
    parser.add_argument("--force", action="store_true", help="replace a former batch in OUT; other files are kept beside it")
    parser.add_argument(
        "--tracking-uri", metavar="URI", help="MLflow's address (default: MLFLOW_TRACKING_URI, else sqlite in this folder)"
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object per event on standard output; the last is the result"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from jupyter_mlops.errors import MlopsError, UsageError
    from jupyter_mlops.workflows.batch import BatchOptions, batch

    stop_on_termination()
    options = BatchOptions(
        **{name: getattr(arguments, name) for name in BatchOptions.__dataclass_fields__},
    )
    try:
        if (arguments.project is None) == (arguments.third is None):
            raise UsageError("Either a registered MODEL, IN and OUT; or --project DIR, IN and OUT.")
        listen = print_event if arguments.json else Console()
        if arguments.project is not None:
            result = batch(arguments.project, None, Path(arguments.first), Path(arguments.second), options, listen)
        else:
            model, reference = _model(arguments.first)
            result = batch(model, reference, Path(arguments.second), Path(arguments.third), options, listen)
    except MlopsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("\nstopped: parts that are whole stay; the same command with --resume goes on", file=sys.stderr)
        return 130
    if arguments.json:
        print(json.dumps(result.as_dict(), ensure_ascii=False), flush=True)
    else:
        _summary(result)
    return result.exit_code


def _summary(result: BatchResult) -> None:
    manifest = result.manifest
    if manifest is None:
        print(f"error: {result.error}", file=sys.stderr)
        return
    model = manifest["model"]
    print(f"\n{manifest['rows']:,} rows in = {manifest['scored']:,} scored + {manifest['bad']:,} bad")
    for why, count in list(manifest["reasons"].items())[:_SHOWN]:
        print(f"  {count:>10,}  {why}")
    for why, count in manifest["doubts"].items():
        print(f"  {count:>10,}  scored, but {why}")
    print(f"model     {model['name']} version {model['version']}, digest {model['digest'][:12]}")
    print(f"added     {', '.join(manifest['added'])}")
    print(f"parts     {len(manifest['parts'])} in {result.out}/")
    if manifest["bad"]:
        print(f"bad rows  {result.out / '_bad'}/  (file, row, reason)")


def _model(text: str) -> tuple[str, str | None]:
    """``churn@3`` or ``churn@staging`` as name and version or alias."""
    from jupyter_mlops.errors import UsageError

    model, at, reference = text.partition("@")
    if reference[:1] == "v" and reference[1:].isdecimal():
        reference = reference[1:]
    if not model or (at and not reference):
        raise UsageError(f"{text!r} is no MODEL[@VERSION|@ALIAS], such as churn, churn@3 or churn@staging.")
    return model, reference or None


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share from 0 to 1")
    return value
