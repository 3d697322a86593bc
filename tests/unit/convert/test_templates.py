"""Templates that are taken as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.convert.render import _root

FILES = sorted(path for path in _root().rglob("*.py") if "__pycache__" not in path.parts)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(_root()).as_posix())
def test_they_are_python_of_the_oldest_release(path: Path) -> None:
    """The formatter of generated code mends some of what an older Python does not read; who reads the template has it as it is."""
    compile(path.read_text(encoding="utf-8"), str(path), "exec")
