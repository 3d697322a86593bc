"""Where everything about a version in production lies: its prediction log, its project, its registry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jupyter_mlops.database import database_url
from jupyter_mlops.deploy.files import prediction_log
from jupyter_mlops.deploy.spec import Deployments, Spec
from jupyter_mlops.errors import NotFoundError
from jupyter_mlops.monitor.log import PredictionLog
from jupyter_mlops.processes import machine
from jupyter_mlops.tracking.lifecycle import find_to_deploy
from jupyter_mlops.tracking.store import tracking_uri
from jupyter_mlops.workflows.artifact import Artifact, ArtifactError

__all__ = ["Watched", "deployed_log", "watched"]


@dataclass(frozen=True)
class Watched:
    """A version, with its log and project; `registry` is None where both were given by hand."""

    version: str
    log: PredictionLog
    project: Path
    registry: str | None


def watched(
    model: str, version: str | None, *, log: Path | None, project: Path | None, explicit_uri: str | None, database: str | None,
    scratch: Path,
) -> Watched:  # fmt: skip
    """Find a version of a model that is deployed on this machine; or, with `log`, of one that is served elsewhere.

    Parameters
    ----------
    version
        None: the one that has the traffic, or is in production.
    scratch
        Folder for a project that has to be fetched from the registry.

    Raises
    ------
    NotFoundError
        The model is not deployed here, and there is no log; or there is no such version.
    TrackingError
        The registry does not answer.
    """
    if log is not None and project is not None and version is not None:
        return Watched(version, PredictionLog(log), project, explicit_uri)
    spec: Spec | None = None
    try:
        spec = Deployments(database_url(database)).get(model, machine()).spec
    except NotFoundError:
        if log is None:
            raise NotFoundError(
                f"{model} is not deployed on this machine. Deploy it (jupyter mlops deploy {model}), or name the folder that its services "
                "log to (--log)."
            ) from None
    uri = spec.tracking_uri if spec is not None and explicit_uri is None else tracking_uri(explicit_uri, Path.cwd())
    if version is None:
        version = spec.traffic.stable if spec is not None else find_to_deploy(uri, model).version
    place = log or prediction_log(spec.place if spec is not None else Path())
    if project is None:
        project = _served(spec, version) or _fetched(uri, model, version, scratch)
    return Watched(version, PredictionLog(place), project, uri)


def deployed_log(model: str, database: str | None = None) -> Path:
    """Folder of the prediction log of a model that is deployed on this machine.

    Raises
    ------
    NotFoundError
        It is not deployed here.
    """
    return prediction_log(Deployments(database_url(database)).get(model, machine()).spec.place)


def _served(spec: Spec | None, version: str) -> Path | None:
    """The project of a version that is served here."""
    return Path(spec.versions[version].project) if spec is not None and version in spec.versions else None


def _fetched(uri: str, model: str, version: str, scratch: Path) -> Path:
    facts = find_to_deploy(uri, model, version)
    try:
        return Artifact(uri, model, facts.version, facts.digest, facts.run_id, scratch).project()
    except ArtifactError as error:
        raise NotFoundError(str(error)) from None
