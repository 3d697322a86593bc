"""Which MLflow is talked to, and whether it answers."""

from __future__ import annotations

import logging
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from jupyter_mlops.errors import TrackingError
from jupyter_mlops.tracking.imports import import_mlflow

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["check_reachable", "experiment_id", "is_reachable", "shown", "store", "tracking_uri"]

_TIMEOUT = 5.0  # seconds in which a server has to answer


def tracking_uri(explicit: str | None, folder: Path) -> str:
    """The URI of the store: the given one, else MLflow's own variable, else an SQLite file in `folder`."""
    return explicit or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder.absolute() / 'mlflow.db'}"


def shown(uri: str) -> str:
    """The URI without name and password, for messages."""
    parts = urlsplit(uri)
    if not parts.hostname or "@" not in parts.netloc:
        return uri
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=f"{parts.hostname}{port}"))


def check_reachable(uri: str) -> None:
    """Ask whether the store is there, within seconds: MLflow's own client would try for minutes.

    Raises
    ------
    TrackingError
        Nothing answers, what answers is no MLflow server, or the folder of an SQLite file cannot be written.
    """
    parts = urlsplit(uri)
    if parts.scheme in ("http", "https"):
        _check_server(uri)
    elif parts.scheme == "sqlite":
        folder = Path(uri.removeprefix("sqlite:///").split("?")[0]).absolute().parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrackingError(f"The tracking store {uri} cannot be made: {error}. Give another one: --tracking-uri.") from None
        if not os.access(folder, os.W_OK):
            raise TrackingError(f"The folder of the tracking store {uri} cannot be written. Give another one: --tracking-uri.")
    elif not parts.scheme or parts.scheme == "file":
        raise TrackingError(f"MLflow no longer keeps runs in plain folders ({uri}). Give a database: sqlite:///mlflow.db")


def is_reachable(uri: str) -> bool:
    """Whether the store is there; see `check_reachable`."""
    try:
        check_reachable(uri)
    except TrackingError:
        return False
    return True


def _check_server(uri: str) -> None:
    address = shown(uri).rstrip("/")
    advice = "Start it, or give another one: --tracking-uri. Nothing was registered; --no-register converts without it."
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=_TIMEOUT) as answer:  # noqa: S310 - http or https, as checked
            answer.read(100)
    except urllib.error.HTTPError as error:
        if error.code >= 500:
            raise TrackingError(f"The tracking server at {address} answers with error {error.code}. {advice}") from None
        # 401, 403, 404: a proxy that wants a login, or that does not pass /health on; MLflow's client will say.
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise TrackingError(f"The tracking server at {address} does not answer ({reason}). {advice}") from None


@contextmanager
def store(uri: str) -> Iterator[MlflowClient]:
    """MLflow's client for a store; what it raises becomes a `TrackingError`, its log is kept to warnings.

    Nothing global of MLflow is changed but its log level, so that a notebook in the same process keeps its own store.
    """
    import_mlflow()
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.ERROR)
    try:
        yield MlflowClient(tracking_uri=uri, registry_uri=uri)
    except MlflowException as error:
        raise TrackingError(f"MLflow at {shown(uri)} refused: {error.message}") from error
    finally:
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)


def experiment_id(client: MlflowClient, name: str, uri: str) -> str:
    """The experiment of that name, made if it is new.

    With an SQLite file, artifacts lie beside it: MLflow's own default is the folder that the process happens to run in.
    """
    found = client.get_experiment_by_name(name)
    if found is not None:
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)
    location = None
    if uri.startswith("sqlite:///"):
        folder = Path(uri.removeprefix("sqlite:///").split("?")[0]).absolute().parent
        location = (folder / "mlruns" / name).as_uri()
    from mlflow.exceptions import MlflowException

    try:
        return str(client.create_experiment(name, artifact_location=location))
    except MlflowException as error:
        made = client.get_experiment_by_name(name) if error.error_code == "RESOURCE_ALREADY_EXISTS" else None
        if made is None:
            raise
        return str(made.experiment_id)  # another process was faster
