"""The notebook's main path: load, prepare, train, evaluate.

python -m loan_rates.pipeline [--params FILE] [--out DIR]
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

from loan_rates.answer import answering
from loan_rates.data import load_data
from loan_rates.evaluate import evaluate_model
from loan_rates.features import make_dataset
from loan_rates.persist import MODEL_DIR, save_model
from loan_rates.settings import Settings
from loan_rates.train import train_model


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
        loans = load_data()
        timed("load", started)
        started = time.perf_counter()
        X_train, X_test, y_train, y_test = make_dataset(loans)
        timed("features", started)
        started = time.perf_counter()
        gbr = train_model(X_train, y_train)
        timed("train", started)
        started = time.perf_counter()
        measured = evaluate_model(X_test, gbr, y_test)
        metrics.update(measured)
        timed("evaluate", started)
    values: dict[str, Any] = {
        "loans": loans,
    }
    return PipelineResult(
        model=gbr, metrics=metrics, settings=settings, seconds=seconds, values=values
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
    save_model(answering(result.model), arguments.out / "model.skops")
    report = {"metrics": result.metrics, "seconds": result.seconds}
    (arguments.out / "metrics.json").write_text(
        json.dumps(report, indent=2) + "\n", encoding="utf-8"
    )
    print(json.dumps(report))


if __name__ == "__main__":
    main()
