"""What the abstract run showed of functions on their own, and what is wrong with a notebook's names and order."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from jupyter_mlops.notebook.cells import Notebook
from jupyter_mlops.notebook.effects import Machine
from jupyter_mlops.notebook.functions import Arguments, FunctionInfo
from jupyter_mlops.notebook.library import BUILTINS, NOTEBOOK_NAMES
from jupyter_mlops.notebook.memory import Effects
from jupyter_mlops.notebook.objects import EMPTY, Kind, Obj, reach
from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Statement

__all__ = ["describe_functions", "find_problems"]


def describe_functions(machine: Machine, statements: Sequence[Statement]) -> dict[str, FunctionInfo]:
    """What each function and class of the notebook's top level does, in the state at the end of the notebook."""
    found: dict[str, FunctionInfo] = {}
    for statement in statements:
        for name in sorted(statement.binds):
            for one in sorted(machine.state.env.get(name, EMPTY), key=lambda o: o.kind.value):
                if one.kind in (Kind.FUNCTION, Kind.CLASS) and _defines(statement.node, name, one):
                    found[name] = _describe(machine, name, one, statement.index)
    return found


def _defines(node: ast.stmt, name: str, one: Obj) -> bool:
    """Whether the statement itself makes the function: an alias of one is no function of its own."""
    if one.kind is Kind.CLASS:
        return any(isinstance(n, ast.ClassDef) and n.name == one.origin for n in ast.walk(node))
    return one.function is not None and any(n is one.function.node for n in ast.walk(node))


def _describe(machine: Machine, name: str, one: Obj, index: int) -> FunctionInfo:
    state, effects = machine.state, machine.effects
    machine.state, machine.effects = state.copy(), Effects()
    machine.state.must = set()
    machine.quiet += 1
    kind: Literal["function", "class", "lambda"] = "class"
    params: tuple[str, ...] = ()
    stand_ins: dict[str, Obj] = {}
    try:
        if one.function is not None:
            kind = "lambda" if isinstance(one.function.node, ast.Lambda) else "function"
            params = tuple(one.function.params)
            stand_ins = {p: Obj(Kind.UNKNOWN, p) for p in params}
            given = {p: frozenset((o,)) for p, o in stand_ins.items()}
            result = machine.call_function(one, Arguments(keywords=dict(given)), one.function.node)
            for lazy in result:
                if lazy.thunk is not None:
                    lazy.thunk()
            free = one.function.free
        else:
            init = next((m for m in machine.method(one, "__init__") if m.function is not None), None)
            params = tuple(init.function.params[1:]) if init is not None and init.function is not None else ()
            stand_ins = {p: Obj(Kind.UNKNOWN, p) for p in params}
            given = {p: frozenset((o,)) for p, o in stand_ins.items()}
            site = _SITE
            made = machine.instantiate(one, Arguments(keywords=dict(given)), site)
            machine.activate(made, EMPTY, site)
            free = frozenset().union(
                *(m.function.free for ms in machine.methods(one).values() for m in ms if m.function is not None)
            )
        done = machine.effects
        env = {k: v for k, v in state.env.items() if isinstance(k, str)}
        changed = {k for k, v in env.items() if not done.mutated.isdisjoint(reach(v))}
    finally:
        machine.state, machine.effects = state, effects
        machine.quiet -= 1
    reads = (set(done.reads) | (free & (env.keys() | done.reads.keys()))) - BUILTINS - {name}
    reads |= {name} & env.keys() & done.reads.keys()
    return FunctionInfo(
        name=name,
        statement=index,
        kind=kind,
        reads=frozenset(r for r in reads if r not in NOTEBOOK_NAMES or r in env),
        writes=frozenset(done.binds | done.deletes),
        mutates_globals=frozenset(changed - {name} - done.binds),
        mutates_params=_changed_parameters(one, params, stand_ins, done.mutated),
        params=params,
    )


_SITE = ast.Constant(value=None)  # where the calls of `_describe` are made: nowhere in the notebook


def _changed_parameters(
    one: Obj, params: tuple[str, ...], stand_ins: Mapping[str, Obj], mutated: set[Obj]
) -> frozenset[int | str]:
    positional = list(params)
    if one.function is not None:
        a = one.function.node.args
        positional = [p.arg for p in (*a.posonlyargs, *a.args)]
    return frozenset(
        positional.index(name) if name in positional else name
        for name, stand_in in stand_ins.items()
        if not mutated.isdisjoint(reach((stand_in,)))
    )


def find_problems(
    notebook: Notebook,
    statements: Sequence[Statement],
    effects: Sequence[Effects],
    functions: Mapping[str, FunctionInfo],
    star: bool,
) -> tuple[Problem, ...]:
    """Undefined names, names that are only defined later, dynamic code, cells run out of order."""
    problems: list[Problem] = []
    reported: set[str] = set()
    first_bound: dict[str, Statement] = {}
    for statement in statements:
        for name in statement.binds:
            first_bound.setdefault(name, statement)
    for statement, effect in zip(statements, effects, strict=True):
        for name, line in sorted(effect.missing.items()):
            if name in reported:
                continue
            later = first_bound.get(name)
            if later is None and star:
                continue
            reported.add(name)
            problems.append(_missing(name, statement, line, later))
        for what, line in sorted(effect.dynamic.items()):
            problems.append(
                Problem(
                    "dynamic-code",
                    "warning",
                    f"`{what}()` reads or binds names that are only known when it runs: all names are kept for it.",
                    statement.cell,
                    line,
                    "Write the code or the names out.",
                )  # fmt: skip
            )
    problems += _out_of_order(notebook)
    return tuple(problems)


def _missing(name: str, statement: Statement, line: int, later: Statement | None) -> Problem:
    if later is not None and later.index > statement.index:
        return Problem(
            "defined-later", "warning", f"`{name}` is used before it is defined (in cell {later.cell}).",
            statement.cell, line, "Move the definition up, so that the notebook runs from top to bottom.",
        )  # fmt: skip
    return Problem(
        "undefined-name", "warning", f"`{name}` is not defined anywhere in the notebook before it is used.",
        statement.cell, line, "Define or import it, or delete the line: it fails in a fresh kernel.",
    )  # fmt: skip


def _out_of_order(notebook: Notebook) -> list[Problem]:
    """Cells whose execution count is lower than that of a cell above: they were run in another order."""
    highest, above = 0, 0
    late: list[tuple[int, int]] = []
    for cell in notebook.code_cells:
        if cell.execution_count is None:
            continue
        if cell.execution_count < highest:
            late.append((cell.number, above))
        else:
            highest, above = cell.execution_count, cell.number
    if not late:
        return []
    first, before = late[0]
    more = f" (and {len(late) - 1} more)" if len(late) > 1 else ""
    return [
        Problem(
            "out-of-order",
            "warning",
            f"The cell was run before cell {before}, which stands above it{more}.",
            first,
            None,
            "Run the notebook from the top (Restart and Run All) and check its results.",
        )  # fmt: skip
    ]
