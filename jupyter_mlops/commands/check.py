"""``jupyter mlops check``: problems of notebooks, and what mends them."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_mlops.workflows.check import Checked, CheckOptions

__all__ = ["add_parser", "run"]

_COLOURS = {"error": "31", "warning": "33", "info": "36"}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand to the command line."""
    parser = commands.add_parser(
        "check",
        help="find what would not survive production, with the cell, the line and what to do",
        description="Find leakage, train/serve skew, hidden state, missing seeds and packages, secrets, calls that current "
        "libraries refuse, and more. docs/rules.md lists every rule; a line with '# mlops: ignore[code]' is left out.",
        epilog="Exit codes: 0 no errors, 1 an error (with --strict: or a warning) was found, 2 usage or environment.",
    )
    parser.add_argument("notebooks", type=Path, nargs="+", metavar="NOTEBOOK", help="a notebook (.ipynb), or a folder of them")
    parser.add_argument("--select", metavar="CODES", help="only these rules: codes or themes, with commas between")
    parser.add_argument("--ignore", metavar="CODES", default="", help="all but these rules")
    parser.add_argument("--strict", action="store_true", help="warnings count as errors do")
    parser.add_argument("--json", action="store_true", help="one JSON object per problem on standard output")
    parser.add_argument("--fix", action="store_true", help="show what can be mended without a decision, as a diff; see below")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--diff", action="store_true", help="with --fix: only show the diff and write nothing (the default)")
    how.add_argument("--in-place", action="store_true", help="with --fix: write into the notebook itself")
    how.add_argument(
        "-o", "--output", type=Path, metavar="OUT", help="with --fix: write the mended notebook to a file, or to a folder"
    )
    parser.add_argument("--run", action="store_true", help="also run the notebook twice and compare what its cells give")
    parser.add_argument("--cell-timeout", type=float, metavar="SECONDS", help="with --run: give up on a cell after this long")


def run(arguments: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from jupyter_mlops.errors import MlopsError, UsageError
    from jupyter_mlops.workflows.check import CheckOptions, check, selected_rules

    options = CheckOptions(
        select=None if arguments.select is None else _names(arguments.select),
        ignore=_names(arguments.ignore),
        run=arguments.run,
        cell_timeout=arguments.cell_timeout,
    )
    try:
        if (arguments.diff or arguments.in_place or arguments.output) and not arguments.fix:
            raise UsageError("--diff, --in-place and -o say where mended cells go: give them together with --fix.")
        selected_rules(options)  # a wrong code is said before anything is done
        paths = _paths(arguments.notebooks)
        checked = []
        for path in paths:
            one = check(path, options, lambda text: print(text, file=sys.stderr))
            if arguments.fix:
                one = _fix(one, arguments, options, several=len(paths) > 1)
            checked.append(one)
            if arguments.json:
                _print_json(one)
            else:
                _print(one)
    except MlopsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    if not arguments.json:
        _summary(checked, fixed=arguments.fix)
    bad = ("error", "warning") if arguments.strict else ("error",)
    return int(any(one.counts(severity) for one in checked for severity in bad))


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def _paths(given: list[Path]) -> list[Path]:
    from jupyter_mlops.errors import UsageError

    found: list[Path] = []
    for path in given:
        if path.is_dir():
            inside = [p for p in sorted(path.rglob("*.ipynb")) if ".ipynb_checkpoints" not in p.parts]
            if not inside:
                raise UsageError(f"There is no notebook in {path}. Give the path of an .ipynb file or of a folder with some.")
            found += inside
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def _fix(checked: Checked, arguments: argparse.Namespace, options: CheckOptions, *, several: bool) -> Checked:
    """Show or write what is mended. Returns what is left of the problems when it was written."""
    from jupyter_mlops.errors import OutputError
    from jupyter_mlops.workflows.check import check, edited_text

    output: Path | None = arguments.output
    diff = checked.diff()
    if diff:
        print(diff, file=sys.stderr if arguments.json else sys.stdout)
    if not (arguments.in_place or output):
        return checked
    if checked.notebook is None:
        return checked
    target = checked.path
    if output is not None:
        target = output / checked.path.name if several or output.is_dir() else output
    if target == checked.path and not checked.sources:
        return checked
    try:
        text = edited_text(checked) if checked.sources else checked.path.read_bytes().decode("utf-8")
        target.parent.mkdir(parents=True, exist_ok=True)
        # Beside its place first: a notebook is never left half written.
        part = target.with_name(f".{target.name}.{os.getpid()}.partial")
        part.write_bytes(text.encode("utf-8"))
        part.replace(target)
    except OSError as error:
        raise OutputError(f"{target} cannot be written ({error.strerror}). Choose another place with -o.") from error
    return check(target, options)


def _print_json(checked: Checked) -> None:
    for problem in checked.problems:
        row = {"notebook": str(checked.path), **problem.as_dict(), "mends": problem in checked.mends}
        print(json.dumps(row, ensure_ascii=False), flush=True)


def _print(checked: Checked) -> None:
    colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for problem in checked.problems:
        where = f"{checked.path}:cell {problem.cell}" if problem.cell is not None else f"{checked.path}"
        where += f":{problem.line}" if problem.line is not None else ""
        code = f"\x1b[1;{_COLOURS[problem.severity]}m{problem.code}\x1b[0m" if colours else problem.code
        mends = " [*]" if problem in checked.mends else ""
        print(f"{where}: {problem.severity} {code}{mends} {problem.message}")
        if problem.fix:
            print(f"    {problem.fix}")
    if checked.problems:
        print()


def _summary(checked: list[Checked], *, fixed: bool) -> None:
    many = f"{len(checked)} notebooks" if len(checked) != 1 else "1 notebook"
    counts = [(sum(one.counts(severity) for one in checked), severity) for severity in ("error", "warning", "info")]
    if not any(count for count, _ in counts):
        print(f"{many}: nothing found")
        return
    named = [f"{count} {name if name == 'info' or count == 1 else name + 's'}" for count, name in counts if count]
    print(f"{many}: {', '.join(named)}")
    mends = sum(len(one.mends) for one in checked)
    if mends and not fixed:
        print(f"[*] {mends} can be mended with --fix")
