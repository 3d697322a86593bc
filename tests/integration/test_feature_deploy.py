"""A deployed model whose replicas read a feature repository: through the address, to the next version, and after restarts."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from jupyter_mlops.cli import main
from jupyter_mlops.database import database_url
from jupyter_mlops.deploy.members import read_members
from jupyter_mlops.deploy.spec import Deployments
from jupyter_mlops.environment import free_port
from jupyter_mlops.errors import NotFoundError, NotReadyError, UsageError
from jupyter_mlops.processes import machine
from jupyter_mlops.promotion.policy import read_policy
from jupyter_mlops.workflows.deploying import DeployOptions, Status, deploy, deployment_status, undeploy
from jupyter_mlops.workflows.features import PublishOptions, publish_features
from jupyter_mlops.workflows.taking_over import serve_instead, take_over
from tests.conftest import Converted
from tests.deployed import Load, supervisors
from tests.unit.promotion.registry import add_version

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("feature_store")]

MODEL = "customers"


@pytest.fixture
def uri(converted: Callable[[str], Converted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A store of this test's own with the converted notebook as versions 1 and 2; nothing is left of a deployment."""
    project = converted(MODEL).folder
    shutil.copyfile(project.parent / "mlflow.db", tmp_path / "mlflow.db")
    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("JUPYTER_MLOPS_DATABASE", f"sqlite:///{tmp_path / 'mlops.db'}")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    assert add_version(store, MODEL, project, tmp_path / "scratch") == "2"
    yield store
    with suppress(NotFoundError):
        undeploy(MODEL)


def until(holds: Callable[[Status], bool]) -> Status:
    deadline = time.monotonic() + 60
    while not holds(found := deployment_status(MODEL)):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return found


def test_replicas_read_the_feature_store(
    uri: str, converted: Callable[[str], Converted], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, port = converted(MODEL).folder, free_port()
    first, second = tmp_path / "first", tmp_path / "second"
    publish_features(project, PublishOptions(repository=first))
    shutil.copytree(first, second)

    with pytest.raises(UsageError, match="holds no feature_store\\.yaml"):
        deploy(MODEL, "1", DeployOptions(port=port, feature_store=str(tmp_path)))
    with pytest.raises(NotFoundError):
        deployment_status(MODEL)
    url = deploy(MODEL, "1", DeployOptions(port=port, replicas=1)).url

    def ask() -> tuple[int, Any]:
        answer = httpx.post(f"{url}/predict/entity", json={"customer_id": 1000}, timeout=30)
        return answer.status_code, answer.json().get("model_version")

    def repositories() -> dict[str, str]:
        stores = Deployments(database_url()).get(MODEL, machine()).spec.feature_stores
        return {version: Path(folder).name for version, folder in stores.items() if folder}

    assert ask()[0] == 404
    row = {"plan": "pro", "joined": "2020-02-01T00:00:00", "visits": 3, "card": True, "spend": None, "region": None}
    with Load(url, row) as load:
        # The same version with a repository: other replicas take over, and no request is lost.
        assert main(["deploy", f"{MODEL}@1", "--feature-store", str(first), "--replicas", "1"]) == 0
        load.phase(1)
        found = until(lambda one: len(read_members(one.folder)) == 3)
        assert sorted(one for one in read_members(found.folder) if one[0] == "1") == ["1.1"]
        assert load.failed == []
    assert ask() == (200, "1")
    assert f"features  version 1 reads {first}\n" in capsys.readouterr().out

    # One that its service cannot read changes nothing.
    other = tmp_path / "other"
    shutil.copytree(first, other)
    settings = other / "feature_store.yaml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("project: customers", "project: nobody"), encoding="utf-8")
    with pytest.raises(NotReadyError, match="holds no feature view 'customers'"):
        deploy(MODEL, "1", DeployOptions(feature_store=str(other)))
    assert ask() == (200, "1") and repositories() == {"1": "first"}

    # Killed, and begun again.
    for one in supervisors(found.folder):
        one.kill()
    psutil.Process(read_members(found.folder)["1.1"].pid).kill()
    deploy(MODEL, "1")
    until(lambda one: one.supervised and one.versions[0].ready == 1)
    time.sleep(1)  # Envoys follow
    assert ask() == (200, "1")

    # The next version has that of the one before, unless its policy names another; the way back leads to its own.
    policy = "canary: {steps: [50], seconds: 0, requests: 0, bake: 0}\n"
    taken = take_over(MODEL, "2", read_policy(policy + f"deploy: {{feature_store: {second}}}\n"), uri, None, lambda event: None)
    assert taken.status == "passed", taken
    assert ask() == (200, "2") and repositories() == {"1": "first", "2": "second"}
    shutil.rmtree(second)
    serve_instead(MODEL, "1", uri, None, lambda event: None)
    assert ask() == (200, "1")
    assert main(["deploy", f"{MODEL}@1", "--feature-store", ""]) == 0
    assert ask()[0] == 404 and repositories() == {"2": "second"}
    assert main(["deploy", MODEL, "--target", "kubernetes", "--feature-store", str(first)]) == 2
    assert "name its claim: --feature-claim" in capsys.readouterr().err
