"""The `parameters` cell with the values of a run: only literals change, comments and layout of the cell stay."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import MlopsError, NotebookError, ParameterError
from jupyter_mlops.notebook.dataflow import Analysis, analyse
from jupyter_mlops.tracking.limits import PARAM_LENGTH
from jupyter_mlops.workflows.editing import cell_edit, edited_notebook
from jupyter_mlops.workflows.parameters import Declared, check_parameters, declarations

if TYPE_CHECKING:
    from jupyter_mlops.notebook.cells import Notebook
    from jupyter_mlops.notebook.checks.context import Context
    from jupyter_mlops.notebook.checks.registry import Edit

__all__ = ["restore_parameters"]

_MASKED = "***"
_CUT = re.compile(r"\.\.\. \((\d+) characters\)$")


def restore_parameters(
    path: Path, language: str, cells: Sequence[Mapping[str, Any]], values: Mapping[str, str]
) -> dict[str, Any]:
    """Edits that give the notebook the parameters of a run; the message ``Restored``.

    Parameters
    ----------
    path, language, cells
        As for `notebook_view`.
    values
        Texts by name, as MLflow holds them: ``str`` of the value.
    """
    try:
        notebook = edited_notebook(path, language, cells)
    except NotebookError as error:
        return {"edits": [], "changed": [], "unknown": sorted(values), "refused": [str(error)]}
    analysis = analyse(notebook)
    declared = declarations(analysis)
    changed: list[str] = []
    refused: list[str] = []
    editor = _Editor(analysis)
    for name, text in values.items():
        if name not in declared or text == str(declared[name].value):
            continue
        try:
            value = _value(analysis, name, declared[name], text)
            if not _same(value, declared[name].value):
                editor.put(name, declared[name], value)
                changed.append(name)
        except MlopsError as error:
            refused.append(str(error))
    edits = [cell_edit(cells[number - 1], source) for number, source in editor.sources().items()]
    return {"edits": edits, "changed": changed, "unknown": [one for one in values if one not in declared], "refused": refused}


def _value(analysis: Analysis, name: str, declared: Declared, text: str) -> Any:
    """The value that a text stands for, in the type of the notebook's own.

    Raises
    ------
    ParameterError
        It was cut or masked, is of another type, or is not what decides the parameter.
    """
    if text == _MASKED:
        raise ParameterError(f"{name!r} looked like a secret and was masked in the run, so it stays as it is.")
    if _is_cut(text):
        raise ParameterError(f"{name!r} was too long for MLflow and was cut, so it stays as it is.")
    later = next((s for s in analysis.statements[declared.statement + 1 :] if s.stage == "parameters" and name in s.binds), None)
    if later is not None:
        raise ParameterError(
            f"{name!r} is computed in cell {later.cell} after its value was given, so the run's value {_short(text)} cannot be put there."
        )
    value = check_parameters(analysis, [(name, text)])[name]
    if not _is_literal(value):
        raise ParameterError(
            f"{name!r} was {_short(text)} in the run, which cannot be written as a plain value. It stays as it is."
        )
    return value


def _is_cut(text: str) -> bool:
    """Whether the end is missing: said by us, or taken off by MLflow at its limit."""
    said = _CUT.search(text)
    return len(text) >= PARAM_LENGTH or (said is not None and int(said[1]) > len(text))


def _is_literal(value: Any) -> bool:
    try:
        return _same(ast.literal_eval(repr(value)), value)
    except (ValueError, SyntaxError, TypeError):
        return False


def _same(a: Any, b: Any) -> bool:
    """Whether both are the same, types included: 1 is not 1.0, and not True."""
    return type(a) is type(b) and repr(a) == repr(b)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


class _Editor:
    """Collects edits of literals."""

    def __init__(self, analysis: Analysis) -> None:
        from jupyter_mlops.notebook.checks.context import Context
        from jupyter_mlops.workflows.check import Here

        notebook = analysis.notebook
        self.notebook: Notebook = notebook
        self._context: Context = Context(notebook, analysis, Here(notebook.path.absolute().parent))
        self._edits: list[Edit] = []

    def put(self, name: str, declared: Declared, value: Any) -> None:
        """Write a value in a literal's place.

        Raises
        ------
        ParameterError
            The literal cannot be found in the source.
        """
        edits: list[Edit] = []
        for node, text in _replacements(declared.node, declared.value, value, self._context.cells[declared.cell].code):
            found = self._context.replace(declared.cell, node, text)
            if not found:
                raise ParameterError(f"{name!r} stands in a line with a magic. Write its value there by hand: {value!r}.")
            edits += found
        self._edits += edits

    def sources(self) -> dict[int, str]:
        """New sources of the cells that change, by number."""
        from jupyter_mlops.notebook.checks.run import apply_edits

        return dict(sorted(apply_edits(self.notebook, self._edits).items()))


def _replacements(node: ast.expr, old: Any, new: Any, code: str) -> Iterator[tuple[ast.expr, str]]:
    """Which literals to replace; of lists and dicts of the same shape only the items that differ."""
    match node:
        case ast.List(elts=parts) | ast.Tuple(elts=parts) if len(parts) == len(old) == len(new):
            pairs = [(one, a, b) for one, a, b in zip(parts, old, new, strict=True)]
        case ast.Dict(values=values) if len(values) == len(old) and [*map(repr, old)] == [*map(repr, new)]:
            pairs = [(one, old[key], new[key]) for one, key in zip(values, old, strict=True)]
        case _:
            yield node, _written(new, ast.get_source_segment(code, node) or "")
            return
    for one, a, b in pairs:
        if not _same(a, b):
            yield from _replacements(one, a, b, code)


def _written(value: Any, before: str) -> str:
    """A value as Python, with the quotes that the author uses."""
    text = repr(value)
    if isinstance(value, str) and before.startswith('"') and '"' not in value and text.startswith("'"):
        return f'"{text[1:-1]}"'
    return text
