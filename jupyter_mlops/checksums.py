"""SHA256SUMS of a folder, in the format of `sha256sum`, so that `sha256sum -c SHA256SUMS` checks it too."""

from __future__ import annotations

import hashlib
from pathlib import Path

__all__ = ["NAME", "file_digest", "folder_digest", "verify_checksums", "write_checksums"]

NAME = "SHA256SUMS"


def _files(folder: Path) -> list[Path]:
    return sorted(
        (path for path in folder.rglob("*") if path.is_file() and path != folder / NAME and "__pycache__" not in path.parts),
        key=lambda path: path.relative_to(folder).as_posix(),
    )


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sums(folder: Path) -> str:
    return "".join(f"{file_digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in _files(folder))


def folder_digest(folder: Path) -> str:
    """SHA-256 over names and contents of all files of a folder, but for Python's caches."""
    return hashlib.sha256(_sums(folder).encode()).hexdigest()


def write_checksums(folder: Path) -> Path:
    """Write SHA256SUMS over all files of a folder and return its path."""
    target = folder / NAME
    target.write_text(_sums(folder), encoding="utf-8")
    return target


def verify_checksums(folder: Path) -> list[str]:
    """What does not agree with SHA256SUMS: changed, missing and additional files, one message each."""
    target = folder / NAME
    if not target.is_file():
        return [f"{NAME} is missing"]
    wanted: dict[str, str] = {}
    for line in target.read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        wanted[name] = digest
    present = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    problems = [f"{name} is missing" for name in sorted(wanted.keys() - present.keys())]
    problems += [f"{name} is not listed" for name in sorted(present.keys() - wanted.keys())]
    problems += [
        f"{name} was changed" for name in sorted(wanted.keys() & present.keys()) if file_digest(present[name]) != wanted[name]
    ]
    return problems
