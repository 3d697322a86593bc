"""KServe: one InferenceService, of which KServe makes Deployments, routes and KEDA's ScaledObject.

A canary has to be a model that KServe fetches itself (its webhook refuses others), so each version has a ServingRuntime of its
image, and its model folder comes from storage.
"""

from __future__ import annotations

from jupyter_mlops.deploy.cluster.pods import Manifest, container, metadata, pod_settings, scraped, volumes
from jupyter_mlops.deploy.cluster.queries import Pods
from jupyter_mlops.deploy.cluster.spec import ClusterSpec, Release

__all__ = ["kserve"]

_CONTAINER = "kserve-container"  # KServe asks for this name
_MODELS = "/mnt/models"  # where it puts what it fetches


def kserve(spec: ClusterSpec) -> dict[str, list[Manifest]]:
    """The manifests by file."""
    releases = [spec.release] if spec.canary is None else [spec.release, spec.canary]
    files = {"inference-service.yaml": [_inference_service(spec)]}
    if runtimes := [_runtime(spec, one) for one in releases if one.model_uri]:
        files["runtimes.yaml"] = runtimes
    return files


def _inference_service(spec: ClusterSpec) -> Manifest:
    made = metadata(spec, spec.name, spec.release)
    made["annotations"] = {"serving.kserve.io/deploymentMode": "Standard", "serving.kserve.io/autoscalerClass": "keda"}
    settings: Manifest = {
        "predictor": {
            "minReplicas": spec.replicas, "maxReplicas": spec.max_replicas, "autoScaling": {"metrics": [_queue(spec)]},
            **_predictor(spec, spec.release),
        },
    }  # fmt: skip
    if spec.canary is not None:
        # It has a fixed number of pods, by its share of the stable one's.
        named = {"name": f"v{spec.canary.version.lower().replace('.', '-').replace('_', '-')}"}
        predictor = {**named, **_predictor(spec, spec.canary)}
        predictor["model"]["name"] = ""  # the schema asks for it on canaries; the webhook refuses any on models
        settings["canary"] = [{"trafficPercent": spec.percent, "predictor": predictor}]
    return {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": made, "spec": settings}


def _predictor(spec: ClusterSpec, release: Release) -> Manifest:
    labels = metadata(spec, spec.name, release)["labels"]
    common = {"labels": labels, "annotations": scraped(), **pod_settings(spec)}
    if release.model_uri is None:
        return {**common, "containers": [container(release, spec, _CONTAINER)], "volumes": volumes(spec)}
    model = {
        "modelFormat": {"name": spec.name}, "runtime": _runtime_name(spec, release), "protocolVersion": "v2",
        "storageUri": release.model_uri,
    }  # fmt: skip
    return {**common, "model": model}


def _runtime(spec: ClusterSpec, release: Release) -> Manifest:
    return {
        "apiVersion": "serving.kserve.io/v1alpha1",
        "kind": "ServingRuntime",
        "metadata": metadata(spec, _runtime_name(spec, release), release),
        "spec": {
            "supportedModelFormats": [{"name": spec.name, "autoSelect": False}],
            "protocolVersions": ["v2"],
            "containers": [container(release, spec, _CONTAINER, SERVICE_MODEL_DIR=_MODELS)],
            "volumes": volumes(spec),
        },
    }


def _runtime_name(spec: ClusterSpec, release: Release) -> str:
    return f"{spec.name}-{release.version.lower().replace('_', '-')}"


def _queue(spec: ClusterSpec) -> Manifest:
    query = Pods.of(spec, f"{spec.name}-predictor").queue()
    return {"type": "External", "external": {
        "metric": {"backend": "prometheus", "serverAddress": spec.prometheus, "query": query},
        "target": {"type": "Value", "value": str(spec.queue)},
    }}  # fmt: skip
