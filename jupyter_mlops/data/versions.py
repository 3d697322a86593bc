"""Which version of a data file a run saw: its MD5, and what DVC and git know about it.

DVC is not imported. The MD5 of a file is the one that DVC 3 knows it by, and that of a folder is the MD5 of DVC's own
manifest of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from jupyter_mlops.data.dvc_files import Tracked, cached, dvc_root, manifest, project_root, read_config, tracked_by

__all__ = ["DataVersion", "DvcState", "commit_of", "content_md5", "data_tags", "data_version", "matches", "matches_md5"]

_PIECE = 2**20  # bytes; DVC 2 translated line ends piece by piece of this size
_TEXT = bytes(range(32, 127)) + b"\n\r\t\f\b"
_TAGS = 20  # files that a run's tags name; all of them are in its data.json
_IGNORED = {".git", ".hg", ".dvc"}  # never part of a folder, as in DVC

How = Literal["opened", "named", "given"]


@dataclass(frozen=True)
class DvcState:
    """What DVC recorded about a file. `md5` is DVC's; `state` compares the content with it."""

    file: str  # the .dvc file or dvc.lock, as `DataVersion.path` is written
    md5: str
    state: Literal["unchanged", "modified"]
    commit: str | None  # in which git has this record; None where it is not committed as it stands


@dataclass(frozen=True)
class DataVersion:
    """A file or folder as it is now.

    `path` is relative to the folder that DVC (else git) was set up in, with ``/``, so that it means the same in another
    clone; absolute where there is none. `md5` is None when it could not be read. `changed` says that it was written to
    while it was read, so that `md5` is of neither state.
    """

    path: str
    size: int  # bytes
    md5: str | None
    how: How
    dvc: DvcState | None
    changed: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain data, as it stands in ``data.json``."""
        return asdict(self)


_known: dict[tuple[str, int, int, int, bool], str] = {}
_lock = threading.Lock()


def content_md5(path: Path, *, dos2unix: bool = False) -> str:
    """MD5 of a file, read in pieces; known ones are not read again while size, time and inode stay as they are.

    Parameters
    ----------
    dos2unix
        As DVC 2 did: line ends of text become ``\\n`` first.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with path.open("rb") as file:
        about = os.fstat(file.fileno())
        key = (str(path), about.st_mtime_ns, about.st_size, about.st_ino, dos2unix)
        if (found := _known.get(key)) is not None:
            return found
        digest = hashlib.md5(usedforsecurity=False)
        text = False
        while piece := file.read(_PIECE):
            if dos2unix:
                text = _is_text(piece[:512])
            digest.update(piece.replace(b"\r\n", b"\n") if text else piece)
        after = os.fstat(file.fileno())
    value = digest.hexdigest()
    if (after.st_mtime_ns, after.st_size) == key[1:3]:
        with _lock:
            if len(_known) > 10_000:
                _known.clear()
            _known[key] = value
    return value


def _is_text(block: bytes) -> bool:
    """The heuristic of DVC: no null byte, and at most 30 % of other than ASCII text."""
    return b"\0" not in block and len(block.translate(None, _TEXT)) <= 0.3 * len(block)


def _inside(folder: Path) -> list[Path]:
    """Files of a folder as DVC sees them: links are followed, what .dvcignore names is left out."""
    ignored = _ignore_rules(folder)
    found = []
    for where, folders, names in os.walk(folder, followlinks=True):
        here = Path(where)
        folders[:] = [f for f in folders if f not in _IGNORED and not ignored(here / f, True)]
        found += [here / name for name in names if name != ".dvcignore" and not ignored(here / name, False)]
    return found


def _ignore_rules(folder: Path) -> Any:
    root = dvc_root(folder)
    file = root / ".dvcignore" if root is not None else None
    lines: list[str] = []
    if file is not None and file.is_file():
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]
    if not lines or root is None:
        return lambda path, is_folder: False
    try:
        from pathspec import GitIgnoreSpec  # comes with DVC
    except ImportError:
        return lambda path, is_folder: False
    spec = GitIgnoreSpec.from_lines(lines)
    return lambda path, is_folder: spec.match_file(path.relative_to(root).as_posix() + ("/" if is_folder else ""))


def _folder_md5(folder: Path, *, dos2unix: bool = False) -> tuple[str, int]:
    """MD5 of DVC's manifest of a folder, and the bytes in it."""
    rows, size = [], 0
    for file in _inside(folder):
        rows.append({"md5": content_md5(file, dos2unix=dos2unix), "relpath": file.relative_to(folder).as_posix()})
        size += file.stat().st_size
    rows.sort(key=lambda row: row["relpath"])
    text = json.dumps(rows, sort_keys=True).encode()
    return hashlib.md5(text, usedforsecurity=False).hexdigest() + ".dir", size


def _md5(path: Path, *, dos2unix: bool = False) -> str:
    return _folder_md5(path, dos2unix=dos2unix)[0] if path.is_dir() else content_md5(path, dos2unix=dos2unix)


def matches(path: Path, tracked: Tracked) -> bool:
    """Whether the content is what DVC recorded. Sizes are compared first, and links into the cache by themselves."""
    if not path.exists() or path.is_dir() != tracked.md5.endswith(".dir"):
        return False
    if not path.is_dir() and not tracked.legacy and tracked.size is not None and path.stat().st_size != tracked.size:
        return False
    return _md5(path, dos2unix=tracked.legacy) == tracked.md5


def matches_md5(path: Path, md5: str | None, legacy: str | None = None) -> bool:
    """Whether a file or folder has this MD5, or, where that is not known, this one of DVC 2.

    Raises
    ------
    OSError
        It cannot be read.
    """
    wanted = md5 or legacy
    if wanted is None or not path.exists() or path.is_dir() != wanted.endswith(".dir"):
        return False
    return _md5(path, dos2unix=md5 is None) == wanted


def data_version(path: Path, how: How = "opened") -> DataVersion:
    """The version of a file or folder, with what DVC knows about it.

    Never raises: what cannot be read has size 0 and no MD5.

    Parameters
    ----------
    how
        How the run came to it: opened by its code, named in it, or given with ``--data``.
    """
    absolute = Path(os.path.normpath(path.absolute()))  # not resolved: a tracked file may be a link into DVC's cache
    root = project_root(absolute.parent)
    found = DataVersion(_shown(absolute, root), 0, None, how, None)
    try:
        before = absolute.stat()
        if absolute.is_dir():
            md5, size = _folder_md5(absolute)
        else:
            md5, size = content_md5(absolute), before.st_size
        after = absolute.stat()
    except OSError:
        return found
    changed = (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size)
    found = replace(found, size=size, md5=md5, changed=changed)
    try:
        return replace(found, dvc=_dvc_state(absolute, root, md5))
    except (OSError, ValueError):
        return found


def data_tags(versions: Iterable[DataVersion]) -> dict[str, str]:
    """As tags of a run: of the first files whose content is known."""
    known = [one for one in versions if one.md5 is not None]
    return {f"data.{Path(one.path).name}": f"md5:{one.md5}" for one in known[:_TAGS]}


def _shown(path: Path, root: Path | None) -> str:
    return path.relative_to(root).as_posix() if root is not None and path.is_relative_to(root) else str(path)


def _dvc_state(path: Path, root: Path | None, md5: str) -> DvcState | None:
    records = tracked_by(path)
    if not records and (real := path.parent.resolve() / path.name) != path:
        records, root = tracked_by(real), project_root(real.parent)
    candidates = [one for record in records if (one := _record_of(path, record)) is not None]
    if not candidates:
        return None
    nearest = [one for one in candidates if one.output] or candidates
    # Stages that ran at different times recorded what each of them read: the record that fits is the one that is meant.
    record = next((one for one in nearest[1:] if not nearest[0].output and _same(path, one, md5)), nearest[0])
    same = _same(path, record, md5)
    return DvcState(_shown(record.file, root), record.md5, "unchanged" if same else "modified", commit_of(record.file))


def _same(path: Path, record: Tracked, md5: str) -> bool:
    return (_md5(path, dos2unix=True) if record.legacy else md5) == record.md5


def _record_of(path: Path, record: Tracked) -> Tracked | None:
    """The record of the file itself, where only the folder around it is tracked: from the folder's manifest in the cache."""
    if record.path == path or not path.is_relative_to(record.path):
        return record
    root = dvc_root(record.file.parent)
    object_ = cached(read_config(root).cache, record.md5) if root is not None else None
    listed = manifest(object_) if object_ is not None else None
    md5 = (listed or {}).get(path.relative_to(record.path).as_posix())
    return None if md5 is None else replace(record, path=path, md5=md5)


def commit_of(file: Path) -> str | None:
    """The last commit that changed the record, where the record is as that commit has it."""
    git = shutil.which("git")
    if git is None:
        return None

    def ask(*arguments: str) -> str | None:
        command = [git, "-C", str(file.parent), "--literal-pathspecs", *arguments, "--", file.name]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    commit = ask("log", "-1", "--format=%H")
    return commit if commit and ask("diff", "--quiet", "HEAD") is not None else None
