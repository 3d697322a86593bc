"""One function for the row-local feature code, used by training and by serving.

The statements of the serving path that stand in the notebook word for word are a run of the training code. Where the
run can be taken out whole (statements in between only touch other columns and can go before or behind it), it becomes
`add_features`, which both the training stage and `build_features` call.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_mlops.convert.edits import indent
from jupyter_mlops.convert.names import Names

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["SharedRun", "share"]


@dataclass(frozen=True)
class SharedRun:
    """The run as a function: which statements it replaces, and the new order of all statements."""

    indexes: tuple[int, ...]
    order: tuple[int, ...]
    variable: str
    function: str
    source: str  # of the function
    call: str  # statement that stands for the run


def _strings(node: ast.AST) -> set[str]:
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)} | {
        n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)
    }


def _written(node: ast.stmt) -> set[str]:
    """Columns that a statement assigns, by name."""
    return {
        t.slice.value
        for t in getattr(node, "targets", [])
        if isinstance(t, ast.Subscript) and isinstance(t.slice, ast.Constant) and isinstance(t.slice.value, str)
    }


def _reordered(analysis: Analysis, between: list[int], run: list[int]) -> list[int] | None:
    """Statements from the first to the last of the run, the others moved out of it; None when one of them is in the way."""
    before: list[int] = []
    after: list[int] = []
    for index in between:
        if index in run:
            continue
        node = analysis.statements[index].node
        earlier = set().union(*(_written(analysis.statements[i].node) for i in run if i < index))
        later = set().union(*(_strings(analysis.statements[i].node) for i in run if i > index))
        touched = analysis.statements[index].binds | analysis.statements[index].mutates
        if not (earlier & _strings(node)) and not after:
            before.append(index)
        elif _written(node) and not (_written(node) & later) and not (touched & analysis.statements[index].binds):
            after.append(index)
        else:
            return None
    return [*before, *run, *after]


def share(
    analysis: Analysis, names: Names, rest: Sequence[int], verbatim: Sequence[tuple[int, str]], taken: set[str]
) -> SharedRun | None:
    """Take the run out of the training code, or None where it is no one piece.

    Parameters
    ----------
    rest
        Statements of all stages, in order.
    verbatim
        Statement and text of the serving path's statements, as they stand in the training code.
    """
    run = [index for index, _ in verbatim]
    if not run or any(index not in rest for index in run):
        return None
    if len({analysis.statements[i].stage for i in run}) != 1:
        return None
    start, stop = rest.index(run[0]), rest.index(run[-1])
    between = list(rest[start : stop + 1])
    step_of = analysis.notebook.step_of
    if len({step_of.get(analysis.statements[i].cell) for i in between}) > 1:
        return None  # Kale's steps stay apart
    reordered = _reordered(analysis, between, run)
    if reordered is None:
        return None
    order = [*rest[:start], *reordered, *rest[stop + 1 :]]
    position = order.index(run[-1])
    statements = [analysis.statements[i] for i in run]
    bound: set[str] = set()
    inputs: set[str] = set()
    for s in statements:
        inputs |= {n for n in s.uses | s.mutates if names.is_variable(n) and n not in bound}
        bound |= s.binds
    touched = {n for s in statements for n in s.binds | s.mutates if names.is_variable(n)}
    later = {n for i in order[position + 1 :] for n in analysis.statements[i].uses | analysis.statements[i].mutates}
    out = touched & later
    if len(inputs) != 1 or out != inputs:
        return None
    (variable,) = inputs
    function = "add_features"
    while function in taken:
        function += "_"
    texts = [text for _, text in verbatim]
    settings = any("settings." in text for text in texts)
    cells = sorted({s.cell for s in statements})
    where = f"{'cell' if len(cells) == 1 else 'cells'} {', '.join(map(str, cells))} of the notebook"
    parameters = f"{variable}: pd.DataFrame" + (", settings: Settings" if settings else "")
    body = indent("\n".join([f'"""Features that need nothing but the row itself ({where})."""', *texts, f"return {variable}"]))
    source = f"def {function}({parameters}) -> pd.DataFrame:\n{body}\n"
    call = f"{function}({variable}{', settings' if settings else ''})"
    return SharedRun(tuple(run), tuple(order), variable, function, source, f"{variable} = {call}")
