"""From the spool to MLflow, exactly once: everything that is sent can be sent again without harm.

A run is created with the tag `mlops.spool`, by which it is found again if the answer was lost. Parameters, tags and
status are set to what they are; a metric is the same row when name, value, time and step are the same; a file goes from
the spool when it is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import TrackingError
from jupyter_mlops.tracking.limits import PARAM_LENGTH, TAG_LENGTH, cut
from jupyter_mlops.tracking.spool import SPOOL_TAG, SpooledRun, spooled_runs
from jupyter_mlops.tracking.store import check_reachable, experiment_id, shown, store

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["Delivered", "create", "deliver", "deliver_waiting"]

_METRICS = 1000  # of one call
_PARAMS = 100  # and tags


@dataclass
class Delivered:
    """The outcome for the runs that waited.

    Parameters
    ----------
    runs
        Name and MLflow's id of each that was delivered.
    kept
        Name and reason of each that still waits.
    """

    runs: list[tuple[str, str]] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)


def deliver(run: SpooledRun, values_sent: Callable[[], None] = lambda: None) -> str:
    """Send a run and remove it from the spool; returns its id.

    Parameters
    ----------
    values_sent
        Is called as soon as all but the files are in MLflow.

    Raises
    ------
    TrackingError
        The store is away or refused; the rest stays in the spool.
    """
    with store(run.uri) as client:
        run_id = run.run_id or _create(client, run)
        _send_values(client, run, run_id)
        values_sent()
        _send_files(client, run, run_id)
    run.remove()
    return run_id


def deliver_waiting(uri: str | None = None) -> Delivered:
    """Deliver what waits in the spool, of one store or of all; runs that are being recorded are left alone."""
    done = Delivered()
    away: dict[str, str] = {}
    for folder in spooled_runs():
        run = SpooledRun.take(folder)
        if run is None:
            continue
        if uri is not None and run.uri != uri:
            run.release()
            continue
        try:
            if run.uri not in away:
                check_reachable(run.uri)
                _finish_abandoned(run)
                done.runs.append((run.name, deliver(run)))
                continue
            done.kept.append((run.name, away[run.uri]))
        except TrackingError as error:
            away[run.uri] = str(error)
            done.kept.append((run.name, str(error)))
        except OSError as error:
            done.kept.append((run.name, f"its files in {run.folder} cannot be read: {error}"))
        run.release()
    return done


def create(run: SpooledRun) -> str:
    """Begin a run in MLflow, before there is anything to send; returns its id.

    Raises
    ------
    TrackingError
        The store is away or refused.
    """
    with store(run.uri) as client:
        return run.run_id or _create(client, run)


def _finish_abandoned(run: SpooledRun) -> None:
    """A run without an end, whose process is gone: it was killed, and when is known by its journal."""
    if not any("end" in one for one in run.operations()):
        ended = run.last_change
        run.append({"tags": {"mlops.ended": "the process that recorded the run died"}})
        run.append({"end": ["KILLED", ended]})


def _create(client: MlflowClient, run: SpooledRun) -> str:
    experiment = experiment_id(client, run.experiment, run.uri)
    found = _find(client, experiment, run.local_id) if run.asked else None
    if found is None:
        run.note(asked=True)
        tags = {name: cut(value, TAG_LENGTH) for name, value in run.tags.items()}
        if run.parent is not None:
            tags["mlflow.parentRunId"] = _parent(client, experiment, run)
        made = client.create_run(experiment, start_time=run.start_time, tags=tags, run_name=run.name)
        found = str(made.info.run_id)
    run.note(run_id=found)
    return found


def _parent(client: MlflowClient, experiment: str, run: SpooledRun) -> str:
    """MLflow's id of the run that this one is nested in."""
    assert run.parent is not None
    found = _find(client, experiment, run.parent)
    if found is None and any(folder.name.endswith(f"-{run.parent}") for folder in spooled_runs()):
        raise TrackingError(f"The run {run.name!r} is nested in one that MLflow does not have yet; it is delivered after that.")
    return found or run.parent


def _find(client: MlflowClient, experiment: str, local_id: str) -> str | None:
    """MLflow's id of a run that came from the spool."""
    found = client.search_runs([experiment], f"tags.`{SPOOL_TAG}` = '{local_id}'", max_results=1)
    return str(found[0].info.run_id) if found else None


def _send_values(client: MlflowClient, run: SpooledRun, run_id: str) -> None:
    params: dict[str, str] = {}
    tags: dict[str, str] = {}
    metrics: list[list[Any]] = []
    end: tuple[str, int] | None = None
    removed: list[str] = []
    inputs: list[dict[str, Any]] = []
    for operation in run.operations():
        params.update(operation.get("params", {}))
        tags.update(operation.get("tags", {}))
        metrics += operation.get("metrics", [])
        inputs += operation.get("inputs", [])
        if "untag" in operation:
            tags.pop(operation["untag"], None)
            removed.append(operation["untag"])
        if "end" in operation:
            end = (operation["end"][0], operation["end"][1])
    refused = _log(client, run_id, params, tags, metrics)
    if inputs:
        _log_inputs(client, run_id, inputs)
    for name in removed:
        if name in client.get_run(run_id).data.tags and name not in tags:
            client.delete_tag(run_id, name)
    if refused:
        client.log_text(run_id, "\n".join(refused) + "\n", "refused.txt")
        client.set_tag(run_id, "mlops.refused", cut("; ".join(refused), TAG_LENGTH))
    if end is not None:
        _end(client, run_id, *end)


def _end(client: Any, run_id: str, status: str, end_time: int) -> None:
    """As `MlflowClient.set_terminated` does, which would print the run's address into whatever cell runs meanwhile."""
    from mlflow.entities import RunStatus

    client._tracking_client.store.update_run_info(run_id, RunStatus.from_string(status), end_time, None)


def _log(client: MlflowClient, run_id: str, params: dict[str, str], tags: dict[str, str], metrics: list[list[Any]]) -> list[str]:
    """Values in as few calls as MLflow takes. Returns what it will never take, so that one value does not hold up a run."""
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.exceptions import MlflowException

    p = [Param(name, cut(str(value), PARAM_LENGTH)) for name, value in params.items()]
    t = [RunTag(name, cut(str(value), TAG_LENGTH)) for name, value in tags.items()]
    m = [Metric(name, float(value), int(when), int(step)) for name, value, when, step in metrics]
    refused: list[str] = []

    def send(m: list[Any], p: list[Any], t: list[Any]) -> None:
        if not (m or p or t):
            return
        try:
            client.log_batch(run_id, metrics=m, params=p, tags=t)
        except MlflowException as error:
            if error.error_code not in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST"):
                raise
            if len(m) + len(p) + len(t) == 1:
                refused.append(f"{(m or p or t)[0].key}: {error.message}")
                return
            # Halves, until the one that is refused stands alone.
            for part in _halves(m, p, t):
                send(*part)

    size = max(len(p), len(t))
    send(m[: _METRICS - 2 * _PARAMS], p[:_PARAMS], t[:_PARAMS])
    for start in range(_METRICS - 2 * _PARAMS, len(m), _METRICS):
        send(m[start : start + _METRICS], [], [])
    for start in range(_PARAMS, size, _PARAMS):
        send([], p[start : start + _PARAMS], t[start : start + _PARAMS])
    return refused


def _halves(m: list[Any], p: list[Any], t: list[Any]) -> Iterable[tuple[list[Any], list[Any], list[Any]]]:
    kinds = [m, p, t]
    filled = [i for i, one in enumerate(kinds) if one]
    if len(filled) > 1:
        for i in filled:
            yield m if i == 0 else [], p if i == 1 else [], t if i == 2 else []
        return
    only = kinds[filled[0]]
    for part in (only[: len(only) // 2], only[len(only) // 2 :]):
        yield part if filled[0] == 0 else [], part if filled[0] == 1 else [], part if filled[0] == 2 else []


def _log_inputs(client: MlflowClient, run_id: str, inputs: list[dict[str, Any]]) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    client.log_inputs(
        run_id, [DatasetInput(Dataset(**one["dataset"]), [InputTag(k, v) for k, v in one["tags"].items()]) for one in inputs]
    )


def _send_files(client: MlflowClient, run: SpooledRun, run_id: str) -> None:
    for path in sorted(p for p in run.files.rglob("*") if p.is_file()):
        folder = path.relative_to(run.files).parent.as_posix()
        try:
            client.log_artifact(run_id, str(path), None if folder == "." else folder)
        except TrackingError:
            raise
        except Exception as error:  # artifact stores raise what their libraries raise
            raise TrackingError(
                f"The artifact {path.name} could not be stored by MLflow at {shown(run.uri)}: {type(error).__name__}: {error}"
            ) from error
        path.unlink()
