"""How requests reach the pods: Services, and the ingress in front of them."""

from __future__ import annotations

from jupyter_mlops.deploy.cluster.pods import Manifest, metadata, selector
from jupyter_mlops.deploy.cluster.spec import ClusterSpec

__all__ = ["ingress", "service"]

# What callers ask. Health and metrics are the cluster's own business.
_PATHS = ("/predict", "/invocations", "/v2", "/model", "/docs", "/openapi.json")


def service(spec: ClusterSpec, name: str, track: str | None = None) -> Manifest:
    """A name for the pods of a track."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(spec, name, track=track),
        "spec": {
            "type": "ClusterIP", "selector": selector(spec, track),
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
        },
    }  # fmt: skip


def ingress(spec: ClusterSpec, name: str, service_name: str, *, percent: int | None = None) -> Manifest:
    """The way in from outside.

    Parameters
    ----------
    percent
        This ingress takes so much of the traffic of the other one of the same host.
    """
    made = metadata(spec, name)
    if percent is not None:
        prefix = "nginx.ingress.kubernetes.io"
        made["annotations"] = {f"{prefix}/canary": "true", f"{prefix}/canary-weight": str(percent)}
    backend = {"service": {"name": service_name, "port": {"name": "http"}}}
    rule: Manifest = {"http": {"paths": [{"path": path, "pathType": "Prefix", "backend": backend} for path in _PATHS]}}
    settings: Manifest = {"ingressClassName": spec.ingress_class}
    if spec.host is not None:
        rule = {"host": spec.host, **rule}
    if spec.tls_secret is not None:
        settings["tls"] = [{"hosts": [spec.host], "secretName": spec.tls_secret}]
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": made, "spec": {**settings, "rules": [rule]}}
