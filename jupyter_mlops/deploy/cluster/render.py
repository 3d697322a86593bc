"""From a spec to files that `kubectl apply -k` takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from jupyter_mlops.deploy.cluster.kserve import kserve
from jupyter_mlops.deploy.cluster.plain import plain
from jupyter_mlops.deploy.cluster.pods import Manifest
from jupyter_mlops.deploy.cluster.rollouts import rollouts
from jupyter_mlops.deploy.cluster.scaling import disruption_budget
from jupyter_mlops.deploy.cluster.spec import ClusterSpec, Style

__all__ = ["KUSTOMIZATION", "manifests", "to_yaml"]

KUSTOMIZATION = "kustomization.yaml"
# To add a style: a function from a spec to manifests by file, its name in `spec.Style`, and its line here.
_STYLES: dict[Style, Callable[[ClusterSpec], dict[str, list[Manifest]]]] = {
    "rollouts": rollouts, "kserve": kserve, "plain": plain,
}  # fmt: skip


def manifests(spec: ClusterSpec) -> dict[str, list[Manifest]]:
    """All manifests of a spec by the file that they belong into, `kustomization.yaml` with them."""
    files: dict[str, list[Manifest]] = {}
    if spec.create_namespace:
        files["namespace.yaml"] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": spec.namespace}}]
    files |= _STYLES[spec.style](spec)
    files["disruption.yaml"] = [disruption_budget(spec)]
    kustomization = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": list(files)}
    return {**files, KUSTOMIZATION: [kustomization]}


def to_yaml(documents: Iterable[Manifest]) -> str:
    """The text of a file: keys in their order, queries of several lines as blocks."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return yaml.dump_all(documents, Dumper=Dumper, sort_keys=False, width=1000, allow_unicode=True)
