"""What gates look at: a version or a project, and beside it the version in production."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from jupyter_mlops.promotion.gates.kinds import Champion, Subject
from jupyter_mlops.promotion.policy import Policy
from jupyter_mlops.tracking.lifecycle import find_version
from jupyter_mlops.workflows.artifact import Artifact
from jupyter_mlops.workflows.registered_model import predict_registered
from jupyter_mlops.workflows.registered_parity import compare_registered

__all__ = ["champion_of", "subject_of"]


def subject_of(
    model: str, version: str, project: Path, registered: Callable[[], Path], policy: Policy, *, tags: Mapping[str, str],
    champion: Champion | None,
) -> Subject:  # fmt: skip
    """A subject whose models are asked in processes of their own.

    Parameters
    ----------
    registered
        Gives the folder of the model as MLflow keeps it.
    """
    return Subject(
        model=model, version=version, project=project, tags=tags, python=sys.executable, registered=registered, policy=policy,
        champion=champion,
        compare=lambda tell: compare_registered(project, registered(), ask=lambda: tell("", None)),
        predict=lambda folder, rows, tell: predict_registered(folder, rows, ask=lambda: tell("", None)),
    )  # fmt: skip


def champion_of(uri: str, model: str, scratch: Path, *, challenger: str | None = None) -> Champion | None:
    """The version in production, fetched into `scratch` when a gate asks for it; None where there is none.

    Parameters
    ----------
    challenger
        Version that is no champion of its own.

    Raises
    ------
    NotFoundError
        There is no such model, or its version in production was deleted.
    TrackingError
        The registry does not answer.
    """
    production = find_version(uri, model, challenger).champion
    if production in (None, challenger):
        return None
    facts = find_version(uri, model, production)
    folder = scratch / "champion"
    folder.mkdir()
    artifact = Artifact(uri, model, facts.version, facts.digest, facts.run_id, folder)
    return Champion(facts.version, artifact.project, artifact.model_folder)
