"""Each part of a promotion under load is killed once; `benchmarks/faults.py` does it at every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Converted
from tests.deployed import a_row
from tests.faults import FAULTS, Scene, run_with_fault
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
    ("fault", "step"), list(zip(FAULTS, (50, 50, 10, 10, 50, 50), strict=True)), ids=[name.replace(" ", "-") for name in FAULTS]
)
def test_what_is_killed_costs_hardly_a_request(scene: Scene, fault: str, step: int, tmp_path: Path) -> None:
    outcome = run_with_fault(scene, fault, step)
    assert outcome.wrong == [], outcome
    assert outcome.status in ("promoted", "failed")
    if fault not in ("canary replica", "stable replica"):  # these may be taken for what they look like: a version that fails
        assert outcome.status == "promoted", outcome
    assert outcome.requests > 500
    # One in a thousand, and never so strict that a single request decides.
    assert len(outcome.failed) <= max(2, 0.001 * outcome.requests), outcome.failed[:5]
