"""Which MLflow is talked to, and whether it answers."""

from __future__ import annotations

import logging
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from jupyter_mlops.errors import TrackingError
from jupyter_mlops.tracking.addresses import absolute, sqlite_file
from jupyter_mlops.tracking.first_use import taking_turns
from jupyter_mlops.tracking.imports import import_mlflow

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = [
    "ANOTHER_STORE", "absolute", "check_address", "check_reachable", "experiment_id", "is_reachable", "page_link", "registry_key", "shown",
    "sqlite_file", "store", "tracking_uri",
]  # fmt: skip

# What to do where a store cannot be used, for whoever reads it: a terminal, or the sidebar.
ANOTHER_STORE = "Give another store: --tracking-uri on the command line, MLFLOW_TRACKING_URI for a Jupyter server."
_TIMEOUT = 5.0  # seconds in which a server has to answer
_PAUSE = 30.0  # seconds in which one that did not is left alone
_silent: dict[str, float] = {}
_NAMES = ("databricks", "databricks-uc", "uc")  # addresses without a scheme
_SCHEMES = frozenset(("http", "https", "sqlite", "postgresql", "mysql", "mssql", *_NAMES))


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


def registry_key(uri: str) -> str:
    """The registry as the journal names it: without a password, and the same from wherever an SQLite file is reached."""
    file = sqlite_file(uri)
    _, mark, options = uri.partition("?")
    return shown(uri).rstrip("/") if file is None else f"sqlite:///{file.resolve()}{mark}{options}"


def page_link(uri: str, path: str) -> str | None:
    """A page of MLflow, such as ``models/churn``, where the store is a server."""
    return f"{shown(uri).rstrip('/')}/#/{path}" if uri.startswith(("http://", "https://")) else None


def check_address(uri: str) -> None:
    """Ask whether this can be the address of a store at all, whether or not that is there.

    Raises
    ------
    TrackingError
        It is a plain folder, or of a kind that neither MLflow nor one of its plugins knows.
    """
    scheme = urlsplit(uri).scheme.split("+")[0] or (uri if uri in _NAMES else "")
    if scheme in ("", "file"):
        raise TrackingError(f"MLflow no longer keeps runs in plain folders ({uri}). Give a database: sqlite:///mlflow.db")
    if scheme not in _SCHEMES and not any(one.name == scheme for one in entry_points(group="mlflow.tracking_store")):
        raise TrackingError(
            f"MLflow knows no tracking store {shown(uri)}: an address begins with {', '.join(sorted(_SCHEMES))}, "
            "such as sqlite:///mlflow.db"
        )


def check_reachable(uri: str) -> None:
    """Ask whether the store is there, within seconds: MLflow's own client would try for minutes.

    Raises
    ------
    TrackingError
        Nothing answers, what answers is no MLflow server, or the folder of an SQLite file cannot be written.
    """
    check_address(uri)
    parts = urlsplit(uri)
    if parts.scheme in ("http", "https"):
        _check_server(uri)
    elif (file := sqlite_file(uri)) is not None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrackingError(f"The tracking store {uri} cannot be made: {error}. {ANOTHER_STORE}") from None
        if not os.access(file.parent, os.W_OK):
            raise TrackingError(f"The folder of the tracking store {uri} cannot be written. {ANOTHER_STORE}")


def is_reachable(uri: str) -> bool:
    """Whether the store is there; see `check_reachable`. One that took long to say no is not asked again for a while."""
    started = time.monotonic()
    if started < _silent.get(uri, 0.0):
        return False
    try:
        check_reachable(uri)
    except TrackingError:
        if time.monotonic() - started > _TIMEOUT / 2:
            _silent[uri] = time.monotonic() + _PAUSE
        return False
    return True


def _check_server(uri: str) -> None:
    address = shown(uri).rstrip("/")
    advice = f"Start it. {ANOTHER_STORE}"
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


def _folder_name(experiment: str) -> str:
    """A folder below another one, whatever the experiment is called: Databricks' begin with a slash."""
    parts = [part for part in experiment.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return "/".join(parts) or "experiment"


@contextmanager
def store(uri: str) -> Iterator[MlflowClient]:
    """MLflow's client for a store; what it raises becomes a `TrackingError`, its log is kept to warnings.

    Nothing global of MLflow is changed but its log level, so that a notebook in the same process keeps its own store.
    """
    import_mlflow()
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    with _quiet:
        try:
            with taking_turns(uri):
                client = MlflowClient(tracking_uri=uri, registry_uri=uri)
            yield client
        except MlflowException as error:
            raise TrackingError(f"MLflow at {shown(uri)} refused: {error.message}") from error
        except Exception as error:
            # A database that MLflow cannot open; SQLAlchemy need not be installed where the store is a server.
            if not type(error).__module__.startswith("sqlalchemy."):
                raise
            reason = getattr(error, "orig", None) or error
            raise TrackingError(
                f"The database of MLflow at {shown(uri)} cannot be used: {reason}. Check the file. {ANOTHER_STORE}"
            ) from error


class _Quiet:
    """Context that keeps MLflow's log to errors; in several threads at a time, and the last one sets the levels back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._levels: list[tuple[logging.Logger, int]] = []

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._levels = [(one, one.level) for one in map(logging.getLogger, ("mlflow", "alembic"))]
                for one, _ in self._levels:
                    one.setLevel(logging.ERROR)

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                for one, level in self._levels:
                    one.setLevel(level)


_quiet = _Quiet()


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
    if (file := sqlite_file(uri)) is not None:
        location = (file.parent / "mlruns" / _folder_name(name)).as_uri()
    from mlflow.exceptions import MlflowException

    try:
        return str(client.create_experiment(name, artifact_location=location))
    except MlflowException as error:
        made = client.get_experiment_by_name(name) if error.error_code == "RESOURCE_ALREADY_EXISTS" else None
        if made is None:
            raise
        return str(made.experiment_id)  # another process was faster
