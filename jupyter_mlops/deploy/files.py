"""Small JSON files that others read while they are written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

__all__ = ["replace_json"]


def replace_json(path: Path, data: Any) -> None:
    """Write a file beside its place and move it there: a reader sees the former one or the new one, whole."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(json.dumps(data), encoding="utf-8")
    fresh.replace(path)
