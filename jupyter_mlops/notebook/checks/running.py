"""What only running shows: `workflows.rerun` runs the notebook twice with ``--run`` and finds these."""

from __future__ import annotations

from collections.abc import Iterator

from jupyter_mlops.notebook.checks.context import Context
from jupyter_mlops.notebook.checks.registry import Finding, rule


@rule("cell-fails", "error", "A cell raises when the notebook is run from the top (with --run).", bad=(), good="x = 1")
def cell_fails(context: Context) -> Iterator[Finding]:
    """For example an import that is missing, or a name that only a deleted cell defined."""
    yield from ()


@rule(
    "not-repeatable",
    "warning",
    "A second run gives other values or prints something else (with --run); the first cell that differs is named.",
    bad=(),
    good="x = 1",
)
def not_repeatable(context: Context) -> Iterator[Finding]:
    """Compared are plain values, arrays, frames and text; not pictures, addresses in memory and durations."""
    yield from ()
