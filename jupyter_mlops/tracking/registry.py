"""Model versions: logged with what is needed to load them without pickle, and put into Staging."""

from __future__ import annotations

import os
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlops.errors import TrackingError
from jupyter_mlops.signature import Column, Signature
from jupyter_mlops.tracking.lifecycle import LIFECYCLE, STAGED, STAGING
from jupyter_mlops.tracking.store import shown, store

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.models import ModelSignature

__all__ = ["ModelRecord", "RegisteredVersion", "mlflow_signature", "register", "save_as_model"]

_TYPES = {"float": "double", "integer": "long", "boolean": "boolean", "string": "string", "datetime": "datetime"}
_PATIENCE = 120.0  # seconds for a server to have the version ready


@dataclass(frozen=True)
class ModelRecord:
    """What is registered: a project's package and its `model/` folder."""

    name: str
    package: str
    run_id: str
    project: Path
    signature: Signature  # of the raw row
    requirements: Sequence[str]
    tags: Mapping[str, str] = field(default_factory=dict)
    description: str = ""


@dataclass(frozen=True)
class RegisteredVersion:
    """A model version."""

    name: str
    version: str
    run_id: str
    uri: str  # models:/NAME/VERSION


def mlflow_signature(signature: Signature) -> ModelSignature:
    """Our signature as MLflow's: a row for input, ``prediction`` and probabilities for output.

    An integer column that may be missing is a double there, as pandas holds it; MLflow would refuse it otherwise.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    def spec(column: Column) -> ColSpec:
        kind = "double" if column.nullable and column.kind == "integer" else _TYPES[column.kind]
        return ColSpec(kind, column.name, required=not column.nullable)

    output = signature.output
    label = "string"
    if output.task in ("regression", "outlier", "clustering") or output.classes is None:
        label = "double" if output.dtype.startswith("float") else "long"
    elif all(isinstance(one, bool) for one in output.classes):
        label = "boolean"
    elif all(isinstance(one, int) for one in output.classes):
        label = "long"
    elif all(isinstance(one, float) for one in output.classes):
        label = "double"
    outputs = [ColSpec(label, "prediction")]
    if output.probabilities:
        outputs += [ColSpec("double", f"probability_{one}") for one in output.classes or ()]
    inputs = [spec(c) for c in signature.inputs]
    return ModelSignature(Schema([*inputs]), Schema([*outputs]))


def register(record: ModelRecord, *, uri: str) -> RegisteredVersion:
    """Add the model to its run and register it as a version with ``lifecycle=Staging`` and the alias `staging`.

    The model is stored as code (`pyfunc_model.py`), the project's package and its `model/` folder: nothing is pickled.
    Requirements are given, since MLflow takes half a minute to infer them.

    Raises
    ------
    TrackingError
        The store refused, or the version was not ready in time.
    """
    with store(uri) as client, tempfile.TemporaryDirectory(prefix="jupyter-mlops-") as scratch:
        target = Path(scratch) / "model"
        save_as_model(
            target, record.project, record.package, record.signature, requirements=record.requirements, tags=record.tags
        )
        client.log_artifacts(record.run_id, str(target), "model")
        _ensure_name(client, record)
        source = f"{client.get_run(record.run_id).info.artifact_uri}/model"
        tags = {**record.tags, LIFECYCLE: STAGED}
        made = client.create_model_version(
            record.name, source, run_id=record.run_id, tags=tags, description=record.description or None
        )
        version = str(made.version)
        deadline = time.monotonic() + _PATIENCE
        while (status := client.get_model_version(record.name, version).status) != "READY":
            if status == "FAILED_REGISTRATION" or time.monotonic() > deadline:
                raise TrackingError(f"MLflow at {shown(uri)} did not finish version {version} of {record.name}: {status}.")
            time.sleep(0.2)
        client.set_registered_model_alias(record.name, STAGING, version)
    return RegisteredVersion(record.name, version, record.run_id, f"models:/{record.name}/{version}")


def save_as_model(
    target: Path, project: Path, package: str, signature: Signature, *, requirements: Sequence[str] = (),
    tags: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """Write a project's model into a new folder, in the form in which it is registered."""
    from mlflow import pyfunc

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # of copying from folder to folder
        pyfunc.save_model(
            str(target),
            python_model=str(Path(__file__).with_name("pyfunc_model.py")),
            artifacts={"model": str(project / "model")},
            code_paths=[str(project / "src" / package)],
            model_config={"package": package},
            pip_requirements=list(requirements),
            signature=mlflow_signature(signature),
            metadata=dict(tags or {}),
        )


def _ensure_name(client: MlflowClient, record: ModelRecord) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(record.name, description=record.description or None)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
