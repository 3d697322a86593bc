"""DVC itself: its commands as a subprocess, its remotes through its library. Neither goes through a shell."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from jupyter_mlops.data.dvc_files import DvcConfig, Remote, dvc_root, read_config
from jupyter_mlops.environment import inherited
from jupyter_mlops.errors import DataError, MissingPackageError, UsageError

__all__ = ["Said", "call", "check_remote", "fetch_objects", "relative_arguments", "require_dvc", "set_up"]

# Scheme of a remote's address: module that DVC reaches it with, and the package that holds it.
_EXTRAS = {
    "s3": ("dvc_s3", "dvc-s3"), "azure": ("dvc_azure", "dvc-azure"), "gs": ("dvc_gs", "dvc-gs"), "gdrive": ("dvc_gdrive", "dvc-gdrive"),
    "oss": ("dvc_oss", "dvc-oss"), "ssh": ("dvc_ssh", "dvc-ssh"), "hdfs": ("dvc_hdfs", "dvc-hdfs"), "webhdfs": ("dvc_webhdfs", "dvc-webhdfs"),
    "webdav": ("dvc_webdav", "dvc-webdav"), "webdavs": ("dvc_webdav", "dvc-webdav"),
}  # fmt: skip
_CHATTER = (
    "having any troubles", "hit us up at", "to enable auto staging", "dvc config core.autostage", "what's next?", "- check out the doc",
    "- get help and share", "- star us on", "initialized dvc repository",
)  # fmt: skip


@dataclass(frozen=True)
class Said:
    """What a call of DVC came to."""

    ok: bool
    text: str  # what DVC had to say, without advertisement; "" where it wrote to the terminal itself


def require_dvc() -> None:
    """Stop where DVC is not installed.

    Raises
    ------
    MissingPackageError
        With the command that installs it.
    """
    if find_spec("dvc") is None:
        raise MissingPackageError("DVC is not installed. Install it: pip install 'jupyter-mlops[data]'.")


def call(folder: Path, *arguments: str, live: bool = False) -> Said:
    """Run ``dvc`` in a folder.

    Parameters
    ----------
    live
        Let DVC draw its progress where standard error is a terminal; what it says is then not in the answer.
    """
    require_dvc()
    env = {
        **inherited(),
        "DVC_NO_ANALYTICS": "1", "PYTHONIOENCODING": "utf-8",
    }  # fmt: skip
    live = live and sys.stderr.isatty()
    # -P: a module of the project (copy.py, random.py) must not stand in for the library's.
    done = subprocess.run(
        [sys.executable, "-P", "-m", "dvc", *arguments], cwd=folder, env=env, check=False, stdin=subprocess.DEVNULL,
        stdout=None if live else subprocess.PIPE, stderr=None if live else subprocess.STDOUT,
    )  # fmt: skip
    text = (done.stdout or b"").decode("utf-8", "replace")
    return Said(done.returncode == 0, _matters(text))


def _matters(text: str) -> str:
    kept: list[str] = []
    for line in text.replace("\r", "\n").splitlines():
        plain = line.strip().lower()
        if set(plain) <= set("+-| ") or any(part in plain for part in _CHATTER):
            continue
        kept.append(line.rstrip())
    return "\n".join(kept).strip()


def set_up(folder: Path) -> tuple[Path, str]:
    """Set DVC up for a folder, at the root of its git repository where there is one. Returns the root and what was done.

    Raises
    ------
    DataError
        DVC refused.
    """
    require_dvc()
    git = next((one for one in (folder, *folder.parents) if (one / ".git").exists()), None)
    if git is not None and shutil.which("git") is not None:
        root, how = git, ["init"]
        told = f"DVC was set up in {root} (dvc init): commit .dvc/ and .dvcignore with git."
    else:
        root, how = folder, ["init", "--no-scm"]
        told = f"DVC was set up in {root} without git (dvc init --no-scm)."
    said = call(root, *how)
    if not said.ok or dvc_root(root) != root:
        raise DataError(f"DVC could not be set up in {root}: {said.text}")
    return root, told


def check_remote(config: DvcConfig, name: str | None, command: str) -> Remote:
    """The remote that is meant, if data can go there from this environment.

    Raises
    ------
    UsageError
        None is set up, or none of that name.
    MissingPackageError
        DVC needs a further package for its kind of address.
    """
    remote = config.remote(name)
    if remote is None:
        known = ", ".join(config.remotes)
        if name:
            raise UsageError(f"There is no remote {name!r} in {config.root}. " + (f"Known: {known}." if known else _how_to_add()))
        if known:
            raise UsageError(
                f"No remote is the default one in {config.root} (there are: {known}). Name one with -r, or choose one: "
                "dvc remote default NAME"
            )
        raise UsageError(f"No remote is set up in {config.root}, so there is nowhere to {command}. {_how_to_add()}")
    module, package = _EXTRAS.get(remote.scheme, ("dvc", "dvc"))
    if find_spec(module) is None:
        raise MissingPackageError(f"The remote {remote.name!r} ({remote.url}) needs a package of DVC's: pip install {package}")
    return remote


def _how_to_add() -> str:
    return "Set one up: dvc remote add -d NAME ADDRESS (ADDRESS: a folder, s3://bucket/path, azure://container/path, ...)"


def fetch_objects(root: Path, md5s: Iterable[str], *, legacy: Iterable[str] = (), remote: str | None = None) -> str | None:
    """Bring objects from a remote into the cache, by their MD5, as far as the remote has them.

    Parameters
    ----------
    legacy
        Those that DVC 2 recorded (``md5-dos2unix``).

    Returns
    -------
    str or None
        Why the remote could not be asked; None when it was.
    """
    config = read_config(root)
    try:
        check_remote(config, remote, "fetch from")
        require_dvc()
    except (UsageError, MissingPackageError) as error:
        return str(error)
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc_data.hashfile.hash_info import HashInfo

    wanted = [HashInfo("md5", md5) for md5 in md5s]
    old = [HashInfo("md5-dos2unix", md5) for md5 in legacy]
    try:
        with _overheard() as errors, Repo(str(root)) as repo, repo.lock:
            for objects in (wanted, old):
                if objects:
                    repo.cloud.pull(objects, remote=remote)
    except (DvcException, OSError) as error:
        return f"The remote could not be asked ({error})."
    except Exception as error:  # the storage's own client: no common class
        return f"The remote could not be asked ({type(error).__name__}: {error})."
    return f"Fetching failed ({errors[0]})." if errors else None


class _Errors(logging.Handler):
    """Keeps what DVC logs of objects that it could not transfer."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        cause = record.exc_info[1] if record.exc_info else None
        self.texts.append(f"{type(cause).__name__}: {cause}" if cause else record.getMessage())


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """Errors that DVC logs, while it keeps quiet itself: its own handler writes to whatever stream it began with."""
    heard = _Errors()
    loggers = [logging.getLogger(name) for name in ("dvc", "dvc_data", "dvc_objects")]
    before = [(one.handlers, one.propagate) for one in loggers]
    for one in loggers:
        one.handlers, one.propagate = [heard], False
    try:
        yield heard.texts
    finally:
        for one, (handlers, propagate) in zip(loggers, before, strict=True):
            one.handlers, one.propagate = handlers, propagate


def relative_arguments(root: Path, paths: Sequence[Path]) -> list[str]:
    """Paths as DVC's commands take them from the root: a name that begins with a dash is no option.

    Raises
    ------
    UsageError
        A path is not there or not in the project.
    """
    found = []
    for path in paths:
        absolute = Path(os.path.normpath(path.absolute()))
        if not os.path.lexists(absolute):
            raise UsageError(f"There is no {path}. Give the path of a file or folder.")
        if not absolute.is_relative_to(root):
            raise UsageError(f"{path} is not inside {root}, where DVC was set up. Move it there, or call from its own project.")
        if absolute == root or {".git", ".dvc"} & set(absolute.relative_to(root).parts):
            raise UsageError(f"{path} is not data: give a file or folder inside of {root}.")
        found.append(absolute.relative_to(root).as_posix())
    return found
