"""What the manifests of a model version are made of."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from jupyter_mlops.errors import UsageError

__all__ = ["STYLES", "Analysis", "ClusterSpec", "Release", "Style", "resource_name"]

Style = Literal["rollouts", "kserve", "plain"]
STYLES: tuple[Style, ...] = ("rollouts", "kserve", "plain")
_LABEL = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")  # RFC 1035, which Services ask for
_HOST = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_IMAGE = re.compile(r"[a-z0-9][\w.:/@-]*")
_VERSION = re.compile(r"[A-Za-z0-9]([\w.-]{0,18}[A-Za-z0-9])?")  # a part of names and the value of a label
_LONGEST = 40  # of a name: controllers add to it, and it has to stay a label of at most 63


def resource_name(model: str) -> str:
    """A model's name as Kubernetes takes it: small letters, digits and hyphens, a letter first.

    Raises
    ------
    UsageError
        Nothing of it is left.
    """
    name = re.sub(r"[^a-z0-9]+", "-", model.lower()).lstrip("-0123456789")[:_LONGEST].strip("-")
    if not name:
        raise UsageError(
            f"{model!r} has no letter that a name in Kubernetes may begin with. Register the model under another name."
        )
    return name


@dataclass(frozen=True)
class Release:
    """A model version as it is pulled.

    Attributes
    ----------
    image
        Built from the version's project.
    model_uri
        Where the project's `model` folder was put, for KServe to fetch; None: the one in the image.
    """

    version: str
    image: str
    model_uri: str | None = None

    def __post_init__(self) -> None:
        if not _VERSION.fullmatch(self.version):
            raise UsageError(f"The version {self.version!r} cannot be a label in Kubernetes. Name one such as 3.")
        if not _IMAGE.fullmatch(self.image):
            raise UsageError(f"{self.image!r} is no image. Name one such as registry.example.com/flight-delays:3.")
        if self.model_uri is not None and not urlsplit(self.model_uri).scheme:
            raise UsageError(f"{self.model_uri!r} is no address of a model folder. Name one such as s3://models/flight-delays/3.")


@dataclass(frozen=True)
class Analysis:
    """How a canary goes, and when it is aborted; in the words of `promotion.yaml`.

    Attributes
    ----------
    steps
        Percentages of the traffic, one after the other; 100 comes by itself.
    seconds, requests
        That each of them lasts at least; requests are the canary's.
    bake
        Seconds for which the pods of the version before are kept at the end.
    evidence
        Against an equal error rate.
    latency_ratio, latency_looks, latency_requests
        How many times the stable version's 95th percentile the canary's may be; more has to be seen in so many looks in a row,
        each with so many requests of each version.
    look
        Seconds between two looks.
    """

    steps: tuple[int, ...] = (1, 5, 25, 50)
    seconds: int = 60
    requests: int = 100
    bake: int = 300
    evidence: float = 20.0
    latency_ratio: float = 1.5
    latency_looks: int = 3
    latency_requests: int = 50
    look: int = 30

    def __post_init__(self) -> None:
        for step in self.steps:
            _percentage(step)
        if not self.steps or list(self.steps) != sorted(set(self.steps)):
            raise UsageError(
                f"The steps of a canary ({', '.join(map(str, self.steps))}) must grow. The last one, 100, comes by itself."
            )

    @property
    def window(self) -> int:
        """Seconds that a look goes back: Prometheus usually asks the services each half minute, and a rate needs some answers."""
        return max(self.seconds, 4 * self.look)


@dataclass(frozen=True)
class ClusterSpec:
    """A model in a cluster.

    Attributes
    ----------
    release
        What is served. With the style ``rollouts`` it takes over in steps, else it has the traffic that `canary` does not.
    canary, percent
        A second version and its share of the traffic; not with ``rollouts``.
    host
        Of the ingress; None: any.
    tls_secret, pull_secret
        Names of secrets that are there.
    log_claim
        Name of a PersistentVolumeClaim that all pods may write to (ReadWriteMany), for the prediction log; None: none is kept.
    feature_claim, feature_secret
        Name of a PersistentVolumeClaim that all pods may read (a feature repository), and of a secret with the variables that its
        settings name; None: no feature store.
    replicas, max_replicas
        Between them, KEDA follows the queue.
    queue
        Requests that may wait for one replica on average.
    cpu, memory, memory_limit
        Of one replica; without a limit of the processor, which would only slow it down.
    prometheus
        Its address inside the cluster.
    """

    name: str
    release: Release
    style: Style = "rollouts"
    namespace: str = "default"
    create_namespace: bool = False
    canary: Release | None = None
    percent: int = 0
    host: str | None = None
    tls_secret: str | None = None
    pull_secret: str | None = None
    log_claim: str | None = None
    feature_claim: str | None = None
    feature_secret: str | None = None
    replicas: int = 2
    max_replicas: int = 10
    queue: int = 4
    cpu: str = "250m"
    memory: str = "512Mi"
    memory_limit: str = "1Gi"
    prometheus: str = "http://prometheus.monitoring.svc:9090"
    ingress_class: str = "nginx"
    analysis: Analysis = field(default_factory=Analysis)

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise UsageError(f"There is no style {self.style!r}. Choose one of {', '.join(STYLES)}.")
        for what, name in {
            "name": self.name, "namespace": self.namespace, "pull secret": self.pull_secret, "TLS secret": self.tls_secret,
            "claim": self.log_claim, "claim of the feature store": self.feature_claim,
            "secret of the feature store": self.feature_secret,
        }.items():  # fmt: skip
            if name is not None and not _LABEL.fullmatch(name):
                raise UsageError(f"The {what} {name!r} is no name in Kubernetes. Use small letters, digits and hyphens.")
        if self.host is not None and not _HOST.fullmatch(self.host):
            raise UsageError(f"{self.host!r} is no name of a host. Name one such as models.example.com.")
        if self.tls_secret is not None and self.host is None:
            raise UsageError("A certificate is for a host. Name it: --host.")
        if self.feature_secret is not None and self.feature_claim is None:
            raise UsageError("A secret of the feature store is for a repository. Name its claim: --feature-claim.")
        if urlsplit(self.prometheus).scheme not in ("http", "https"):
            raise UsageError(
                f"{self.prometheus!r} is no address of Prometheus. Name one such as http://prometheus.monitoring.svc:9090."
            )
        if not 1 <= self.replicas <= self.max_replicas:
            raise UsageError(
                f"From {self.replicas} to {self.max_replicas} replicas is no range. Ask for at least one, --replicas."
            )
        if self.style == "kserve" and self.host is not None:
            raise UsageError("KServe makes its own routes, from the domain that it is configured with. Leave --host away.")
        if self.style != "kserve" and self.release.model_uri is not None:
            raise UsageError("A model folder is fetched by KServe only. Leave --model-uri away, or choose --style kserve.")
        if self.canary is not None:
            self._check_canary(self.canary)

    def _check_canary(self, canary: Release) -> None:
        _percentage(self.percent)
        if self.style == "rollouts":
            raise UsageError(
                "With Argo Rollouts, the shares of a canary are its steps. Leave --share away, or choose another --style."
            )
        if canary.version == self.release.version:
            raise UsageError(f"Version {canary.version} cannot be the canary beside itself. Name another version, MODEL@VERSION.")
        if self.style == "kserve" and not (canary.model_uri and self.release.model_uri):
            raise UsageError(
                "KServe takes canaries only of models that it fetches itself. Put the model folder of each version's project there, "
                "and name the place: --model-uri s3://models/NAME/{version}."
            )


def _percentage(value: int) -> None:
    if not 0 < value < 100:
        raise UsageError(f"{value} is no share of a canary. It must be a percentage above 0 and below 100.")
