"""Parsing what stands behind a magic. Wrong arguments are IPython's own usage error, `-h` prints the help."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING, NoReturn

from IPython.core.error import UsageError

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

__all__ = ["HelpShown", "Parser", "parse", "runs_parser", "sweep_parser", "track_line_parser", "track_parser", "validate_parser"]


class HelpShown(Exception):
    """`-h` was given: there is nothing more to do."""


class Parser(argparse.ArgumentParser):
    """An argparse parser that never exits."""

    quiet = False  # -h prints nothing

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        if not self.quiet:
            super().print_help(file)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}\n{self.format_usage().strip()}")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise HelpShown(message or "")


def parse(parser: Parser, line: str) -> argparse.Namespace:
    """Parse a magic's line as a shell would split it."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        parser.error(f"{error} in: {line}")
    return parser.parse_args(words)


def track_parser() -> Parser:
    """Arguments of ``%%track``."""
    parser = Parser(
        prog="%%track", description="Run this cell as an MLflow run.", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="?", help="name of the run (default: the notebook's)")
    parser.add_argument("--experiment", metavar="E", help="experiment to record in (default: see %%track)")
    parser.add_argument(
        "--metric", action="append", default=[], metavar="EXPR",
        help="a metric, as an expression of the notebook's variables or NAME=EXPRESSION; may be given several times",
    )  # fmt: skip
    parser.add_argument("--tag", action="append", default=[], metavar="K=V", type=_tag, help="a tag; may be given several times")
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="PATH",
        help="a data file or folder that the cell reads, where it is not seen",
    )
    parser.add_argument("--no-autolog", action="store_true", help="leave MLflow's autologging off")
    parser.add_argument("--nested", action="store_true", help="record inside of the run that is active")
    return parser


def track_line_parser() -> Parser:
    """Arguments of ``%track``."""
    parser = Parser(prog="%track", description="Defaults for the tracked cells of this notebook; without arguments: show them.")
    parser.add_argument("--experiment", metavar="E", help="experiment to record in")
    parser.add_argument("--uri", metavar="URI", help="MLflow's tracking URI")
    parser.add_argument("--tag", action="append", default=[], metavar="K=V", type=_tag, help="a tag for every run; K= removes it")
    parser.add_argument("--autolog", action=argparse.BooleanOptionalAction, default=None, help="MLflow's autologging")
    parser.add_argument("--reset", action="store_true", help="forget what was said before")
    return parser


def runs_parser() -> Parser:
    """Arguments of ``%runs``."""
    parser = Parser(prog="%runs", description="Recent runs of this notebook's experiment, or two of them side by side.")
    parser.add_argument("runs", nargs="*", metavar="RUN", help="two runs to compare: ids, beginnings of ids, or names")
    parser.add_argument("--experiment", metavar="E", help="another experiment")
    parser.add_argument("-n", type=int, default=100, metavar="N", help="how many (default: 100)")
    parser.add_argument("--filter", default="", metavar="EXPR", help='MLflow\'s filter, such as "metrics.auc > 0.7"')
    parser.add_argument("--sort", metavar="METRIC", help="the best by this metric first (default: the newest)")
    parser.add_argument("--text", action="store_true", help="as text")
    return parser


def validate_parser() -> Parser:
    """Arguments of ``%%validate``."""
    parser = Parser(
        prog="%%validate",
        description="Check a table with the expectations of the cell's body; what is critical stops the notebook.",
    )
    parser.add_argument("frame", metavar="DF", help="variable of the table")
    parser.add_argument(
        "--suite",
        metavar="NAME",
        help="name of the suite (default: the variable's); a line %%validate DF --suite NAME runs its file",
    )
    parser.add_argument("--infer", action="store_true", help="learn a suite from the table and write it")
    parser.add_argument("--warn", action="store_true", help="show what fails, and go on")
    return parser


def sweep_parser() -> Parser:
    """Arguments of ``%sweep``."""
    parser = Parser(
        prog="%sweep", description="Run a notebook for many combinations of parameters; `jupyter mlops sweep -h` has more."
    )
    parser.add_argument("notebook", nargs="?", help="the notebook (default: this one)")
    parser.add_argument("--grid", metavar="FILE", help="YAML or JSON with values for each parameter")
    parser.add_argument(
        "-p", dest="parameters", nargs=2, action="append", default=None, metavar=("NAME", "VALUES"),
        help="values for a parameter, with commas between; may be given several times",
    )  # fmt: skip
    parser.add_argument("--workers", type=int, metavar="N", help="notebooks at a time (default: one for each core)")
    parser.add_argument("--metric", metavar="NAME", help="rank by this metric")
    parser.add_argument("--resume", nargs="?", const="", metavar="SWEEP", help="go on with the last sweep, or with this one")
    parser.add_argument("--wait", action="store_true", default=None, help="go on with the next cell only when all runs are over")
    return parser


def _tag(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name.strip(), value.strip()
