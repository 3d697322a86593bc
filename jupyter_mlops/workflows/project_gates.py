"""The gates of a promotion for a project in a folder, before anything is registered: what its CI runs on a pull request.

Nothing is written: no version, no journal. Where a registry is named, the version in production there is compared with.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jupyter_mlops.errors import NotFoundError, UsageError
from jupyter_mlops.promotion.gates import GATES
from jupyter_mlops.promotion.gates.kinds import Champion, Gate, GateResult, Subject
from jupyter_mlops.promotion.policy import FILE, read_policy
from jupyter_mlops.signature import Signature
from jupyter_mlops.tracking.registry import save_as_model
from jupyter_mlops.tracking.store import check_reachable
from jupyter_mlops.workflows.artifact import ArtifactError
from jupyter_mlops.workflows.events import Event, Listener, Progress
from jupyter_mlops.workflows.project_archive import pack_project, unpack_project
from jupyter_mlops.workflows.subjects import champion_of, subject_of

__all__ = ["GatedProject", "judge_project"]


@dataclass(frozen=True)
class GatedProject:
    """What the gates said of a project, by the names of their steps, in order."""

    model: str
    champion: str | None
    results: Mapping[str, GateResult] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether no gate said no. What was inconclusive is for whoever approves to decide."""
        return all(one.status == "passed" or (one.status == "inconclusive" and one.ask) for one in self.results.values())

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        gates = [
            {"name": name, "status": one.status, "message": one.message, "figures": dict(one.figures), "log": one.log}
            for name, one in self.results.items()
        ]
        return {"ok": self.ok, "model": self.model, "champion": self.champion, "gates": gates}


def judge_project(project: Path, tracking_uri: str | None = None, listen: Listener = lambda event: None) -> GatedProject:
    """Run all gates, also behind one that said no.

    Parameters
    ----------
    tracking_uri
        Registry with the version in production; None: none is compared with.

    Raises
    ------
    UsageError
        The folder holds no converted project, or its `promotion.yaml` says something that is not allowed.
    EnvironmentLackError
        The registry does not answer.
    """
    about = _about(project)
    policy = read_policy(_text(project / FILE), str(project / FILE))
    if tracking_uri is not None:
        check_reachable(tracking_uri)
    progress = Progress(listen)
    with tempfile.TemporaryDirectory(prefix="jupyter-mlops-") as folder:
        scratch = Path(folder)
        pack_project(project, scratch / "project.zip")  # as it would be registered: without caches
        copy = unpack_project(scratch / "project.zip", scratch / "project")

        @cache
        def registered() -> Path:
            signature = Signature.from_dict(json.loads((copy / "model" / "signature.json").read_text(encoding="utf-8"))["raw"])
            save_as_model(scratch / "model", copy, about["package"], signature)
            return scratch / "model"

        champion = None if tracking_uri is None else _champion(tracking_uri, about["name"], scratch)
        subject = subject_of(about["name"], "(this project)", copy, registered, policy, tags={}, champion=champion)
        results = {gate.name: _run(gate, subject, progress) for gate in GATES}
    return GatedProject(about["name"], None if champion is None else champion.version, results)


def _run(gate: Gate, subject: Subject, progress: Progress) -> GateResult:
    def tell(message: str, fraction: float | None) -> None:
        if message:
            progress.say(message, fraction)

    with progress.step(gate.name, gate.title):
        try:
            result = gate.run(subject, tell)
        except ArtifactError as error:
            result = GateResult("failed", str(error))
    figures = dict(result.figures)
    if result.status == "passed" or result.ask:
        word = "" if result.status == "passed" else "inconclusive: "
        progress.done(gate.name, word + result.message, figures=figures)
    else:
        progress.listen(
            Event(gate.name, "failed", result.message, seconds=progress.seconds[gate.name], data={"figures": figures})
        )
    return result


def _champion(uri: str, model: str, scratch: Path) -> Champion | None:
    try:
        return champion_of(uri, model, scratch)
    except NotFoundError:  # never registered: this would be the first version
        return None


def _about(project: Path) -> dict[str, Any]:
    """Name and package of a project."""
    try:
        about: dict[str, Any] = json.loads((project / "model" / "metadata.json").read_text(encoding="utf-8"))
        return {"name": str(about["name"]), "package": str(about["package"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{project} is no converted project ({error}). Name its folder: jupyter mlops promote --project FOLDER."
        ) from None


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
