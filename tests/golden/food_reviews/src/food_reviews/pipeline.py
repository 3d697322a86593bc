"""The notebook's main path: load, prepare, train, evaluate.

python -m food_reviews.pipeline [--params FILE] [--out DIR]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from food_reviews.data import load_data, validate_data
from food_reviews.evaluate import evaluate_model
from food_reviews.features import make_dataset
from food_reviews.persist import MODEL_DIR, save_model
from food_reviews.settings import Settings
from food_reviews.train import train_model


@dataclass(frozen=True)
class PipelineResult:
    """What one run gives: the fitted model, its metrics, and the values that tests look at."""

    model: Any
    metrics: dict[str, float]
    settings: Settings
    seconds: dict[str, float] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


def run(settings: Settings | None = None) -> PipelineResult:
    """Run all stages in the notebook's order."""
    settings = settings or Settings.load()
    random.seed(settings.seed)
    np.random.seed(settings.seed)
    seconds: dict[str, float] = {}
    metrics: dict[str, float] = {}

    def timed(stage: str, started: float) -> None:
        seconds[stage] = round(seconds.get(stage, 0.0) + time.perf_counter() - started, 3)

    with (
        contextlib.chdir(settings.data_dir)
        if settings.data_dir.is_dir()
        else contextlib.nullcontext()
    ):
        started = time.perf_counter()
        reviews = load_data()
        timed("load", started)
        started = time.perf_counter()
        validate_data(reviews)
        timed("validate", started)
        started = time.perf_counter()
        df, X, y = make_dataset(reviews)
        timed("features", started)
        started = time.perf_counter()
        is_train, model = train_model(df, X, y, settings)
        timed("train", started)
        started = time.perf_counter()
        y_test, predicted, accuracy, roc_auc, measured = evaluate_model(X, y, is_train, model)
        metrics.update(measured)
        timed("evaluate", started)
    values: dict[str, Any] = {
        "accuracy": accuracy,
        "predicted": predicted,
        "reviews": reviews,
        "roc_auc": roc_auc,
        "y_test": y_test,
    }
    return PipelineResult(
        model=model, metrics=metrics, settings=settings, seconds=seconds, values=values
    )


def main() -> None:
    """Train, evaluate, and save the model and its metrics."""
    parser = argparse.ArgumentParser(description="Train and evaluate the model.")
    parser.add_argument("--params", type=Path, help="settings file (default: params.yaml)")
    parser.add_argument(
        "--out", type=Path, default=MODEL_DIR, help="folder for the model (default: model/)"
    )
    arguments = parser.parse_args()
    result = run(Settings.load(arguments.params))
    save_model(result.model, arguments.out / "model.skops")
    report = {"metrics": result.metrics, "seconds": result.seconds}
    (arguments.out / "metrics.json").write_text(
        json.dumps(report, indent=2) + "\n", encoding="utf-8"
    )
    print(json.dumps(report))


if __name__ == "__main__":
    main()
