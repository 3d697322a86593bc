"""MLflow's aliases and lifecycle tags, and the traffic of this machine, made to say what the journal says."""

from __future__ import annotations

from jupyter_mlops.errors import NotFoundError
from jupyter_mlops.promotion.journal import Journal
from jupyter_mlops.promotion.state import fold
from jupyter_mlops.tracking.lifecycle import apply_lifecycle, find_version, mark_canary
from jupyter_mlops.tracking.store import registry_key
from jupyter_mlops.workflows.taking_over import traffic_back

__all__ = ["reconcile"]


def reconcile(journal: Journal, uri: str, model: str, database: str | None, user: str) -> list[str]:
    """Bring a model's registry into agreement with the journal, while no promotion of it is active.

    A promotion that ended when nobody worked on it may have left traffic with its version: that goes back, too.

    Returns
    -------
    list of str
        What was changed, as sentences.

    Raises
    ------
    TrackingError
        The registry does not answer.
    """
    promotions = journal.of_model(registry_key(uri), model)
    canary = _no_canary(uri, model)
    if promotions and (last := fold(promotions[0])).status != "promoted" and last.moved_on is not None:
        canary += [said] if (said := traffic_back(journal, last.id, uri, database, user)) else []
    for entries in promotions:
        state = fold(entries)
        if state.lifecycle is None:
            continue
        production = state.lifecycle["production"]
        try:
            if find_version(uri, model, production).run_id != state.run:
                return canary  # the model was registered anew, and nothing was decided about that
            return canary + apply_lifecycle(
                uri, model, production, state.lifecycle.get("previous")
            )  # only the newest decision holds
        except NotFoundError:
            return canary  # the model or its version was deleted: nothing is left to agree
    return canary


def _no_canary(uri: str, model: str) -> list[str]:
    try:
        return ["alias canary taken off"] if mark_canary(uri, model, None) else []
    except NotFoundError:
        return []
