"""Checking small notebooks in tests."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from jupyter_mlops.notebook.checks.registry import rules
from jupyter_mlops.notebook.checks.run import Found, check_notebook
from jupyter_mlops.notebook.read import read_notebook

__all__ = ["Nothing", "checked", "codes", "write"]

_COUNT = re.compile(r"In \[(\d+)\]: ")


class Nothing:
    """An environment that has everything but one package, in version 1.2.3."""

    def has_module(self, module: str) -> bool:
        """All but the one that nobody has."""
        return module != "package_that_nobody_has"

    def version(self, distribution: str) -> str | None:
        """Always the same."""
        return "1.2.3"


def write(path: Path, cells: tuple[str, ...]) -> Path:
    """Write cells as a notebook; ``In [3]: `` in front of one is its execution count."""
    made: list[dict[str, Any]] = []
    for number, source in enumerate(cells):
        count = _COUNT.match(source)
        made.append(
            {
                "id": f"c{number}", "cell_type": "code", "metadata": {}, "outputs": [],
                "execution_count": int(count[1]) if count else None, "source": source[count.end() if count else 0 :],
            }
        )  # fmt: skip
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.write_text(json.dumps({"cells": made, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")
    return path


def checked(path: Path, cells: tuple[str, ...]) -> list[Found]:
    """What all rules find in the cells."""
    return check_notebook(read_notebook(write(path, cells)), rules(), Nothing())


def codes(path: Path, cells: tuple[str, ...]) -> set[str]:
    """The codes of what is found."""
    return {one.problem.code for one in checked(path, cells)}
