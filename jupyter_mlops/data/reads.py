"""Which data files a piece of code reads: found with an audit hook while it runs, and by name in its text."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["Reads", "is_data_file", "named_files"]

# What Python, its libraries and Jupyter read for themselves.
_CODE = frozenset(
    ".py .pyc .so .pyi .pth .toml .cfg .ttf .otf .mplstyle .afm .ini .metadata .ipynb .dvc .lock .db .db-wal .db-shm "
    ".sqlite .css .js .pyd .dll .typed .j2 .template .env".split()
)
_OF_LIBRARIES = frozenset(".csv .zip .gz .parquet .tsv .feather .xlsx .arff".split())  # data sets that packages bring along
_FOLDERS = frozenset(("__pycache__", ".git", ".dvc", "mlruns", "mlartifacts", ".ipynb_checkpoints", ".venv", "node_modules"))
_SYSTEM = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/", "/lib/", "/run/")
_WRITES = os.O_WRONLY | os.O_RDWR

_active: set[Reads] = set()
_installed = False


class Reads:
    """Context that notes the files which are opened for reading in it, in any thread of this process.

    What libraries open in C++ or Rust (Polars, Arrow datasets) is not seen; see `named_files`.

    Attributes
    ----------
    seen
        Size in bytes and time of change in ns of each file as it was first opened, by its absolute path.
    """

    def __init__(self) -> None:
        self.seen: dict[str, tuple[int, int]] = {}

    def __enter__(self) -> Reads:
        global _installed
        if not _installed:  # a hook cannot be taken away again
            sys.addaudithook(_hook)
            _installed = True
        _active.add(self)
        return self

    def __exit__(self, *error: object) -> None:
        _active.discard(self)

    def files(self, since_ns: int) -> list[Path]:
        """Data files among them that were there before `since_ns`, in the order of their first opening."""
        return [Path(path) for path, (_, changed) in self.seen.items() if changed < since_ns and is_data_file(Path(path))]

    def changed(self, path: Path) -> bool:
        """Whether a file is no longer what was read."""
        before = self.seen.get(str(path))
        try:
            now = path.stat()
        except OSError:
            return before is not None
        return before is not None and before != (now.st_size, now.st_mtime_ns)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not _active:
        return
    path, mode, flags = arguments
    if not isinstance(path, (str, bytes)):
        if not isinstance(path, os.PathLike):
            return  # a file that is open already
        path = os.fspath(path)
    if (isinstance(mode, str) and any(c in mode for c in "wax+")) or (isinstance(flags, int) and flags & _WRITES):
        return
    text = os.fsdecode(path)
    if text.endswith((".py", ".pyc", ".so")) or text.startswith(_SYSTEM):
        return
    try:
        full = os.path.abspath(text)  # noqa: PTH100 - runs at each opening of a file
        found = os.stat(full)  # noqa: PTH116
    except (OSError, ValueError):
        return
    for one in tuple(_active):
        one.seen.setdefault(full, (found.st_size, found.st_mtime_ns))


def is_data_file(path: Path, home: Path | None = None) -> bool:
    """Whether a file that was read is data, not code, configuration or a library's own.

    Parameters
    ----------
    home
        The notebook's folder (default: the working directory). Below it, hidden folders hold no data; it may lie in one.
    """
    suffix = path.suffix.lower()
    if not suffix or suffix in _CODE or not path.is_file():
        return False
    if "site-packages" in path.parts or "dist-packages" in path.parts:
        return suffix in _OF_LIBRARIES
    home = home or Path.cwd()
    parts = path.relative_to(home).parts if path.is_relative_to(home) else path.parts
    if any(part in _FOLDERS or part.startswith(".") for part in parts):
        return False
    return not path.is_relative_to(Path(sys.base_prefix) / "lib") or suffix in _OF_LIBRARIES


def named_files(source: str, namespace: Mapping[str, Any], names: Iterable[str]) -> list[Path]:
    """Files and folders of data that code names in a text of its own or through a variable, and that exist.

    The working directory and those above it are none: a "." or "/" in code is mostly something else.

    Parameters
    ----------
    names
        Variables that the code uses.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    for name in names:
        value = namespace.get(name)
        if isinstance(value, (str, os.PathLike)):
            texts.append(os.fspath(value))
    found: dict[Path, None] = {}
    for text in texts:
        if not isinstance(text, str) or not text or len(text) > 1000 or "\n" in text or "\0" in text:
            continue
        try:
            path = Path(os.path.abspath(Path(text).expanduser()))  # noqa: PTH100 - without its dots
            if is_data_file(path) or (path.is_dir() and not Path.cwd().is_relative_to(path) and _holds_tables(path)):
                found[path] = None
        except (OSError, RuntimeError):  # no path, but the text of a formula or a query: "~(age > 30)"
            continue
    return list(found)


def _holds_tables(folder: Path) -> bool:
    """A folder that is read as one table, such as a partitioned Parquet one."""
    for number, path in enumerate(folder.rglob("*")):
        if path.suffix.lower() in (".parquet", ".arrow", ".feather"):
            return True
        if number > 200:
            break
    return False
