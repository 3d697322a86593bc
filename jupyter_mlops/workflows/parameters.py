"""Values given with ``-p name value``, checked against the notebook's `parameters` cell before anything runs."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import ParameterError
from jupyter_mlops.notebook.cells import Stage
from jupyter_mlops.notebook.checks.secrets import masked

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["Declared", "check_parameters", "declarations", "declared_parameters", "parse_value"]


@dataclass(frozen=True)
class Declared:
    """A literal of a cell tagged `parameters`: its value, and where it stands; `literal` is its text."""

    value: Any
    node: ast.expr
    cell: int
    statement: int
    literal: str


def declarations(analysis: Analysis) -> dict[str, Declared]:
    """Literals of the cells tagged `parameters`, by name: the last one of each."""
    found: dict[str, Declared] = {}
    for statement in analysis.statements:
        if statement.stage is not Stage.PARAMETERS:
            continue
        match statement.node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                try:
                    literal = ast.literal_eval(value)
                except (ValueError, TypeError, RecursionError):  # TypeError: a dict with a list for a key
                    continue
                text = ast.get_source_segment(analysis.notebook.cells[statement.cell - 1].code, value) or repr(literal)
                found[name] = Declared(literal, value, statement.cell, statement.index, text)
    return found


def declared_parameters(analysis: Analysis) -> dict[str, Any]:
    """Values of the cells tagged `parameters`, by name."""
    return {name: one.value for name, one in declarations(analysis).items()}


def parse_value(text: str) -> Any:
    """A value from the command line: a Python literal, true/false/null, else the text itself."""
    words = {"true": True, "false": False, "null": None, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def check_parameters(analysis: Analysis, given: Sequence[tuple[str, str]] | Mapping[str, Any]) -> dict[str, Any]:
    """Values in the types of the notebook's own.

    Raises
    ------
    ParameterError
        A name that the notebook does not declare, or a value of another type.
    """
    declared = declared_parameters(analysis)
    pairs = given.items() if isinstance(given, Mapping) else [(n, parse_value(v)) for n, v in given]
    raw_texts = {} if isinstance(given, Mapping) else dict(given)
    out: dict[str, Any] = {}
    if pairs and not declared:
        raise ParameterError(
            f"{analysis.notebook.path.name} has no cell tagged 'parameters' with values, so {next(iter(dict(pairs)))!r} cannot be "
            "given. Put the values that vary into one cell at the top, and tag it."
        )
    for name, value in pairs:
        if name not in declared:
            close = difflib.get_close_matches(name, declared, n=1)
            known = f"Did you mean {close[0]!r}?" if close else f"It has: {', '.join(declared)}."
            raise ParameterError(f"The notebook has no parameter {name!r}. {known}")
        default = declared[name]
        if isinstance(default, str) and not isinstance(value, str):
            value = raw_texts.get(name, str(value))
        elif isinstance(default, float) and _is_real(value):
            value = float(value)
        elif isinstance(default, (list, tuple)) and isinstance(value, (list, tuple)):
            value = type(default)(value)
        elif default is not None and (
            not isinstance(value, type(default)) or isinstance(default, bool) != isinstance(value, bool)
        ):
            before, now = masked({name: default})[name], masked({name: value})[name]
            raise ParameterError(
                f"Parameter {name!r} is {type(default).__name__} in the notebook ({before!r}); {now!r} is {type(value).__name__}."
            )
        out[name] = value
    return out


def _is_real(value: Any) -> bool:
    """Whether it stands for a number where a float is wanted."""
    if isinstance(value, str):
        return value.lower().lstrip("+-") in ("inf", "nan")
    return isinstance(value, int) and not isinstance(value, bool)
