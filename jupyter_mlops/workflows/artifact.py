"""The artifact that a promotion is about: the archive of the project, by its digest, and the registered model made of it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from jupyter_mlops.checksums import file_digest, folder_digest
from jupyter_mlops.errors import ConversionError, NotFoundError
from jupyter_mlops.promotion.gates.service import has_service
from jupyter_mlops.promotion.policy import FILE, Policy, read_policy
from jupyter_mlops.tracking.lifecycle import DIGEST, VersionFacts, fetch_archive, fetch_model, find_version
from jupyter_mlops.workflows.project_archive import unpack_project
from jupyter_mlops.workflows.registered_parity import changed_files

__all__ = ["Artifact", "ArtifactError", "note_version"]


class ArtifactError(LookupError):
    """The artifact is missing, or is another one than the promotion is about; the message says what to do."""


def note_version(project: Path, facts: VersionFacts) -> None:
    """Say in an unpacked project which version it is: its archive was made before the registry gave it a number."""
    about = project / "model" / "metadata.json"
    known = json.loads(about.read_text(encoding="utf-8")) | {"run_id": facts.run_id, "model_version": facts.version}
    about.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


class Artifact:
    """What a promotion looks at, fetched once into a scratch folder when it is needed.

    Parameters
    ----------
    digest
        SHA-256 of the archive that the promotion began with.
    run
        That the version was registered from.
    """

    def __init__(self, uri: str, model: str, version: str, digest: str | None, run: str, scratch: Path) -> None:
        self._uri, self._model, self._version, self._digest, self._run = uri, model, version, digest, run
        self._scratch = scratch
        self._project: Path | None = None
        self._registered: Path | None = None
        self._facts: VersionFacts | None = None

    @property
    def tags(self) -> Mapping[str, str]:
        """Of the version."""
        if self._facts is None:
            try:
                self._facts = find_version(self._uri, self._model, self._version)
            except NotFoundError as error:
                raise ArtifactError(str(error)) from None
        return self._facts.tags

    @property
    def fetched(self) -> bool:
        """Whether the project is here."""
        return self._project is not None

    @property
    def model_fetched(self) -> bool:
        """Whether the registered model is here, because a gate has looked at it."""
        return self._registered is not None

    def project(self) -> Path:
        """The unpacked project.

        Raises
        ------
        ArtifactError
            It is missing, or not the one that the promotion began with.
        TrackingError
            The registry does not answer.
        """
        if self._project is None:
            archive = self._archive("fetched")
            try:
                self._project = unpack_project(archive, self._scratch / "project")
            except ConversionError as error:
                raise ArtifactError(str(error)) from None
        return self._project

    def project_to_serve(self) -> Path:
        """The unpacked project, which has a service.

        Raises
        ------
        NotFoundError
            It has none; or see `project`.
        TrackingError
            The registry does not answer.
        """
        try:
            project = self.project()
        except ArtifactError as error:
            raise NotFoundError(str(error)) from None
        if not has_service(project):
            raise NotFoundError(f"Version {self._version} of {self._model} has no service: its model cannot be asked row by row.")
        return project

    def model_folder(self) -> Path:
        """The registered model as MLflow keeps it."""
        if self._registered is None:
            target = self._scratch / "registered"
            target.mkdir()
            self._registered = fetch_model(self._uri, self._model, self._version, target)
        return self._registered

    def policy(self) -> Policy:
        """The project's `promotion.yaml`; without one, the defaults.

        Raises
        ------
        UsageError
            It says something that is not allowed.
        ArtifactError
            See `project`.
        """
        path = self.project() / FILE
        if not path.is_file():
            return Policy()
        return read_policy(path.read_text(encoding="utf-8"), f"{FILE} of {self._model} version {self._version}")

    def model_digest(self) -> str:
        """Of the registered model, with everything that MLflow keeps with it."""
        return folder_digest(self.model_folder())

    def check(self, model_digest: str | None) -> None:
        """Fetch everything anew and ask whether it still is what the promotion began with.

        Parameters
        ----------
        model_digest
            Of the registered model that was approved; None in journals of older versions.

        Raises
        ------
        ArtifactError
            It is not.
        """
        self._facts = None
        again = Path(tempfile.mkdtemp(prefix="again-", dir=self._scratch))
        fresh = Artifact(self._uri, self._model, self._version, self._digest, self._run, again)
        if changed := changed_files(fresh.project(), fresh.model_folder()):
            raise ArtifactError(f"the registered model was changed since ({', '.join(changed[:5])}). Convert and promote again.")
        if model_digest is not None and fresh.model_digest() != model_digest:
            raise ArtifactError(
                "the registered model was changed since, in its MLmodel or its loader. Convert and promote again."
            )

    def _archive(self, folder: str) -> Path:
        advice = "Convert the notebook again: that registers a version with its project, and promote that one."
        name = f"Version {self._version} of {self._model}"
        if self._digest is None:
            raise ArtifactError(f"{name} was registered without its project, so there is nothing to test. {advice}")
        tagged = self.tags.get(DIGEST)
        if tagged != self._digest:
            raise ArtifactError(f"{name} names another project by now (tag {DIGEST}) than when the promotion began. {advice}")
        assert self._facts is not None
        if self._facts.run_id != self._run:
            raise ArtifactError(
                f"{name} is another one than when the promotion began: the model was deleted and registered anew. Promote again."
            )
        target = self._scratch / folder
        target.mkdir()
        path = fetch_archive(self._uri, self._facts.run_id, target)
        if path is None:
            raise ArtifactError(
                f"The project of {name[0].lower()}{name[1:]} is no longer among the artifacts of run {self._facts.run_id}. {advice}"
            )
        if (found := file_digest(path)) != self._digest:
            raise ArtifactError(
                f"The project of {name[0].lower()}{name[1:]} was changed: its SHA-256 is {found[:12]}…, not {self._digest[:12]}…. {advice}"
            )
        return path
