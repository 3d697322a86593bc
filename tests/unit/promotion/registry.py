"""A real registry on SQLite with small hand-made versions: a project of a few files, and the model folder made of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from jupyter_mlops.tracking.lifecycle import AUTHOR, DIGEST
from jupyter_mlops.tracking.store import experiment_id, store
from jupyter_mlops.workflows.project_archive import pack_project

__all__ = ["add_version", "aliases", "lifecycle", "small_project"]

POLICY = "approval: {required: true, approvers: [], self: false}\n"


def small_project(folder: Path, policy: str = POLICY) -> Path:
    """A project that has what a promotion reads."""
    for name, text in {
        "model/metadata.json": json.dumps({"package": "small"}),
        "model/model.txt": "weights",
        "src/small/predict.py": "ANSWER = 42\n",
        "promotion.yaml": policy,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def add_version(
    uri: str, model: str, project: Path, scratch: Path, *, author: str = "ada", tags: Mapping[str, str] | None = None,
    archive: bool = True, source: Path | None = None,
) -> str:  # fmt: skip
    """Register a project as conversions do.

    Parameters
    ----------
    source
        A registered model, whose own files (how MLflow loads it) are taken.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    package = json.loads((project / "model" / "metadata.json").read_text(encoding="utf-8"))["package"]
    made = scratch / "model"
    if source is None:
        made.mkdir(parents=True)
        (made / "MLmodel").write_text("flavors: {}\n", encoding="utf-8")
    else:
        shutil.copytree(source, made, ignore=shutil.ignore_patterns("artifacts", "code"))
    shutil.copytree(project / "model", made / "artifacts" / "model")
    shutil.copytree(project / "src" / package, made / "code" / package)
    digest = pack_project(project, scratch / "project.zip")
    with store(uri) as client:
        run = client.create_run(experiment_id(client, f"{model}-by-hand", uri))
        client.log_artifacts(run.info.run_id, str(made), "model")
        if archive:
            client.log_artifact(run.info.run_id, str(scratch / "project.zip"), "project")
        if not client.search_registered_models(f"name = '{model}'"):
            client.create_registered_model(model)
        given = {"lifecycle": "Staging", AUTHOR: author, **({DIGEST: digest} if archive else {}), **(tags or {})}
        version = client.create_model_version(model, f"{run.info.artifact_uri}/model", run_id=run.info.run_id, tags=given)
        client.set_registered_model_alias(model, "staging", version.version)
    return str(version.version)


def aliases(uri: str, model: str) -> dict[str, str]:
    """Aliases of a model."""
    with store(uri) as client:
        return {name: str(version) for name, version in client.get_registered_model(model).aliases.items()}


def lifecycle(uri: str, model: str) -> dict[str, str]:
    """Lifecycle of each version."""
    with store(uri) as client:
        return {str(one.version): one.tags["lifecycle"] for one in client.search_model_versions(f"name = '{model}'")}
