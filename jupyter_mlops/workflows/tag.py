"""Suggest tags for a notebook, and write them: nothing but tags changes in the file, and only on request."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_mlops.convert.models import ModelChoice
from jupyter_mlops.convert.suggest_cells import CellSuggestion, Suggestion, suggest, whole_parts
from jupyter_mlops.errors import OutputError, UsageError
from jupyter_mlops.notebook.cells import Notebook
from jupyter_mlops.notebook.dataflow import analyse
from jupyter_mlops.notebook.edit_tags import NewCell, edit_notebook
from jupyter_mlops.notebook.read import read_notebook

__all__ = ["TagResult", "split_cells", "suggest_tags"]


@dataclass(frozen=True)
class TagResult:
    """What was suggested, and whether it was written.

    Parameters
    ----------
    tagged
        Stage of each code cell that had a stage tag before, by its number.
    splits
        Lines of the cells that `split` takes apart, by number.
    kale
        Whether the notebook is tagged for Kale, which refuses other tags than its own.
    """

    notebook: Path
    suggestion: Suggestion
    tagged: dict[int, str]
    splits: dict[int, tuple[NewCell, ...]]
    written: bool
    kale: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        choice, problem = self.suggestion.stages.choice, self.suggestion.problem
        return {
            "notebook": str(self.notebook),
            "model": {"variable": choice.variable, "reason": choice.reason} if isinstance(choice, ModelChoice) else None,
            "problem": problem.as_dict() if problem is not None else None,
            "tagged": {str(cell): tag for cell, tag in self.tagged.items()},
            "cells": [one.as_dict() for one in self.suggestion.cells],
            "splits": {str(cell): [{"tag": p.tag, "source": p.source} for p in parts] for cell, parts in self.splits.items()},
            "written": self.written,
            "kale": self.kale,
        }


def suggest_tags(path: Path, *, model: str | None = None, write: bool = False, split: bool = False) -> TagResult:
    """Suggest tags for the untagged cells of a notebook.

    Parameters
    ----------
    model
        Variable of the model that is meant, where the notebook fits several.
    write
        Put the tags into the file, atomically.
    split
        Take mixed cells apart, so that each part can have its own tag.

    Raises
    ------
    NotebookError
        The file cannot be read.
    UsageError
        There is no model of that name.
    OutputError
        The file changed while the suggestion was made, or cannot be written.
    """
    path = Path(path)
    before = path.read_bytes() if path.is_file() else b""
    notebook = read_notebook(path)
    suggestion = suggest(analyse(notebook), model)
    if suggestion.problem is not None and model is not None:
        raise UsageError(f"{suggestion.problem.message} {suggestion.problem.fix}")
    splits = split_cells(notebook, suggestion.cells) if split else {}
    tags = {one.cell: str(one.tag) for one in suggestion.cells if one.tag is not None and one.cell not in splits}
    tagged = {cell.number: str(cell.stage) for cell in notebook.code_cells if cell.stage is not None}
    written = False
    if write and (tags or splits):
        _replace(path.resolve(), before, edit_notebook(before.decode("utf-8"), tags, splits).encode("utf-8"))
        written = True
    return TagResult(path, suggestion, tagged, splits, written, bool(notebook.steps))


def split_cells(notebook: Notebook, cells: Iterable[CellSuggestion]) -> dict[int, tuple[NewCell, ...]]:
    """The new cells that each cell with parts of several stages is taken apart into, by number."""
    found: dict[int, tuple[NewCell, ...]] = {}
    for one in cells:
        cell = notebook.cells[one.cell - 1]
        lines = cell.source.split("\n")
        parts = whole_parts(cell, one.parts)
        if parts:
            found[one.cell] = tuple(
                NewCell("\n".join(lines[p.first_line - 1 : p.last_line]).strip("\n"), None if p.stage is None else str(p.stage))
                for p in parts
            )
    return found


def _replace(path: Path, before: bytes, after: bytes) -> None:
    """Write a file in one step, unless it is no longer what it was."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(after)
                file.flush()
                os.fsync(file.fileno())
            shutil.copymode(path, name)
            if path.read_bytes() != before:
                raise OutputError(
                    f"{path} was changed while its tags were suggested, so nothing was written. Run the command again."
                )
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror}). Nothing was changed: check its folder's permissions."
        ) from error
