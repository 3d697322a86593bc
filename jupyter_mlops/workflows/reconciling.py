"""MLflow's aliases and lifecycle tags made to say what the journal says."""

from __future__ import annotations

from jupyter_mlops.errors import NotFoundError
from jupyter_mlops.promotion.journal import Journal
from jupyter_mlops.promotion.state import fold
from jupyter_mlops.tracking.lifecycle import apply_lifecycle, find_version
from jupyter_mlops.workflows.promotions import registry_key

__all__ = ["reconcile"]


def reconcile(database: str, uri: str, model: str | None = None) -> dict[str, list[str]]:
    """Bring a registry into agreement with the journal, for one model or for all that were ever promoted.

    Returns
    -------
    dict
        For each model that differed: what was changed, as sentences.

    Raises
    ------
    TrackingError
        The registry does not answer.
    """
    journal, registry = Journal(database), registry_key(uri)
    changed: dict[str, list[str]] = {}
    for name in journal.models(registry) if model is None else [model]:
        for entries in journal.of_model(registry, name):
            state = fold(entries)
            decided = state.lifecycle
            if decided is None:
                continue
            try:
                if find_version(uri, name, decided["production"]).run_id != state.run:
                    break  # the model was registered anew, and nothing was decided about that
                sentences = apply_lifecycle(uri, name, decided["production"], decided.get("previous"))
            except NotFoundError:
                break  # the model or its version was deleted: nothing is left to agree
            if sentences:
                changed[name] = sentences
            break  # only the newest decision holds
    return changed
