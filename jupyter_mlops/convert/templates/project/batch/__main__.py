"""Score Parquet or CSV files: ``python -m batch IN OUT``.

All columns of IN are kept, in their order, with ``prediction`` and, for classifiers, ``probability_<class>`` beside them. Rows that
cannot be scored go to ``OUT/_bad/`` with file, row (from 0) and reason. Exit codes: 0 done, 1 too many bad rows, 2 usage or
environment, 130 interrupted; what is done stays, and --resume goes on with it.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# A checkout that is not installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

try:
    import pyarrow  # noqa: F401
except ImportError:
    sys.exit("error: pyarrow is not installed. Install it: python -m pip install pyarrow")

from batch.errors import BatchError, TooManyBadError
from batch.job import Options, run


def main() -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m batch", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("given", type=Path, metavar="IN", help="a Parquet or CSV file, or a folder of them")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder for the parts; new or empty")
    parser.add_argument("--engine", choices=("local", "spark"), default="local")
    parser.add_argument("--master", metavar="URL", help="of Spark (default: as Spark is set up, else local[*])")
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet", help="of the parts (default: parquet)")
    parser.add_argument("--prefix", default="", metavar="TEXT", help="before the names of the columns that are added")
    parser.add_argument("--batch-rows", type=_positive, default=Options.batch_rows, metavar="N", help="rows of one call of the model")
    parser.add_argument("--part-rows", type=_positive, default=Options.part_rows, metavar="N", help="rows of a part, at least")
    parser.add_argument("--workers", type=_positive, metavar="N", help="threads (default: one for each core)")
    parser.add_argument("--max-bad", type=_share, default=1.0, metavar="SHARE", help="fail when more rows are bad, such as 0.01")
    parser.add_argument("--resume", action="store_true", help="go on with a batch that was stopped")
    parser.add_argument("--force", action="store_true", help="replace a former batch; other files are kept beside")
    parser.add_argument("--json", action="store_true", help="one JSON object per event; the last is the manifest")
    parser.add_argument("--about", type=json.loads, default={}, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    names = Options.__dataclass_fields__
    options = Options(**{name: value for name, value in vars(arguments).items() if name in names})
    listen = _print_json if arguments.json else _print_line
    try:
        manifest = run(arguments.given, arguments.out, options, listen)
    except (BatchError, TooManyBadError) as error:
        return _failed(str(error), 1 if isinstance(error, TooManyBadError) else 2, as_json=arguments.json)
    except KeyboardInterrupt:
        return _failed("stopped; what is done stays: go on with --resume", 130, as_json=arguments.json)
    except BrokenPipeError:  # whoever started this is gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 130
    if arguments.json:
        _print_json({"result": manifest})
    else:
        print(f"{manifest['rows']:,} rows in = {manifest['scored']:,} scored + {manifest['bad']:,} bad")
        for why, count in list(manifest["reasons"].items())[:5]:
            print(f"  {count:,}: {why}")
    return 0


def _failed(message: str, code: int, *, as_json: bool) -> int:
    if as_json:
        _print_json({"error": message, "code": code})
    else:
        print(f"error: {message}", file=sys.stderr)
    return code


def _print_json(event: Mapping[str, Any]) -> None:
    print(json.dumps(event, ensure_ascii=False), flush=True)


def _print_line(event: Mapping[str, Any]) -> None:
    print(f"{event['step']:<6} {event['status']:<9} {event['message']}", flush=True)


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


if __name__ == "__main__":
    sys.exit(main())
