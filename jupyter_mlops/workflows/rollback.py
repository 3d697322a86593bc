"""Back to the version that was in production before (`jupyter mlops rollback`): its traffic first, then the registry."""

from __future__ import annotations

from jupyter_mlops.database import database_url
from jupyter_mlops.deploy.spec import Deployments
from jupyter_mlops.processes import machine
from jupyter_mlops.tracking.lifecycle import PREVIOUS, find_version
from jupyter_mlops.tracking.store import tracking_uri
from jupyter_mlops.workflows.deploying import DeployOptions, deploy
from jupyter_mlops.workflows.events import Listener
from jupyter_mlops.workflows.promote import PromoteOptions, PromoteResult, restore_previous

__all__ = ["rollback"]


def rollback(model: str, options: PromoteOptions | None = None, listen: Listener = lambda event: None) -> PromoteResult:
    """Give the version before all the traffic, where the model is deployed on this machine, and put it into production.

    Raises
    ------
    NotFoundError
        There is no such model, or no version before.
    ConflictError
        A promotion of the model is active; the traffic is with the version before by then.
    EnvironmentLackError
        The version before did not get ready, and nothing was changed; or a registry or database is away: call again.
    """
    options = options or PromoteOptions()
    uri = tracking_uri(options.tracking_uri, options.folder)
    deployments = Deployments(database_url(options.database))
    if model in deployments.names(machine()):
        traffic = deployments.get(model, machine()).spec.traffic
        facts = find_version(uri, model)
        # A rollback that was cut off has moved the traffic already, maybe the aliases, too.
        if facts.champion == traffic.stable and (previous := facts.aliases.get(PREVIOUS)) is not None:
            deploy(model, previous, DeployOptions(tracking_uri=uri, database=options.database), listen)
    return restore_previous(model, options, listen)
