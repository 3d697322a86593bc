"""What the walked program handles in place of tables: each is a real pandas or numpy object and its graph columns.

The real object (`shadow`) holds sample rows and goes through the same operations for real. So dtypes, names and shapes are
never guessed: they are those of the object that pandas made.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from jupyter_mlops.export.graph import Unsupported
from jupyter_mlops.export.program.cells import Cell

__all__ = ["Accessor", "Element", "Method", "Record", "Refused", "Rows", "Symbol", "contains_symbol", "shadow_of", "width_of"]


class Refused(Unsupported):
    """An operation of the program that has no exact counterpart, and where it stands.

    Attributes
    ----------
    operation
        The source of the operation.
    module, line
        Where it stands in the generated package.
    reason
        Why it has none.
    """

    def __init__(self, operation: str, module: str, line: int, reason: str) -> None:
        super().__init__(f"`{operation}` ({module}.py, line {line}): {reason}")
        self.operation, self.module, self.line, self.reason = operation, module, line, reason


@dataclass(eq=False)
class Symbol:
    """A frame, a series, an array or a sparse matrix, one cell for each of its columns."""

    shadow: Any
    cells: list[Cell]
    owner: tuple[Symbol, Hashable] | None = field(default=None, repr=False)  # the frame that this series is a column of

    @property
    def cell(self) -> Cell:
        """The only column."""
        if len(self.cells) != 1:
            raise Unsupported("a table where one column is needed")
        return self.cells[0]

    @property
    def kind(self) -> str:
        """ "DataFrame", "Series", "Index", "ndarray" or "sparse"."""
        for name in ("DataFrame", "Series", "ndarray"):
            if type(self.shadow).__name__ == name:
                return name
        return "sparse" if hasattr(self.shadow, "toarray") else type(self.shadow).__name__

    @property
    def flat(self) -> bool:
        """Whether it has one dimension."""
        return len(self.shadow.shape) == 1

    def dtypes(self) -> list[Any]:
        """The dtype of each column."""
        if self.kind == "DataFrame":
            return list(self.shadow.dtypes)
        return [self.shadow.dtype] * len(self.cells)

    def column(self, at: int) -> Any:
        """The shadow of one column, as a Series or an array."""
        if self.kind == "DataFrame":
            return self.shadow.iloc[:, at]
        return self.shadow if self.flat else self.shadow[:, at]


@dataclass(frozen=True, eq=False)
class Element:
    """A single value of a column, inside of a function that is applied to each."""

    cell: Cell
    dtype: Any  # of the column it stands in
    boxed: bool = False  # a scalar of numpy, which divides by zero


@dataclass(frozen=True, eq=False)
class Record:
    """A row of a table, inside of a function that is applied to each."""

    table: Symbol


@dataclass(frozen=True)
class Rows:
    """The row labels of a table: they may be handed on, never computed with."""

    shadow: Any


@dataclass(frozen=True)
class Accessor:
    """`series.str`, `frame.loc` and the like."""

    symbol: Any
    name: str


@dataclass(frozen=True)
class Method:
    """A method that is about to be called."""

    receiver: Any
    name: str


def contains_symbol(value: Any) -> bool:
    """Whether a value is made of columns, alone or inside of a list, tuple, dict or slice."""
    if isinstance(value, (Symbol, Rows, Accessor, Element, Record)):
        return True
    if isinstance(value, (list, tuple, set)):
        return any(map(contains_symbol, value))
    if isinstance(value, dict):
        return any(map(contains_symbol, value.values()))
    return False


def shadow_of(value: Any) -> Any:
    """A value with the real objects in place of columns."""
    if isinstance(value, (Symbol, Rows)):
        return value.shadow
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(map(shadow_of, value))
    if isinstance(value, dict) and type(value) is dict:
        return {key: shadow_of(one) for key, one in value.items()}
    if isinstance(value, (Element, Accessor, Record)):
        raise Unsupported("a value of a row in this place")
    return value


def width_of(shadow: Any) -> int:
    """Number of columns of an object."""
    return 1 if len(shadow.shape) == 1 else int(shadow.shape[1])
