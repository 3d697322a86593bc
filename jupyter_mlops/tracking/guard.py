"""Stands in front of MLflow's store while a cell runs: what the store does not take goes to the spool.

A notebook's own `mlflow.log_metric` and autologging speak to MLflow, not to us. Their store object is one per address and
process, so its writing methods are replaced on that object for the time of the cell. They do what they did; when the
store is away, the run's operations are appended to its journal from then on, and reads of such a run are answered from
memory. Everything else of the store is untouched.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import wraps
from inspect import signature
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from jupyter_mlops.tracking.spool import SPOOL_TAG, SpooledRun
from jupyter_mlops.tracking.store import is_reachable

if TYPE_CHECKING:
    from mlflow.entities import Run

__all__ = ["Guard", "KnownRun", "is_away"]

T = TypeVar("T")


@dataclass
class KnownRun:
    """A run that was begun behind the guard, and what is known of it."""

    spooled: SpooledRun
    experiment: str  # its id, "0" where it is not known
    status: str = "RUNNING"
    end_time: int | None = None
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)  # the last value of each
    away: bool = False  # from now on it goes to the journal
    held: bool = False  # its end is told by whoever records it

    @property
    def id(self) -> str:
        """MLflow's id, or the local one."""
        return self.spooled.run_id or self.spooled.local_id


class Guard:
    """Context in which runs are begun and written.

    Parameters
    ----------
    uri
        The store; MLflow's own clients in this process use the same one.
    experiment
        Name of the experiment that runs are begun in.
    parent
        Id of the run that the first one is nested in.

    Attributes
    ----------
    runs
        The runs that were begun, by their id: ours first, then those of the cell itself.
    """

    def __init__(self, uri: str, experiment: str, parent: str | None = None) -> None:
        self.uri, self.experiment, self.parent = uri, experiment, parent
        self.experiment_id = "0"  # while it is not known
        self.runs: dict[str, KnownRun] = {}
        self.away = not is_reachable(uri)
        self._store: Any = None
        self._names = (
            "create_run", "get_run", "update_run_info", "log_batch", "log_metric", "log_param", "set_tag", "delete_tag", "log_inputs",
            "get_experiment", "get_experiment_by_name",
        )  # fmt: skip

    # -- in and out -----------------------------------------------------------------------------------------------------

    def __enter__(self) -> Guard:
        from mlflow import MlflowClient
        from mlflow.tracking._tracking_service.client import TrackingServiceClient

        client: Any = MlflowClient
        self._store = client(tracking_uri=self.uri)._tracking_client.store
        self._real = {name: getattr(self._store, name) for name in self._names}
        for name in self._names:
            setattr(self._store, name, getattr(self, f"_{name}"))
        # Artifacts do not go through the store.
        files: Any = TrackingServiceClient
        self._client = files
        self._real_files = self._client.log_artifact, self._client.log_artifacts
        guard, (one, many) = self, self._real_files

        def log_artifact(client: Any, run_id: str, local_path: str, artifact_path: str | None = None) -> None:
            guard._file(run_id, lambda: one(client, run_id, local_path, artifact_path), Path(local_path), artifact_path)

        def log_artifacts(client: Any, run_id: str, local_dir: str, artifact_path: str | None = None) -> None:
            guard._file(run_id, lambda: many(client, run_id, local_dir, artifact_path), Path(local_dir), artifact_path)

        self._client.log_artifact, self._client.log_artifacts = log_artifact, log_artifacts
        self._nest_runs()
        return self

    def _nest_runs(self) -> None:
        """Let a run that the cell begins as if there were none, be nested in ours instead of refused.

        It goes to our experiment, unless the cell sets another one.
        """
        import mlflow
        from mlflow.tracking import fluent

        real = self._start_run = fluent.start_run
        outside, shape = fluent._active_experiment_id, signature(real)

        @wraps(real)
        def start_run(*arguments: Any, **named: Any) -> Any:
            given = shape.bind(*arguments, **named).arguments
            active = mlflow.active_run()
            if active is not None and active.info.run_id == next(iter(self.runs), None):
                given["nested"] = True
            same = fluent._active_experiment_id == outside and mlflow.get_tracking_uri() == self.uri
            if active is not None and active.info.run_id in self.runs and same:
                given.setdefault("experiment_id", self.experiment_id)
            return real(**given)

        mlflow.start_run = fluent.start_run = start_run

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for name in self._names:
            with suppress(AttributeError):
                delattr(self._store, name)
        self._client.log_artifact, self._client.log_artifacts = self._real_files
        import mlflow
        from mlflow.tracking import fluent

        mlflow.start_run = fluent.start_run = self._start_run
        for known in self.runs.values():
            if not known.held:
                (known.spooled.release if known.away else known.spooled.remove)()

    # -- the store's methods --------------------------------------------------------------------------------------------

    def _create_run(
        self, experiment_id: str, user_id: str | None, start_time: int | None, tags: Sequence[Any] | None, run_name: str | None
    ) -> Any:
        from mlflow.entities import RunTag

        given = {tag.key: tag.value for tag in tags or ()}
        parent = given.pop("mlflow.parentRunId", None) or (self.parent if not self.runs else None)
        name = run_name or given.get("mlflow.runName") or "run"
        spooled = SpooledRun.create(
            uri=self.uri, experiment=self.experiment, name=name, tags=given, parent=parent, start_time=start_time
        )
        known = KnownRun(spooled, str(experiment_id), tags=spooled.tags)
        if parent is not None:
            known.tags["mlflow.parentRunId"] = parent
        asked = [RunTag(key, value) for key, value in known.tags.items()]
        if not self.away:
            spooled.note(asked=True)
            made = self._try(
                lambda: self._real["create_run"](experiment_id, user_id, start_time, asked, run_name), spooled=spooled
            )
            if made is not None:
                spooled.note(run_id=str(made.info.run_id))
                known.tags.update(made.data.tags)
                self.runs[known.id] = known
                return made
        known.away = True
        self.runs[known.id] = known
        return self._from_memory(known)

    def _get_run(self, run_id: str) -> Any:
        known = self.runs.get(run_id)
        if known is None:
            return self._real["get_run"](run_id)
        if not (known.away or self.away):
            found = self._try(lambda: self._real["get_run"](run_id))
            if found is not None:
                return found
        return self._from_memory(known)

    def _get_experiment(self, experiment_id: str) -> Any:
        return self._own_experiment("get_experiment", experiment_id, str(experiment_id) == self.experiment_id)

    def _get_experiment_by_name(self, experiment_name: str) -> Any:
        return self._own_experiment("get_experiment_by_name", experiment_name, experiment_name == self.experiment)

    def _own_experiment(self, name: str, key: str, own: bool) -> Any:
        """MLflow looks the experiment up for each nested run: ours is known without the store."""
        if not own:
            return self._real[name](key)
        found = None if self.away else self._try(lambda: self._real[name](key))
        if found is not None or not self.away:
            return found
        from mlflow.entities import Experiment, LifecycleStage

        return Experiment(self.experiment_id, self.experiment, "", LifecycleStage.ACTIVE)

    def _update_run_info(self, run_id: str, run_status: Any, end_time: int | None, run_name: str | None) -> Any:
        from mlflow.entities import RunStatus

        known = self.runs.get(run_id)
        if known is not None:
            if run_name:
                known.tags["mlflow.runName"] = run_name
            if run_status is not None:
                known.status = RunStatus.to_string(run_status)
                known.end_time = end_time
            if known.held:
                return self._from_memory(known).info
        operation: dict[str, Any] = {"end": [known.status, end_time]} if known is not None and end_time else {}
        if run_name:
            operation["tags"] = {"mlflow.runName": run_name}
        done = self._write(run_id, "update_run_info", (run_id, run_status, end_time, run_name), operation)
        if known is not None and end_time and not known.away:
            # It is all there. A search with thousands of nested runs would else take a file descriptor for each.
            known.spooled.remove()
            del self.runs[run_id]
        return done if done is not None or known is None else self._from_memory(known).info

    def _log_batch(self, run_id: str, metrics: Sequence[Any], params: Sequence[Any], tags: Sequence[Any]) -> None:
        self._values(run_id, "log_batch", (run_id, metrics, params, tags), metrics=metrics, params=params, tags=tags)

    def _log_metric(self, run_id: str, metric: Any) -> None:
        self._values(run_id, "log_metric", (run_id, metric), metrics=[metric])

    def _log_param(self, run_id: str, param: Any) -> Any:
        self._values(run_id, "log_param", (run_id, param), params=[param])
        return param.value

    def _set_tag(self, run_id: str, tag: Any) -> None:
        self._values(run_id, "set_tag", (run_id, tag), tags=[tag])

    def _delete_tag(self, run_id: str, key: str) -> None:
        if (known := self.runs.get(run_id)) is not None:
            known.tags.pop(key, None)
        self._write(run_id, "delete_tag", (run_id, key), {"untag": key})

    def _log_inputs(self, run_id: str, datasets: Sequence[Any] | None = None, models: Sequence[Any] | None = None) -> None:
        operation = {
            "inputs": [{"dataset": dict(one.dataset), "tags": {tag.key: tag.value for tag in one.tags}} for one in datasets or ()]
        }
        self._write(run_id, "log_inputs", (run_id, datasets, models), operation)

    def _values(
        self, run_id: str, name: str, arguments: tuple[Any, ...], *,
        metrics: Sequence[Any] = (), params: Sequence[Any] = (), tags: Sequence[Any] = (),
    ) -> None:  # fmt: skip
        named = {one.key: str(one.value) for one in params}
        tagged = {one.key: str(one.value) for one in tags}
        measured = [[one.key, float(one.value), int(one.timestamp), int(one.step)] for one in metrics]
        operation = {"params": named, "tags": tagged, "metrics": measured}
        self._write(run_id, name, arguments, {key: value for key, value in operation.items() if value})
        if (known := self.runs.get(run_id)) is not None:
            known.params.update(named)
            known.tags.update(tagged)
            known.metrics.update({one.key: one for one in metrics})

    # -- how they are answered ------------------------------------------------------------------------------------------

    def _write(self, run_id: str, name: str, arguments: tuple[Any, ...], operation: Mapping[str, Any]) -> Any:
        """Do what the store does; where it is away, or was before, the operation goes to the run's journal."""
        known = self.runs.get(run_id)
        if known is None:
            return self._real[name](*arguments)
        if not known.away and not self.away:
            try:
                return self._real[name](*arguments)
            except Exception as error:
                if not is_away(error):
                    raise
                self.away = True
        known.away = True
        if operation:
            known.spooled.append(operation)
        return None

    def _try(self, call: Callable[[], T], spooled: SpooledRun | None = None) -> T | None:
        try:
            return call()
        except Exception as error:
            if not is_away(error):
                if spooled is not None:
                    spooled.remove()
                raise
            self.away = True
            return None

    def _file(self, run_id: str, call: Callable[[], None], source: Path, folder: str | None) -> None:
        known = self.runs.get(run_id)
        if known is None:
            call()
            return
        if not known.away and not self.away:
            try:
                call()
                return
            except Exception as error:
                if is_reachable(self.uri) or not source.exists():
                    raise
                del error
                self.away = True
        known.away = True
        target = known.spooled.files / (folder or "")
        target.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copy2(source, target / source.name)

    def _from_memory(self, known: KnownRun) -> Run:
        from mlflow.entities import LifecycleStage, Param, Run, RunData, RunInfo, RunTag

        known.spooled.files.mkdir(exist_ok=True)
        info = RunInfo(
            run_id=known.id,
            experiment_id=known.experiment,
            user_id=known.tags.get("mlflow.user", ""),
            status=known.status,
            start_time=known.spooled.start_time,
            end_time=known.end_time,
            lifecycle_stage=LifecycleStage.ACTIVE,
            artifact_uri=known.spooled.files.as_uri(),
            run_name=known.tags.get("mlflow.runName", known.spooled.name),
        )
        data = RunData(
            metrics=list(known.metrics.values()),
            params=[Param(key, value) for key, value in known.params.items()],
            tags=[RunTag(key, value) for key, value in known.tags.items() if key != SPOOL_TAG],
        )
        return Run(info, data)


def is_away(error: Exception) -> bool:
    """Whether an exception of MLflow says that the store cannot be reached or is out of order, not that a call is wrong."""
    from mlflow.exceptions import MlflowException

    if isinstance(error, MlflowException):
        code = str(error.error_code)
        if code in ("TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "INTERNAL_ERROR", "DEADLINE_EXCEEDED", "IO_ERROR"):
            return True
        return isinstance(error.__cause__, OSError)  # what requests raises
    return isinstance(error, OSError)
