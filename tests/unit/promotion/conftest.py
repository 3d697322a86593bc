"""A registry for the promotions of a module, and a model of its own for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.workflows import promote as module
from tests.unit.promotion.place import Gate, Place


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"


_numbers = iter(range(1000))


@pytest.fixture
def place(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    gates = (Gate("tests", "Tests"), Gate("parity", "Parity"))
    monkeypatch.setattr(module, "GATES", gates)
    return Place(uri, f"small{next(_numbers)}", tmp_path, gates)
