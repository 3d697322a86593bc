"""Names that a fresh kernel does not know, or does not know yet."""

from __future__ import annotations

from collections.abc import Iterator

from jupyter_mlops.notebook.checks.context import Context
from jupyter_mlops.notebook.checks.registry import Finding, rule


@rule(
    "undefined-name",
    "warning",
    "A name is not defined anywhere before it is used: the cell that did was deleted, or was never there.",
    bad="print(clean.shape)",
    good="import numpy as np\nclean = np.zeros(3)\nprint(clean.shape)",
)
def undefined_name(context: Context) -> Iterator[Finding]:
    """The analysis follows scopes, functions and star imports."""
    yield from context.of_existing("undefined-name")


@rule(
    "defined-later",
    "warning",
    "A name is used above the cell that defines it.",
    bad=("print(limit * 2)", "limit = 3"),
    good=("def double():\n    return limit * 2", "limit = 3", "print(double())"),
)
def defined_later(context: Context) -> Iterator[Finding]:
    """What a function reads has to be there when it is called, not when it is defined."""
    yield from context.of_existing("defined-later")


@rule(
    "dynamic-code",
    "warning",
    "Names are read or bound that are only known when the notebook runs.",
    bad="for name in ['a', 'b']:\n    exec(name + ' = 1')",
    good="values = {name: 1 for name in ['a', 'b']}",
)
def dynamic_code(context: Context) -> Iterator[Finding]:
    """exec, eval, globals() and the like."""
    yield from context.of_existing("dynamic-code")
