"""What a deployment shall be, as it is kept in the database."""

from __future__ import annotations

from jupyter_mlops.deploy.spec import Served, Spec
from jupyter_mlops.deploy.traffic import Traffic

OLD = {
    "model": "churn", "tracking_uri": "sqlite:///mlflow.db", "host": "127.0.0.1", "port": 8080, "folder": "/srv/churn", "running": True,
    "versions": {"1": {"project": "/srv/1", "replicas": 2}}, "traffic": {"stable": "1", "shares": {}, "shadow": None},
}  # fmt: skip


def test_a_row_of_before_there_were_feature_stores_is_read() -> None:
    spec = Spec.from_dict(OLD)
    assert spec.versions["1"] == Served("/srv/1", 2) and list(spec.versions["1"].numbers) == [0, 1]
    assert spec.feature_store("1") == ""
    assert Spec.from_dict(spec.as_dict()) == spec


def test_a_version_has_its_own_repository_or_that_of_the_stable_one() -> None:
    stores = {"1": "/srv/a", "2": "/srv/b", "3": ""}
    versions = {"2": Served("/srv/2", 2, first=2)}
    spec = Spec("churn", "sqlite://", "127.0.0.1", 8080, "/srv", versions, Traffic("2"), feature_stores=stores)
    assert [spec.feature_store(version) for version in "1234"] == ["/srv/a", "/srv/b", "", "/srv/b"]
    assert list(Spec.from_dict(spec.as_dict()).versions["2"].numbers) == [2, 3]
