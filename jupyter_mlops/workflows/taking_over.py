"""The step of a promotion in which the version gets the traffic, where its model is deployed; and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from jupyter_mlops.database import database_url
from jupyter_mlops.deploy.spec import Deployment, Deployments
from jupyter_mlops.errors import ConflictError, NotFoundError, NotReadyError, TrackingError
from jupyter_mlops.processes import machine
from jupyter_mlops.promotion.journal import Journal, Moved
from jupyter_mlops.promotion.policy import Policy
from jupyter_mlops.promotion.state import RETURNED, PromotionState, fold
from jupyter_mlops.promotion.verdicts.canary import Limits
from jupyter_mlops.tracking.lifecycle import mark_canary
from jupyter_mlops.tracking.store import registry_key
from jupyter_mlops.workflows.canary import CanaryOptions, run_canary, take_off
from jupyter_mlops.workflows.deploying import DeployOptions, deploy, undeploy
from jupyter_mlops.workflows.events import Listener

__all__ = ["TookOver", "is_moved", "options_of", "serve_instead", "serving", "take_over", "traffic_back"]


@dataclass(frozen=True)
class TookOver:
    """How the traffic went over: ``failed`` means that all of it is with the champion again."""

    status: Literal["passed", "failed", "skipped"]
    message: str
    figures: Mapping[str, Any] = field(default_factory=dict)


def options_of(policy: Policy) -> CanaryOptions:
    """How careful a `promotion.yaml` wants a canary to be."""
    rule = policy.canary
    return CanaryOptions(
        shares=tuple(percent / 100 for percent in rule.steps), seconds=rule.seconds, requests=rule.requests, bake=rule.bake,
        shadow=rule.shadow, limits=Limits(**vars(policy.abort)),
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
    known = _find(Deployments(database_url(database)), model, uri)
    options = DeployOptions(tracking_uri=uri, database=database, feature_store=policy.deploy.feature_store)
    try:
        if known is None:
            if policy.deploy.target == "none":
                return TookOver("skipped", f"not deployed on this machine: `jupyter mlops deploy {model}` serves it")
            found = deploy(model, version, replace(options, port=policy.deploy.port, replicas=policy.deploy.replicas), tell)
            message = f"deployed at {found.url}; nothing served {model} before, so there was no traffic to move"
            return TookOver("passed", message, {"share": 100, "url": found.url})
        if list(known.spec.versions) == [version]:
            found = deploy(model, version, options, tell)  # it is looked after, and ready
            return TookOver("passed", f"version {version} has all the traffic", {"share": 100, "url": found.url})
        result = run_canary(model, version, options_of(policy), options, tell)
    except NotReadyError as error:
        return TookOver("failed", str(error))
    if result.status == "aborted":
        return TookOver("failed", f"taken off again: {result.reason}", {"share": 0, "machine": None})
    return TookOver("passed", f"all the traffic: {result.reason}", {"share": 100})


def is_moved(model: str, policy: Policy, uri: str, database: str | None) -> bool:
    """Whether there is traffic on this machine that a promotion moves, or will be."""
    return policy.deploy.target == "local" or serving(model, uri, database) is not None


def serving(model: str, uri: str, database: str | None) -> str | None:
    """The version that has the traffic of a model on this machine; None where it is not deployed."""
    known = _find(Deployments(database_url(database)), model, uri)
    return None if known is None else known.spec.traffic.stable


def serve_instead(model: str, version: str, uri: str, database: str | None, tell: Listener) -> None:
    """Give all traffic to a version, where its model is deployed on this machine and another one has it.

    Raises
    ------
    NotReadyError
        It did not get ready; what was served is served on.
    """
    known = _find(Deployments(database_url(database)), model, uri)
    if known is not None and (known.spec.traffic.stable != version or len(known.spec.versions) > 1):
        deploy(model, version, DeployOptions(tracking_uri=uri, database=database), tell)


def traffic_back(journal: Journal, promotion: str, uri: str, database: str | None, user: str) -> str:
    """Take the version of a promotion off the traffic that this promotion moved to it, and then the alias `canary` off it.

    Parameters
    ----------
    uri
        Its registry; where that does not answer, the alias is taken off with the next promotion.
    user
        Who ends the promotion.

    Returns
    -------
    str
        What was done; empty where nothing was to do.

    Raises
    ------
    ConflictError
        The deployment is changed by others all the time.
    EnvironmentLackError
        The database is away, or the version before did not get ready.
    """
    state, said = fold(journal.entries(promotion)), ""
    if state.moved_on == machine():
        said = _given_back(state, uri, database)
        for _ in range(5):  # while others write
            with suppress(Moved):
                journal.append(state.last, user, RETURNED, {"message": said or "nothing had been moved"})
                break
            state = fold(journal.entries(promotion))
    with suppress(NotFoundError, TrackingError):
        mark_canary(uri, state.model, None)
    return said


def _given_back(state: PromotionState, uri: str, database: str | None) -> str:
    deployments = Deployments(database_url(database))
    for _ in range(5):  # somebody else may change the deployment in the same moment
        known = _find(deployments, state.model, uri)
        if known is None or state.version not in known.spec.versions:
            return ""
        others = [one for one in known.spec.versions if one != state.version]
        try:
            if state.version == state.former:  # it had the traffic before this promotion
                return ""
            if others:
                take_off(deployments, known, others[0], database)
                return f"all traffic to version {others[0]}"
            if state.former is None:
                undeploy(state.model, database)
                return "not deployed any more"
            deploy(state.model, state.former, DeployOptions(tracking_uri=uri, database=database))
            return f"all traffic to version {state.former}"
        except ConflictError:
            continue
    raise ConflictError(
        f"The deployment of {state.model} is being changed by others. Look at it: jupyter mlops status {state.model}."
    )


def _find(deployments: Deployments, model: str, uri: str) -> Deployment | None:
    """The deployment of a model of this registry: one of that name may be another one's."""
    try:
        found = deployments.get(model, machine())
    except NotFoundError:
        return None
    return found if registry_key(found.spec.tracking_uri) == registry_key(uri) else None
