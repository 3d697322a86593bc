"""``jupyter mlops deploy --target kubernetes``: its options, and what it prints."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlops.deploy.cluster.spec import STYLES

if TYPE_CHECKING:
    from jupyter_mlops.workflows.cluster import ClusterResult
    from jupyter_mlops.workflows.events import Listener

__all__ = ["add_arguments", "deploy_to_cluster"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the target ``kubernetes`` to ``deploy``."""
    parser.add_argument(
        "--target", choices=("local", "kubernetes"), default="local",
        help="this machine, or manifests for a cluster (default: local)",
    )  # fmt: skip
    group = parser.add_argument_group("with --target kubernetes", "--host is the name that the ingress answers to (default: any)")
    group.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="folder of the manifests (default: deploy/kubernetes in this folder)"
    )
    group.add_argument(
        "--style", choices=STYLES, default="rollouts",
        help="Argo Rollouts in the steps of promotion.yaml, KServe, or plain Deployments (default: rollouts)",
    )  # fmt: skip
    group.add_argument("--image", metavar="IMAGE", help="image of the service; {version} in it stands for the model's version")
    group.add_argument("--namespace", default="default", metavar="NAME", help="of everything (default: default)")
    group.add_argument("--create-namespace", action="store_true", help="write the namespace, too")
    group.add_argument("--tls-secret", metavar="NAME", help="secret with the certificate of --host")
    group.add_argument("--pull-secret", metavar="NAME", help="secret with which the image is pulled")
    group.add_argument("--log-claim", metavar="NAME", help="volume claim (ReadWriteMany) for the prediction log")
    group.add_argument(
        "--feature-claim", metavar="NAME", help="volume claim that holds a feature repository, for POST /predict/entity"
    )
    group.add_argument("--feature-secret", metavar="NAME", help="secret with the variables that its feature_store.yaml names")
    group.add_argument("--prometheus", metavar="URL", help="its address inside the cluster")
    group.add_argument("--model-uri", metavar="URI", help="with KServe: place of the project's model folder; {version} as above")
    group.add_argument("--apply", action="store_true", help="apply the manifests with kubectl")
    group.add_argument("--context", metavar="NAME", help="of kubectl (default: its current one)")
    group.add_argument(
        "--force", action="store_true", help="replace manifests that were edited (they are kept beside the new ones)"
    )


def deploy_to_cluster(arguments: argparse.Namespace, model: str, version: str | None, listen: Listener) -> int:
    """Write, and apply, and say so; returns the exit code.

    Raises
    ------
    MlopsError
        See the workflow.
    """
    from jupyter_mlops.errors import UsageError
    from jupyter_mlops.workflows.cluster import OUTPUT, ClusterOptions
    from jupyter_mlops.workflows.cluster import deploy_to_cluster as run

    for name in ("canary", "stop", "port"):
        if getattr(arguments, name):
            raise UsageError(f"--{name} is for a deployment on this machine. Leave it away with --target kubernetes.")
    if arguments.feature_store:
        raise UsageError(
            "--feature-store is a folder of this machine. Put it into a volume of the cluster, and name its claim: --feature-claim."
        )
    options = ClusterOptions(
        arguments.style, arguments.share, arguments.image, arguments.model_uri, arguments.namespace, arguments.create_namespace,
        arguments.host, arguments.tls_secret, arguments.pull_secret, arguments.log_claim,
        arguments.feature_claim, arguments.feature_secret, arguments.prometheus or ClusterOptions.prometheus,
        arguments.replicas, arguments.output or OUTPUT, arguments.force, arguments.apply, arguments.context, arguments.tracking_uri,
    )  # fmt: skip
    result = run(model, version, options, listen)
    if arguments.json:
        print(json.dumps(result.as_dict()), flush=True)
    else:
        _show(result)
    return 0


def _show(result: ClusterResult) -> None:
    if result.kept is not None:
        print(f"Your edited manifests were kept in {result.kept}")
    for line in result.applied:
        print(f"  {line}")
    if result.context is None:
        print(f"Apply them: kubectl apply -k {result.folder}")
