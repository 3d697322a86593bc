"""What the sidebar is told about registered models, on a real store and a real journal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from jupyter_mlops.errors import NotFoundError, TrackingError
from jupyter_mlops.promotion.journal import Journal
from jupyter_mlops.tracking.runs import RunRecord, log_run
from jupyter_mlops.tracking.store import registry_key
from jupyter_mlops.workflows.models import list_models, list_versions
from tests.messages import check_message

TAGS = {
    "notebook": "churn.ipynb", "notebook.sha256": "ab" * 32, "boundary": "raw", "engine": "onnx", "git.commit": "a1b2c3d4",
    "git.branch": "main", "git.dirty": "true", "data.train.csv": "md5:1234", "parity.package": "equal", "parity.service": "equal",
    "parity.bundle": "3 mismatches", "mismatch_allowed": "true", "mlops.author": "ada",
}  # fmt: skip


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with a model as a conversion registers it, and a version by other means."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.create_registered_model("churn", description="Who leaves.")
    first = log_run(
        RunRecord("other", "theirs", metrics={"auc": 0.8}, tags={"git.commit": "ffff", "mlflow.user": "bob"}), uri=uri
    )
    client.create_model_version("churn", "file:///x", run_id=first)
    second = log_run(RunRecord("churn", "convert", metrics={"auc": 0.9, "loss": float("nan")}, tags=TAGS), uri=uri)
    client.create_model_version("churn", "file:///x", run_id=second, tags={**TAGS, "lifecycle": "Staging"})
    client.set_registered_model_alias("churn", "staging", "2")
    client.create_model_version("churn", "file:///x")
    return uri


def _versions(uri: str, database: str, user: str = "ada") -> dict[str, Any]:
    found = list_versions(uri, "churn", user=user, database=database)
    check_message("models", "ModelVersions", found)
    return found


def test_models(uri: str) -> None:
    found = list_models(uri)
    check_message("models", "Models", found)
    assert found["trackingUri"] == uri
    (model,) = found["models"]
    assert model["name"] == "churn" and model["versions"] == 3 and model["staging"] == "2" and model["production"] is None


def test_versions_with_metrics_parity_and_lineage(uri: str, tmp_path: Path) -> None:
    found = _versions(uri, f"sqlite:///{tmp_path / 'mlops.db'}")
    bare, ours, theirs = found["versions"]
    assert found["description"] == "Who leaves." and found["active"] is None
    assert (ours["version"], ours["lifecycle"], ours["aliases"], ours["author"]) == ("2", "Staging", ["staging"], "ada")
    assert ours["metrics"] == {"auc": 0.9, "loss": None} and ours["link"] is None and ours["promotion"] is None
    assert ours["parity"] == {"package": "equal", "service": "equal", "bundle": "3 mismatches"} and ours["mismatchAllowed"]
    assert ours["lineage"] == {
        "notebook": "churn.ipynb", "notebookSha256": "ab" * 32, "commit": "a1b2c3d4", "branch": "main", "dirty": True,
        "data": {"train.csv": "md5:1234"},
    }  # fmt: skip
    assert theirs["metrics"] == {"auc": 0.8} and theirs["author"] == "bob" and theirs["lineage"]["commit"] == "ffff"
    assert theirs["parity"] == {"package": None, "service": None, "bundle": None} and not theirs["mismatchAllowed"]
    assert (bare["version"], bare["runId"], bare["metrics"], bare["lifecycle"]) == ("3", None, {}, "None")


def test_a_version_has_its_last_promotion_and_the_model_the_active_one(uri: str, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'mlops.db'}"
    journal = Journal(database)
    data = {"author": "ada", "digest": "d", "champion": None, "steps": [["approval", "Approval"]]}
    first = journal.start(registry_key(uri), "churn", "2", "ada", data)
    journal.append(first, "ada", "cancelled", {"message": "not yet"})
    second = journal.start(registry_key(uri), "churn", "2", "ada", data)
    found = _versions(uri, database)
    assert found["active"] == second.promotion
    assert [one["promotion"] and one["promotion"]["id"] for one in found["versions"]] == [None, second.promotion, None]


def test_what_is_not_there_is_said(uri: str, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="No model 'x'"):
        list_versions(uri, "x", user="ada", database=f"sqlite:///{tmp_path / 'mlops.db'}")
    with pytest.raises(TrackingError, match="does not answer"):
        list_models("http://127.0.0.1:9")
    assert list_models(f"sqlite:///{tmp_path / 'none.db'}")["models"] == []
