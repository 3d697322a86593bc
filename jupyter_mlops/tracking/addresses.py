"""Addresses of SQLite stores: the file that is meant, wherever the process runs."""

from __future__ import annotations

from pathlib import Path

__all__ = ["absolute", "sqlite_file"]

_SQLITE = "sqlite:///"


def sqlite_file(uri: str, folder: Path | None = None) -> Path | None:
    """The file of an SQLite store; None where the store is a server, or in memory.

    Parameters
    ----------
    folder
        Where a relative file lies; default: the working directory.
    """
    path = uri.removeprefix(_SQLITE).split("?")[0]
    if path in ("", ":memory:") or not uri.startswith(_SQLITE):
        return None
    return (folder or Path()).absolute() / path


def absolute(uri: str, folder: Path | None = None) -> str:
    """The same store for a process that runs in another folder; for `folder` see `sqlite_file`."""
    file = sqlite_file(uri, folder)
    path, mark, options = uri.removeprefix(_SQLITE).partition("?")
    return uri if file is None or Path(path).is_absolute() else f"{_SQLITE}{file}{mark}{options}"
