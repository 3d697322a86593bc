"""``jupyter mlops data``: versions of data files, kept by DVC."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_mlops.data.restore import Outcome
    from jupyter_mlops.workflows.data import FileStatus

__all__ = ["add_parser", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand to the command line."""
    parser = commands.add_parser(
        "data",
        help="keep versions of data files, and bring back what a run saw",
        description="A thin road to DVC: what it keeps, and where, is DVC's own configuration.",
        epilog="Exit codes: 0 done, 1 a file could not be brought here, 2 usage or environment.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser(
        "add", help="keep the present version of files or folders",
        description="Keep the present version of files or folders. Sets DVC up where it is not.",
    )  # fmt: skip
    add.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="file or folder")
    status = actions.add_parser(
        "status", help="state of the tracked files", description="State of every tracked file; asks no cloud."
    )
    status.add_argument("--json", action="store_true", help="one JSON object per file on standard output")
    push = actions.add_parser("push", help="send versions to the remote", description="Send versions to the remote.")
    pull = actions.add_parser(
        "pull", help="bring the tracked versions here",
        description="Bring the tracked versions here. A file whose version cannot be had stays as it is.",
    )  # fmt: skip
    checkout = actions.add_parser(
        "checkout", help="bring back the data that a run saw",
        description="Bring back exactly the versions that a run saw, from the cache or the remote. A file whose version cannot be had stays as it is.",
    )  # fmt: skip
    checkout.add_argument("run_id", metavar="RUN", help="the run's id, the beginning of it, or its name")
    checkout.add_argument("paths", type=Path, nargs="*", metavar="PATH", help="only these of its files")
    checkout.add_argument(
        "--tracking-uri", metavar="URI", help="MLflow's address (default: MLFLOW_TRACKING_URI, else mlflow.db here)"
    )
    for one in (push, pull, checkout):
        one.add_argument("-r", "--remote", metavar="REMOTE", help="name of the remote (default: DVC's)")
    for one in (pull, checkout):
        one.add_argument(
            "--force", action="store_true", help="replace content that is kept nowhere; it stays beside as NAME.<time>.kept"
        )


def run(arguments: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from jupyter_mlops.errors import MlopsError

    try:
        return {"add": _add, "status": _status, "push": _push, "pull": _pull, "checkout": _checkout}[arguments.action](arguments)
    except MlopsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


def _add(arguments: argparse.Namespace) -> int:
    from jupyter_mlops.workflows.data import add

    root, said = add(arguments.paths, Path.cwd())
    if said:
        print(said)
    print(f"Kept in {root / '.dvc'}; `jupyter mlops data push` sends it to a remote.")
    return 0


def _push(arguments: argparse.Namespace) -> int:
    from jupyter_mlops.workflows.data import push

    print(push(Path.cwd(), arguments.remote))
    return 0


def _pull(arguments: argparse.Namespace) -> int:
    from jupyter_mlops.workflows.data import pull

    return _outcomes(pull(Path.cwd(), arguments.remote, force=arguments.force))


def _checkout(arguments: argparse.Namespace) -> int:
    from jupyter_mlops.workflows.data import checkout

    found, outcomes = checkout(
        arguments.run_id, arguments.paths, Path.cwd(), uri=arguments.tracking_uri, remote=arguments.remote, force=arguments.force
    )
    print(f"run {found.run_id} ({found.name}), {len(outcomes)} file{'' if len(outcomes) == 1 else 's'}")
    code = _outcomes(outcomes)
    if any(one.status == "restored" for one in outcomes):
        print("DVC's own records were left alone; `jupyter mlops data add PATH` makes a version that came back the tracked one.")
    return code


def _outcomes(outcomes: Sequence[Outcome]) -> int:
    marks = {"present": "=", "restored": "✓", "missing": "✗", "refused": "✗"}
    for one in outcomes:
        message = one.message or "already here"
        kept = f" (the former content: {_short(one.kept)})" if one.kept else ""
        bad = one.status in ("missing", "refused")
        print(f"{marks[one.status]} {_short(one.path)}: {message}{kept}", file=sys.stderr if bad else sys.stdout)
    return int(any(one.status in ("missing", "refused") for one in outcomes))


def _short(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _status(arguments: argparse.Namespace) -> int:
    from jupyter_mlops.workflows.data import status

    rows = status(Path.cwd())
    if arguments.json:
        for row in rows:
            print(json.dumps(row.as_dict(), ensure_ascii=False), flush=True)
        return 0
    if not rows:
        print("Nothing is tracked yet: jupyter mlops data add PATH")
        return 0
    _table(rows)
    return 0


def _table(rows: Sequence[FileStatus]) -> None:
    cells = [("path", "state", "size", "md5", "commit", "pushed")]
    for row in rows:
        pushed = {True: "yes", False: "no", None: "?"}[row.pushed]
        cells.append((row.path, row.state, _bytes(row.size), row.md5[:8], (row.commit or "-")[:8], pushed))
    widths = [max(len(line[at]) for line in cells) for at in range(6)]
    for line in cells:
        print(
            "  ".join(
                text.rjust(width) if at == 2 else text.ljust(width)
                for at, (text, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
        )


def _bytes(size: int | None) -> str:
    if size is None:
        return "-"
    value, units = float(size), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:.0f} {units[0]}" if units[0] == "B" else f"{value:.1f} {units[0]}"
