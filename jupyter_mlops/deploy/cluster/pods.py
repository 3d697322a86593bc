"""What the pods of a version are: container, probes, limits, and what they may do."""

from __future__ import annotations

from typing import Any

from jupyter_mlops.deploy.cluster.spec import ClusterSpec, Release

__all__ = ["PORT", "Manifest", "container", "metadata", "pod_settings", "pod_template", "scraped", "selector", "volumes"]

Manifest = dict[str, Any]
PORT = 8000
_LOG = "/app/predictions"  # as in the generated compose file
_FEATURES = "/app/features"
_USER = 10001  # of the generated Dockerfile
_DRAIN, _GRACE = 5, 30  # seconds: until every proxy has heard that a pod goes, and for requests in flight after that


def selector(spec: ClusterSpec, track: str | None = None) -> dict[str, str]:
    """Labels that find the pods; they never change, since a Deployment cannot follow that.

    Parameters
    ----------
    track
        ``stable`` or ``canary``, where both have a Deployment.
    """
    found = {"app.kubernetes.io/name": spec.name, "app.kubernetes.io/instance": spec.name}
    return found if track is None else {**found, "track": track}


def metadata(spec: ClusterSpec, name: str, release: Release | None = None, track: str | None = None) -> Manifest:
    """Name, place and labels of a manifest."""
    return {"name": name, "namespace": spec.namespace, "labels": _labels(spec, release, track)}


def pod_template(spec: ClusterSpec, release: Release, track: str | None = None) -> Manifest:
    """A pod of a version."""
    return {
        "metadata": {"labels": _labels(spec, release, track), "annotations": scraped()},
        "spec": {
            **pod_settings(spec),
            "topologySpreadConstraints": [{
                "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": selector(spec, track)},
            }],
            "containers": [container(release, spec)],
            "volumes": volumes(spec),
        },
    }  # fmt: skip


def pod_settings(spec: ClusterSpec) -> Manifest:
    """What holds for the whole pod."""
    settings: Manifest = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,  # of a Service named `service`, they would look like our own settings
        "terminationGracePeriodSeconds": _DRAIN + _GRACE + 5,
        "securityContext": {
            "runAsNonRoot": True, "runAsUser": _USER, "runAsGroup": _USER, "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }  # fmt: skip
    if spec.pull_secret:
        settings["imagePullSecrets"] = [{"name": spec.pull_secret}]
    return settings


def container(release: Release, spec: ClusterSpec, name: str = "service", **environment: str) -> Manifest:
    """The service of a version.

    Parameters
    ----------
    environment
        Settings beside the usual ones.
    """
    given = {
        "SERVICE_HOST": "0.0.0.0",  # noqa: S104 - the pod's own network
        "SERVICE_PORT": str(PORT), "SERVICE_DRAIN_SECONDS": str(_DRAIN), "SERVICE_GRACE_SECONDS": str(_GRACE), **environment,
    }  # fmt: skip
    mounts: list[Manifest] = [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108 - the only place that can be written to, beside the log
    hidden: list[Manifest] = []
    if spec.log_claim is not None:
        given["SERVICE_LOG_DIR"] = _LOG
        mounts.append({"name": "predictions", "mountPath": _LOG})
        # Needed where monitoring.yaml has columns hashed; without it, such a service does not start.
        key = {"name": f"{spec.name}-log", "key": "hash-key", "optional": True}
        hidden.append({"name": "SERVICE_LOG_HASH_KEY", "valueFrom": {"secretKeyRef": key}})
    if spec.feature_claim is not None:
        given["SERVICE_FEATURE_STORE"] = _FEATURES
        mounts.append({"name": "features", "mountPath": _FEATURES, "readOnly": True})
    secret = {} if spec.feature_secret is None else {"envFrom": [{"secretRef": {"name": spec.feature_secret}}]}
    return {
        "name": name,
        "image": release.image,
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "env": [*({"name": key, "value": value} for key, value in given.items()), *hidden],
        **secret,
        "startupProbe": _probe("/health/ready", period=2, failures=60),
        "readinessProbe": _probe("/health/ready", period=5, failures=2),
        "livenessProbe": _probe("/health/live", period=10, failures=3),
        "resources": {"requests": {"cpu": spec.cpu, "memory": spec.memory}, "limits": {"memory": spec.memory_limit}},
        "securityContext": {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": mounts,
    }  # fmt: skip


def volumes(spec: ClusterSpec) -> list[Manifest]:
    """The places that the service may write to, and the feature repository."""
    found: list[Manifest] = [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}]
    if spec.log_claim is not None:
        found.append({"name": "predictions", "persistentVolumeClaim": {"claimName": spec.log_claim}})
    if spec.feature_claim is not None:
        found.append({"name": "features", "persistentVolumeClaim": {"claimName": spec.feature_claim, "readOnly": True}})
    return found


def scraped() -> dict[str, str]:
    """Annotations by which Prometheus usually finds pods."""
    return {"prometheus.io/scrape": "true", "prometheus.io/port": str(PORT), "prometheus.io/path": "/metrics"}


def _labels(spec: ClusterSpec, release: Release | None, track: str | None) -> dict[str, str]:
    labels = {
        **selector(spec, track), "app.kubernetes.io/component": "model-service", "app.kubernetes.io/managed-by": "jupyter-mlops",
    }  # fmt: skip
    if release is not None:
        labels["app.kubernetes.io/version"] = release.version
    return labels


def _probe(path: str, *, period: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": "http"}, "periodSeconds": period, "timeoutSeconds": 2, "failureThreshold": failures,
    }  # fmt: skip
