"""What a notebook is made of: cells with their stage, magics and the code that is left without them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from jupyter_mlops.notebook.problems import Problem

__all__ = ["Cell", "CellKind", "Install", "Magic", "Notebook", "Stage", "Step"]

CellKind = Literal["code", "markdown", "raw"]


class Stage(StrEnum):
    """What a tag makes of its cells; the values are the tags themselves."""

    IMPORTS = "imports"
    FUNCTIONS = "functions"
    PARAMETERS = "parameters"
    LOAD = "load"
    VALIDATE = "validate"
    FEATURES = "features"
    TRAIN = "train"
    EVALUATE = "evaluate"
    TEST = "test"
    SKIP = "skip"


@dataclass(frozen=True)
class Magic:
    """A magic or shell line; `line` is 1-based in the cell, `name` is ``"!"`` for shell lines."""

    kind: Literal["line", "cell", "shell"]
    name: str
    args: str
    line: int


@dataclass(frozen=True)
class Install:
    """One requirement of a ``pip install`` or ``conda install`` line, in pip's spelling."""

    requirement: str
    cell: int
    line: int


@dataclass(frozen=True)
class Cell:
    """One cell.

    Parameters
    ----------
    number
        1-based position among all cells, markdown included.
    source
        The author's text, with ``\\n`` line ends.
    code
        `source` with magics neutralised so that it parses, with the same number of lines; empty for cells that are
        not Python or hold a syntax error.
    stage
        From the cell's tags; the first one when tags conflict.
    """

    number: int
    kind: CellKind
    source: str
    code: str
    tags: frozenset[str]
    stage: Stage | None
    execution_count: int | None
    id: str | None
    magics: tuple[Magic, ...]


@dataclass(frozen=True)
class Step:
    """A step that a notebook was tagged with for Kale: its cells by number, and the steps that it comes after."""

    name: str
    cells: tuple[int, ...]
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Notebook:
    """A notebook as read.

    Parameters
    ----------
    nbformat
        (major, minor).
    steps, metrics
        Of a notebook that is tagged for Kale: its steps, and names that it calls metrics of the pipeline.
    """

    path: Path
    cells: tuple[Cell, ...]
    kernel_name: str
    language: str
    nbformat: tuple[int, int]
    problems: tuple[Problem, ...]
    installs: tuple[Install, ...] = ()
    steps: tuple[Step, ...] = ()
    metrics: tuple[str, ...] = ()

    @property
    def step_of(self) -> dict[int, str]:
        """Name of the step that a cell is in, by the cell's number."""
        return {cell: step.name for step in self.steps for cell in step.cells}

    @property
    def code_cells(self) -> tuple[Cell, ...]:
        """The code cells, in order."""
        return tuple(cell for cell in self.cells if cell.kind == "code")
