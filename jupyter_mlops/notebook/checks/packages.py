"""Packages that are missing here, or that are installed in whatever version there is on the day."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator

from jupyter_mlops.notebook.checks.context import Context
from jupyter_mlops.notebook.checks.registry import Edit, Finding, rule

_NAME = re.compile(r"^([A-Za-z0-9][\w.-]*?)(\[[\w,.-]+\])?$")


@rule(
    "unpinned-install",
    "warning",
    "A package is installed without a version: tomorrow it is another one.",
    bad="!pip install seaborn",
    good="!pip install seaborn==0.13.2\n%pip install -r requirements.txt",
    mends=True,
)
def unpinned_install(context: Context) -> Iterator[Finding]:
    """Files of requirements, local folders and commits are pinned elsewhere."""
    for one in context.notebook.installs:
        plain = _NAME.match(one.requirement)
        repository = one.requirement.startswith("git+") and "@" not in one.requirement.rpartition("/")[2]
        if (not plain and not repository) or one.requirement in (".", "pip", "setuptools", "wheel"):
            continue
        version = context.environment.version(plain[1]) if plain else None
        advice = f"Write {one.requirement}=={version}, which is installed here." if version else "Name a version (==)."
        edits = _pin(context, one.cell, one.line, one.requirement, version) if version else ()
        yield Finding(one.cell, one.line, f"{one.requirement} is installed in any version.", advice, edits)


def _pin(context: Context, cell: int, line: int, requirement: str, version: str) -> tuple[Edit, ...]:
    text = context.cells[cell].source.split("\n")[line - 1]
    found = re.search(rf"(?<=\s){re.escape(requirement)}(?=\s|$)", text)
    if found is None:
        return ()
    return (Edit(cell, line, found.end(), line, found.end(), f"=={version}"),)


@rule(
    "missing-package",
    "warning",
    "A module is imported that is not installed here.",
    bad="import package_that_nobody_has",
    good="import json\ntry:\n    import package_that_nobody_has\nexcept ImportError:\n    pass",
)
def missing_package(context: Context) -> Iterator[Finding]:
    """Imports that the notebook itself guards or installs are fine."""
    installed = {re.split(r"[\[=<>~! @]", one.requirement)[0].lower().replace("-", "_") for one in context.notebook.installs}
    reported: set[str] = set()
    for statement, node, guarded in _imports(context):
        for module in _modules(node):
            top = module.split(".")[0]
            if guarded or top in reported or top in sys.stdlib_module_names or top == "__future__":
                continue
            if top.lower() in installed or context.environment.has_module(top):
                continue
            reported.add(top)
            yield Finding(
                statement,
                node.lineno,
                f"{top} is not installed here.",
                "Install it into the environment of the notebook's kernel.",
            )


def _modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if node.module and not node.level else []


def _imports(context: Context) -> Iterator[tuple[int, ast.Import | ast.ImportFrom, bool]]:
    for statement in context.statements:
        stack: list[tuple[ast.AST, bool]] = [(statement.node, False)]
        while stack:
            node, guarded = stack.pop()
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                yield statement.cell, node, guarded
            if isinstance(node, ast.Try):
                guarded = True
            stack.extend(
                (child, guarded) for child in ast.iter_child_nodes(node) if isinstance(child, (ast.stmt, ast.excepthandler))
            )
