"""The whole pipeline trains and measures as the notebook did."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penguins.pipeline import PipelineResult
from penguins.settings import Settings

PROJECT = Path(__file__).resolve().parents[1]


def test_training_gives_the_metrics_of_the_notebook(result: PipelineResult) -> None:
    recorded = json.loads((PROJECT / "model" / "metadata.json").read_text(encoding="utf-8"))
    assert result.metrics.keys() == recorded["package_metrics"].keys()
    for name, value in result.metrics.items():
        assert value == pytest.approx(
            recorded["package_metrics"][name], rel=1e-6, abs=1e-9, nan_ok=True
        ), name


def test_settings_refuse_an_unknown_key(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text("no_such_setting: 1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no_such_setting"):
        Settings.load(file)
