"""Output folders that are replaced whole, and never over a user's edits.

A project is made in a hidden folder beside its place and moved there by two renames. `.jupyter-mlops.json` in it lists
every file with its hash: what differs from it later is the user's work.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from jupyter_mlops.checksums import file_digest
from jupyter_mlops.errors import EditedError, OutputError

__all__ = [
    "MANIFEST",
    "check_part",
    "check_target",
    "edited_files",
    "project_files",
    "publish",
    "publish_part",
    "staging",
    "write_manifest",
]

MANIFEST = ".jupyter-mlops.json"
# Made by running the project, not by anyone's hand.
_MADE = frozenset({"__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache", ".venv", ".git", "mlruns", "mlflow.db"})


def project_files(folder: Path, left_out: Collection[str] = ()) -> Iterator[Path]:
    """Files of a project, but for what running it makes and files and folders of these names."""
    ignored = _MADE.union(left_out)
    for root, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if f not in ignored and not f.endswith(".egg-info")]
        yield from (Path(root) / name for name in names if name not in ignored)


def write_manifest(folder: Path) -> None:
    """Note every file of a finished project."""
    _note(folder, {path.relative_to(folder).as_posix(): file_digest(path) for path in sorted(project_files(folder, [MANIFEST]))})


def _note(folder: Path, hashes: dict[str, str]) -> None:
    part = folder / f"{MANIFEST}.{os.getpid()}.partial"
    part.write_text(json.dumps({"files": hashes}, indent=1) + "\n", encoding="utf-8")
    part.replace(folder / MANIFEST)


def _noted(folder: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    return found


def edited_files(folder: Path, left_out: Collection[str] = ()) -> list[str]:
    """Files of a generated project that were changed, added or removed since it was made, but for files and folders of these names."""
    noted = {name: digest for name, digest in _noted(folder).items() if not set(name.split("/")) & set(left_out)}
    here = {path.relative_to(folder).as_posix(): path for path in project_files(folder, [MANIFEST, *left_out])}
    changed = [name for name, path in here.items() if noted.get(name) != file_digest(path)]
    return sorted([*changed, *(name for name in noted if name not in here)])


def check_target(
    folder: Path, *, force: bool, what: str = "project", made: str = "made by a conversion", again: str = "Convert",
    left_out: Collection[str] = (),
) -> None:  # fmt: skip
    """Refuse, before any work is done, a folder that must not be replaced.

    Parameters
    ----------
    what, made, again
        For the messages: what such a folder holds, how it came there, and how it comes into another one.
    left_out
        Names of files and folders that may change: no edits.

    Raises
    ------
    OutputError
        It is a file, or holds something else.
    EditedError
        It holds one with edits, and `force` is not given.
    """
    if not folder.exists():
        parent = next(p for p in folder.absolute().parents if p.exists())
        if not parent.is_dir() or not os.access(parent, os.W_OK):
            raise OutputError(f"The output folder {folder} cannot be made: {parent} is not writable. Choose another one.")
        return
    if not folder.is_dir():
        raise OutputError(f"The output {folder} is a file. Choose a folder.")
    if not any(folder.iterdir()):
        return
    if not (folder / MANIFEST).is_file():
        raise OutputError(f"The output folder {folder} holds files that were not {made}. Choose an empty or new folder.")
    if not force and (edits := edited_files(folder, left_out)):
        shown = ", ".join(edits[:5]) + (f" and {len(edits) - 5} more" if len(edits) > 5 else "")
        raise EditedError(
            f"The {what} in {folder} was edited since it was made ({shown}). {again} into another folder, or replace it "
            f"(--force on the command line): the edited {what} is then kept beside it."
        )


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """A hidden folder beside `folder` to build in, removed at the end whatever happens.

    What a killed conversion left behind is removed when its process is gone.
    """
    parent = folder.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(f".{folder.name}.*.partial"):
        pid = left.name.removesuffix(".partial").rsplit(".", 1)[-1]
        if pid.isdigit() and not _alive(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    place = parent / f".{folder.name}.{os.getpid()}.partial"
    shutil.rmtree(place, ignore_errors=True)
    try:
        place.mkdir()
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def publish(built: Path, folder: Path, left_out: Collection[str] = ()) -> Path | None:
    """Put a finished project in its place by renames. Returns where an edited former project was kept, if any; see `check_target`."""
    write_manifest(built)
    folder = folder.absolute()
    if not folder.exists():
        built.rename(folder)
        return None
    kept = (folder / MANIFEST).is_file() and bool(edited_files(folder, left_out))
    former = folder.with_name(f"{folder.name}.{time.strftime('%Y%m%d-%H%M%S')}" + (".edited" if kept else ".former"))
    folder.rename(former)
    try:
        built.rename(folder)
    except OSError:
        former.rename(folder)
        raise
    if kept:
        return former
    shutil.rmtree(former, ignore_errors=True)
    return None


def check_part(folder: Path, names: Collection[str], *, force: bool) -> list[str]:
    """Refuse, before any work is done, to replace files of a project that a user has edited or made.

    Parameters
    ----------
    names
        Files that would be written, relative to the project.

    Returns
    -------
    list of str
        Those that are edited, with `force`.

    Raises
    ------
    OutputError
        The folder holds no generated project.
    EditedError
        Some are edited, and `force` is not given.
    """
    if not (folder / MANIFEST).is_file():
        raise OutputError(
            f"{folder} holds no project that `jupyter mlops convert` made ({MANIFEST} is not in it). Give the folder of a project."
        )
    noted = _noted(folder)
    edited = [name for name in names if (folder / name).exists() and noted.get(name) != file_digest(folder / name)]
    if edited and not force:
        raise EditedError(
            f"{', '.join(edited)} in {folder} {'was' if len(edited) == 1 else 'were'} edited. Move them away, or replace them "
            "(--force on the command line): the edited ones are then kept beside."
        )
    return edited


def publish_part(built: Path, folder: Path, part: str) -> Path | None:
    """Put finished files into a subfolder of a project, in one step, and note them as the project's.

    Parameters
    ----------
    built
        A folder on the same disk that holds them; other files of the subfolder stay as they are.
    part
        Name of the subfolder.

    Returns
    -------
    Path or None
        Where the subfolder was kept as it was before, if one of the files had been edited.
    """
    target = folder / part
    names = sorted(path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file())
    hashes = {f"{part}/{name}": file_digest(built / name) for name in names}
    edited = check_part(folder, hashes, force=True)
    noted = _noted(folder)
    if not target.exists():
        built.rename(target)
        _note(folder, {**noted, **hashes})
        return None
    for path in target.rglob("*"):
        other = built / path.relative_to(target)
        if path.is_file() and not other.exists() and "__pycache__" not in path.parts:
            other.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, other)
    former = folder / f"{part}.{time.strftime('%Y%m%d-%H%M%S')}.{'edited' if edited else 'former'}"
    target.rename(former)
    try:
        built.rename(target)
    except OSError:
        former.rename(target)
        raise
    _note(folder, {**noted, **hashes})
    if edited:
        return former
    shutil.rmtree(former, ignore_errors=True)
    return None
