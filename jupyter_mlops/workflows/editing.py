"""Notebooks as an editor sends them: cells with ids, and edits that an editor can apply to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_mlops.notebook.cells import Notebook
from jupyter_mlops.notebook.read import notebook_from_cells

__all__ = ["cell_edit", "edited_notebook"]


def edited_notebook(path: Path, language: str, cells: Sequence[Mapping[str, Any]]) -> Notebook:
    """The notebook of an editor's cells; no language stands for Python.

    Raises
    ------
    NotebookError
        It is in another language.
    """
    as_in_file = (
        {"id": one["id"], "cell_type": one["type"], "source": one["source"], "metadata": {"tags": list(one["tags"])}}
        for one in cells
    )
    return notebook_from_cells(path, as_in_file, language=language or "python")


def cell_edit(cell: Mapping[str, Any], source: str) -> dict[str, str]:
    """A new source for a cell, with the one that it is meant for (the message ``CellEdit``)."""
    return {"cell": str(cell["id"]), "before": str(cell["source"]), "source": source}
