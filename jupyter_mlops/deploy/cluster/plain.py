"""Deployments and Services, which every cluster knows; a canary is a second of each behind an ingress of its own."""

from __future__ import annotations

import math

from jupyter_mlops.deploy.cluster.pods import Manifest, metadata, pod_template, selector
from jupyter_mlops.deploy.cluster.routes import ingress, service
from jupyter_mlops.deploy.cluster.scaling import scaled_object
from jupyter_mlops.deploy.cluster.spec import ClusterSpec, Release

__all__ = ["plain"]


def plain(spec: ClusterSpec) -> dict[str, list[Manifest]]:
    """The manifests by file."""
    files = {
        "deployment.yaml": [_deployment(spec, spec.name, spec.release, "stable", None), service(spec, spec.name, "stable")],
        "ingress.yaml": [ingress(spec, spec.name, spec.name)],
        "scaling.yaml": [scaled_object(spec, "apps/v1", "Deployment")],
    }
    if spec.canary is not None:
        name = f"{spec.name}-canary"
        replicas = math.ceil(spec.replicas * spec.percent / 100)
        files["canary.yaml"] = [
            _deployment(spec, name, spec.canary, "canary", replicas), service(spec, name, "canary"),
            ingress(spec, name, name, percent=spec.percent),
        ]  # fmt: skip
    return files


def _deployment(spec: ClusterSpec, name: str, release: Release, track: str, replicas: int | None) -> Manifest:
    # Without replicas, those that KEDA has asked for stay when the manifest is applied again.
    count = {} if replicas is None else {"replicas": replicas}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(spec, name, release, track),
        "spec": {
            **count,
            "revisionHistoryLimit": 3,
            "selector": {"matchLabels": selector(spec, track)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": pod_template(spec, release, track),
        },
    }
