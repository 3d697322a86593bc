"""What a column is inside the graph, and the few operations on it that everything else is made of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from jupyter_mlops.export.compiler import Compiler
from jupyter_mlops.export.graph import ML_DOMAIN, Graph, Unsupported
from jupyter_mlops.export.program.texts import Edit, matcher
from jupyter_mlops.export.values import Part, Value

__all__ = ["LARGEST", "MOST_LEVELS", "Cell", "Kind", "Tracer", "is_missing", "known_texts", "plain"]

Kind = Literal["number", "text", "date", "span", "pieces", "mixed"]
LARGEST = 2**53  # from here on doubles leave out integers
MOST_KEYS = 400  # regular expressions for one column
MOST_LEVELS = 20_000


@dataclass(frozen=True)
class Cell:
    """One column, without its name and its dtype, which the pandas object beside it has.

    Numbers, booleans (0 and 1), dates and spans (microseconds) are doubles with NaN for a missing value, texts have the
    sentinel. It is column `at` of the tensor `block`, which has `width` columns.
    """

    block: str
    kind: Kind = "number"
    at: int = 0
    width: int = 1
    edits: tuple[Edit, ...] = ()  # what is still to be done to the text
    filled: str | None = None  # the text that a missing value has become since
    domain: tuple[Any, ...] | None = None  # all values that it can have, a missing one aside; None: any
    unedited: tuple[Any, ...] | None = None  # the same before the edits


def is_missing(value: Any) -> bool:
    """What pandas calls missing."""
    import pandas as pd

    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def plain(value: Any) -> Any:
    """numpy scalars as Python's."""
    return value.item() if hasattr(value, "item") and not hasattr(value, "isoformat") else value


@dataclass
class Tracer:
    """The graph under construction; `guards` are conditions under which the notebook's own code raises."""

    compiler: Compiler
    guards: list[str] = field(default_factory=list)
    caller: Any = None  # walks the functions that an operation is given

    @property
    def g(self) -> Graph:
        """The graph."""
        return self.compiler.graph

    @property
    def null(self) -> str:
        """The sentinel of a missing text."""
        return self.compiler.null_string

    # -- tensors --------------------------------------------------------------------------------------------------------

    def base(self, cell: Cell) -> str:
        """The tensor [rows, 1] of the text before its edits."""
        return cell.block if cell.width == 1 else self.g.columns(cell.block, [cell.at])

    def tensor(self, cell: Cell) -> str:
        """The tensor [rows, 1]."""
        if cell.edits:
            raise Unsupported("a text after " + ", ".join(edit.name for edit in cell.edits) + ", which ONNX cannot make")
        return self.base(cell)

    def number(self, cell: Cell) -> str:
        """The tensor of a column that must be one of numbers."""
        if cell.kind != "number":
            raise Unsupported(f"a column of {cell.kind}s where numbers are needed")
        return self.tensor(cell)

    def text(self, value: str) -> str:
        """A constant text that broadcasts."""
        import numpy as np

        return self.g.const(np.array([[value]], dtype=object))

    def full(self, value: Any, like: str) -> str:
        """A constant column with as many rows as `like`."""
        import numpy as np

        array = np.array([[value]], dtype=object if isinstance(value, str) else np.float64)
        rows = self.g.op("Slice", self.g.op("Shape", like), self.g.ints(0), self.g.ints(1))
        return self.g.op("Expand", self.g.const(array), self.g.op("Concat", rows, self.g.ints(1), axis=0))

    def constant(self, value: Any, like: str) -> Cell:
        """A column that holds one value in every row."""
        value = plain(value)
        if is_missing(value):
            return Cell(self.full(math.nan, like), domain=())
        if isinstance(value, str):
            return Cell(self.full(value, like), "text", domain=(value,))
        if isinstance(value, (bool, int, float)):
            return Cell(self.full(self.exact(value), like), domain=(value,))
        raise Unsupported(f"the constant {value!r}")

    def exact(self, value: Any) -> float:
        """A number as a double, refused when it is none."""
        if isinstance(value, int) and abs(value) > LARGEST:
            raise Unsupported(f"the integer {value}, which a double cannot hold")
        return float(value)

    def missing(self, cell: Cell) -> str:
        """Where the value is missing, a boolean tensor."""
        if cell.kind in ("pieces", "mixed"):
            raise Unsupported("a list of pieces" if cell.kind == "pieces" else "a column that mixes texts with other values")
        if cell.kind != "text":
            return self.g.op("IsNaN", self.tensor(cell))
        if cell.filled is not None:
            return self.never(cell)
        return self.g.op("Equal", self.base(cell), self.text(self.null))

    def never(self, cell: Cell) -> str:
        """False in every row."""
        return self.g.cast(self.full(0.0, cell.block), "bool")

    def truth(self, tensor: str, domain: tuple[Any, ...] | None = (False, True)) -> Cell:
        """A boolean tensor as a column."""
        return Cell(self.g.cast(tensor, "double"), domain=domain)

    def holds(self, cell: Cell) -> str:
        """Python's truth of each value, a boolean tensor: a missing number is true."""
        if cell.kind == "text":
            raise Unsupported("the truth of a text")
        return self.g.op("Not", self.g.op("Equal", self.number(cell), self.g.number(0.0)))

    def where(self, condition: str, a: Cell, b: Cell) -> Cell:
        """`a` where the condition holds, else `b`."""
        a, b = self.alike(a, b)
        domain = None if a.domain is None or b.domain is None else tuple(dict.fromkeys((*a.domain, *b.domain)))
        return Cell(self.g.op("Where", condition, self.tensor(a), self.tensor(b)), a.kind, domain=domain)

    def alike(self, a: Cell, b: Cell) -> tuple[Cell, Cell]:
        """Both as columns of one kind: one that is always missing becomes a text beside a text."""
        if a.kind == b.kind:
            return a, b
        for cell, other in ((a, b), (b, a)):
            if cell.domain == () and cell.kind == "number":
                empty = (
                    Cell(self.full(self.null, cell.block), "text", domain=())
                    if other.kind == "text"
                    else replace(cell, kind=other.kind)
                )
                return (empty, other) if cell is a else (other, empty)
        raise Unsupported(f"{a.kind}s and {b.kind}s in one column")

    # -- known values ---------------------------------------------------------------------------------------------------

    def code(self, cell: Cell, keys: Sequence[Any]) -> str:
        """Position of each value among the keys, -1 for every other and for missing ones; int64 [rows, 1].

        Keys of another kind than the column are never met. Equal keys count as the first of them.
        """
        import numpy as np
        from onnx import numpy_helper

        text = cell.kind == "text"
        table: dict[Any, int] = {}
        for position, key in enumerate(plain(k) for k in keys):
            if is_missing(key) or isinstance(key, str) != text or not isinstance(key, (str, bool, int, float)):
                continue
            table.setdefault(key if text else self.exact(key), position)
        if cell.kind not in ("text", "number"):
            raise Unsupported(f"a lookup of {cell.kind}s")
        if not table:
            return self.g.cast(self.full(-1.0, cell.block), "int64")
        if cell.edits or cell.filled is not None:
            return self._matched(cell, table)
        if len(table) > MOST_LEVELS:
            raise Unsupported(f"a table of {len(table)} values")
        domain = np.array(list(table), dtype=object if text else np.float64)
        return self.g.op(
            "LabelEncoder", self.tensor(cell), domain=ML_DOMAIN,
            keys_tensor=numpy_helper.from_array(domain),
            values_tensor=numpy_helper.from_array(np.array(list(table.values()), dtype=np.int64)),
            default_tensor=numpy_helper.from_array(np.array([-1], dtype=np.int64)),
        )  # fmt: skip

    def _matched(self, cell: Cell, table: dict[str, int]) -> str:
        """An edited text is recognised by what it was before: one regular expression for each known result."""
        if len(table) > MOST_KEYS and cell.edits and cell.unedited is not None:
            return self._matched_whole(cell, table, cell.unedited)
        if len(table) > MOST_KEYS:
            raise Unsupported(f"{len(table)} known texts after {cell.edits[-1].name if cell.edits else 'fillna'}")
        g, base = self.g, self.base(cell)
        code = self.full(-1.0, base)
        gap = g.op("Equal", base, self.text(self.null))
        for key, position in table.items():
            pattern = matcher(cell.edits, key)
            if pattern is not None:
                hit = g.op("And", g.op("RegexFullMatch", base, pattern=pattern), g.op("Not", gap))
                code = g.op("Where", hit, g.number(float(position)), code)
            if cell.filled == key:
                code = g.op("Where", gap, g.number(float(position)), code)
        return g.cast(code, "int64")

    def _matched_whole(self, cell: Cell, table: dict[str, int], texts: Sequence[Any]) -> str:
        """The same where all texts are known: what each becomes is computed here."""
        import numpy as np

        def edited(text: str) -> str:
            for edit in cell.edits:
                text = edit(text)
            return text

        before = [text for text in texts if edited(text) in table]
        code = self.code(Cell(self.base(cell), "text"), before)
        at = self.g.op("Where", self.g.op("Less", code, self.g.ints(0)), self.g.ints(len(before)), code)
        positions = self.g.const(np.array([*(table[edited(text)] for text in before), -1], dtype=np.int64))
        found = self.g.op("Gather", positions, at, axis=0)
        if cell.filled is not None and cell.filled in table:
            gap = self.g.op("Equal", self.base(cell), self.text(self.null))
            found = self.g.op("Where", gap, self.g.ints(table[cell.filled]), found)
        return found

    def pick(self, code: str, values: Sequence[Any], default: Any) -> Cell:
        """The value at each position; `default` (a value or a missing one) at -1."""
        import numpy as np

        values = [plain(v) for v in values]
        every = [*values, plain(default)]
        present = [v for v in every if not is_missing(v)]
        domain = tuple(dict.fromkeys(present))
        at = self.g.op("Where", self.g.op("Less", code, self.g.ints(0)), self.g.ints(len(values)), code)
        if present and all(isinstance(v, str) for v in present):
            if self.null in present:
                raise Unsupported(f"the text {self.null!r}")
            array = np.array([self.null if is_missing(v) else v for v in every], dtype=object)
            return Cell(self.g.op("Gather", self.g.const(array), at, axis=0), "text", domain=domain)
        if not all(isinstance(v, (bool, int, float)) for v in present):
            raise Unsupported("a table whose values are neither all numbers nor all texts")
        array = np.array([math.nan if is_missing(v) else self.exact(v) for v in every], dtype=np.float64)
        return Cell(self.g.op("Gather", self.g.const(array), at, axis=0), domain=domain)

    def among(self, cell: Cell, keys: Iterable[Any]) -> str:
        """Where the value is one of the keys, a boolean tensor; a missing one is found when a key is missing."""
        keys = list(keys)
        found = self.g.op("GreaterOrEqual", self.code(cell, keys), self.g.ints(0))
        return self.g.op("Or", found, self.missing(cell)) if any(is_missing(k) for k in keys) else found

    # -- what raises ----------------------------------------------------------------------------------------------------

    def refuse(self, condition: str) -> None:
        """The notebook's code raises on rows where this holds: the graph shall fail on them too."""
        paths = self.caller.interpreter.paths if self.caller is not None else None
        here = paths.here() if paths is not None else None
        self.guards.append(condition if here is None else self.g.op("And", here, condition))

    def guard(self, tensor: str, kind: str) -> str:
        """Add 0 to an output; where a guard holds, this 0 is a text that is no number, and the run fails."""
        g, guards = self.g, list(dict.fromkeys([*self.guards, *self.compiler.guards]))
        if not guards:
            return tensor
        bad = guards[0]
        for one in guards[1:]:
            bad = g.op("Or", bad, one)
        zero = g.cast(g.op("Where", bad, self.text("the row is refused"), self.text("0")), kind)
        return g.op("Add", tensor, zero if kind == "double" else g.flat(zero))

    # -- to and from the exporter's values ------------------------------------------------------------------------------

    def cells(self, value: Value) -> list[Cell]:
        """The columns of a value."""
        return [
            Cell(part.tensor, "text" if part.kind == "string" else "number", at, part.width)
            for part in value.parts
            for at in range(part.width)
        ]

    def matrix(self, cells: Sequence[Cell]) -> str:
        """Columns of numbers as one matrix; neighbours in one tensor stay together."""
        if any(cell.kind != "number" for cell in cells):
            raise Unsupported("texts or dates where numbers are needed")
        return self.g.concat([tensor for tensor, _ in self.runs(cells)])

    def runs(self, cells: Sequence[Cell]) -> list[tuple[str, list[Cell]]]:
        """Neighbouring columns of the same tensor together."""
        groups: list[list[Cell]] = []
        for cell in cells:
            if groups and groups[-1][0].block == cell.block and cell.width > 1 and not cell.edits:
                groups[-1].append(cell)
            else:
                groups.append([cell])
        out = []
        for group in groups:
            first, indices = group[0], [cell.at for cell in group]
            whole = indices == list(range(first.width))
            out.append(
                (self.tensor(first) if len(group) == 1 else first.block if whole else self.g.columns(first.block, indices), group)
            )
        return out

    def table(self, tensor: str, width: int, domain: tuple[Any, ...] | None = None) -> list[Cell]:
        """The columns of a matrix of numbers."""
        return [Cell(tensor, at=at, width=width, domain=domain) for at in range(width)]

    def texts(self, cell: Cell, estimator: Any) -> Part:
        """A text column for scikit-learn. An edited one holds the texts that the estimator knows, and another for the rest."""
        if not cell.edits and cell.filled is None:
            return Part(self.tensor(cell), 1, "string", "nan")
        known = sorted(known_texts(estimator))
        other = "<other>"
        while other in known or other == self.null:
            other = f"<{other}>"
        made = self.pick(self.code(cell, known), known, other)
        if cell.filled is None:
            gap = Cell(self.full(self.null, cell.block), "text", domain=())
            made = self.where(self.missing(cell), gap, made)
        return Part(made.block, 1, "string", "nan", partial=True)


def known_texts(estimator: Any) -> set[str]:
    """All texts that a fitted estimator holds: categories, fill values, classes."""
    import numpy as np

    found: set[str] = set()
    seen: set[int] = set()

    def visit(value: Any, depth: int) -> None:
        if isinstance(value, str):
            found.add(value)
        elif isinstance(value, np.ndarray):
            if value.dtype.kind in "UO":
                for one in value.ravel().tolist():
                    visit(one, depth + 1)
        elif isinstance(value, (int, float, bytes, type(None))) or (callable(value) and not hasattr(value, "__dict__")):
            return
        elif depth < 12 and id(value) not in seen:
            seen.add(id(value))
            if isinstance(value, dict):
                for key, one in value.items():
                    visit(key, depth + 1)
                    visit(one, depth + 1)
            elif isinstance(value, (list, tuple, set)):
                for one in value:
                    visit(one, depth + 1)
            elif hasattr(value, "__dict__") and not isinstance(value, type):
                visit(vars(value), depth + 1)

    visit(estimator, 0)
    return found
