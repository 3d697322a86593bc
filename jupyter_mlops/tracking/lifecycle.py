"""Where a model version stands in the registry (aliases and the `lifecycle` tag), and its artifacts.

The deprecated stages of MLflow are not used. Every change is idempotent: doing it again after a stop on the way is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlops.errors import NotFoundError, TrackingError
from jupyter_mlops.tracking.listing_artifacts import no_progress_bar
from jupyter_mlops.tracking.searching import quoted
from jupyter_mlops.tracking.store import ANOTHER_STORE, shown, store

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

__all__ = [
    "ARCHIVE", "AUTHOR", "CANARY", "DIGEST", "LIFECYCLE", "LIFECYCLES", "PREVIOUS", "PRODUCTION", "STAGING", "VersionFacts", "apply_lifecycle",
    "fetch_archive", "fetch_model", "fetch_notebook", "find_to_deploy", "find_version", "mark_canary", "tag_version",
]  # fmt: skip

ARCHIVE = "project/project.zip"  # artifact of the run that a version was registered from
DIGEST, AUTHOR, LIFECYCLE = "project.sha256", "mlops.author", "lifecycle"  # tags of a version
PRODUCTION, PREVIOUS, STAGING, CANARY = "production", "previous", "staging", "canary"  # aliases
LIFECYCLES = STAGED, SERVING, ARCHIVED, NOWHERE = "Staging", "Production", "Archived", "None"  # values of the tag
_MISSING = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # the second: no such alias


@dataclass(frozen=True)
class VersionFacts:
    """A model version, with the aliases of its model."""

    model: str
    version: str
    run_id: str
    tags: Mapping[str, str]
    aliases: Mapping[str, str]  # alias: version

    @property
    def digest(self) -> str | None:
        """SHA-256 of its project's archive, if it has one."""
        return self.tags.get(DIGEST)

    @property
    def champion(self) -> str | None:
        """Version in production now."""
        return self.aliases.get(PRODUCTION)


def find_version(uri: str, model: str, version: str | None = None) -> VersionFacts:
    """A version of a model: the given one, else that of the alias `staging`, else the newest.

    Raises
    ------
    NotFoundError
        There is no such model or version.
    TrackingError
        The store refused.
    """
    with store(uri) as client:
        aliases = _aliases(client, uri, model)
        if version is None:
            version = aliases.get(STAGING) or max(
                (str(one.version) for one in client.search_model_versions(f"name = {quoted(model)}")), key=int, default=None
            )
        if version is None:
            raise NotFoundError(f"The model {model} in {shown(uri)} has no version. Convert its notebook: that registers one.")
        if (found := _found(client, model, version)) is None:
            raise NotFoundError(
                f"The model {model} in {shown(uri)} has no version {version}. `jupyter mlops promote {model}` takes the one in staging."
            )
        return VersionFacts(model, str(found.version), str(found.run_id or ""), dict(found.tags), aliases)


def find_to_deploy(uri: str, model: str, version: str | None = None) -> VersionFacts:
    """A version of a model: the given one, else the one in production.

    Raises
    ------
    NotFoundError
        There is no such model or version, or none is in production.
    TrackingError
        The store refused.
    """
    facts = find_version(uri, model, version)
    if version is not None:
        return facts
    if facts.champion is None:
        raise NotFoundError(
            f"No version of {model} is in production. Promote one (jupyter mlops promote {model}), "
            f"or name the version to deploy: {model}@{facts.version}."
        )
    return find_version(uri, model, facts.champion)


def fetch_archive(uri: str, run_id: str, folder: Path) -> Path | None:
    """Download the archive of a version's project; None when its run has none.

    Raises
    ------
    TrackingError
        The store refused, or broke off.
    """
    with store(uri) as client, no_progress_bar():
        there = {one.path for one in client.list_artifacts(run_id, ARCHIVE.rsplit("/", 1)[0])}
        if ARCHIVE not in there:
            return None
        try:
            return Path(client.download_artifacts(run_id, ARCHIVE, str(folder)))
        except OSError as error:
            raise TrackingError(f"{ARCHIVE} of run {run_id} cannot be fetched from {shown(uri)}: {error}. Try again.") from error


def fetch_notebook(uri: str, facts: VersionFacts, folder: Path) -> Path | None:
    """Download the notebook that a version was made of, as it was written; None when its run has none.

    Raises
    ------
    TrackingError
        The store refused, or broke off.
    """
    path = f"notebook/{facts.tags.get('notebook')}"
    with store(uri) as client, no_progress_bar():
        if path not in {one.path for one in client.list_artifacts(facts.run_id, "notebook")}:
            return None
        try:
            return Path(client.download_artifacts(facts.run_id, path, str(folder)))
        except OSError as error:
            raise TrackingError(
                f"{path} of run {facts.run_id} cannot be fetched from {shown(uri)}: {error}. Try again."
            ) from error


def tag_version(uri: str, model: str, version: str, tags: Mapping[str, str]) -> None:
    """Set tags of a version.

    Raises
    ------
    TrackingError
        The store refused.
    """
    with store(uri) as client:
        for name, value in tags.items():
            client.set_model_version_tag(model, version, name, value)


def fetch_model(uri: str, model: str, version: str, folder: Path) -> Path:
    """Download a registered model.

    Raises
    ------
    TrackingError
        The store refused, or broke off.
    """
    with store(uri) as client, no_progress_bar():
        from mlflow.artifacts import download_artifacts

        try:
            # An address of the form models:/NAME/VERSION would be looked up in MLflow's global registry.
            source = client.get_model_version_download_uri(model, version)
            return Path(download_artifacts(source, dst_path=str(folder), tracking_uri=uri, registry_uri=uri))
        except OSError as error:
            raise TrackingError(f"{model} version {version} cannot be fetched from {shown(uri)}: {error}. Try again.") from error


def apply_lifecycle(uri: str, model: str, production: str, previous: str | None) -> list[str]:
    """Make a version the one in production; the one before is `previous` and Archived.

    Returns
    -------
    list of str
        What had to be changed, as sentences; empty when all was so already.

    Raises
    ------
    NotFoundError
        There is no such model or version (any more).
    TrackingError
        The store refused.
    """
    changed: list[str] = []
    with store(uri) as client:
        aliases = _aliases(client, uri, model)
        if (serving := _found(client, model, production)) is None:
            raise NotFoundError(
                f"Version {production} of {model} in {shown(uri)} was deleted, so it cannot go into production. Promote another one."
            )

        def tag(found: ModelVersion, value: str) -> None:
            if found.tags.get(LIFECYCLE) != value:
                client.set_model_version_tag(model, str(found.version), LIFECYCLE, value)
                changed.append(f"version {found.version} is {value}")

        def give(alias: str, version: str) -> None:
            if aliases.get(alias) != version:
                client.set_registered_model_alias(model, alias, version)
                changed.append(f"alias {alias} on version {version}")

        def take(alias: str) -> None:
            if aliases.get(alias) == production:
                client.delete_registered_model_alias(model, alias)
                changed.append(f"alias {alias} taken off version {production}")

        # The alias is what decides who serves, so it moves first and in one call: there is always a version in production.
        give(PRODUCTION, production)
        tag(serving, SERVING)
        if previous is None:
            take(PREVIOUS)
        elif (former := _found(client, model, previous)) is not None:
            give(PREVIOUS, previous)
            tag(former, ARCHIVED)
        take(STAGING)
        take(CANARY)
    return changed


def mark_canary(uri: str, model: str, version: str | None) -> bool:
    """Give the alias `canary` to the version that gets a part of the traffic, or take it off; returns whether anything changed.

    Raises
    ------
    NotFoundError
        There is no such model or version.
    TrackingError
        The store refused.
    """
    with store(uri) as client:
        if _aliases(client, uri, model).get(CANARY) == version:
            return False
        if version is None:
            client.delete_registered_model_alias(model, CANARY)
        elif _found(client, model, version) is None:
            raise NotFoundError(f"Version {version} of {model} in {shown(uri)} was deleted. Promote another one.")
        else:
            client.set_registered_model_alias(model, CANARY, version)
    return True


def _aliases(client: MlflowClient, uri: str, model: str) -> dict[str, str]:
    from mlflow.exceptions import MlflowException

    try:
        found = client.get_registered_model(model)
    except MlflowException as error:
        if error.error_code not in _MISSING:
            raise
        raise NotFoundError(
            f"No model {model} is registered in {shown(uri)}. Convert its notebook: that registers one. {ANOTHER_STORE}"
        ) from None
    return {str(alias): str(version) for alias, version in found.aliases.items()}


def _found(client: MlflowClient, model: str, version: str) -> ModelVersion | None:
    """A version; None where it was deleted, which is no reason to stop for a former one."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version(model, version)
    except MlflowException as error:
        if error.error_code in _MISSING:
            return None
        raise
