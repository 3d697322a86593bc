"""DVC's own files, read without importing DVC: what is tracked and as which version, the cache, the remotes.

Reading them takes a millisecond where a call of DVC takes two seconds. Formats of DVC 3, and of DVC 2 where it differs:
there MD5s are of text with its line ends made ``\\n`` (``md5-dos2unix``), and the cache has no ``files/md5`` in its paths.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from configparser import ConfigParser
from configparser import Error as ConfigError
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

__all__ = [
    "DvcConfig",
    "Remote",
    "Tracked",
    "cached",
    "dvc_root",
    "manifest",
    "project_root",
    "read_config",
    "read_tracked",
    "tracked_by",
    "tracked_files",
]

_MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")
_SKIPPED = {".git", ".hg", ".dvc", ".venv", "venv", "node_modules", "__pycache__", ".ipynb_checkpoints", "site-packages"}


@dataclass(frozen=True)
class Tracked:
    """One file or folder that DVC knows: `md5` ends with ``.dir`` for a folder."""

    path: Path  # absolute
    file: Path  # the .dvc file, or the dvc.lock, that says so
    md5: str
    size: int | None
    legacy: bool  # recorded by DVC 2: an md5-dos2unix
    output: bool = True  # False: only read by a stage


@dataclass(frozen=True)
class Remote:
    """A place that data is pushed to."""

    name: str
    url: str

    @property
    def scheme(self) -> str:
        """``s3``, ``azure``, ...; "" for a local folder."""
        scheme = urlsplit(self.url).scheme
        return "" if len(scheme) < 2 or scheme == "file" else scheme  # one letter: a drive


@dataclass(frozen=True)
class DvcConfig:
    """What of DVC's configuration is needed here."""

    root: Path
    cache: Path
    remotes: Mapping[str, Remote]
    default: str | None

    def remote(self, name: str | None = None) -> Remote | None:
        """The remote of that name, or the default one."""
        return self.remotes.get(name or self.default or "")


def dvc_root(folder: Path) -> Path | None:
    """The nearest folder upwards in which DVC was set up."""
    return next((one for one in (folder, *folder.parents) if (one / ".dvc").is_dir()), None)


def project_root(folder: Path) -> Path | None:
    """The folder that DVC, else git, was set up in; None where there is neither."""
    found = dvc_root(folder)
    return found or next((one for one in (folder, *folder.parents) if (one / ".git").exists()), None)


def read_config(root: Path) -> DvcConfig:
    """Cache and remotes as DVC's files say; later ones win: the system's, the user's, the repository's, the local one."""
    import platformdirs

    places = [
        Path(os.environ.get("DVC_SYSTEM_CONFIG_DIR") or platformdirs.site_config_dir("dvc", "iterative")) / "config",
        Path(os.environ.get("DVC_GLOBAL_CONFIG_DIR") or platformdirs.user_config_dir("dvc", "iterative")) / "config",
        root / ".dvc" / "config",
        root / ".dvc" / "config.local",
    ]
    cache, default, remotes = root / ".dvc" / "cache", None, dict[str, Remote]()
    for place in places:
        parser = ConfigParser(interpolation=None, strict=False)
        try:
            parser.read(place, encoding="utf-8")
        except (ConfigError, UnicodeDecodeError, OSError):
            continue  # DVC itself says what is wrong with it as soon as it is called
        default = parser.get("core", "remote", fallback=default)
        if directory := parser.get("cache", "dir", fallback=None):
            cache = place.parent / directory
        for section in parser.sections():
            if (named := re.fullmatch(r"'?remote \"(.+)\"'?", section)) and (url := parser.get(section, "url", fallback=None)):
                remote = Remote(named[1], url)
                if not remote.scheme:
                    remote = Remote(named[1], os.path.normpath(place.parent / url.removeprefix("file://")))
                remotes[remote.name] = remote
    return DvcConfig(root, Path(os.path.normpath(cache)), remotes, default)


def _yaml(file: Path) -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = yaml.load(file.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - a safe loader, in C where there is one
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return data if isinstance(data, dict) else {}


def _entries(base: Path, file: Path, given: object, *, output: bool = True) -> Iterator[Tracked]:
    for one in given if isinstance(given, list) else []:
        if not isinstance(one, dict) or not isinstance(one.get("path"), str):
            continue
        md5, size = one.get("md5"), one.get("size")
        if not isinstance(md5, str) or not _MD5.fullmatch(md5):
            continue
        path = Path(os.path.normpath(base / one["path"]))
        yield Tracked(path, file, md5, size if isinstance(size, int) else None, one.get("hash") != "md5", output)


def read_tracked(file: Path) -> list[Tracked]:
    """What a ``.dvc`` file or a ``dvc.lock`` records: outputs first, then what stages read. Nothing where it cannot be read."""
    data = _yaml(file)
    if file.name != "dvc.lock":
        return list(_entries(file.parent / str(data.get("wdir", ".")), file, data.get("outs")))
    stages = data.get("stages")
    if not isinstance(stages, dict):
        return []
    written = _yaml(file.with_name("dvc.yaml")).get("stages")
    outs: list[Tracked] = []
    deps: list[Tracked] = []
    for name, stage in stages.items():
        if not isinstance(stage, dict):
            continue
        told = written.get(name) if isinstance(written, dict) else None
        base = file.parent / str(told.get("wdir", ".")) if isinstance(told, dict) else file.parent
        outs += _entries(base, file, stage.get("outs"))
        deps += _entries(base, file, stage.get("deps"), output=False)
    return [*outs, *deps]


def tracked_by(path: Path) -> list[Tracked]:
    """Records that are about `path` (absolute), or about a folder that it lies in; the nearest first.

    A ``.dvc`` file goes before a ``dvc.lock``, what a stage writes before what it reads.
    """
    root = project_root(path.parent)
    folders = [one for one in path.parents if root is None or one == root or one.is_relative_to(root)]
    if root is None:
        folders = folders[:1]
    exact: list[Tracked] = []
    above: list[Tracked] = []
    for one in (path, *folders[:-1]):
        beside = one.with_name(f"{one.name}.dvc")
        if one.name and beside.is_file():
            (exact if one == path else above).extend(t for t in read_tracked(beside) if t.path == one)
    for folder in folders:
        lock = folder / "dvc.lock"
        if lock.is_file():
            for tracked in read_tracked(lock):
                if tracked.path == path:
                    exact.append(tracked)
                elif path.is_relative_to(tracked.path) and tracked.md5.endswith(".dir"):
                    above.append(tracked)
    return [*exact, *above]


def tracked_files(root: Path) -> list[Tracked]:
    """Outputs that DVC tracks anywhere below `root`, each once, by path."""
    found: dict[Path, Tracked] = {}
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(f for f in folders if f not in _SKIPPED and not (here / f / ".dvc").is_dir())
        for name in names:
            if name == "dvc.lock" or (name.endswith(".dvc") and len(name) > 4):
                for tracked in read_tracked(here / name):
                    if tracked.output:
                        found.setdefault(tracked.path, tracked)
    return [found[path] for path in sorted(found)]


def cached(cache: Path, md5: str) -> Path | None:
    """The object with that MD5 in a cache or a remote that is a folder, in the places of DVC 3 and DVC 2."""
    if not _MD5.fullmatch(md5):
        return None
    places = (cache / "files" / "md5" / md5[:2] / md5[2:], cache / md5[:2] / md5[2:])
    return next((place for place in places if place.is_file()), None)


def manifest(file: Path) -> dict[str, str] | None:
    """Files of a folder by its ``.dir`` object: relative path (POSIX) and MD5; None where that is damaged or not to be trusted."""
    try:
        listed = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    found: dict[str, str] = {}
    for one in listed if isinstance(listed, Sequence) else []:
        name, md5 = (one.get("relpath"), one.get("md5")) if isinstance(one, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(md5, str) or not _MD5.fullmatch(md5) or md5.endswith(".dir"):
            return None
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or ".." in parts or "\x00" in name or "\\" in name:
            return None
        found[name] = md5
    return found
