"""Where code runs: which notebook, with which parameters, in which environment."""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jupyter_mlops.errors import MlopsError
from jupyter_mlops.notebook.cells import Stage
from jupyter_mlops.notebook.read import read_notebook

__all__ = ["bound_names", "find_notebook", "installed_distributions", "notebook_parameters"]


def find_notebook(namespace: Mapping[str, Any]) -> Path | None:
    """The file of the notebook whose kernel this is.

    A re-run says it (``JUPYTER_MLOPS_NOTEBOOK``), VS Code puts it among the variables, Jupyter's server into the kernel's
    environment; a notebook that was renamed since, and a plain console, have none.
    """
    for value in (
        os.environ.get("JUPYTER_MLOPS_NOTEBOOK"), namespace.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME"),
    ):  # fmt: skip
        if isinstance(value, str) and value.endswith(".ipynb"):
            path = Path(value)
            for one in (path, Path.cwd() / path.name):
                if one.is_file():
                    return one.absolute()
    return None


def notebook_parameters(notebook: Path | None) -> list[str]:
    """Names that its `parameters` cells give a value."""
    if notebook is None:
        return []
    try:
        cells = read_notebook(notebook).code_cells
    except MlopsError:
        return []
    found: dict[str, None] = {}
    for cell in cells:
        if cell.stage is Stage.PARAMETERS or "injected-parameters" in cell.tags:
            found.update(dict.fromkeys(bound_names(cell.code)))
    return list(found)


def bound_names(code: str) -> list[str]:
    """Names that code assigns at its top level."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return []
    targets: list[ast.expr] = []
    for one in tree.body:
        if isinstance(one, ast.Assign):
            targets += one.targets
        elif isinstance(one, ast.AnnAssign):
            targets.append(one.target)
    return [target.id for target in targets if isinstance(target, ast.Name)]


@cache
def installed_distributions() -> dict[str, str]:
    """Name and version of everything that is installed in this interpreter."""
    from importlib.metadata import distributions

    found = {}
    for one in distributions():
        name = one.metadata["Name"]
        if name:
            found[name] = one.version
    return found
