"""What the `%%validate` cells of a notebook say, from the files that they write beside it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlops.convert.validated import NotebookSuite, ValidateCell, validate_cells
from jupyter_mlops.errors import MlopsError
from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    from jupyter_mlops.data.expectations.suite import Suite
    from jupyter_mlops.notebook.cells import Notebook

__all__ = ["notebook_suites"]


def notebook_suites(notebook: Notebook) -> tuple[tuple[NotebookSuite, ...], list[Problem]]:
    """The suites of a notebook's `%%validate` cells, and what is wrong with them.

    A cell that ran left its suite in ``expectations/``; the expectations of one that never ran are read from the cell, as far
    as their arguments are values and no variables.
    """
    cells = validate_cells(notebook)
    last = {cell.suite: cell for cell in cells}
    problems = [
        Problem(
            "suite-written-twice", "warning", f"Cell {last[cell.suite].cell} writes the suite {cell.suite!r} too, which replaces this one.",
            cell.cell, cell.line, "Give each its own name: %%validate TABLE --suite NAME.",
        )
        for cell in cells
        if last[cell.suite] is not cell
    ]  # fmt: skip
    suites = []
    for cell in last.values():
        found = _suite(cell, notebook.path.parent)
        if isinstance(found, Problem):
            problems.append(found)
        else:
            content = {"name": cell.suite, "expectations": [one.as_dict() for one in found.expectations]}
            suites.append(NotebookSuite(cell, content))
    return tuple(suites), problems


def _suite(cell: ValidateCell, folder: Path) -> Suite | Problem:
    from jupyter_mlops.data.expectations.suite import Suite, read_suite, suite_path

    reason, fix = "", "Run the cell once in the notebook."
    try:
        path = suite_path(folder, cell.suite)
        if path.exists():
            return read_suite(path)
        if cell.body.strip() and _is_plain(cell.body):
            from jupyter_mlops.data.expectations.calls import expectations_of

            return Suite(cell.suite, expectations_of(cell.body, {}))
        reason = f"{path.parent.name}/{path.name} is not there"
    except MlopsError as error:
        reason = str(error)
    return Problem(
        "suite-missing", "warning", f"The suite {cell.suite!r} is not part of the project: {reason}", cell.cell, cell.line, fix
    )


_PLAIN = (
    ast.Module, ast.Expr, ast.Call, ast.keyword, ast.Assign, ast.Name, ast.Load, ast.Store, ast.Constant, ast.List, ast.Tuple, ast.Set,
    ast.Dict, ast.UnaryOp, ast.USub,
)  # fmt: skip


def _is_plain(body: str) -> bool:
    """Whether a cell holds calls with plain values only, so that reading it runs nothing of the notebook."""
    try:
        tree = ast.parse(body)
    except SyntaxError:
        return False
    calls = {id(node.value) for node in tree.body if isinstance(node, ast.Expr)}
    return all(isinstance(node, _PLAIN) and (not isinstance(node, ast.Call) or id(node) in calls) for node in ast.walk(tree))
