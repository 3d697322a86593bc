"""The pipeline stage by stage, as dvc.yaml runs it: `dvc repro` runs again only what changed.

    python stage.py NAME    # what is between stages lies in files below stages/

All in one process: python -m flight_delays.pipeline
"""

from __future__ import annotations

import argparse
import contextlib
import json
from pathlib import Path

from flight_delays.data import load_data, validate_data
from flight_delays.evaluate import evaluate_model
from flight_delays.features import make_dataset
from flight_delays.handover import Handover
from flight_delays.persist import MODEL_DIR, save_model
from flight_delays.settings import Settings
from flight_delays.train import train_model


def load(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `load`."""
    departures, flights = load_data()
    handover.give(departures=departures, flights=flights)


def validate(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `validate`."""
    flights = handover.take("load", "flights")
    departures = handover.take("load", "departures")
    validate_data(flights, departures)


def features(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `features`."""
    flights = handover.take("load", "flights")
    flown, X, y = make_dataset(flights, settings)
    handover.give(X=X, flown=flown, y=y)


def train(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `train`."""
    flown = handover.take("features", "flown")
    X = handover.take("features", "X")
    y = handover.take("features", "y")
    model = train_model(flown, X, y, settings)
    handover.give(model=model)
    save_model(model, model_dir / "model.skops")


def evaluate(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `evaluate`."""
    flown = handover.take("features", "flown")
    X = handover.take("features", "X")
    y = handover.take("features", "y")
    model = handover.take("train", "model")
    X_test, y_test, late, probability, roc_auc, average_precision, brier, measured = evaluate_model(
        flown, X, y, model, settings
    )
    handover.metrics.update(measured)
    metrics = {**handover.metrics}
    model_dir.mkdir(parents=True, exist_ok=True)
    (model_dir / "metrics.json").write_text(
        json.dumps({"metrics": metrics}, indent=2) + "\n", encoding="utf-8"
    )


# In the order in which they run; each goes on with the random generators of the one before.
STAGES = {
    "load": load,
    "validate": validate,
    "features": features,
    "train": train,
    "evaluate": evaluate,
}


def run_stage(
    name: str, settings: Settings, *, folder: Path | None = None, model_dir: Path = MODEL_DIR
) -> None:
    """Run one stage; those before it have left their files in `folder`."""
    names = list(STAGES)
    previous = names[names.index(name) - 1] if name != names[0] else None
    with Handover(name, previous, settings.seed, folder) as handover:
        with (
            contextlib.chdir(settings.data_dir)
            if settings.data_dir.is_dir()
            else contextlib.nullcontext()
        ):
            STAGES[name](settings, handover, model_dir)


def main() -> None:
    """Run the stage that is named."""
    parser = argparse.ArgumentParser(description="Run one stage of the pipeline.")
    parser.add_argument("name", choices=list(STAGES), help="stage of dvc.yaml")
    run_stage(parser.parse_args().name, Settings.load())


if __name__ == "__main__":
    main()
