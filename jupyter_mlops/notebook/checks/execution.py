"""What the saved execution counts tell: whether what is shown came from the cells as they stand, in their order."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from jupyter_mlops.notebook.cells import Cell
from jupyter_mlops.notebook.checks.context import Context
from jupyter_mlops.notebook.checks.registry import Finding, rule


def _with_code(context: Context) -> list[Cell]:
    return [cell for cell in context.notebook.code_cells if cell.source.strip()]


@rule("out-of-order", "warning", "A cell was run before one that stands above it.", bad=(), good="x = 1")
def out_of_order(context: Context) -> Iterator[Finding]:
    """By the execution counts of the saved notebook."""
    yield from context.of_existing("out-of-order")


@rule("not-run", "info", "A cell was added or changed after the notebook was run, or never run.", bad=(), good="x = 1")
def not_run(context: Context) -> Iterator[Finding]:
    """Cells without a count among cells that have one; a notebook that was saved without counts is fine."""
    cells = [cell for cell in _with_code(context) if cell.code.strip()]
    missing = [cell for cell in cells if cell.execution_count is None]
    ran = [cell for cell in cells if cell.execution_count is not None]
    # Cells below the last one that ran are work that goes on.
    missing = [cell for cell in missing if ran and cell.number < ran[-1].number]
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        yield Finding(
            missing[0].number,
            None,
            f"The cell was not run, though cells below it were{more}: what they show may not be what they would give now.",
            "Run the notebook from the top (Restart and Run All).",
        )


@rule("hidden-runs", "info", "Cells were run that are not there any more, or were run more than once.", bad=(), good="x = 1")
def hidden_runs(context: Context) -> Iterator[Finding]:
    """Gaps in the counts. Where the counts are out of order, that says more."""
    counted = [(cell, cell.execution_count) for cell in _with_code(context) if cell.execution_count is not None]
    counts = [count for _, count in counted]
    if not counts or counts != sorted(counts):
        return
    gaps = [(cell, after - before - 1) for (_, before), (cell, after) in itertools.pairwise(counted) if after - before > 1]
    if gaps:
        missing = sum(size for _, size in gaps)
        yield Finding(
            gaps[0][0].number,
            None,
            f"{missing} {'run' if missing == 1 else 'runs'} between the cells left no trace (the first before this cell): "
            "a deleted cell, or one run twice, may have changed what the others saw.",
            "Run the notebook from the top (Restart and Run All) and save it.",
        )
