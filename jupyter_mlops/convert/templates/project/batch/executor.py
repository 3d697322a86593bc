"""What a Spark executor does: it keeps the model that it has loaded for the chunks that follow."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path
from typing import Any

from batch.errors import BatchError
from batch.job import JOB, Job
from batch.scoring import Scorer


def prepare(given: Path, out: Path) -> None:
    """Load the model.

    Raises
    ------
    BatchError
        The folders are not here, or the model does not predict its golden rows.
    """
    for path in (given, out / JOB):
        if not path.exists():
            raise BatchError(
                f"The executor on {platform.node()} does not see {path}. IN and OUT have to be on a file system that "
                "all executors share, under the same path."
            )
    _prepared(out, (out / JOB).stat().st_mtime_ns)


def score_number(out: Path, number: int) -> dict[str, Any]:
    """Make the part of a chunk, by its number in the job of OUT."""
    job, scorer = _prepared(out, (out / JOB).stat().st_mtime_ns)
    return job.score(job.chunks[number], scorer)


@cache
def _prepared(out: Path, modified: int) -> tuple[Job, Scorer]:
    job = Job.read(out)
    return job, job.scorer(1)
