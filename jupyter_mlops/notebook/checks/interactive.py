"""What waits for a person: no run by itself gets past it."""

from __future__ import annotations

from collections.abc import Iterator

from jupyter_mlops.notebook.checks.context import Context
from jupyter_mlops.notebook.checks.registry import Finding, rule


@rule(
    "input-call",
    "error",
    "The notebook asks a person for a value.",
    bad="limit = int(input('limit? '))",
    good="limit = 3  # a parameter",
)
def input_call(context: Context) -> Iterator[Finding]:
    """A function that asks counts where it is called, or where it is defined if it is never called."""
    for call in context.calls:
        if call.origin in ("input", "raw_input", "getpass.getpass", "google.colab.files.upload"):
            if call.origin == "input" and ("input" in context.functions or context.analysis.defined_by("input")):
                continue
            if call.function and not any(c.origin == call.function and c.function != call.function for c in context.calls):
                continue
            yield Finding(
                call.statement.cell,
                call.node.lineno,
                f"{call.name}() waits for a person: a run by itself ends here.",
                "Put the value into the cell tagged 'parameters'.",
            )


@rule(
    "debugger",
    "warning",
    "The notebook stops in a debugger.",
    bad="import pdb\nx = 1\npdb.set_trace()",
    good="x = 1\nassert x == 1",
)
def debugger(context: Context) -> Iterator[Finding]:
    """Calls, and the magic %debug."""
    for call in context.calls:
        if call.origin in ("breakpoint", "pdb.set_trace", "ipdb.set_trace", "IPython.core.debugger.set_trace", "pdb.pm"):
            yield Finding(call.statement.cell, call.node.lineno, f"{call.name}() stops the run.", "Delete the line.")
    for cell in context.notebook.code_cells:
        for magic in cell.magics:
            if magic.name == "debug" and magic.kind == "line":
                yield Finding(cell.number, magic.line, "%debug stops the run.", "Delete the line.")
