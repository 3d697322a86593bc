"""How the deployment of a model does, for the sidebar: the message `DeploymentStatus` of ``schema/api/models.yaml``."""

from __future__ import annotations

from typing import Any

from jupyter_mlops.database import database_url
from jupyter_mlops.deploy.spec import Deployments
from jupyter_mlops.errors import NotFoundError
from jupyter_mlops.processes import machine
from jupyter_mlops.tracking.store import registry_key, shown
from jupyter_mlops.workflows.deploying import deployment_status

__all__ = ["deployment_view"]


def deployment_view(model: str, uri: str, database: str | None = None) -> dict[str, Any]:
    """The deployment on this machine of a model that is registered in a store.

    Deployments are named by their model, and notebooks in several folders make models of one name: what is deployed from
    another store is none of this one, and is only named.

    Parameters
    ----------
    uri
        Tracking URI of the store.

    Raises
    ------
    EnvironmentLackError
        The database does not answer.
    """
    try:
        spec = Deployments(database_url(database)).get(model, machine()).spec
        if registry_key(spec.tracking_uri) != registry_key(uri):
            return {"deployment": None, "elsewhere": shown(spec.tracking_uri)}
        status = deployment_status(model, database).as_dict()
    except NotFoundError:
        return {"deployment": None, "elsewhere": None}
    del status["folder"], status["feature_stores"]  # nothing for a page
    return {"deployment": status, "elsewhere": None}
