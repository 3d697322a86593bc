"""What a sweep has done, on disk: a folder with the notebook as it was, the executed ones, and a journal of JSON lines.

A line is written in one piece and is on disk before the sweep goes on, so that a sweep that was killed knows what was
done. It does not need MLflow.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import UsageError

if TYPE_CHECKING:
    from filelock import FileLock

    from jupyter_mlops.notebook.cells import Notebook

__all__ = ["Entry", "Journal", "content_hash", "latest_sweep", "point_key"]

_JOURNAL, _NOTEBOOK, _LOCK = "journal.jsonl", "notebook.ipynb", "lock"


@dataclass
class Entry:
    """One run of a sweep, as far as it has come.

    Attributes
    ----------
    parameters
        As they may be shown: masked where they look like a secret.
    status
        ``RUNNING`` or what MLflow calls its end.
    """

    number: int
    key: str
    parameters: dict[str, Any]
    status: str
    output: str = ""
    run_id: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""


def content_hash(notebook: Notebook) -> str:
    """What the notebook does: its code and its parameters cell. Outputs and notes are left out, so saving changes nothing."""
    digest = hashlib.sha256()
    for cell in notebook.code_cells:
        digest.update(json.dumps([cell.source, sorted(cell.tags & {"parameters", "injected-parameters"})]).encode())
    return digest.hexdigest()


def point_key(content: str, parameters: Mapping[str, Any]) -> str:
    """The same for the same notebook and parameters, whatever order they come in; 1, 1.0 and True are different."""
    return hashlib.sha256(f"{content} {sorted(parameters.items())!r}".encode()).hexdigest()[:20]


class Journal:
    """A sweep's folder, locked while it runs."""

    def __init__(self, folder: Path, lock: FileLock) -> None:
        self.folder, self._lock = folder, lock

    @classmethod
    def create(cls, folder: Path, notebook: Path, head: Mapping[str, Any]) -> Journal:
        """Begin a sweep in a new folder."""
        (folder / _NOTEBOOK).write_bytes(notebook.read_bytes())
        made = cls(folder, _lock(folder))
        made._append({"sweep": dict(head)})
        return made

    @classmethod
    def reopen(cls, folder: Path, notebook: Path) -> Journal:
        """Go on with a sweep, with the notebook as it is now.

        Raises
        ------
        UsageError
            It is no sweep, or it is still running.
        """
        if not (folder / _JOURNAL).is_file():
            raise UsageError(f"{folder} is no sweep's folder: it has no {_JOURNAL}. Start without --resume.")
        made = cls(folder, _lock(folder))
        part = folder / f".{_NOTEBOOK}.partial"
        part.write_bytes(notebook.read_bytes())
        part.replace(folder / _NOTEBOOK)
        return made

    def close(self) -> None:
        """Give the folder back."""
        self._lock.release()

    @property
    def notebook(self) -> Path:
        """The notebook as it was when the sweep started: what is edited meanwhile does not get into later runs."""
        return self.folder / _NOTEBOOK

    def place(self, number: int) -> Path:
        """A name for an executed notebook that no other run has, and none before it had."""
        for attempt in range(1, 1000):
            path = self.folder / (f"{number:03}.ipynb" if attempt == 1 else f"{number:03}-{attempt}.ipynb")
            try:
                path.open("x").close()
            except FileExistsError:
                continue
            return path
        raise UsageError(f"{self.folder} has a thousand attempts of run {number}. Start a new sweep.")

    def note(self, entry: Entry) -> None:
        """Remember how far a run has come."""
        self._append({"run": asdict(entry)})

    def head(self) -> dict[str, Any]:
        """What the sweep was started with: its points have their true values."""
        return next((dict(line["sweep"]) for line in self._lines() if "sweep" in line), {})

    def entries(self) -> dict[str, Entry]:
        """The last that is known of each point, by its key."""
        found: dict[str, Entry] = {}
        for line in self._lines():
            if "run" in line:
                entry = Entry(**line["run"])
                found[entry.key] = entry
        return found

    def _lines(self) -> Iterator[dict[str, Any]]:
        for line in (self.folder / _JOURNAL).read_text(encoding="utf-8", errors="replace").split("\n"):
            try:
                data = json.loads(line)
            except ValueError:
                continue  # cut off when the sweep was killed
            if isinstance(data, dict):
                yield data

    def _append(self, data: Mapping[str, Any]) -> None:
        # The line before may have been cut off: a new one never continues it.
        line = f"\n{json.dumps(data, ensure_ascii=False, default=repr)}\n".encode()
        # Its head has the points as they are run, secrets included: without them, nobody could go on.
        file = os.open(self.folder / _JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line)
            os.fsync(file)
        finally:
            os.close(file)


def latest_sweep(runs: Path, stem: str) -> Path:
    """The folder of the last sweep of a notebook.

    Raises
    ------
    UsageError
        There is none.
    """
    found = [path for path in runs.glob(f"{_literal(stem)}-sweep-*") if (path / _JOURNAL).is_file()]
    if not found:
        raise UsageError(f"There is no sweep of {stem} in {runs} to go on with. Start without --resume.")
    return max(found, key=lambda path: (path / _JOURNAL).stat().st_mtime)


def _literal(name: str) -> str:
    import glob

    return glob.escape(name)


def _lock(folder: Path) -> FileLock:
    from filelock import FileLock, Timeout

    lock = FileLock(folder / _LOCK, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise UsageError(f"The sweep in {folder} is still running. Wait for it, or stop it first.") from None
    return lock
