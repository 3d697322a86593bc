"""What rules look at: the notebook, its dataflow, its calls by the names of the libraries, and what happens to rows."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from jupyter_mlops.notebook.cells import Cell, Notebook
from jupyter_mlops.notebook.checks.registry import Edit, Finding
from jupyter_mlops.notebook.dataflow import Analysis, Statement

if TYPE_CHECKING:
    from jupyter_mlops.notebook.checks.rows import Event, Follower

__all__ = ["Call", "Context", "Environment", "argument", "constant", "dotted", "last_name"]


class Environment(Protocol):
    """What is installed where the notebook runs."""

    def has_module(self, module: str) -> bool:
        """Whether a top-level module can be imported, also from the notebook's folder."""

    def version(self, distribution: str) -> str | None:
        """The installed version of a distribution."""


@dataclass(frozen=True)
class Call:
    """A call in the notebook; `origin` is the dotted name in its library, or the bare name when that is not known."""

    statement: Statement
    node: ast.Call
    origin: str
    function: str | None  # the notebook's own function that it stands in

    @property
    def name(self) -> str:
        """The last part of the name that is called."""
        return self.origin.rpartition(".")[2]


class Context:
    """Everything about one notebook, computed when it is first asked for."""

    def __init__(self, notebook: Notebook, analysis: Analysis, environment: Environment) -> None:
        self.notebook = notebook
        self.analysis = analysis
        self.environment = environment
        self.shared: dict[str, object] = {}  # what rules of one theme compute once

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The top-level statements."""
        return self.analysis.statements

    @cached_property
    def cells(self) -> Mapping[int, Cell]:
        """Cells by number."""
        return {cell.number: cell for cell in self.notebook.cells}

    @cached_property
    def nodes(self) -> tuple[tuple[Statement, ast.AST], ...]:
        """Every node of every statement."""
        return tuple((statement, node) for statement in self.statements for node in ast.walk(statement.node))

    @cached_property
    def imports(self) -> Mapping[str, str]:
        """What imported names stand for, as dotted names, wherever in the notebook they are imported."""
        found: dict[str, str] = {}
        for _, node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    found[alias.asname or alias.name.split(".")[0]] = alias.name if alias.asname else alias.name.split(".")[0]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        return found

    @cached_property
    def functions(self) -> Mapping[str, tuple[Statement, ast.FunctionDef]]:
        """The notebook's own top-level functions."""
        return {s.node.name: (s, s.node) for s in self.statements if isinstance(s.node, ast.FunctionDef)}

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """All calls, in order, also inside of functions."""
        found: list[Call] = []
        for statement in self.statements:
            self._collect(statement, statement.node, None, found)
        return tuple(found)

    def _collect(self, statement: Statement, node: ast.AST, function: str | None, found: list[Call]) -> None:
        stack: list[tuple[ast.AST, str | None]] = [(node, function)]
        while stack:
            here, inside = stack.pop()
            if isinstance(here, ast.Call):
                found.append(Call(statement, here, self.origin(here.func), inside))
            if isinstance(here, (ast.FunctionDef, ast.AsyncFunctionDef)):
                inside = inside or here.name
            stack.extend((child, inside) for child in reversed(list(ast.iter_child_nodes(here))))

    def origin(self, func: ast.expr) -> str:
        """``np.random.seed`` -> ``numpy.random.seed``; for a method of a variable ``.name``."""
        name = dotted(func)
        if name is None:
            return f".{func.attr}" if isinstance(func, ast.Attribute) else ""
        root, _, rest = name.partition(".")
        known = self.imports.get(root)
        if known is not None:
            return f"{known}.{rest}" if rest else known
        return f".{name.rpartition('.')[2]}" if rest else name

    @cached_property
    def followed(self) -> Follower:
        """What happens to rows."""
        from jupyter_mlops.notebook.checks.rows import Follower

        follower = Follower(self)
        follower.run()
        return follower

    @property
    def events(self) -> list[Event]:
        """Fits, predictions, splits and the like, in the order in which they happen."""
        return self.followed.events

    def of_existing(self, code: str) -> Iterator[Finding]:
        """Findings of the reader and of the analysis, which have codes of their own."""
        for one in (*self.notebook.problems, *self.analysis.problems):
            if one.code == code:
                yield Finding(one.cell, one.line, one.message, one.fix, severity=one.severity)

    # Edits

    def replace(self, cell: int, node: ast.expr | ast.stmt | ast.keyword, text: str) -> tuple[Edit, ...]:
        """Put a text in a node's place; nothing where a magic moved the columns."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self.span(cell, node.lineno, node.col_offset, node.end_lineno, node.end_col_offset, text)

    def span(self, cell: int, line: int, column: int, end_line: int, end_column: int, text: str) -> tuple[Edit, ...]:
        """Replace from one place to another; columns as `ast` gives them, in bytes."""
        one = self.cells[cell]
        source, code = one.source.split("\n"), one.code.split("\n")
        if source[line - 1 : end_line] != code[line - 1 : end_line]:
            return ()

        def characters(number: int, offset: int) -> int:
            return len(code[number - 1].encode()[:offset].decode(errors="replace"))

        return (Edit(cell, line, characters(line, column), end_line, characters(end_line, end_column), text),)

    def add_argument(self, cell: int, node: ast.Call, text: str) -> tuple[Edit, ...]:
        """Add an argument at the end of a call."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        given: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
        if not given:
            end = node.end_col_offset - 1
            return self.span(cell, node.end_lineno, end, node.end_lineno, end, text)
        line, column = max((one.end_lineno or 0, one.end_col_offset or 0) for one in given)
        if any(isinstance(one, ast.GeneratorExp) for one in given):
            return ()
        # A parenthesised argument ends behind its node.
        code = self.cells[cell].code.split("\n")
        between = code[line - 1].encode()[column:].decode(errors="replace")
        if line == node.end_lineno and between[: node.end_col_offset - column - 1].strip(" ,"):
            return ()
        if line != node.end_lineno and between.strip(" ,"):
            return ()
        return self.span(cell, line, column, line, column, f", {text}")


def dotted(node: ast.expr) -> str | None:
    """``a.b.c`` as text, or None for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])


def last_name(node: ast.expr) -> str:
    """The name or attribute at the end of an expression."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def argument(node: ast.Call, name: str, position: int | None = None) -> ast.expr | None:
    """An argument by its keyword or position."""
    found = next((k.value for k in node.keywords if k.arg == name), None)
    if found is None and position is not None and len(node.args) > position:
        if not any(isinstance(one, ast.Starred) for one in node.args[: position + 1]):
            return node.args[position]
    return found


def constant(node: ast.expr | None) -> object:
    """The value of a literal, or None."""
    return node.value if isinstance(node, ast.Constant) else None
