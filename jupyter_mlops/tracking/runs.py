"""Recording a run that is already over: parameters, metrics, tags, files."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_mlops.tracking.limits import PARAM_LENGTH, TAG_LENGTH, cut
from jupyter_mlops.tracking.store import experiment_id, store

__all__ = ["RunRecord", "log_run"]

_BATCH = 100  # parameters, and tags, of one call


@dataclass(frozen=True)
class RunRecord:
    """What one run leaves behind."""

    experiment: str
    name: str
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    artifacts: Sequence[tuple[Path, str]] = ()  # file or folder, and the artifact folder it goes to
    texts: Mapping[str, str] = field(default_factory=dict)  # artifact path: content


def log_run(record: RunRecord, *, uri: str) -> str:
    """Write a run and return its id. A run that could not be written whole ends as FAILED.

    Raises
    ------
    TrackingError
        The store refused.
    """
    from mlflow.entities import Metric, Param, RunTag

    with store(uri) as client:
        run = client.create_run(experiment_id(client, record.experiment, uri), run_name=record.name)
        run_id = str(run.info.run_id)
        status = "FAILED"
        try:
            now = int(time.time() * 1000)
            params = [Param(name, cut(str(value), PARAM_LENGTH)) for name, value in record.params.items()]
            tags = [RunTag(name, cut(value, TAG_LENGTH)) for name, value in record.tags.items()]
            metrics = [Metric(name, float(value), now, 0) for name, value in record.metrics.items()]
            client.log_batch(run_id, metrics=metrics)
            for start in range(0, max(len(params), len(tags)), _BATCH):
                part = slice(start, start + _BATCH)
                client.log_batch(run_id, params=params[part], tags=tags[part])
            for path, folder in record.artifacts:
                (client.log_artifacts if path.is_dir() else client.log_artifact)(run_id, str(path), folder)
            for name, text in record.texts.items():
                client.log_text(run_id, text, name)
            status = "FINISHED"
        finally:
            client.set_terminated(run_id, status)
        return run_id
