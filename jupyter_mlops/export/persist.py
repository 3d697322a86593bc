"""Saving estimators with skops, which loads only types that were named; never with pickle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from jupyter_mlops.errors import ExportError, MissingPackageError

__all__ = ["load_skops", "save_skops"]


def _skops() -> Any:
    try:
        import skops.io
    except ImportError as error:
        raise MissingPackageError("skops is not installed; add it with: pip install skops") from error
    return skops.io


def save_skops(estimator: Any, path: Path | str) -> tuple[str, ...]:
    """Save an estimator and return the types that loading it must be told to trust.

    Raises
    ------
    ExportError
        When it holds a lambda, an object defined in the notebook itself, or something that skops cannot store.
    """
    io = _skops()
    for name, value in (estimator.get_params() if hasattr(estimator, "get_params") else {}).items():
        qualified = getattr(value, "__qualname__", "")
        if "<locals>" in qualified and "<lambda>" not in qualified:  # skops keeps the bare name, which another may have
            raise ExportError(
                f"{type(estimator).__name__} holds {value.__name__} ({name}), defined inside a function. Move it to the "
                "top level of a cell tagged 'functions'."
            )
    try:
        data = io.dumps(estimator)
        needed = io.get_untrusted_types(data=data)
    except Exception as error:  # skops raises what the object's own __reduce__ or __getstate__ raises
        raise ExportError(
            f"{type(estimator).__name__} cannot be saved: {' '.join(str(error).split())[:300]}. "
            "Replace the part that is no plain object (a lambda, a generator, an open file) by a named function "
            "or class in a cell tagged 'functions'."
        ) from error
    for name in needed:
        if "<lambda>" in name:
            raise ExportError(
                f"{type(estimator).__name__} holds a lambda, which cannot be found again when the model is loaded. "
                "Give it a name: write a function in a cell tagged 'functions'."
            )
        if "<locals>" in name:
            raise ExportError(
                f"{type(estimator).__name__} holds {name}, defined inside a function. Move it to the top level of a "
                "cell tagged 'functions'."
            )
        if name.startswith("__main__."):
            raise ExportError(
                f"{type(estimator).__name__} holds {name}, which exists only in the notebook. Put its definition in a "
                "cell tagged 'functions', so that it becomes part of the package."
            )
    target = Path(path)
    partial = target.with_name(target.name + ".part")  # a reader never sees half a model
    partial.write_bytes(data)
    partial.replace(target)
    return tuple(sorted(needed))


def load_skops(path: Path | str, trusted: Sequence[str]) -> Any:
    """Load an estimator; types beyond skops' own list must be in `trusted`.

    Raises
    ------
    ExportError
        When the file is no skops file (a pickle, half a copy), or needs a type that is not trusted.
    """
    io = _skops()
    try:
        found = io.get_untrusted_types(file=path)
    except (OSError, BadZipFile, KeyError, ValueError) as error:
        raise ExportError(
            f"{path} cannot be read as a skops file: {type(error).__name__}: {error}. Convert the notebook again, or copy "
            "the file anew. Pickle files are never loaded."
        ) from error
    unknown = sorted(set(found) - set(trusted))
    if unknown:
        raise ExportError(
            f"{path} needs types that are not trusted: {', '.join(unknown)}. Convert the notebook again, or add them "
            "to trusted_types in metadata.json if you know them."
        )
    return io.load(path, trusted=list(trusted))
