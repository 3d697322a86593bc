"""What flows between the steps of a model: columns of numbers and columns of strings, side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from jupyter_mlops.export.graph import Graph, Unsupported

__all__ = ["Null", "Part", "Precision", "Value"]

Null = Literal["nan", "none"]
Precision = Literal["double", "single", "narrow"]


@dataclass(frozen=True)
class Part:
    """Adjoining columns that live in one tensor of shape [rows, width].

    Strings carry the sentinel for a missing value; `null` says what stood there in the notebook's frame, since
    scikit-learn tells `None` from `nan` (None: no missing value was seen). Numbers are doubles here, and `precision` says
    what the notebook's frame holds: scikit-learn computes in float32 where all columns are "single" (float32) or "narrow"
    (integers that do not widen it).
    """

    tensor: str
    width: int
    kind: Literal["double", "string"] = "double"
    null: Null | None = None
    precision: Precision = "double"
    partial: bool = False  # texts that the estimator does not know all stand here as one


@dataclass(frozen=True)
class Value:
    """A table inside the graph. Columns go by position: scikit-learn resolves names when it fits."""

    parts: tuple[Part, ...]

    @classmethod
    def of(cls, tensor: str, width: int) -> Value:
        """A plain matrix of doubles."""
        return cls((Part(tensor, width),))

    @property
    def width(self) -> int:
        """Number of columns."""
        return sum(part.width for part in self.parts)

    def select(self, g: Graph, indices: list[int]) -> Value:
        """Some of the columns, in the order asked for."""
        if indices == list(range(self.width)):
            return self
        starts: list[int] = []
        at = 0
        for part in self.parts:
            starts.append(at)
            at += part.width
        runs: list[tuple[int, list[int]]] = []
        for index in indices:
            where = max(i for i, start in enumerate(starts) if start <= index and self.parts[i].width > 0)
            if runs and runs[-1][0] == where:
                runs[-1][1].append(index - starts[where])
            else:
                runs.append((where, [index - starts[where]]))
        parts = []
        for where, local in runs:
            part = self.parts[where]
            whole = local == list(range(part.width))
            parts.append(part if whole else replace(part, tensor=g.columns(part.tensor, local), width=len(local)))
        return Value(tuple(parts))

    def column(self, g: Graph, index: int) -> Part:
        """One column."""
        return self.select(g, [index]).parts[0]

    @property
    def single(self) -> bool:
        """Whether numpy makes a float32 matrix of the columns."""
        kinds = {part.precision for part in self.parts if part.width}
        return "single" in kinds and "double" not in kinds

    def matrix(self, g: Graph) -> str:
        """All columns as one double matrix, for a step that computes with it."""
        if self.single:
            raise Unsupported("it computes in float32, which doubles do not repeat; fit it on float64 columns")
        return self.values(g)

    def values(self, g: Graph) -> str:
        """All columns as one double matrix, for a step that widens or narrows them itself, whatever they are."""
        if any(part.kind == "string" for part in self.parts):
            raise Unsupported("text reaches a step that needs numbers")
        parts = [part.tensor for part in self.parts if part.width]
        if not parts:
            raise Unsupported("a step without any input column")
        return g.concat(parts)

    def strings(self) -> bool:
        """Whether every column is text."""
        return all(part.kind == "string" for part in self.parts)

    @staticmethod
    def beside(values: list[Value]) -> Value:
        """Tables side by side."""
        return Value(tuple(part for value in values for part in value.parts))
