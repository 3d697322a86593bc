"""A store with a converted model and a place to deploy it at; a project whose stages have files between them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from jupyter_mlops.environment import free_port
from jupyter_mlops.errors import NotFoundError
from jupyter_mlops.workflows.convert import ConvertOptions, convert
from jupyter_mlops.workflows.deploying import undeploy
from tests.conftest import Converted
from tests.notebooks import write_shops
from tests.promotable import MODEL


@pytest.fixture
def deployable(converted: Callable[[str], Converted], tmp_path: Path) -> str:
    """A store of this test's own that has the converted notebook as version 1."""
    shutil.copyfile(converted(MODEL).folder.parent / "mlflow.db", tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


@pytest.fixture
def port(deployable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """To deploy at; nothing is left of a deployment."""
    # The path of a socket must not be so long, that of a deployment may.
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / ("long-" * 20)))
    monkeypatch.setenv("JUPYTER_MLOPS_DATABASE", f"sqlite:///{tmp_path / 'mlops.db'}")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", deployable)
    yield free_port()
    with suppress(NotFoundError):
        undeploy(MODEL)


@pytest.fixture(scope="session")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that learns in two stages and draws from the global generator; what all in one process gives is in ``whole/``.

    Tests that use it are in the group ``dvc-pipeline``.
    """
    place = tmp_path_factory.mktemp("pipeline")
    result = convert(write_shops(place), place / "shops", ConvertOptions(register=False))
    assert result.ok, json.dumps(result.report.as_dict(), indent=1)[-3000:]
    command = [sys.executable, "-m", "shops.pipeline", "--out", str(place / "whole")]
    subprocess.run(command, cwd=place / "shops", env={**os.environ, "PYTHONPATH": "src"}, check=True, capture_output=True)
    return place / "shops"
