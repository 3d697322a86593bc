"""Runs on disk until MLflow has them: a folder for each, with a journal of what was recorded and the files that go along.

A run's folder holds `run.json` (where it belongs), `journal.jsonl` (what was recorded, one operation a line), `files/`
(its artifacts) and a lock that the process that writes or delivers holds. The lock of a process that died is free: what
it left behind is delivered by the next one.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.tracking.store import absolute

if TYPE_CHECKING:
    from filelock import FileLock

__all__ = ["SPOOL_TAG", "SpooledRun", "spool_folder", "spooled_runs"]

SPOOL_TAG = "mlops.spool"  # the tag by which a run that was sent once is found again
_numbers = count()
_HEAD, _JOURNAL, _FILES, _LOCK = "run.json", "journal.jsonl", "files", "lock"


def spool_folder() -> Path:
    """Where runs wait: ``JUPYTER_MLOPS_SPOOL``, else a folder of Jupyter's data of this user."""
    if explicit := os.environ.get("JUPYTER_MLOPS_SPOOL"):
        return Path(explicit)
    from jupyter_core.paths import jupyter_data_dir

    return Path(jupyter_data_dir()) / "mlops" / "spool"


class SpooledRun:
    """One run's folder, locked by whoever holds the object.

    Operations are dictionaries with one key: ``params`` and ``tags`` (name: text), ``metrics`` (lists of name, value, time
    in ms, step), ``untag`` (name), ``inputs`` (datasets), ``end`` (status, time in ms). All of them can be sent twice without
    harm.
    """

    def __init__(self, folder: Path, lock: FileLock) -> None:
        self.folder, self._lock = folder, lock
        self._head: dict[str, Any] = json.loads((folder / _HEAD).read_text(encoding="utf-8"))

    # -- its life -----------------------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls, *, uri: str, experiment: str, name: str, tags: Mapping[str, str], parent: str | None = None,
        start_time: int | None = None,
    ) -> SpooledRun:  # fmt: skip
        """Begin a run on disk. `parent` is MLflow's id of another run, or the local id of one that waits too."""
        local_id = uuid.uuid4().hex
        start = int(time.time() * 1000) if start_time is None else start_time
        folder = spool_folder() / f"{start}-{next(_numbers):06d}-{local_id}"  # parents before children of the same millisecond
        # Values and addresses are nobody else's business.
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(mode=0o700)
        lock = _lock(folder)
        lock.acquire(blocking=False)
        head = {
            "version": 1, "local_id": local_id, "run_id": None, "asked": False, "uri": absolute(uri), "experiment": experiment, "name": name,
            "parent": parent, "tags": {**tags, SPOOL_TAG: local_id}, "start_time": start, "user": tags.get("mlflow.user", ""),
        }  # fmt: skip
        try:
            _write(folder / _HEAD, head)
            return cls(folder, lock)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            lock.release()
            raise

    @classmethod
    def take(cls, folder: Path) -> SpooledRun | None:
        """The waiting run of a folder, or None when another process has it or it is gone."""
        from filelock import Timeout

        if not (folder / _HEAD).is_file():
            return None
        lock = _lock(folder)
        try:
            lock.acquire(blocking=False)
            return cls(folder, lock)
        except Timeout:
            return None
        except FileNotFoundError:  # delivered between the two lines; taking the lock has made the folder anew
            shutil.rmtree(folder, ignore_errors=True)
            lock.release()
            return None
        except (OSError, ValueError):
            lock.release()
            return None

    def release(self) -> None:
        """Leave it to whoever comes next."""
        self._lock.release()

    def remove(self) -> None:
        """MLflow has all of it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.release()

    # -- what is known of it --------------------------------------------------------------------------------------------

    @property
    def local_id(self) -> str:
        """The id that it has before MLflow gives it one."""
        return str(self._head["local_id"])

    @property
    def run_id(self) -> str | None:
        """MLflow's id, once it is known."""
        value: str | None = self._head["run_id"]
        return value

    @property
    def asked(self) -> bool:
        """Whether MLflow was asked for the run: it may exist there though the answer was never seen."""
        return bool(self._head["asked"])

    @property
    def uri(self) -> str:
        """The store that it belongs to."""
        return str(self._head["uri"])

    @property
    def experiment(self) -> str:
        """The experiment's name."""
        return str(self._head["experiment"])

    @property
    def name(self) -> str:
        """The run's name."""
        return str(self._head["name"])

    @property
    def parent(self) -> str | None:
        """Id of the run that it is nested in."""
        value: str | None = self._head["parent"]
        return value

    @property
    def tags(self) -> dict[str, str]:
        """Tags that it begins with."""
        return dict(self._head["tags"])

    @property
    def start_time(self) -> int:
        """Milliseconds since 1970."""
        return int(self._head["start_time"])

    @property
    def files(self) -> Path:
        """The folder whose content becomes the run's artifacts."""
        return self.folder / _FILES

    def note(self, *, asked: bool | None = None, run_id: str | None = None) -> None:
        """Remember how far the creation in MLflow has come."""
        if asked is not None:
            self._head["asked"] = asked
        if run_id is not None:
            self._head["run_id"] = run_id
        _write(self.folder / _HEAD, self._head)

    # -- its journal ----------------------------------------------------------------------------------------------------

    def append(self, operation: Mapping[str, Any]) -> None:
        """Add an operation; it is on disk when this returns (as far as a dying process is concerned)."""
        line = json.dumps(operation, ensure_ascii=False)
        # No store takes the half characters that names of files in another encoding come with.
        with (self.folder / _JOURNAL).open("a", encoding="utf-8", errors="replace") as file:
            file.write(f"{line}\n")

    def operations(self) -> list[dict[str, Any]]:
        """All operations, in order; a line that was cut off by a crash is left out."""
        try:
            lines = (self.folder / _JOURNAL).read_text(encoding="utf-8", errors="replace").split("\n")
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    @property
    def last_change(self) -> int:
        """Milliseconds since 1970 of the last entry."""
        journal = self.folder / _JOURNAL
        return int((journal if journal.exists() else self.folder / _HEAD).stat().st_mtime * 1000)


def spooled_runs() -> Iterator[Path]:
    """Folders of runs that wait, or are being recorded, the oldest first."""
    folder = spool_folder()
    if folder.is_dir():
        yield from sorted(one for one in folder.iterdir() if (one / _HEAD).is_file())


def _lock(folder: Path) -> FileLock:
    from filelock import FileLock

    # Taken by the thread that records, given back by the one that delivers.
    return FileLock(folder / _LOCK, thread_local=False)


def _write(path: Path, data: Mapping[str, Any]) -> None:
    part = path.with_suffix(".partial")
    part.write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8", errors="replace")
    part.replace(path)
