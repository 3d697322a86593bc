"""Registered models and their versions, read in a number of requests that does not grow with theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import NotFoundError
from jupyter_mlops.tracking.lifecycle import LIFECYCLE, LIFECYCLES, NOWHERE
from jupyter_mlops.tracking.listing import quoted, store_exists
from jupyter_mlops.tracking.store import shown, store

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

__all__ = ["ModelRow", "VersionRow", "model_rows", "model_with_versions"]

_MODELS, _VERSIONS = 1000, 10_000  # of one request


@dataclass(frozen=True)
class VersionRow:
    """A model version.

    Attributes
    ----------
    lifecycle
        From its tag, else MLflow's own stage.
    created, updated
        Milliseconds since 1970.
    user
        Whom the registry names, which is often nobody.
    """

    version: str
    lifecycle: str
    created: int
    updated: int
    user: str
    run_id: str | None
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: Sequence[str] = ()


@dataclass(frozen=True)
class ModelRow:
    """A registered model with its versions, the newest first."""

    name: str
    description: str
    updated: int
    versions: Sequence[VersionRow] = ()

    def holder(self, alias: str) -> str | None:
        """The version that has an alias; where none has, the newest one whose lifecycle is called so."""
        for one in self.versions:
            if alias in one.aliases:
                return one.version
        return next((one.version for one in self.versions if one.lifecycle.lower() == alias), None)


def model_rows(uri: str) -> list[ModelRow]:
    """All registered models, the last changed first.

    Raises
    ------
    TrackingError
        The store refused.
    """
    if not store_exists(uri):
        return []
    with store(uri) as client:
        models = _all(lambda token: client.search_registered_models(max_results=_MODELS, page_token=token))
        versions: dict[str, list[ModelVersion]] = {}
        if models:
            for one in _all(lambda token: client.search_model_versions(max_results=_VERSIONS, page_token=token)):
                versions.setdefault(str(one.name), []).append(one)
    rows = [_model(one, versions.get(str(one.name), [])) for one in models]
    return sorted(rows, key=lambda row: (-row.updated, row.name))


def model_with_versions(uri: str, name: str) -> ModelRow:
    """One registered model.

    Raises
    ------
    NotFoundError
        There is no model of that name.
    TrackingError
        The store refused.
    """
    missing = NotFoundError(
        f"No model {name!r} is registered at {shown(uri)}: it may have been deleted or renamed. Refresh the list."
    )
    if not name or not store_exists(uri):
        raise missing
    with store(uri) as client:
        from mlflow.exceptions import MlflowException

        try:
            model = client.get_registered_model(name)  # a search for versions does not tell their aliases
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                raise missing from None
            raise
        condition = f"name = {quoted(name)}"
        versions = _all(lambda token: client.search_model_versions(condition, max_results=_VERSIONS, page_token=token))
    return _model(model, versions)


def _all(ask: Callable[[str | None], Any]) -> list[Any]:
    found, token = [], None
    while True:
        page = ask(token)
        found += page
        token = page.token
        if not token:
            return found


def _model(model: RegisteredModel, versions: Sequence[ModelVersion]) -> ModelRow:
    aliases: dict[str, list[str]] = {}
    for alias, version in sorted(dict(model.aliases).items()):
        aliases.setdefault(str(version), []).append(str(alias))
    rows = [_version(one, aliases.get(str(one.version), [])) for one in versions]
    rows.sort(key=lambda row: int(row.version), reverse=True)
    updated = max([int(model.last_updated_timestamp or 0), *(row.updated for row in rows)])
    return ModelRow(str(model.name), str(model.description or ""), updated, rows)


def _version(one: ModelVersion, aliases: Sequence[str]) -> VersionRow:
    tags = {str(key): str(value) for key, value in dict(one.tags).items()}
    stage = tags.get(LIFECYCLE) or str(one.current_stage or NOWHERE)
    created = int(one.creation_timestamp or 0)
    return VersionRow(
        version=str(one.version),
        lifecycle=next((known for known in LIFECYCLES if known.lower() == stage.lower()), NOWHERE),
        created=created,
        updated=max(created, int(one.last_updated_timestamp or 0)),
        user=str(one.user_id or ""),
        run_id=str(one.run_id) if one.run_id else None,
        tags=tags,
        aliases=tuple(aliases),
    )
