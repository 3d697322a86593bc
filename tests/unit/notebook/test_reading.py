"""Files that are notebooks, files that are none, and what is not Python in their cells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import NotebookError
from jupyter_mlops.notebook.dataflow import Analysis, analyse
from jupyter_mlops.notebook.read import read_notebook
from tests.notebooks import write_notebook


def _analyse(tmp_path: Path, *cells: str | tuple[str, str]) -> Analysis:
    given = [cell if isinstance(cell, tuple) else ("", cell) for cell in cells]
    return analyse(read_notebook(write_notebook(tmp_path / "case.ipynb", given)))


def _codes(analysis: Analysis) -> list[tuple[str, int | None, int | None]]:
    return [(p.code, p.cell, p.line) for p in (*analysis.notebook.problems, *analysis.problems)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [("", "JSON"), ("not json", "JSON"), ("[]", "notebook"), ("{}", "notebook"), ('{"nbformat": 99, "cells": []}', "99")],
)
def test_a_file_that_is_no_notebook_is_refused(tmp_path: Path, content: str, expected: str) -> None:
    path = tmp_path / "case.ipynb"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(NotebookError, match=expected):
        read_notebook(path)


def test_magics_and_shell_lines_are_known_constructs(tmp_path: Path) -> None:
    analysis = _analyse(
        tmp_path,
        "%matplotlib inline\n%load_ext autoreload\n!pip install lightgbm==4.5 seaborn\nimport pandas as pd",
        "%%time\nx = 1\ny = x + 1",
        "files = !ls\nz = y",
        "%%bash\necho hello",
        "pd?",
    )
    assert not [code for code in _codes(analysis) if code[0] == "syntax-error"]
    assert analysis.defined_by("x")
    assert analysis.defined_by("z")
    assert {i.requirement for i in analysis.notebook.installs} >= {"lightgbm==4.5", "seaborn"}


def test_a_syntax_error_has_cell_and_line(tmp_path: Path) -> None:
    analysis = _analyse(tmp_path, "x = 1", "y = 2\nz = = 3")
    assert ("syntax-error", 2, 2) in _codes(analysis)


def test_top_level_await_is_code(tmp_path: Path) -> None:
    analysis = _analyse(tmp_path, "import asyncio\nx = await asyncio.sleep(0, 5)", "y = x")
    assert not [code for code in _codes(analysis) if code[0] == "syntax-error"]
    assert analysis.slice_statement(analysis.statements[-1].index) >= {0, 1}


def test_a_name_that_is_never_or_only_later_defined_is_reported(tmp_path: Path) -> None:
    analysis = _analyse(tmp_path, "a = never_defined + 1", "b = later + 1", "later = 1")
    found = [(p.cell, p.message) for p in analysis.problems]
    assert any(cell == 1 and "never_defined" in message for cell, message in found)
    assert any(cell == 2 and "later" in message for cell, message in found)


def test_execution_out_of_order_is_reported(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "case.ipynb", [("", "a = 1"), ("", "b = a"), ("", "c = b")])
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for cell, count in zip(data["cells"], (3, 1, 2), strict=True):
        cell["execution_count"] = count
    path.write_text(json.dumps(data), encoding="utf-8")
    problems = analyse(read_notebook(path)).problems
    assert any("order" in p.code or "order" in p.message for p in problems)
