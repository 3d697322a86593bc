"""Verbatim source of statements, with small edits by syntax position: comments and layout of the author stay."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Edit", "indent", "statement_text"]


@dataclass(frozen=True)
class Edit:
    """Replace a span of the cell by `text`. Lines are 1-based, columns UTF-8 byte offsets, as `ast` gives them."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str

    @classmethod
    def of(cls, node: ast.expr | ast.stmt | ast.keyword | ast.arg, text: str) -> Edit:
        """Replace a whole node."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        return cls(node.lineno, node.col_offset, node.end_lineno, node.end_col_offset, text)

    @classmethod
    def after(cls, node: ast.expr | ast.arg, text: str) -> Edit:
        """Insert behind a node."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        return cls(node.end_lineno, node.end_col_offset, node.end_lineno, node.end_col_offset, text)


def _start(node: ast.stmt) -> tuple[int, int]:
    decorators = getattr(node, "decorator_list", [])
    if decorators:
        first = min(decorators, key=lambda one: one.lineno)
        return first.lineno, first.col_offset - 1  # the "@"
    return node.lineno, node.col_offset


def statement_text(code: str, node: ast.stmt, edits: Iterable[Edit] = ()) -> str:
    """Source of a top-level statement of a cell, its trailing comment included, with `edits` applied.

    Parameters
    ----------
    code
        Source of the whole cell (the one that `node` was parsed from).
    edits
        Spans inside of `node`. Of two spans that overlap the outer one wins.
    """
    lines = [line.encode() for line in code.split("\n")]
    first, column = _start(node)
    assert node.end_lineno is not None and node.end_col_offset is not None
    last, end = node.end_lineno, node.end_col_offset
    tail = lines[last - 1][end:]
    if tail.strip().startswith(b"#"):
        end = len(lines[last - 1])
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line) + 1)
    data = b"\n".join(lines)
    # What is inserted in front of a span comes before it. Sorting is stable: of two insertions at one place the first stays first.
    spans = sorted(
        dict.fromkeys((offsets[e.line - 1] + e.column, offsets[e.end_line - 1] + e.end_column, e.text) for e in edits),
        key=lambda span: (span[0], span[1] > span[0], -span[1]),
    )
    position, stop = offsets[first - 1] + column, offsets[last - 1] + end
    out = []
    for begin, finish, text in spans:
        if begin < position or finish > stop:
            continue
        out += [data[position:begin], text.encode()]
        position = finish
    out.append(data[position:stop])
    return b"".join(out).decode()


def indent(text: str, by: str = "    ") -> str:
    """Indent code, leaving the inside of multi-line strings as it is."""
    inside: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))):
            assert node.end_lineno is not None
            inside.update(range(node.lineno + 1, node.end_lineno + 1))
    return "\n".join(
        line if number in inside or not line.strip() else by + line for number, line in enumerate(text.split("\n"), start=1)
    )
