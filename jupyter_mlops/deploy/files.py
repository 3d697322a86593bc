"""Files of a deployment that others read while they are written."""

from __future__ import annotations

import json
import os
import secrets
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

__all__ = ["CANARY", "hash_key", "is_unwatched", "prediction_log", "replace_json"]

CANARY = "canary.json"  # what is known of the canary under way; written at each look
_UNWATCHED = 120.0  # seconds without a look after which nobody is there any more


def prediction_log(folder: Path) -> Path:
    """Where the services of a deployment log what they are asked and answer, all versions together."""
    return folder / "predictions"


def hash_key(folder: Path) -> str:
    """Key by which the services of a deployment hash what they log, where none is in the environment: made once, for its owner alone."""
    path = folder / "hash.key"
    with suppress(FileExistsError), open(path, "x", opener=partial(os.open, mode=0o600), encoding="ascii") as file:
        file.write(secrets.token_hex(32))
    return path.read_text(encoding="ascii")


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
