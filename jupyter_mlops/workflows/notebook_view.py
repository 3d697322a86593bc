"""What is known about a notebook as it stands in an editor, without a kernel: its stages, its problems, tags that fit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.convert.models import ModelChoice
from jupyter_mlops.convert.suggest import lacks_tags
from jupyter_mlops.convert.suggest_cells import Suggestion, suggest
from jupyter_mlops.errors import NotebookError
from jupyter_mlops.notebook.cells import Notebook, Stage
from jupyter_mlops.notebook.dataflow import analyse
from jupyter_mlops.notebook.problems import Problem
from jupyter_mlops.workflows.check import CheckOptions, Here, mended, selected_rules, unreadable
from jupyter_mlops.workflows.editing import cell_edit, edited_notebook
from jupyter_mlops.workflows.parameters import Declared, declarations
from jupyter_mlops.workflows.parameters_restored import restore_parameters
from jupyter_mlops.workflows.stage_graph import stage_edges, stage_nodes, stages_of_statements
from jupyter_mlops.workflows.tag import split_cells

if TYPE_CHECKING:
    from jupyter_mlops.notebook.checks.run import Found

__all__ = ["notebook_view", "restore_parameters"]


def notebook_view(path: Path, language: str, cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A notebook's stages, problems and suggestions; the message ``NotebookView``.

    Nothing is raised for what is in the cells: a notebook in another language has the problem ``unreadable``, a cell that is
    being written has a ``syntax-error``.

    Parameters
    ----------
    path
        Where the notebook is or would be saved; its folder says what is a module of its own.
    language
        Of the kernel; empty stands for Python.
    cells
        Mappings with ``id``, ``type``, ``source`` and ``tags``.
    """
    from jupyter_mlops.notebook.checks.run import check_notebook

    try:
        notebook = edited_notebook(path, language, cells)
    except NotebookError as error:
        return _view(problems=[_problem(unreadable(path, error), cells, [])])
    analysis = analyse(notebook)
    suggestion = suggest(analysis)
    found = check_notebook(notebook, selected_rules(CheckOptions()), Here(path.absolute().parent), analysis)
    ids = {number: str(cell["id"]) for number, cell in enumerate(cells, start=1)}
    of = stages_of_statements(analysis, suggestion)
    choice = suggestion.stages.choice
    declared = declarations(analysis)
    return _view(
        tagged=not lacks_tags(analysis),
        model={"variable": choice.variable, "reason": choice.reason} if isinstance(choice, ModelChoice) else None,
        stages=stage_nodes(analysis, of, ids),
        edges=stage_edges(analysis, of),
        problems=[_problem(one.problem, cells, _edits(notebook, one, cells)) for one in found],
        suggestions=_suggestions(notebook, suggestion, ids),
        parameters=[one for name, value in declared.items() if (one := _parameter(name, value)) is not None],
        parametersCell=_parameters_cell(notebook, declared.values(), ids),
    )


def _view(**known: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {
        "tagged": False, "model": None, "stages": [], "edges": [], "problems": [], "suggestions": [], "parameters": [],
        "parametersCell": None,
    }  # fmt: skip
    return {**nothing, **known}


def _problem(problem: Problem, cells: Sequence[Mapping[str, Any]], edits: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "cell": None if problem.cell is None else str(cells[problem.cell - 1]["id"]),
        "number": problem.cell,
        "line": problem.line,
        "fix": problem.fix,
        "edits": edits,
    }


def _edits(notebook: Notebook, found: Found, cells: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What mends one problem, if it can be done as a whole."""
    if not found.edits:
        return []
    sources = mended(notebook, [found])
    if sources.keys() != {edit.cell for edit in found.edits}:
        return []
    return [cell_edit(cells[number - 1], source) for number, source in sorted(sources.items())]


def _suggestions(notebook: Notebook, suggestion: Suggestion, ids: Mapping[int, str]) -> list[dict[str, Any]]:
    splits = split_cells(notebook, [one for one in suggestion.cells if one.tag is None])
    return [
        {
            "cell": ids[one.cell],
            "number": one.cell,
            "tag": None if one.tag is None else str(one.tag),
            "reason": one.reason,
            "parts": [{"tag": part.tag, "source": part.source} for part in splits.get(one.cell, ())],
        }
        for one in suggestion.cells
    ]


def _parameters_cell(notebook: Notebook, declared: Iterable[Declared], ids: Mapping[int, str]) -> str | None:
    """The first cell that declares some, else the first that is tagged so."""
    numbers = [one.cell for one in declared] or [cell.number for cell in notebook.code_cells if cell.stage is Stage.PARAMETERS]
    return ids[min(numbers)] if numbers else None


_TYPES: dict[type, str] = {
    bool: "boolean", int: "integer", float: "number", str: "string", list: "list", tuple: "list", dict: "object",
    type(None): "none",
}  # fmt: skip


def _parameter(name: str, declared: Declared) -> dict[str, Any] | None:
    """The message ``Parameter``; None for values that no form can hold, such as bytes."""
    kind = _TYPES.get(type(declared.value))
    if kind is None:
        return None
    value = declared.value if _is_json(declared.value) else declared.literal
    return {"name": name, "type": kind, "value": value, "literal": declared.literal}


def _is_json(value: Any) -> bool:
    match value:
        case None | bool() | str():
            return True
        case int():
            return abs(value) < 2**53  # more than a browser's numbers hold
        case float():
            return math.isfinite(value)
        case list() | tuple():
            return all(map(_is_json, value))
        case dict():
            return all(isinstance(key, str) for key in value) and all(map(_is_json, value.values()))
    return False
