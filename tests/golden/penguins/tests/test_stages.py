"""The stages of dvc.yaml, each by itself, give what the pipeline gives in one process."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from penguins.pipeline import PipelineResult
from penguins.settings import Settings
from penguins.stages import STAGES, run_stage

PROJECT = Path(__file__).resolve().parents[1]


def test_stages_give_the_metrics_of_the_pipeline(result: PipelineResult, tmp_path: Path) -> None:
    for name in STAGES:
        run_stage(name, result.settings, folder=tmp_path / "stages", model_dir=tmp_path / "model")
    metrics = json.loads((tmp_path / "model" / "metrics.json").read_text(encoding="utf-8"))[
        "metrics"
    ]
    assert metrics == pytest.approx(result.metrics, rel=1e-9, nan_ok=True)
    assert (tmp_path / "model" / "model.skops").is_file()


def test_dvc_yaml_names_these_stages_and_settings() -> None:
    stages = yaml.safe_load((PROJECT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    known = {one.name for one in fields(Settings)}
    given = yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))
    assert list(stages) == list(STAGES)
    for stage in stages.values():
        assert set(stage.get("params", [])) <= known & given.keys()
