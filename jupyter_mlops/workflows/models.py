"""Registered models and their versions with what one has to know of them: lifecycle, metrics, parity, lineage, promotions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from jupyter_mlops.tracking.lifecycle import AUTHOR, PRODUCTION, STAGING
from jupyter_mlops.tracking.listing import RunRow, runs_by_id
from jupyter_mlops.tracking.store import check_reachable, page_link, shown
from jupyter_mlops.tracking.versions import ModelRow, VersionRow, model_rows, model_with_versions
from jupyter_mlops.workflows.runs_table import data_versions

__all__ = ["list_models", "list_versions"]

_ACTIVE = ("running", "waiting")
_SIDES = ("package", "service", "bundle")


def list_models(uri: str) -> dict[str, Any]:
    """The registered models, the last changed first; the message ``Models``.

    Raises
    ------
    TrackingError
        The store does not answer.
    """
    check_reachable(uri)
    return {"trackingUri": shown(uri), "models": [_summary(one) for one in model_rows(uri)]}


def list_versions(uri: str, name: str, *, user: str, database: str) -> dict[str, Any]:
    """The versions of a model, the newest first; the message ``ModelVersions``.

    Parameters
    ----------
    user
        Who asks: decides what they may do with a promotion.
    database
        URL of the promotions' journal.

    Raises
    ------
    NotFoundError
        There is no model of that name.
    TrackingError
        The store does not answer.
    """
    from jupyter_mlops.workflows.promotions import promotions_of

    check_reachable(uri)
    model = model_with_versions(uri, name)
    runs = runs_by_id(uri, [one.run_id for one in model.versions if one.run_id])
    promotions = promotions_of(database, uri, name, user=user, runs={one.version: one.run_id for one in model.versions})
    last: dict[str, dict[str, Any]] = {}
    for one in promotions:
        last.setdefault(one["version"], one)
    return {
        "name": model.name,
        "description": model.description,
        "versions": [_version(uri, model.name, one, runs.get(one.run_id or ""), last.get(one.version)) for one in model.versions],
        "active": next((one["id"] for one in promotions if one["status"] in _ACTIVE), None),
    }


def _summary(model: ModelRow) -> dict[str, Any]:
    return {
        "name": model.name, "description": model.description, "versions": len(model.versions),
        "staging": model.holder(STAGING), "production": model.holder(PRODUCTION), "updated": model.updated,
    }  # fmt: skip


def _version(uri: str, name: str, one: VersionRow, run: RunRow | None, promotion: dict[str, Any] | None) -> dict[str, Any]:
    # Versions that were registered by other means have their lineage at the run, if anywhere.
    tags = {**(run.tags if run is not None else {}), **one.tags}
    metrics = run.metrics if run is not None else {}
    return {
        "version": one.version,
        "lifecycle": one.lifecycle,
        "aliases": list(one.aliases),
        "created": one.created,
        "author": tags.get(AUTHOR) or tags.get("mlflow.user") or one.user,
        "runId": one.run_id,
        "link": _link(uri, name, one.version),
        "metrics": {key: value if math.isfinite(value) else None for key, value in metrics.items()},
        "parity": {side: tags.get(f"parity.{side}") for side in _SIDES},
        "mismatchAllowed": tags.get("mismatch_allowed") == "true",
        "boundary": tags.get("boundary"),
        "engine": tags.get("engine"),
        "lineage": _lineage(tags),
        "promotion": promotion,
    }


def _lineage(tags: Mapping[str, str]) -> dict[str, Any]:
    return {
        "notebook": tags.get("notebook"),
        "notebookSha256": tags.get("notebook.sha256"),
        "commit": tags.get("git.commit") or tags.get("mlflow.source.git.commit"),
        "branch": tags.get("git.branch"),
        "dirty": tags.get("git.dirty", "").lower() == "true",
        "data": data_versions(tags),
    }


def _link(uri: str, name: str, version: str) -> str | None:
    """The version's page in MLflow, where the store is a server."""
    return page_link(uri, f"models/{quote(name, safe='')}/versions/{version}")
