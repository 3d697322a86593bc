"""Registered models and versions of a real SQLite store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

from jupyter_mlops.errors import NotFoundError
from jupyter_mlops.tracking import versions as versions_module
from jupyter_mlops.tracking.lifecycle import find_version
from jupyter_mlops.tracking.versions import model_rows, model_with_versions


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with a model of three versions, one of none, and one that somebody else registered."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.create_registered_model("churn", description="Who leaves.")
    for lifecycle in ("Archived", "Production", "Staging"):
        client.create_model_version("churn", "file:///x", tags={"lifecycle": lifecycle, "boundary": "raw"})
    client.set_registered_model_alias("churn", "production", "2")
    client.set_registered_model_alias("churn", "champion", "2")
    client.set_registered_model_alias("churn", "staging", "3")
    client.create_registered_model("empty")
    client.create_registered_model("it's theirs")
    client.create_model_version("it's theirs", "file:///y", tags={"lifecycle": "production"})
    client.create_model_version("it's theirs", "file:///y")
    return uri


def test_all_models_with_the_versions_that_hold_an_alias(uri: str) -> None:
    rows = model_rows(uri)
    assert [one.name for one in rows] == ["it's theirs", "empty", "churn"]  # the last changed first
    churn = rows[-1]
    assert churn.description == "Who leaves." and [one.version for one in churn.versions] == ["3", "2", "1"]
    assert (churn.holder("staging"), churn.holder("production"), churn.holder("previous")) == ("3", "2", None)
    assert churn.versions[1].aliases == ("champion", "production") and churn.versions[2].aliases == ()
    assert churn.updated >= max(one.created for one in churn.versions) > 1_600_000_000_000


def test_without_an_alias_the_lifecycle_says_which_version_it_is(uri: str) -> None:
    model = model_with_versions(uri, "it's theirs")
    assert [(one.version, one.lifecycle) for one in model.versions] == [("2", "None"), ("1", "Production")]
    assert model.holder("production") == "1" and model.holder("staging") is None


@pytest.mark.parametrize("name", ["nothing", "", "a' or name = 'churn"])
def test_a_model_that_is_not_there_is_said(uri: str, name: str) -> None:
    with pytest.raises(NotFoundError, match="registered"):
        model_with_versions(uri, name)


def test_a_version_is_the_given_one_or_that_in_staging(uri: str) -> None:
    assert (find_version(uri, "churn").version, find_version(uri, "churn", "2").champion) == ("3", "2")
    with pytest.raises(NotFoundError, match="has no version 9"):
        find_version(uri, "churn", "9")
    with pytest.raises(NotFoundError, match=r"has no version\. Convert"):
        find_version(uri, "empty")
    # What to do is said for the command line and for the sidebar.
    with pytest.raises(NotFoundError, match=r"No model nothing .*--tracking-uri.*MLFLOW_TRACKING_URI"):
        find_version(uri, "nothing")


def test_a_store_that_is_not_there_has_no_models_and_is_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "mlflow.db"
    assert model_rows(f"sqlite:///{missing}") == []
    with pytest.raises(NotFoundError):
        model_with_versions(f"sqlite:///{missing}", "churn")
    assert not missing.exists()


def test_the_number_of_requests_does_not_grow_with_the_versions(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def counted(name: str) -> Callable[..., Any]:
        real = getattr(SqlAlchemyStore, name)

        def ask(*arguments: Any, **options: Any) -> Any:
            asked.append(name)
            return real(*arguments, **options)

        return ask

    for name in ("search_model_versions", "search_registered_models", "get_registered_model", "get_model_version"):
        monkeypatch.setattr(SqlAlchemyStore, name, counted(name))
    model_rows(uri)
    assert asked == ["search_registered_models", "search_model_versions"]
    asked.clear()
    model_with_versions(uri, "churn")
    assert asked == ["get_registered_model", "search_model_versions"]
    monkeypatch.setattr(versions_module, "_VERSIONS", 2)  # in pages
    assert [one.version for one in model_with_versions(uri, "churn").versions] == ["3", "2", "1"]
