"""``jupyter mlops tag``: suggested tags for a notebook."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_mlops.workflows.tag import TagResult

__all__ = ["add_parser", "print_suggestions", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand to the command line."""
    parser = commands.add_parser(
        "tag",
        help="suggest tags for a notebook's cells",
        description="Suggest tags for the untagged cells of a notebook, from what its model's data flows through. Tags that "
        "are there are kept. Nothing is written without --write, and then nothing but tags changes in the file.",
        epilog="Exit codes: 0 done, 2 usage or environment.",
    )
    parser.add_argument("notebook", type=Path, help="the notebook (.ipynb)")
    parser.add_argument("--write", action="store_true", help="put the tags into the notebook")
    parser.add_argument("--split", action="store_true", help="take cells apart that belong to several stages")
    parser.add_argument("--model", metavar="NAME", help="variable of the model to take, where the notebook fits several")
    parser.add_argument("--json", action="store_true", help="the suggestion as one JSON object on standard output")


def run(arguments: argparse.Namespace) -> int:
    """Run the subcommand; returns the exit code."""
    from jupyter_mlops.errors import MlopsError
    from jupyter_mlops.workflows.tag import suggest_tags

    try:
        result = suggest_tags(arguments.notebook, model=arguments.model, write=arguments.write, split=arguments.split)
    except MlopsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    if arguments.json:
        print(json.dumps(result.as_dict(), ensure_ascii=False))
    else:
        _show(result, asked_to_split=arguments.split)
    return 0


def _show(result: TagResult, *, asked_to_split: bool) -> None:
    data = result.as_dict()
    if data["model"] is not None:
        print(f"model {data['model']['variable']!r}, {data['model']['reason']}\n")
    else:
        print(f"{data['problem']['message']} Only what needs no model is suggested.\n")
    if not data["cells"]:
        print("Nothing to suggest: every cell that is needed has its tag.")
        return
    print_suggestions(data["cells"])
    for cell, parts in result.splits.items():
        print(f"cell {cell} becomes {len(parts)} cells: {', '.join(part.tag or 'untagged' for part in parts)}")
    mixed = [one["cell"] for one in data["cells"] if one["tag"] is None and one["cell"] not in result.splits]
    print()
    if mixed:
        advice = "begin with a cell magic: split them by hand" if asked_to_split else "--split makes cells of the parts"
        print(f"Mixed cells get no tag ({', '.join(map(str, mixed))}); {advice}. `convert` takes untagged ones apart by itself.")
    if result.kale:
        print(
            "The notebook is tagged for Kale, which refuses other tags than its own: `convert` and `pipeline` take it as it is; "
            "write these tags into a copy if Kale is to run it, too."
        )
    if result.written:
        print(f"Written to {result.notebook}")
    else:
        print("Nothing was written; --write puts the tags into the notebook.")


def print_suggestions(cells: Iterable[dict[str, Any]]) -> None:
    """The table: cell, tag, reason; below it where the lines of a mixed cell belong."""
    width = max(60, min(shutil.get_terminal_size((120, 24)).columns, 160))
    print(f"{'cell':>4}  {'tag':<11} reason")
    for one in cells:
        lines = textwrap.wrap(one["reason"], width - 18) or [""]
        print(f"{one['cell']:>4}  {one['tag'] or '-':<11} {lines[0]}")
        for line in lines[1:]:
            print(f"{'':18}{line}")
        for part in textwrap.wrap(_parts(one["parts"]), width - 18):
            print(f"{'':18}{part}")


def _parts(parts: Iterable[dict[str, Any]]) -> str:
    texts = []
    for part in parts:
        first, last = part["first_line"], part["last_line"]
        where = f"line {first} belongs" if first == last else f"lines {first}-{last} belong"
        texts.append(f"{where} to {part['stage']}")
    return "; ".join(texts)
