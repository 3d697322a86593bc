"""What a Spark executor does: it keeps the model that it has loaded for the chunks that follow."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from batch.job import JOB, Job
from batch.scoring import Scorer


def score_number(out: Path, number: int) -> dict[str, Any]:
    """Make the part of a chunk, by its number in the job of OUT."""
    job, scorer = _prepared(out, (out / JOB).stat().st_mtime_ns)
    return job.score(job.chunks[number], scorer)


@cache
def _prepared(out: Path, modified: int) -> tuple[Job, Scorer]:
    job = Job.read(out)
    return job, job.scorer(1)
