"""Argo Rollouts: the version takes over in the steps of the policy, watched through Prometheus.

Two templates of analyses have the rules of the local canary. `health` runs all the time, and aborts: traffic goes back to the
stable version. What gives no answer is inconclusive; when that lasts for an hour, the rollout pauses for a person. `requests`
holds a step until the canary has answered enough.
"""

from __future__ import annotations

from jupyter_mlops.deploy.cluster.pods import Manifest, metadata, pod_template, selector
from jupyter_mlops.deploy.cluster.queries import Pods
from jupyter_mlops.deploy.cluster.routes import ingress, service
from jupyter_mlops.deploy.cluster.scaling import scaled_object
from jupyter_mlops.deploy.cluster.spec import ClusterSpec

__all__ = ["rollouts"]

_API = "argoproj.io/v1alpha1"
_PATIENCE = 3600  # seconds without an answer, until a person is asked


def rollouts(spec: ClusterSpec) -> dict[str, list[Manifest]]:
    """The manifests by file."""
    stable, canary = f"{spec.name}-stable", f"{spec.name}-canary"
    return {
        "rollout.yaml": [_rollout(spec, stable, canary), service(spec, stable), service(spec, canary)],
        "analysis.yaml": [_health(spec), _requests(spec)],
        "ingress.yaml": [ingress(spec, spec.name, stable)],
        "scaling.yaml": [scaled_object(spec, _API, "Rollout")],
    }


def _rollout(spec: ClusterSpec, stable: str, canary: str) -> Manifest:
    rules = spec.analysis
    version = {"name": "version", "value": spec.release.version}
    steps: list[Manifest] = []
    for number, percent in enumerate(rules.steps, start=1):
        steps.append({"setWeight": percent})
        if rules.seconds:
            steps.append({"pause": {"duration": f"{rules.seconds}s"}})
        if rules.requests:
            # The services count from their start, so the number grows with the steps.
            needed = {"name": "requests", "value": str(number * rules.requests)}
            steps.append({"analysis": {"templates": [{"templateName": f"{spec.name}-requests"}], "args": [version, needed]}})
    return {
        "apiVersion": _API,
        "kind": "Rollout",
        "metadata": metadata(spec, spec.name, spec.release),
        "spec": {
            # Without replicas, those that KEDA has asked for stay when the manifest is applied again.
            "revisionHistoryLimit": 3,
            "progressDeadlineSeconds": 600,
            "progressDeadlineAbort": True,
            "selector": {"matchLabels": selector(spec)},
            "strategy": {"canary": {
                "stableService": stable, "canaryService": canary,
                "trafficRouting": {"nginx": {"stableIngress": spec.name}},
                "maxSurge": 1, "maxUnavailable": 0,
                "scaleDownDelaySeconds": max(rules.bake, 30),
                "analysis": {"templates": [{"templateName": f"{spec.name}-health"}], "args": [version], "startingStep": 1},
                "steps": steps,
            }},
            "template": pod_template(spec, spec.release),
        },
    }  # fmt: skip


def _health(spec: ClusterSpec) -> Manifest:
    rules, pods = spec.analysis, _pods(spec)
    patience = _patience(spec)
    return _template(spec, "health", ["version"], [
        {
            "name": "errors", "interval": f"{rules.look}s", "initialDelay": f"{rules.look}s",
            "successCondition": f"len(result) == 1 && result[0] < {rules.evidence:g}",
            "failureCondition": f"len(result) == 1 && result[0] >= {rules.evidence:g}",
            "inconclusiveLimit": patience, "consecutiveErrorLimit": patience,
            "provider": _prometheus(spec, pods.evidence(rules)),
        },
        {
            "name": "latency", "interval": f"{rules.look}s", "initialDelay": f"{rules.look}s",
            # Too few requests say nothing against it; that there are enough is asked for by the steps.
            "successCondition": f"len(result) == 0 || result[0] <= {rules.latency_ratio:g}",
            "failureCondition": f"len(result) == 1 && result[0] > {rules.latency_ratio:g}",
            "inconclusiveLimit": patience, "consecutiveErrorLimit": patience,
            "provider": _prometheus(spec, pods.latency(rules)),
        },
    ])  # fmt: skip


def _requests(spec: ClusterSpec) -> Manifest:
    return _template(spec, "requests", ["version", "requests"], [{
        "name": "requests", "interval": f"{spec.analysis.look}s",
        "successCondition": "len(result) == 1 && result[0] >= {{args.requests}}",
        # Too few are asked for again, without an end, and never a failure.
        "failureLimit": -1, "consecutiveSuccessLimit": 1, "consecutiveErrorLimit": _patience(spec),
        "provider": _prometheus(spec, _pods(spec).requests()),
    }])  # fmt: skip


def _patience(spec: ClusterSpec) -> int:
    """Looks without an answer that are borne: too few requests, or Prometheus away."""
    return _PATIENCE // spec.analysis.look


def _pods(spec: ClusterSpec) -> Pods:
    return Pods.of(spec, spec.name, "{{args.version}}")


def _template(spec: ClusterSpec, name: str, arguments: list[str], metrics: list[Manifest]) -> Manifest:
    return {
        "apiVersion": _API,
        "kind": "AnalysisTemplate",
        "metadata": metadata(spec, f"{spec.name}-{name}"),
        "spec": {"args": [{"name": one} for one in arguments], "metrics": metrics},
    }


def _prometheus(spec: ClusterSpec, query: str) -> Manifest:
    return {"prometheus": {"address": spec.prometheus, "query": query}}
