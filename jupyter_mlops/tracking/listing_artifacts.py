"""What a run left behind as files and two runs are compared by: its code, its data versions, its environment."""

from __future__ import annotations

import json
import logging
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.tracking.store import store

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["RunArtifacts", "no_progress_bar", "read_artifacts"]

_LIMIT = 20 * 2**20  # bytes of a file that is read
_quiet = threading.Lock()


@dataclass(frozen=True)
class RunArtifacts:
    """The files of a run that are compared; None where there is none.

    Attributes
    ----------
    source
        Code of the tracked cell.
    cells
        Code cells of the notebook.
    data
        The objects of ``data.json``.
    environment
        The object of ``environment.json``.
    problems
        Why files could not be read.
    """

    source: str | None = None
    cells: Sequence[str] | None = None
    data: Sequence[Mapping[str, Any]] | None = None
    environment: Mapping[str, Any] | None = None
    problems: Sequence[str] = ()


def read_artifacts(uri: str, run_id: str) -> RunArtifacts:
    """Read them; what is missing or cannot be read is left out, and said in the second case.

    Raises
    ------
    TrackingError
        The store refused.
    """
    problems: list[str] = []
    with store(uri) as client, tempfile.TemporaryDirectory(prefix="mlops-") as scratch:
        files = _Files(client, run_id, Path(scratch), problems)
        top = files.names("")
        source = files.text("cell/source.py") if "cell" in top else None
        notebook = next((one for one in files.names("notebook") if one.endswith(".ipynb")), None) if "notebook" in top else None
        text = files.text(notebook) if notebook is not None else None
        data = files.json("data.json") if "data.json" in top else None
        environment = files.json("environment/environment.json") if "environment" in top else None
        return RunArtifacts(
            source=source,
            cells=_code(text) if text is not None else None,
            data=[one for one in data if isinstance(one, dict) and "path" in one] if isinstance(data, list) else None,
            environment=environment if isinstance(environment, dict) else None,
            problems=problems,
        )


class _Files:
    """A run's files, each fetched when it is asked for."""

    def __init__(self, client: MlflowClient, run_id: str, scratch: Path, problems: list[str]) -> None:
        self.client, self.run_id, self.scratch, self.problems = client, run_id, scratch, problems

    def names(self, folder: str) -> list[str]:
        """Paths of what lies in a folder."""
        try:
            return [str(one.path) for one in self.client.list_artifacts(self.run_id, folder or None)]
        except Exception as error:  # artifact stores raise what their libraries raise
            self.problems.append(f"The files of run {self.run_id[:8]} cannot be listed: {_short(error)}")
            return []

    def text(self, path: str) -> str | None:
        """A file's text; None where it is not there."""
        parent = path.rpartition("/")[0]
        try:
            found = [one for one in self.client.list_artifacts(self.run_id, parent or None) if one.path == path]
            if not found:
                return None
            if (found[0].file_size or 0) > _LIMIT:
                self.problems.append(
                    f"{path} of run {self.run_id[:8]} is too large to be compared ({found[0].file_size:,} bytes)."
                )
                return None
            with no_progress_bar():
                local = self.client.download_artifacts(self.run_id, path, str(self.scratch))
            return Path(local).read_text(encoding="utf-8", errors="replace")
        except Exception as error:
            self.problems.append(f"{path} of run {self.run_id[:8]} cannot be read: {_short(error)}")
            return None

    def json(self, path: str) -> Any:
        """A file's content; None where it is not there or is no JSON."""
        text = self.text(path)
        if text is None:
            return None
        try:
            return json.loads(text)
        except ValueError as error:
            self.problems.append(f"{path} of run {self.run_id[:8]} is not JSON: {error}")
            return None


def _code(notebook: str) -> list[str] | None:
    """Sources of the code cells, without what a cell says of itself."""
    try:
        cells = json.loads(notebook)["cells"]
        sources = [one["source"] for one in cells if one["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError):
        return None
    return ["".join(one) if isinstance(one, list) else str(one) for one in sources]


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


@contextmanager
def no_progress_bar() -> Iterator[None]:
    """MLflow draws a bar for each file, which only the environment can switch off."""
    name = "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"
    logger = logging.getLogger("mlflow.store.artifact")
    with _quiet:
        before = os.environ.get(name)
        os.environ[name] = "false"
        level = logger.level
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)
            if before is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = before
