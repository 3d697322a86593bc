"""What of the file cannot be read as Python."""

from __future__ import annotations

from collections.abc import Iterator

from jupyter_mlops.notebook.checks.context import Context
from jupyter_mlops.notebook.checks.registry import Finding, rule


@rule(
    "unreadable",
    "error",
    "The file is no notebook in Python of a format that is read: nothing else was checked.",
    bad=(),
    good="x = 1",
)
def unreadable(context: Context) -> Iterator[Finding]:
    """Found by whoever reads the file, since there is no context without a notebook."""
    yield from ()


@rule("syntax-error", "error", "A cell is not valid Python.", bad="print 'hello'", good="%matplotlib inline\nprint('hello')")
def syntax_error(context: Context) -> Iterator[Finding]:
    """Magics and shell lines are no errors."""
    yield from context.of_existing("syntax-error")


@rule("magic", "warning", "A magic has no meaning outside of Jupyter.", bad="%store x", good="%matplotlib inline\n%time x = 1")
def magic(context: Context) -> Iterator[Finding]:
    """Magics that change nothing that is computed are left alone."""
    yield from context.of_existing("magic")


@rule(
    "shell-line",
    "info",
    "A shell line is left out of the converted code.",
    bad="!wc -l data.csv",
    good="!pip install pandas==2.3.3",
)
def shell_line(context: Context) -> Iterator[Finding]:
    """Installations are understood."""
    yield from context.of_existing("shell-line")


@rule("conflicting-tags", "warning", "A cell has several stage tags.", bad=(), good="x = 1")
def conflicting_tags(context: Context) -> Iterator[Finding]:
    """Tags are metadata: the example would be a cell tagged both `load` and `train`."""
    yield from context.of_existing("conflicting-tags")
