"""``check``: what would not survive production in a notebook, what mends it, and whether a second run gives the same."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import NotebookError, UsageError
from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    from jupyter_mlops.notebook.cells import Notebook
    from jupyter_mlops.notebook.checks.registry import Rule
    from jupyter_mlops.notebook.checks.run import Found

__all__ = ["CheckOptions", "Checked", "Here", "check", "edited_text", "mended", "selected_rules", "unreadable"]

_LINES = re.compile(r"[^\n]*\n|[^\n]+")  # as nbformat takes sources apart; `splitlines` knows more line ends


@dataclass(frozen=True)
class CheckOptions:
    """What to look for; names are codes or themes, `select` of None takes all."""

    select: frozenset[str] | None = None
    ignore: frozenset[str] = frozenset()
    run: bool = False
    cell_timeout: float | None = None


@dataclass(frozen=True)
class Checked:
    """One notebook's problems, in order; `sources` are the cells as ``--fix`` would leave them."""

    path: Path
    problems: tuple[Problem, ...]
    sources: Mapping[int, str] = field(default_factory=dict)
    notebook: Notebook | None = None
    mends: frozenset[Problem] = frozenset()

    def counts(self, severity: str) -> int:
        """How many problems of a severity there are."""
        return sum(one.severity == severity for one in self.problems)

    def diff(self) -> str:
        """What ``--fix`` changes, as a unified diff cell by cell."""
        if self.notebook is None:
            return ""
        pieces: list[str] = []
        for number, new in sorted(self.sources.items()):
            old = self.notebook.cells[number - 1].source
            name = f"{self.path}:cell {number}"
            lines = difflib.unified_diff(old.split("\n"), new.split("\n"), name, name, lineterm="")
            pieces += [*lines, ""]
        return "\n".join(pieces)


class Here:
    """What is installed in this environment, which is the notebook kernel's too; `folder` is where its own modules lie."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has_module(self, module: str) -> bool:
        from jupyter_mlops.convert.dependencies import is_local

        return _is_installed(module) or is_local(module, self.folder)

    def version(self, distribution: str) -> str | None:
        return _version(distribution)


@cache
def _is_installed(module: str) -> bool:
    from jupyter_mlops.convert.dependencies import is_installed

    return is_installed(module)


@cache
def _version(distribution: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(distribution).split("+")[0]
    except (metadata.PackageNotFoundError, ValueError):
        return None


def selected_rules(options: CheckOptions) -> Mapping[str, Rule]:
    """The rules that the options name.

    Raises
    ------
    UsageError
        There is no such code or theme.
    """
    from jupyter_mlops.notebook.checks.registry import MODULES, selected

    try:
        return selected(options.select, options.ignore)
    except KeyError as error:
        raise UsageError(
            f"There is no rule and no theme {error.args[0]!r}. The themes are {', '.join(MODULES)}; docs/rules.md lists the codes."
        ) from None


def check(path: Path, options: CheckOptions, progress: Callable[[str], None] = lambda text: None) -> Checked:
    """Check one notebook.

    A file that is no notebook in Python has the one problem ``unreadable``; nothing is raised for what is in a file.

    Raises
    ------
    UsageError
        The options name an unknown rule, or the file does not exist.
    KernelError, MissingPackageError
        With `run`, the notebook's kernel cannot be had.
    """
    from jupyter_mlops.notebook.checks.run import check_notebook
    from jupyter_mlops.notebook.read import read_notebook

    rules = selected_rules(options)
    if not path.is_file():
        raise UsageError(f"{path} {'is a folder' if path.is_dir() else 'does not exist'}. Give the path of an .ipynb file.")
    try:
        notebook = read_notebook(path)
    except NotebookError as error:
        return Checked(path, (unreadable(path, error),) if "unreadable" in rules else ())
    found = check_notebook(notebook, rules, Here(path.absolute().parent))
    problems = [one.problem for one in found]
    if options.run:
        from jupyter_mlops.workflows.rerun import unstable_cells

        problems += [one for one in unstable_cells(notebook, progress, options.cell_timeout) if one.code in rules]
        problems.sort(key=lambda one: (one.cell or 0, one.line or 0, one.code))
    return Checked(path, tuple(problems), mended(notebook, found), notebook, frozenset(f.problem for f in found if f.edits))


def unreadable(path: Path, error: NotebookError) -> Problem:
    """The problem of a file that cannot be read as a notebook in Python."""
    message = str(error).removeprefix(f"{path} ")
    return Problem("unreadable", "error", message[:1].upper() + message[1:])


def mended(notebook: Notebook, found: Iterable[Found]) -> dict[int, str]:
    """New sources of cells; a cell whose new source does not parse stays as it is."""
    from jupyter_mlops.notebook.checks.run import apply_edits
    from jupyter_mlops.notebook.magics import neutralise

    sources = apply_edits(notebook, (edit for one in found for edit in one.edits))
    return {number: source for number, source in sources.items() if neutralise(source).error is None}


def edited_text(checked: Checked) -> str:
    """The notebook's file with the mended cells: everything else in it stays as it was, byte by byte."""
    from jupyter_mlops.notebook.json_places import elements_of, members_of, skip

    # Without translation of line ends; a byte order mark is kept.
    text = checked.path.read_bytes().decode("utf-8")
    start = skip(text, 1 if text.startswith("\ufeff") else 0)
    cells = elements_of(text, members_of(text, start)["cells"].begin)
    for number, source in sorted(checked.sources.items(), reverse=True):
        place = members_of(text, cells[number - 1][0])["source"]
        text = text[: place.begin] + _source(text[place.begin : place.end], source) + text[place.end :]
    return text


def _source(before: str, source: str) -> str:
    """A cell's source as JSON; lines that are the same stay as they are written."""
    from jupyter_mlops.notebook.json_places import elements_of

    old: Any = json.loads(before)
    ascii_only = before.isascii() and "\\u" in before
    if isinstance(old, str):
        return json.dumps(source, ensure_ascii=ascii_only)
    new = _LINES.findall(source)
    places = elements_of(before, 0)
    first = next((n for n, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), min(len(old), len(new)))
    rest = min(len(old), len(new)) - first
    same = next((n for n in range(rest) if old[-1 - n] != new[-1 - n]), rest)
    if first >= len(old) - same or first >= len(new) - same:
        return json.dumps(new, ensure_ascii=ascii_only)
    between = before[places[0][1] : places[1][0]] if len(places) > 1 else ", "
    changed = between.join(json.dumps(line, ensure_ascii=ascii_only) for line in new[first : len(new) - same])
    return before[: places[first][0]] + changed + before[places[len(old) - same - 1][1] :]
