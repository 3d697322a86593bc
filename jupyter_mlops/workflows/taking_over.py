"""The step of a promotion in which the version gets the traffic, where its model is deployed; and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from jupyter_mlops.database import database_url
from jupyter_mlops.deploy.spec import Deployment, Deployments
from jupyter_mlops.errors import ConflictError, NotFoundError, NotReadyError, TrackingError
from jupyter_mlops.processes import machine
from jupyter_mlops.promotion.policy import Policy
from jupyter_mlops.promotion.state import PromotionState
from jupyter_mlops.promotion.verdicts.canary import Limits
from jupyter_mlops.tracking.lifecycle import mark_canary
from jupyter_mlops.workflows.canary import CanaryOptions, run_canary, take_off
from jupyter_mlops.workflows.deploying import DeployOptions, deploy, undeploy
from jupyter_mlops.workflows.events import Listener

__all__ = ["TookOver", "options_of", "take_over", "traffic_back"]


@dataclass(frozen=True)
class TookOver:
    """How the traffic went over: ``failed`` means that all of it is with the champion again."""

    status: Literal["passed", "failed", "skipped"]
    message: str
    figures: Mapping[str, Any] = field(default_factory=dict)


def options_of(policy: Policy) -> CanaryOptions:
    """How careful a `promotion.yaml` wants a canary to be."""
    rule, abort = policy.canary, policy.abort
    limits = Limits(
        evidence=abort.evidence, failing=abort.failing, latency_ratio=abort.latency_ratio, latency_looks=abort.latency_looks,
        shift=abort.shift,
    )  # fmt: skip
    return CanaryOptions(
        shares=tuple(percent / 100 for percent in rule.steps), seconds=rule.seconds, requests=rule.requests, bake=rule.bake,
        shadow=rule.shadow, limits=limits,
    )  # fmt: skip


def take_over(model: str, version: str, policy: Policy, uri: str, database: str | None, tell: Listener) -> TookOver:
    """Give a version all traffic of its model, in the steps of its policy; called again, it goes on where it stood.

    Parameters
    ----------
    tell
        Told about every look; what it raises leaves the traffic as it is.

    Raises
    ------
    ConflictError
        Another version shares the traffic.
    EnvironmentLackError
        The version did not get ready, or the database is away.
    """
    known = _find(Deployments(database_url(database)), model)
    here = {"machine": machine(), "share": 100}
    try:
        if known is None:
            if policy.deploy.target == "none":
                return TookOver("skipped", f"not deployed on this machine: `jupyter mlops deploy {model}` serves it")
            options = DeployOptions(port=policy.deploy.port, replicas=policy.deploy.replicas, tracking_uri=uri, database=database)
            found = deploy(model, version, options, tell)
            message = f"deployed at {found.url}; nothing served {model} before, so there was no traffic to move"
            return TookOver("passed", message, {**here, "url": found.url})
        if list(known.spec.versions) == [version]:
            return TookOver("passed", f"version {version} has all the traffic", {"share": 100})
        result = run_canary(model, version, options_of(policy), DeployOptions(tracking_uri=uri, database=database), tell)
    except NotReadyError as error:
        return TookOver("failed", str(error))
    if result.status == "aborted":
        return TookOver("failed", f"taken off again: {result.reason}", {**here, "share": 0})
    return TookOver("passed", f"all the traffic: {result.reason}", here)


def traffic_back(state: PromotionState, uri: str, database: str | None) -> str:
    """Take the version of a promotion off the traffic that this promotion moved to it, and then the alias `canary` off it.

    Parameters
    ----------
    uri
        Its registry; where that does not answer, the alias is taken off with the next promotion.

    Returns
    -------
    str
        What was done; empty where nothing was to do.

    Raises
    ------
    ConflictError
        The deployment is changed by others all the time.
    EnvironmentLackError
        The database is away, or the champion did not get ready.
    """
    said = _given_back(state, uri, database) if state.moved_on == machine() else ""
    with suppress(NotFoundError, TrackingError):
        mark_canary(uri, state.model, None)
    return said


def _given_back(state: PromotionState, uri: str, database: str | None) -> str:
    deployments = Deployments(database_url(database))
    for _ in range(5):  # somebody else may change the deployment in the same moment
        known = _find(deployments, state.model)
        if known is None or state.version not in known.spec.versions:
            return ""
        others = [one for one in known.spec.versions if one != state.version]
        try:
            if others:
                take_off(deployments, known, others[0], database)
                return f"all traffic to version {others[0]}"
            if state.champion is None:
                undeploy(state.model, database)
                return "not deployed any more"
            deploy(state.model, state.champion, DeployOptions(tracking_uri=uri, database=database))
            return f"all traffic to version {state.champion}"
        except ConflictError:
            continue
    raise ConflictError(
        f"The deployment of {state.model} is being changed by others. Look at it: jupyter mlops status {state.model}."
    )


def _find(deployments: Deployments, model: str) -> Deployment | None:
    try:
        return deployments.get(model, machine())
    except NotFoundError:
        return None
