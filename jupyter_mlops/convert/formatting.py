"""Format and lint generated Python with ruff, as one process for a whole tree."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

from jupyter_mlops.errors import ExportError, MissingPackageError

__all__ = ["tidy"]


def _ruff() -> str:
    for folder in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
        for name in ("ruff", "ruff.exe"):
            if (folder / name).is_file():
                return str(folder / name)
    raise MissingPackageError("ruff is not installed beside jupyter-mlops. Install it: pip install ruff.")


def tidy(folder: Path) -> None:
    """Sort imports, drop those that are not used and format every Python file below `folder`, by its own settings."""
    ruff = _ruff()
    for command in (["check", "--fix", "--quiet", "--exit-zero", "--no-cache"], ["format", "--quiet", "--no-cache"]):
        done = subprocess.run([ruff, *command, str(folder)], capture_output=True, text=True, check=False, cwd=folder)
        if done.returncode != 0:
            raise ExportError(f"Generated code could not be formatted: {done.stderr.strip()[:2000]}")
