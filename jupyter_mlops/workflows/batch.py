"""Score files of any size with a registered model, or with a project (`jupyter mlops batch`).

The project scores: its `batch/` is what Spark's executors run too, and what works without this package. Here its archive is found,
checked and run in a process of its own.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import EnvironmentLackError, NotFoundError, UsageError
from jupyter_mlops.promotion.process import clean_environment, run_process
from jupyter_mlops.tracking.lifecycle import VersionFacts, find_to_deploy, find_version
from jupyter_mlops.tracking.store import shown, tracking_uri
from jupyter_mlops.workflows.artifact import Artifact, ArtifactError, note_version
from jupyter_mlops.workflows.events import Event, Listener

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BatchOptions", "BatchResult", "batch"]

_INTERRUPTED = 130
_TAIL = 15  # lines of a log that a message shows


@dataclass(frozen=True)
class BatchOptions:
    """How to score; None leaves the project's default.

    Attributes
    ----------
    engine
        "local" or "spark".
    master
        Of Spark.
    format
        Of the parts: "parquet" or "csv".
    prefix
        Goes before the names of the columns that are added.
    batch_rows, part_rows
        Rows of one call of the model, and of a part.
    workers
        Threads of the local engine.
    max_bad
        Share of bad rows (0 to 1) beyond which the batch fails.
    """

    engine: str = "local"
    master: str | None = None
    format: str = "parquet"
    prefix: str = ""
    batch_rows: int | None = None
    part_rows: int | None = None
    workers: int | None = None
    max_bad: float | None = None
    resume: bool = False
    force: bool = False
    tracking_uri: str | None = None

    def arguments(self) -> list[str]:
        """For ``python -m batch``."""
        given = ["--engine", self.engine, "--format", self.format]
        for name in ("master", "prefix", "batch_rows", "part_rows", "workers", "max_bad"):
            if value := getattr(self, name):
                given.append(f"--{name.replace('_', '-')}={value}")
        if self.max_bad == 0:
            given.append("--max-bad=0")
        return [*given, *(f"--{name}" for name in ("resume", "force") if getattr(self, name))]


@dataclass(frozen=True)
class BatchResult:
    """What came of a batch.

    Attributes
    ----------
    manifest
        As OUT's ``_SUCCESS`` holds it; None where too many rows are bad.
    error
        Why there is none.
    """

    out: Path
    manifest: Mapping[str, Any] | None
    error: str | None = None

    @property
    def exit_code(self) -> int:
        """Of the command."""
        return 0 if self.manifest is not None else 1

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"ok": self.manifest is not None, "out": str(self.out), "error": self.error, "manifest": self.manifest}


def batch(
    model: str | Path, reference: str | None, given: Path, out: Path, options: BatchOptions | None = None,
    listen: Listener = lambda event: None,
) -> BatchResult:  # fmt: skip
    """Score Parquet or CSV files.

    Parameters
    ----------
    model
        Name of a registered model; or, as a path, a generated project.
    reference
        Version or alias; None: the version in production.
    given, out
        A file or a folder of files, and a folder for the parts.

    Raises
    ------
    NotFoundError
        There is no such model, version or project, or its archive was changed.
    UsageError
        IN or OUT is not what it has to be; the project says what to do.
    EnvironmentLackError
        A package or Java is missing, or the process ended by itself.
    KeyboardInterrupt
        It was asked to stop; parts that are done stay.
    """
    options = options or BatchOptions()
    with _project(model, reference, options, listen) as (project, about):
        if not (project / "batch" / "scoring.py").is_file():
            raise NotFoundError(
                f"The project of {about.get('name', project)} has no batch/: an earlier version of jupyter-mlops made it. "
                "Convert the notebook again."
            )
        return _run(project, about, given.absolute(), out.absolute(), options, listen)


@contextmanager
def _project(
    model: str | Path, reference: str | None, options: BatchOptions, listen: Listener
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The project, and what the manifest says of it."""
    if isinstance(model, Path):
        if not (model / "model" / "metadata.json").is_file():
            raise NotFoundError(
                f"{model} is no generated project: it has no model/metadata.json. Name the folder that convert wrote."
            )
        yield model.absolute(), {}
        return
    uri = tracking_uri(options.tracking_uri, Path.cwd())
    listen(Event("fetch", "started", f"the project of {model}"))
    facts = _find(uri, model, reference)
    with tempfile.TemporaryDirectory(prefix="jupyter-mlops-batch-") as scratch:
        try:
            project = Artifact(uri, model, facts.version, facts.digest, facts.run_id, Path(scratch)).project()
        except ArtifactError as error:
            raise NotFoundError(str(error)) from None
        note_version(project, facts)
        listen(Event("fetch", "done", f"version {facts.version}, archive {str(facts.digest)[:12]}"))
        yield project, {"name": model, "version": facts.version, "run_id": facts.run_id, "archive": facts.digest}


def _find(uri: str, model: str, reference: str | None) -> VersionFacts:
    if reference is None or reference.isdecimal():
        return find_to_deploy(uri, model, reference)
    aliases = find_version(uri, model).aliases
    if reference not in aliases:
        known = ", ".join(sorted(aliases)) or "none"
        raise NotFoundError(
            f"The model {model} in {shown(uri)} has no alias {reference!r} (it has: {known}). Name one, or a version."
        )
    return find_version(uri, model, aliases[reference])


def _run(project: Path, about: Mapping[str, Any], given: Path, out: Path, options: BatchOptions, listen: Listener) -> BatchResult:
    said: dict[str, Any] = {}

    def hear(line: str) -> None:
        try:
            event = json.loads(line)
        except ValueError:
            return  # of Java, or a warning of a library
        if isinstance(event, dict) and "step" in event:
            listen(Event(**event))
        elif isinstance(event, dict):
            said.update(event)

    command = [sys.executable, "-m", "batch", str(given), str(out), *options.arguments(), "--json", "--about", json.dumps(about)]
    done = run_process(command, folder=project, environment=clean_environment(), seconds=float("inf"), hear=hear)
    if done.code == 0 and "result" in said:
        return BatchResult(out, said["result"])
    if done.code == 1 and "error" in said:
        return BatchResult(out, None, said["error"])
    if done.code == _INTERRUPTED:
        raise KeyboardInterrupt
    if "error" in said:
        raise UsageError(said["error"])
    lines = [line for line in done.log.splitlines() if not line.startswith('{"step"')]
    raise EnvironmentLackError(
        f"The batch ended with code {done.code}; what is done stays, go on with --resume. It said last:\n"
        + "\n".join(lines[-_TAIL:])
    )
