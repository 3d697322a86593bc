"""All rules over one notebook, and the edits that mend what can be mended."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jupyter_mlops.notebook.cells import Notebook
from jupyter_mlops.notebook.checks.context import Context, Environment
from jupyter_mlops.notebook.checks.registry import Edit, Finding, Rule
from jupyter_mlops.notebook.dataflow import Analysis, analyse
from jupyter_mlops.notebook.depth import deep_recursion
from jupyter_mlops.notebook.problems import Problem

__all__ = ["Found", "apply_edits", "check_notebook"]

_IGNORE = re.compile(r"#\s*mlops:\s*ignore(?:\[([\w\s,-]*)\])?")


@dataclass(frozen=True)
class Found:
    """A problem, and the edits that mend it; none where a person has to decide."""

    problem: Problem
    edits: tuple[Edit, ...] = ()


def check_notebook(
    notebook: Notebook, rules: Mapping[str, Rule], environment: Environment, analysis: Analysis | None = None
) -> list[Found]:
    """Look for the problems of the given rules.

    Parameters
    ----------
    rules
        By code, as `registry.selected` gives them.
    environment
        What is installed where the notebook runs.
    analysis
        The notebook's, where it was made before.

    Returns
    -------
    list of Found
        In the order of the cells and lines. A line with ``# mlops: ignore[code, ...]``, or without codes for all, has none.
    """
    context = Context(notebook, analysis or analyse(notebook), environment)
    with deep_recursion():
        found = [
            Found(_problem(one, finding), finding.edits)
            for one in rules.values()
            for finding in one.find(context)
            if not _ignored(context, one.code, finding)
        ]
    unique = {(f.problem.code, f.problem.cell, f.problem.line, f.problem.message): f for f in reversed(found)}
    return sorted(unique.values(), key=lambda f: (f.problem.cell or 0, f.problem.line or 0, f.problem.code))


def _problem(rule: Rule, finding: Finding) -> Problem:
    return Problem(rule.code, finding.severity or rule.severity, finding.message, finding.cell, finding.line, finding.fix)


def _ignored(context: Context, code: str, finding: Finding) -> bool:
    if finding.cell is None or finding.line is None:
        return False
    lines = context.cells[finding.cell].source.split("\n")
    if not 0 < finding.line <= len(lines) or (mark := _IGNORE.search(lines[finding.line - 1])) is None:
        return False
    return mark[1] is None or code in re.split(r"[\s,]+", mark[1].strip())


def apply_edits(notebook: Notebook, edits: Iterable[Edit]) -> dict[int, str]:
    """The new sources of the cells that edits change; of edits that overlap, the first one counts."""
    by_cell: dict[int, list[Edit]] = {}
    for edit in dict.fromkeys(edits):
        by_cell.setdefault(edit.cell, []).append(edit)
    sources = {cell.number: cell.source for cell in notebook.cells}
    return {cell: _edited(sources[cell], group) for cell, group in by_cell.items()}


def _edited(source: str, edits: list[Edit]) -> str:
    starts = [0]
    for line in source.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    spans = sorted(
        ((starts[e.line - 1] + e.column, starts[e.end_line - 1] + e.end_column, e.text) for e in edits), key=lambda s: s[:2]
    )
    pieces: list[str] = []
    position = 0
    for start, end, text in spans:
        if start < position:
            continue
        pieces += [source[position:start], text]
        position = end
    return "".join(pieces) + source[position:]
