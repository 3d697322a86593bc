"""Import lines that a piece of generated code needs."""

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.util
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlops.convert.edits import statement_text
from jupyter_mlops.convert.names import Names
from jupyter_mlops.convert.scopes import global_names

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["ImportTable", "modules_of"]

_OWN = {
    "Any": "from typing import Any",
    "NamedTuple": "from typing import NamedTuple",
    "partial": "from functools import partial",
    "pd": "import pandas as pd",
    "np": "import numpy as np",
}


def modules_of(node: ast.stmt) -> list[str]:
    """Modules that an import statement, or an if/try around imports, names."""
    found = []
    for one in ast.walk(node):
        if isinstance(one, ast.Import):
            found += [a.name for a in one.names]
        elif isinstance(one, ast.ImportFrom) and one.module and not one.level:
            found.append(one.module)
    return found


@cache
def _star_exports(module: str) -> frozenset[str]:
    """Public names of a module, read from its source where `__all__` is a literal, else by importing it."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return frozenset()
    if spec is None:
        return frozenset()
    if spec.origin and spec.origin.endswith(".py"):
        tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
        for node in tree.body:
            match node:
                case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                    try:
                        return frozenset(ast.literal_eval(value))
                    except ValueError:
                        break
    loaded = importlib.import_module(module)
    return frozenset(getattr(loaded, "__all__", [n for n in vars(loaded) if not n.startswith("_")]))


class ImportTable:
    """Where every name that is no variable comes from, in the generated package."""

    def __init__(self, analysis: Analysis, names: Names, package: str) -> None:
        self.names, self.package = names, package
        self.lines: dict[str, str] = {}
        self.stars: list[str] = []
        self.shared: dict[str, str] = {}  # function that the converter made -> its module
        self.blocks: dict[str, str] = {}  # name -> an if/try around imports, as it stands
        for index in names.imports:
            statement = analysis.statements[index]
            node = statement.node
            if isinstance(node, ast.Import):
                for alias in node.names:
                    bound = alias.asname or alias.name.split(".")[0]
                    text = f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
                    previous = self.lines.get(bound)
                    # `import a.b` and `import a.c` both bind `a`
                    self.lines[bound] = f"{previous}\n{text}" if previous and not alias.asname and previous != text else text
            elif isinstance(node, ast.ImportFrom):
                dots = "." * node.level
                for alias in node.names:
                    if alias.name == "*":
                        self.stars.append(f"{dots}{node.module or ''}")
                        continue
                    text = f"from {dots}{node.module or ''} import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
                    self.lines[alias.asname or alias.name] = text
            else:
                code = analysis.notebook.cells[statement.cell - 1].code
                text = statement_text(code, node)
                self.blocks.update(dict.fromkeys(statement.binds, text))

    def needed(self, texts: Iterable[str], *, module: str, own: Iterable[str] = ()) -> tuple[str, ...]:
        """Import lines for code in `texts`, which will stand in `module` of the package and defines `own` itself."""
        used: dict[str, None] = {}
        for text in texts:
            tree = ast.parse(text)
            used.update(dict.fromkeys(n.id for n in global_names(tree)))
            for node in ast.walk(tree):  # annotations in quotes and names inside of functions are found by the walk above
                if isinstance(node, ast.ClassDef):
                    used.update(dict.fromkeys(n.id for b in node.bases for n in ast.walk(b) if isinstance(n, ast.Name)))
        lines: dict[str, None] = {}
        mine = set(own)
        for name in used:
            if name in mine:
                continue
            if name in self.lines:
                lines.update(dict.fromkeys(self.lines[name].split("\n")))
            elif name in self.blocks:
                lines.setdefault(self.blocks[name])
            elif name in self.names.constant_names and module != "constants":
                lines.setdefault(f"from {self.package}.constants import {name}")
            elif name in self.names.helper_names and module != "helpers":
                lines.setdefault(f"from {self.package}.helpers import {name}")
            elif name in self.shared:
                lines.setdefault(f"from {self.package}.{self.shared[name]} import {name}")
            elif name == "Settings":
                lines.setdefault(f"from {self.package}.settings import Settings")
            elif name in _OWN:
                lines.setdefault(_OWN[name])
            elif not hasattr(builtins, name):
                star = next((s for s in self.stars if name in _star_exports(s)), None)
                if star is not None:
                    lines.setdefault(f"from {star} import {name}")
        return tuple(lines)
