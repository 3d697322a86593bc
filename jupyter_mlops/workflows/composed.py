"""The raw row into the bundle: feature program and model as one graph, or from which operation on the features are needed."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    import pandas as pd

    from jupyter_mlops.export.onnx import OnnxModel
    from jupyter_mlops.signature import Signature

__all__ = ["Composed", "cell_of", "compose", "features_problem"]


@dataclass(frozen=True)
class Composed:
    """The graph, or what stands against it: plain data with `operation`, `line`, `cell` and `reason`."""

    model: OnnxModel | None
    refusal: dict[str, Any] | None = None


def compose(build: Any, module: ModuleType, estimator: Any, raw: Signature, rows: pd.DataFrame) -> Composed:
    """Compile the feature program of a generated package together with its model.

    Parameters
    ----------
    build, module
        `build_features` and its module, as the package has them.
    rows
        Raw rows that it takes, edge rows among them.
    """
    from importlib import import_module

    from jupyter_mlops.export.onnx import OnnxModel
    from jupyter_mlops.export.program.compose import export_program

    made = export_program(build, module, estimator, raw, rows)
    if isinstance(made, OnnxModel):
        return Composed(made)
    source = ""
    if made.module:
        file = import_module(f"{module.__name__.rpartition('.')[0]}.{made.module}").__file__
        source = Path(str(file)).read_text(encoding="utf-8")
    return Composed(
        None,
        {
            "operation": made.operation, "reason": made.reason, "line": made.line, "file": f"{made.module}.py" if made.module else "",
            "cell": cell_of(source, made.line),
        },
    )  # fmt: skip


def cell_of(source: str, line: int) -> int | None:
    """The notebook's cell behind a line of the generated code: said by a comment at its end, or by the function's docstring."""
    lines = source.split("\n")
    if not 0 < line <= len(lines):
        return None
    if said := re.search(r"#.*\bcell (\d+)\b", lines[line - 1]):
        return int(said[1])
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.lineno <= line <= (node.end_lineno or 0):
            if said := re.search(r"\(cell (\d+)[ )]", ast.get_docstring(node) or ""):
                return int(said[1])
    return None


def features_problem(refusal: dict[str, Any] | None) -> Problem:
    """That the bundle starts at the engineered features, and from which operation on."""
    message = "The bundle takes the model's input, not the raw row"
    if not refusal:
        return Problem("bundle-takes-features", "info", f"{message}: the feature code in features.py is not part of it.")
    if refusal["operation"]:
        where = f"{refusal['file']}, line {refusal['line']}"
        message = (
            f"The bundle starts at the engineered features, from `{refusal['operation']}` ({where}) on: {refusal['reason']}."
        )
    else:
        message = f"{message}: {refusal['reason']}."
    return Problem("bundle-takes-features", "info", message, refusal["cell"])
