"""How many pods there are: KEDA follows the queue of the services, and a disruption takes one at a time."""

from __future__ import annotations

from jupyter_mlops.deploy.cluster.pods import Manifest, metadata, selector
from jupyter_mlops.deploy.cluster.queries import Pods
from jupyter_mlops.deploy.cluster.spec import ClusterSpec

__all__ = ["disruption_budget", "scaled_object"]


def scaled_object(spec: ClusterSpec, api_version: str, kind: str) -> Manifest:
    """KEDA on the queue depth of a workload that is named like the model."""
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": metadata(spec, spec.name),
        "spec": {
            "scaleTargetRef": {"apiVersion": api_version, "kind": kind, "name": spec.name},
            "minReplicaCount": spec.replicas,
            "maxReplicaCount": spec.max_replicas,
            "pollingInterval": 15,
            # Prometheus away is no reason to have fewer pods.
            "fallback": {"failureThreshold": 4, "replicas": spec.replicas, "behavior": "currentReplicasIfHigher"},
            "triggers": [{
                "type": "prometheus", "metricType": "AverageValue",
                "metadata": {
                    "serverAddress": spec.prometheus, "query": Pods.of(spec, spec.name).queue(), "threshold": str(spec.queue),
                },
            }],
        },
    }  # fmt: skip


def disruption_budget(spec: ClusterSpec) -> Manifest:
    """Nodes that are emptied take one pod at a time."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(spec, spec.name),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": selector(spec)}},
    }
