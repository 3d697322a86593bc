"""Bring a recorded version of a file or folder back from DVC's cache, and never lose what stands in its place.

DVC's own checkout removes a file whose new version it does not have. Here the new version is made beside it, checked
against its MD5 and put in place by a rename; what stands there goes only if the cache holds it too.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jupyter_mlops.data.dvc_files import cached, manifest
from jupyter_mlops.data.versions import content_md5, matches_md5

__all__ = ["Outcome", "Wanted", "is_safe", "lacking", "outside", "restore"]


@dataclass(frozen=True)
class Wanted:
    """A version of a file or folder. One of the two MD5s is enough; a folder's ends with ``.dir``."""

    path: Path  # absolute
    md5: str | None
    legacy: str | None = None  # as DVC 2 recorded it: line ends of text made \n first

    @property
    def short(self) -> str:
        """Enough of the MD5 to tell versions apart."""
        return (self.md5 or self.legacy or "")[:8]

    @property
    def is_folder(self) -> bool:
        """True for a folder."""
        return (self.md5 or self.legacy or "").endswith(".dir")


@dataclass(frozen=True)
class Outcome:
    """What became of one file: only ``restored`` changed anything."""

    path: Path
    status: Literal["present", "restored", "missing", "refused"]
    message: str = ""
    kept: Path | None = None  # where the former content went


def outside(path: Path, root: Path) -> bool:
    """Whether a path leads out of a folder, by itself or through links, or into what git and DVC keep there."""
    where = Path(os.path.normpath(path))
    if where == root or not where.is_relative_to(root) or {".git", ".dvc", ".hg"} & set(where.relative_to(root).parts):
        return True
    real = where.parent.resolve()
    return not real.is_relative_to(root.resolve())


def _object(cache: Path, wanted: Wanted) -> Path | None:
    for md5 in (wanted.md5, wanted.legacy):
        if md5 is not None and (found := cached(cache, md5)) is not None:
            return found
    return None


def _parts(cache: Path, wanted: Wanted) -> dict[str, Wanted] | None:
    """Files of a wanted folder; None where its manifest is not in the cache."""
    found = _object(cache, wanted)
    listed = manifest(found) if found is not None else None
    if listed is None:
        return None
    old = wanted.md5 is None or (wanted.legacy is not None and cached(cache, wanted.md5) is None)
    return {n: Wanted(wanted.path / n, None if old else md5, md5 if old else None) for n, md5 in listed.items()}


def lacking(cache: Path, wanted: Wanted) -> list[Wanted]:
    """What the cache does not have of a version: the file, the manifest of a folder, or files in it."""
    if not wanted.is_folder:
        return [] if _object(cache, wanted) else [wanted]
    parts = _parts(cache, wanted)
    return [wanted] if parts is None else [part for part in parts.values() if _object(cache, part) is None]


def is_safe(path: Path, cache: Path) -> bool:
    """Whether the content can go: the cache has it as well, or there is none (a link to nothing)."""
    if not path.exists():
        return True
    if path.is_dir():
        return all(is_safe(Path(where) / name, cache) for where, _, names in os.walk(path, followlinks=True) for name in names)
    if cached(cache, content_md5(path)) is not None:
        return True
    old = cached(cache, content_md5(path, dos2unix=True))
    return old is not None and filecmp.cmp(path, old, shallow=False)  # that MD5 says nothing about line ends


def restore(wanted: Wanted, cache: Path, *, force: bool = False) -> Outcome:
    """Bring one version back.

    Parameters
    ----------
    force
        Replace a file whose content is nowhere else; it is kept beside as ``NAME.<time>.kept``.
    """
    path = wanted.path
    if _present(wanted):
        return Outcome(path, "present")
    if lacks := lacking(cache, wanted):
        what = f"{len(lacks)} of its files are" if wanted.is_folder and lacks != [wanted] else "it is"
        return Outcome(path, "missing", f"version {wanted.short}: {what} not in the cache; what is there stays as it is")
    there = os.path.lexists(path)
    if there and path.is_dir() != wanted.is_folder and path.exists():
        kinds = ("a folder", "a file") if wanted.is_folder else ("a file", "a folder")
        return Outcome(
            path,
            "refused",
            f"version {wanted.short} is {kinds[0]}, but {kinds[1]} stands in its place. Move it away first",
        )
    keep = there and not is_safe(path, cache)
    if keep and not force:
        return Outcome(
            path, "refused", "its present content is in no cache and would be lost. "
            "`jupyter mlops data add` keeps it first, or --force puts it beside as NAME.<time>.kept"
        )  # fmt: skip
    kept = path.with_name(f"{path.name}.{time.strftime('%Y%m%d-%H%M%S')}.kept") if keep else None
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        damaged = _write(wanted, cache, partial)
        if damaged is not None:
            return Outcome(
                path,
                "missing",
                f"version {wanted.short}: the object {damaged} in the cache is damaged; what is there stays as it is",
            )
        _swap(partial, path, kept)
    except OSError as error:
        return Outcome(path, "refused", f"it cannot be written ({error.strerror or error})")
    finally:
        _remove(partial)
    return Outcome(path, "restored", f"version {wanted.short}", kept)


def _present(wanted: Wanted) -> bool:
    try:
        return matches_md5(wanted.path, wanted.md5, wanted.legacy)
    except OSError:
        return False


def _write(wanted: Wanted, cache: Path, target: Path) -> Path | None:
    """Write a version and check it. Returns the object that does not have the content that its name says."""
    parts: Sequence[Wanted] = [wanted]
    places = [target]
    if wanted.is_folder:
        listed = _parts(cache, wanted) or {}
        target.mkdir()
        parts, places = list(listed.values()), [target / name for name in listed]
    for part, place in zip(parts, places, strict=True):
        source = _object(cache, part)
        assert source is not None
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)
        if not matches_md5(place, part.md5, part.legacy):
            return source
    return None


def _swap(made: Path, path: Path, kept: Path | None) -> None:
    if made.is_dir() and path.is_dir():
        former = kept or path.with_name(f".{path.name}.{os.getpid()}.former")
        path.rename(former)
        try:
            made.rename(path)
        except OSError:
            former.rename(path)
            raise
        if kept is None:
            _remove(former)
        return
    if kept is not None:
        try:
            os.link(path, kept, follow_symlinks=False)
        except OSError:
            shutil.copy2(path, kept)
    made.replace(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
