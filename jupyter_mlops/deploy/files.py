"""Files of a deployment that others read while they are written."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

__all__ = ["CANARY", "is_unwatched", "prediction_log", "replace_json"]

CANARY = "canary.json"  # what is known of the canary under way; written at each look
_UNWATCHED = 120.0  # seconds without a look after which nobody is there any more


def prediction_log(folder: Path) -> Path:
    """Where the services of a deployment log what they are asked and answer, all versions together."""
    return folder / "predictions"


def replace_json(path: Path, data: Any) -> None:
    """Write a file beside its place and move it there: a reader sees the former one or the new one, whole."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(json.dumps(data), encoding="utf-8")
    fresh.replace(path)


def is_unwatched(folder: Path) -> bool:
    """Whether a canary was begun that nobody looks after any more."""
    try:
        return time.time() - (folder / CANARY).stat().st_mtime > _UNWATCHED
    except FileNotFoundError:
        return False
