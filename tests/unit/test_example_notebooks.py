"""The example notebooks as files: stored without outputs, and the commands in them are ones."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.cli import _parser
from tests.conftest import ROOT

NOTEBOOKS = sorted((ROOT / "example_notebooks").glob("*.ipynb"))
COMMAND = re.compile(r"^!(?:\w+=\S+ )*jupyter mlops (?P<arguments>.+)$", re.MULTILINE)


def _cells(path: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return cells


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_are_stored_without_outputs(path: Path) -> None:
    for cell in _cells(path):
        assert not cell.get("outputs") and cell.get("execution_count") is None


def test_their_commands_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    """Options are renamed now and then; what would fail after minutes fails here."""
    found = [
        match["arguments"] for path in NOTEBOOKS for cell in _cells(path) for match in COMMAND.finditer("".join(cell["source"]))
    ]
    assert len(found) >= 8
    for arguments in found:
        try:
            _parser().parse_args(shlex.split(arguments))
        except SystemExit:
            pytest.fail(f"jupyter mlops {arguments}: {capsys.readouterr().err}")
