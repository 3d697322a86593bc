"""``jupyter mlops deploy`` and ``status``: versions of a model behind one address, and how they do."""

from __future__ import annotations

import argparse
import json
import sys
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

from jupyter_mlops.commands import cluster
from jupyter_mlops.commands.console import Console, print_event
from jupyter_mlops.commands.promote import model_and_version

if TYPE_CHECKING:
    from jupyter_mlops.workflows.deploying import DeployOptions, Status
    from jupyter_mlops.workflows.events import Listener

__all__ = ["COMMANDS", "add_deploy", "add_status", "deploy", "status"]

_CODES = (
    "Exit codes: 0 done, 1 the canary was taken off, 2 usage or environment, or the version did not get ready, 130 interrupted."
)
_LIVE = 1.0  # seconds between two looks


def add_deploy(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``deploy`` to the command line."""
    parser = commands.add_parser(
        "deploy",
        help="serve a registered model on this machine behind Envoy, or in a Kubernetes cluster",
        description="Start replicas of the service of a model version, with Envoy in front of them, and keep them running. Once "
        "more with another version: that takes over without a lost request, or gets a share of the traffic.",
        epilog=_CODES,
    )
    parser.add_argument(
        "model", metavar="MODEL[@VERSION]", help="name of the registered model (default version: the one in production)"
    )
    parser.add_argument(
        "--share", type=_share, metavar="PERCENT", help="of the traffic for this version, beside the one that is served"
    )
    parser.add_argument(
        "--canary", action="store_true",
        help="give this version 1, 5, 25, 50 and 100%% of the traffic in turn, and take it off again when it does worse; the same "
        "command goes on with it after an interrupt",
    )  # fmt: skip
    parser.add_argument(
        "--step-seconds", type=float, default=60.0, metavar="S", help="that a step of a canary lasts at least (default: 60)"
    )
    parser.add_argument("--step-requests", type=int, default=100, metavar="N", help="that it gets at least (default: 100)")
    parser.add_argument(
        "--bake", type=float, default=300.0, metavar="S", help="that the version before is kept warm at the end (default: 300)"
    )
    parser.add_argument("--replicas", type=_positive, metavar="N", help="processes of each version (default: 2)")
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=_positive, help="port to listen on (default: 8080)")
    parser.add_argument(
        "--feature-store", metavar="DIR",
        help="folder of a published feature repository, for POST /predict/entity; '' takes it away (default: as it was)",
    )  # fmt: skip
    parser.add_argument("--stop", action="store_true", help="stop serving the model")
    parser.add_argument(
        "--tracking-uri", metavar="URI", help="MLflow's address (default: MLFLOW_TRACKING_URI, else sqlite in this folder)"
    )
    cluster.add_arguments(parser)
    _add_json(parser)


def add_status(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``status`` to the command line."""
    parser = commands.add_parser(
        "status",
        help="how a deployment does: traffic, requests, errors and latency of each version",
        description="Show traffic, requests, errors and latencies of each version of a deployed model, since its replicas started.",
        epilog="Exit codes: 0 each version has a replica, 1 one has none, 2 usage or environment.",
    )
    parser.add_argument("model", nargs="?", help="name of the registered model (default: all that are deployed on this machine)")
    parser.add_argument("--live", action="store_true", help="show it anew each second, until Ctrl-C")
    _add_json(parser)


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", action="store_true", help="one JSON object per event on standard output; the last is the status"
    )


def _share(text: str) -> float:
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no share from 0 to 100")
    return value / 100


def _positive(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65_536:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 65535")
    return int(text)


def deploy(arguments: argparse.Namespace) -> int:
    """Run ``deploy``; returns the exit code."""
    from jupyter_mlops.errors import MlopsError
    from jupyter_mlops.workflows import deploying

    try:
        model, version = model_and_version(arguments.model)
        listen = print_event if arguments.json else Console()
        if arguments.target == "kubernetes":
            return cluster.deploy_to_cluster(arguments, model, version, listen)
        if arguments.stop:
            deploying.undeploy(model, listen=listen)
            return 0
        options = deploying.DeployOptions(
            arguments.share, arguments.host, arguments.port, arguments.replicas, arguments.tracking_uri,
            feature_store=arguments.feature_store,
        )  # fmt: skip
        if arguments.canary:
            return _canary(arguments, model, version, options, listen)
        found = deploying.deploy(model, version, options, listen)
    except MlopsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    _show(found, as_json=arguments.json)
    return 0


def _canary(arguments: argparse.Namespace, model: str, version: str | None, options: DeployOptions, listen: Listener) -> int:
    from jupyter_mlops.errors import UsageError
    from jupyter_mlops.workflows.canary import CanaryOptions, run_canary

    if version is None or options.share is not None:
        raise UsageError(
            "A canary is a version that is named, and its shares are its own: MODEL@VERSION --canary, without --share."
        )
    careful = CanaryOptions(seconds=arguments.step_seconds, requests=arguments.step_requests, bake=arguments.bake)
    try:
        result = run_canary(model, version, careful, options, listen)
    except KeyboardInterrupt:
        print("\nstopped: the shares stay as they are; the same command goes on", file=sys.stderr)
        return 130
    if arguments.json:
        print(json.dumps(result.as_dict()), flush=True)
    else:
        print(f"version {version} {'has all the traffic' if result.status == 'promoted' else f'was taken off: {result.reason}'}")
    return 0 if result.status == "promoted" else 1


def status(arguments: argparse.Namespace) -> int:
    """Run ``status``; returns the exit code."""
    from jupyter_mlops.errors import MlopsError
    from jupyter_mlops.workflows.deploying import deployed_models, deployment_status

    try:
        while True:
            names = [arguments.model] if arguments.model else deployed_models()
            found = [deployment_status(name) for name in names]
            if arguments.live and not arguments.json:
                print("\033[H\033[2J", end="")
            for one in found:
                _show(one, as_json=arguments.json)
            if not found and not arguments.json:
                print("Nothing is deployed on this machine: jupyter mlops deploy MODEL")
            if not arguments.live:
                return 0 if all(one.envoys and all(version.ready for version in one.versions) for one in found) else 1
            time.sleep(_LIVE)
    except MlopsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


def _show(found: Status, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(found.as_dict()), flush=True)
        return
    print(f"{found.model}  {found.url}" + ("" if found.supervised else "  (nobody restarts what dies: deploy it once more)"))
    print(f"{'version':<10}{'traffic':>8}{'replicas':>10}{'restarts':>10}{'requests':>10}{'errors':>8}{'p50':>10}{'p99':>10}")
    for one in found.versions:
        shadow = " shadow" if one.version == found.shadow else ""
        print(
            f"{one.version + shadow:<10}{one.share:>8.2%}{f'{one.ready}/{one.replicas}':>10}{one.restarts:>10}{one.requests:>10}"
            f"{one.errors:>8}{one.p50 * 1000:>7.1f} ms{one.p99 * 1000:>7.1f} ms"
        )
    for version, folder in found.feature_stores.items():
        print(f"features  version {version} reads {folder}")
    print(f"logs      {found.folder / 'logs'}/", flush=True)


# As `cli` wants them.
COMMANDS = {
    "deploy": SimpleNamespace(add_parser=add_deploy, run=deploy), "status": SimpleNamespace(add_parser=add_status, run=status),
}  # fmt: skip
