"""What the tests share: the golden rows that the notebook predicted, and one run of the pipeline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from penguins.persist import load_model
from penguins.pipeline import PipelineResult, run
from penguins.schema import COLUMNS, raw_frame

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def golden() -> dict[str, Any]:
    """Rows with the notebook's own predictions."""
    data: dict[str, Any] = json.loads(
        (PROJECT / "model" / "golden.json").read_text(encoding="utf-8")
    )
    return data


@pytest.fixture(scope="session")
def golden_frame(golden: dict[str, Any]) -> pd.DataFrame:
    """The golden rows as a raw table."""
    rows = golden["rows"]
    return raw_frame({name: [row.get(name) for row in rows] for name in COLUMNS})


@pytest.fixture(scope="session")
def model() -> Any:
    """The fitted model as it was registered."""
    return load_model()


@pytest.fixture(scope="session")
def result() -> PipelineResult:
    """One run of the whole pipeline: needs the training data."""
    from penguins.settings import Settings

    settings = Settings.load()
    try:
        return run(settings)
    except FileNotFoundError as error:
        pytest.skip(f"the training data is not here: {error}")
