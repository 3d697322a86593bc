"""Notebooks that are tagged for Kubeflow Kale: what does not fit together in their steps."""

from __future__ import annotations

from collections.abc import Iterator

from jupyter_mlops.notebook.checks.context import Context
from jupyter_mlops.notebook.checks.registry import Finding, rule
from jupyter_mlops.notebook.kale_flow import missing_prev


@rule("kale-step-name", "warning", "A step: tag of Kale has no valid name.", bad=(), good="x = 1")
def step_name(context: Context) -> Iterator[Finding]:
    """Tags are metadata: the example would be a cell tagged `step:load data`."""
    yield from context.of_existing("kale-step-name")


@rule("kale-several-steps", "warning", "A cell belongs to several steps of Kale.", bad=(), good="x = 1")
def several_steps(context: Context) -> Iterator[Finding]:
    """The example would be a cell tagged `block:a;b`, which old versions took."""
    yield from context.of_existing("kale-several-steps")


@rule(
    "kale-step-apart", "warning", "Cells of one step of Kale stand apart, with another step between them.", bad=(), good="x = 1"
)
def step_apart(context: Context) -> Iterator[Finding]:
    """Kale runs them together, Jupyter does not."""
    yield from context.of_existing("kale-step-apart")


@rule("kale-unknown-prev", "warning", "A prev: tag of Kale names no step that begins above it.", bad=(), good="x = 1")
def unknown_prev(context: Context) -> Iterator[Finding]:
    """Kale refuses such a notebook."""
    yield from context.of_existing("kale-unknown-prev")


@rule(
    "kale-missing-prev", "warning", "A step of Kale uses a variable of a step that it does not come after.", bad=(), good="x = 1"
)
def prev_missing(context: Context) -> Iterator[Finding]:
    """Kale gives a step the variables of those steps only that its prev: tags lead to."""
    for one in missing_prev(context.analysis):
        yield Finding(one.cell, one.line, one.message, one.fix)


@rule("kale-notebook", "warning", "A notebook: tag of Kale names another notebook, which is not read.", bad=(), good="x = 1")
def other_notebook(context: Context) -> Iterator[Finding]:
    """Its code is no part of this notebook's pipeline."""
    yield from context.of_existing("kale-notebook")


@rule("kale-resources", "info", "A tag of Kale asks something of Kubernetes that is not carried over.", bad=(), good="x = 1")
def resources(context: Context) -> Iterator[Finding]:
    """`limit:`, `image:`, `secret:` and the like."""
    yield from context.of_existing("kale-resources")
