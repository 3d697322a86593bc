"""Stage functions, helpers and constants as modules of the generated package."""

from __future__ import annotations

import ast
from textwrap import fill
from typing import TYPE_CHECKING

from jupyter_mlops.convert.edits import indent
from jupyter_mlops.convert.imports import ImportTable
from jupyter_mlops.convert.names import Names, Rewriter
from jupyter_mlops.convert.plan import FeatureProgram, ModulePlan, NamedValue, StageFunction
from jupyter_mlops.convert.stages import StagePlan

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["compose_modules", "function_source", "test_functions"]

_DOCSTRINGS = {
    "data": "Where the raw table comes from.",
    "features": "From raw rows to the model's input.",
    "train": "How the model is trained.",
    "evaluate": "How good the model is.",
    "helpers": "Functions and classes of the notebook.",
    "constants": "Constants of the notebook.",
}


def _markdown_above(analysis: Analysis, cells: tuple[int, ...]) -> str:
    """Prose that stands directly above the first of some cells, for the docstring."""
    if not cells:
        return ""
    above = [c for c in analysis.notebook.cells if c.number == cells[0] - 1 and c.kind == "markdown"]
    lines = [line.strip() for c in above for line in c.source.split("\n")]
    prose = [line for line in lines if line and not line.startswith(("#", "!", "<", "|", "-", "*", "`"))]
    wrapped = fill(" ".join(prose[:6]), 92, break_long_words=False, break_on_hyphens=False)
    return wrapped.replace("\\", "\\\\").replace('"""', "'''")


def _signature(function: StageFunction) -> str:
    inputs = [f"{value.name}: {value.annotation}" for value in function.inputs]
    if function.settings:
        inputs.append("settings: Settings")
    if function.state:
        inputs.append(f"{function.state}: Learning")
    return f"def {function.name}({', '.join(inputs)}) -> {_returns(function)}:"


def _returns(function: StageFunction) -> str:
    if not function.outputs:
        return "None"
    return function.result or function.outputs[0].annotation


def function_source(function: StageFunction, prose: str) -> str:
    """Source of one stage function, the class of its result first where it has several."""
    parts = []
    if function.result:
        fields = "\n".join(f"    {value.name}: {value.annotation}" for value in function.outputs)
        parts.append(f'class {function.result}(NamedTuple):\n    """What `{function.name}` gives."""\n\n{fields}\n')
    docstring = f'"""{function.docstring}' + (f"\n\n{prose}\n" if prose else "") + '"""'
    lines = [docstring, function.body]
    if function.result:
        lines.append(f"return {function.result}({', '.join(f'{v.name}={v.name}' for v in function.outputs)})")
    elif function.outputs:
        lines.append(f"return {function.outputs[0].name}")
    parts.append(f"{_signature(function)}\n{indent(chr(10).join(line for line in lines if line))}\n")
    return "\n\n".join(parts)


def compose_modules(
    analysis: Analysis,
    names: Names,
    rewriter: Rewriter,
    table: ImportTable,
    stages: StagePlan,
    features: FeatureProgram,
    package: str,
    notebook: str,
) -> dict[str, ModulePlan]:
    """All modules that hold code of the notebook, by name. Modules without code are left out."""
    blocks: dict[str, list[str]] = {}
    if names.constants:
        blocks["constants"] = ["\n".join(rewriter.text(analysis.statements[index]) for index in names.constants)]
    frozen = sorted(
        {r for n in names.helper_names if (info := analysis.functions.get(n)) and info.kind == "class" for r in info.reads}
        & names.settings.keys()
    )
    if frozen:
        # A class cannot be handed a setting at each use: its module reads the settings once.
        fields = [names.settings[n] for n in frozen]
        blocks["helpers"] = ["\n".join(f"{f.name} = Settings.load().{f.name}" for f in fields)]
    for index in names.helpers:
        blocks.setdefault("helpers", []).append(rewriter.helper_text(analysis.statements[index]))
    blocks["features"] = [features.source]
    if features.columns is not None and "MODEL_COLUMNS" in features.source:
        listed = ",\n    ".join(repr(c) for c in features.columns)
        blocks["features"].insert(
            0, f"# Columns of the model's input, in the order in which it was trained.\nMODEL_COLUMNS = [\n    {listed},\n]"
        )
    for function in stages.functions:
        blocks.setdefault(function.module, []).append(function_source(function, _markdown_above(analysis, function.cells)))
    modules = {}
    for module, texts in blocks.items():
        own = _defined(texts)
        imports = table.needed(texts, module=module, own=own)
        modules[module] = ModulePlan(f"{_DOCSTRINGS[module]} Made from {notebook}.", imports, tuple(texts))
    return modules


def _defined(texts: list[str]) -> set[str]:
    found: set[str] = set()
    for text in texts:
        for node in ast.parse(text).body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                found.add(node.name)
            elif isinstance(node, ast.Assign):
                found.update(n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name))
    return found


def test_functions(
    analysis: Analysis,
    tests: tuple[int, ...],
    names: Names,
    rewriter: Rewriter,
    table: ImportTable,
    stages: StagePlan,
    model: str,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The notebook's own `test` cells as pytest functions on the pipeline's result, and their imports."""
    by_cell: dict[int, list[int]] = {}
    for index in tests:
        by_cell.setdefault(analysis.statements[index].cell, []).append(index)
    available = {v.name for v in stages.results} | {model} | set(stages.metrics)
    texts = []
    for cell, indexes in by_cell.items():
        statements = [analysis.statements[i] for i in indexes]
        bound: set[str] = set()
        lines = []
        needed: dict[str, None] = {}
        for s in statements:
            for name in sorted(s.uses):
                if name in available and name not in bound:
                    needed.setdefault(name)
            bound |= s.binds
            lines.append(rewriter.text(s))
        for name in needed:
            lines.insert(0, f"{name} = {_result(name, stages, model)}")
        if any("settings." in line for line in lines):
            lines.insert(0, "settings = result.settings")
        texts.append(
            f"def test_cell_{cell}(result: PipelineResult) -> None:\n"
            f'    """Cell {cell} of the notebook."""\n{indent(chr(10).join(lines))}\n'
        )
    return tuple(texts), table.needed(texts, module="tests")


def _result(name: str, stages: StagePlan, model: str) -> str:
    if name == model:
        return "result.model"
    if any(isinstance(v, NamedValue) and v.name == name for v in stages.results):
        return f"result.values[{name!r}]"
    return f"result.metrics[{name!r}]"
