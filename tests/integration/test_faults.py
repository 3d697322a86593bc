"""Parts of a promotion under load are killed; `benchmarks/faults.py` kills each of them at every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Converted
from tests.deployed import a_row
from tests.faults import Scene, run_with_fault
from tests.mlflow_server import MlflowServer
from tests.promotable import MODEL, model_folder, quick_project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults"), pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def scene(converted: Callable[[str], Converted], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One MLflow server, and one place for all deployments."""
    folder = tmp_path_factory.mktemp("faults")
    uri = converted(MODEL).tracking_uri
    (folder / "server").mkdir()
    server = MlflowServer(folder / "server").start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_DATA_DIR", str(folder / "data"))
        patch.setenv("JUPYTER_MLOPS_DATABASE", f"sqlite:///{folder / 'mlops.db'}")
        patch.setenv("MLFLOW_TRACKING_URI", server.uri)
        (folder / "models").mkdir()
        yield Scene(server, quick_project(uri, folder / "made"), model_folder(uri, "1"), a_row(converted), folder / "models")
    server.kill()


@pytest.mark.parametrize(
    ("fault", "step"), [("canary replica", 50), ("supervisor", 10), ("controller", 50), ("MLflow", 50)], ids=lambda one: str(one)
)
def test_what_is_killed_costs_hardly_a_request(scene: Scene, fault: str, step: int, tmp_path: Path) -> None:
    outcome = run_with_fault(scene, fault, step)
    assert outcome.wrong == [], outcome
    assert outcome.status in ("promoted", "failed")
    if fault != "canary replica":  # that may be taken for what it looks like: a version that fails
        assert outcome.status == "promoted", outcome
    assert outcome.requests > 500
    # One in a thousand, and never so strict that a single request decides.
    assert len(outcome.failed) <= max(2, 0.001 * outcome.requests), outcome.failed[:5]
