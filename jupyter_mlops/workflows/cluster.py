"""Write the manifests of a model version for Kubernetes, and apply them (`jupyter mlops deploy --target kubernetes`)."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_mlops.deploy.cluster.kubectl import Kubectl
from jupyter_mlops.deploy.cluster.render import manifests, to_yaml
from jupyter_mlops.deploy.cluster.spec import Analysis, ClusterSpec, Release, Style, resource_name
from jupyter_mlops.errors import UsageError
from jupyter_mlops.promotion.policy import Policy
from jupyter_mlops.tracking.lifecycle import VersionFacts, find_to_deploy
from jupyter_mlops.tracking.store import tracking_uri
from jupyter_mlops.workflows.artifact import Artifact
from jupyter_mlops.workflows.events import Event, Listener
from jupyter_mlops.workflows.output import check_target, publish, staging

__all__ = ["OUTPUT", "ClusterOptions", "ClusterResult", "deploy_to_cluster"]

OUTPUT = Path("deploy", "kubernetes")


@dataclass(frozen=True)
class ClusterOptions:
    """How and where to.

    Attributes
    ----------
    share
        Part of the traffic (0 to 1) for the version, beside the one in production; None: all of it, with Argo Rollouts in the
        steps of `promotion.yaml`.
    image, model_uri
        Of a version; ``{version}`` in it stands for its number. Image by default: name of the model and version.
    feature_claim, feature_secret
        Volume claim with a feature repository, and secret with the variables that it names.
    replicas
        At least; None: as many as `promotion.yaml` says.
    output, force
        Folder of the manifests, and whether to replace one that was edited (it is kept beside).
    apply, context
        Whether kubectl applies them, and with which of its contexts (None: the current one).
    """

    style: Style = "rollouts"
    share: float | None = None
    image: str | None = None
    model_uri: str | None = None
    namespace: str = "default"
    create_namespace: bool = False
    host: str | None = None
    tls_secret: str | None = None
    pull_secret: str | None = None
    log_claim: str | None = None
    feature_claim: str | None = None
    feature_secret: str | None = None
    prometheus: str = ClusterSpec.prometheus
    replicas: int | None = None
    output: Path = OUTPUT
    force: bool = False
    apply: bool = False
    context: str | None = None
    tracking_uri: str | None = None


@dataclass(frozen=True)
class ClusterResult:
    """What was written, and what became of it.

    Attributes
    ----------
    kept
        Where an edited former folder is now.
    context
        Of kubectl, where it was applied.
    applied
        A line for each manifest, as kubectl says it.
    """

    model: str
    version: str
    style: Style
    folder: Path
    files: tuple[str, ...]
    kept: Path | None = None
    context: str | None = None
    applied: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "model": self.model, "version": self.version, "style": self.style, "folder": str(self.folder),
            "files": list(self.files), "kept": None if self.kept is None else str(self.kept), "context": self.context,
            "applied": list(self.applied),
        }  # fmt: skip


def deploy_to_cluster(
    model: str, version: str | None = None, options: ClusterOptions | None = None, listen: Listener = lambda event: None
) -> ClusterResult:
    """Write the manifests of a version, and apply them where that is asked for.

    Parameters
    ----------
    version
        Default: the one in production.

    Raises
    ------
    NotFoundError
        There is no such model or version, none in production, or it has no service.
    UsageError
        An option cannot be had in Kubernetes.
    EditedError, OutputError
        The folder was edited since, or holds something else.
    EnvironmentLackError
        The registry is away; or the manifests are written, and no cluster takes them.
    """
    options = options or ClusterOptions()
    check_target(
        options.output, force=options.force, what="kustomization", made="written by this command", again="With --output, write"
    )
    uri = options.tracking_uri or tracking_uri(None, Path())
    listen(Event("fetch", "started", f"the policy of {model}"))
    facts = find_to_deploy(uri, model, version)
    spec = _spec(facts, _policy(uri, facts), options)
    listen(Event("fetch", "done", f"version {facts.version}"))
    files = manifests(spec)
    with staging(options.output) as place:
        for name, documents in files.items():
            (place / name).write_text(to_yaml(documents), encoding="utf-8")
        kept = publish(place, options.output)
    listen(Event("write", "done", f"{len(files)} files in {options.output}"))
    context, applied = _apply(spec, options, listen) if options.apply else (None, ())
    return ClusterResult(model, facts.version, options.style, options.output, tuple(files), kept, context, applied)


# -- what is deployed ---------------------------------------------------------------------------------------------------


def _policy(uri: str, facts: VersionFacts) -> Policy:
    with tempfile.TemporaryDirectory(prefix="jupyter-mlops-") as scratch:
        artifact = Artifact(uri, facts.model, facts.version, facts.digest, facts.run_id, Path(scratch))
        artifact.project_to_serve()
        return artifact.policy()


def _spec(facts: VersionFacts, policy: Policy, options: ClusterOptions) -> ClusterSpec:
    name = resource_name(facts.model)
    replicas = options.replicas or policy.deploy.replicas
    release, canary, percent = _release(name, facts.version, options), None, 0
    if options.share is not None:
        if facts.champion is None:
            raise UsageError(
                f"No version of {facts.model} is in production, so there is no traffic to share. Deploy without --share."
            )
        release, canary, percent = _release(name, facts.champion, options), release, _percent(options.share)
        if release.image == canary.image:
            raise UsageError(
                "Both versions have an image of their own. Let {version} stand for the number: --image NAME:{version}."
            )
    return ClusterSpec(
        name, release, options.style, options.namespace, options.create_namespace, canary, percent, options.host,
        options.tls_secret, options.pull_secret, options.log_claim, options.feature_claim, options.feature_secret, replicas,
        max(ClusterSpec.max_replicas, replicas), prometheus=options.prometheus,
        analysis=_analysis(policy),
    )  # fmt: skip


def _release(name: str, version: str, options: ClusterOptions) -> Release:
    image = (options.image or f"{name}:{{version}}").replace("{version}", version)
    address = None if options.model_uri is None else options.model_uri.replace("{version}", version)
    return Release(version, image, address)


def _percent(share: float) -> int:
    percent = round(share * 100)
    if abs(percent - share * 100) > 1e-9:
        raise UsageError(f"{share * 100:g}% cannot be had in Kubernetes, where shares are whole percentages.")
    return percent


def _analysis(policy: Policy) -> Analysis:
    rule, abort = policy.canary, policy.abort
    return Analysis(
        # Weights are whole percentages there.
        steps=tuple(sorted({min(99, max(1, round(step))) for step in rule.steps})), seconds=round(rule.seconds),
        requests=rule.requests, bake=round(rule.bake), evidence=abort.evidence, latency_ratio=abort.latency_ratio,
        latency_looks=abort.latency_looks,
    )  # fmt: skip


# -- where to -----------------------------------------------------------------------------------------------------------


def _apply(spec: ClusterSpec, options: ClusterOptions, listen: Listener) -> tuple[str, tuple[str, ...]]:
    kubectl = Kubectl(options.context)
    context = kubectl.cluster()
    listen(Event("cluster", "done", f"{context}, namespace {spec.namespace}"))
    listen(Event("apply", "started", str(options.output)))
    # What is for a namespace that is yet to be made cannot be checked before.
    applied = kubectl.apply(options.output, rehearse=not spec.create_namespace)
    listen(Event("apply", "done", f"{len(applied)} manifests"))
    return context, tuple(applied)
