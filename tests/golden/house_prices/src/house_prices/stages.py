"""The pipeline stage by stage, as dvc.yaml runs it: `dvc repro` runs again only what changed.

    python stage.py NAME    # what is between stages lies in files below stages/

All in one process: python -m house_prices.pipeline
"""

from __future__ import annotations

import argparse
import contextlib
import json
from pathlib import Path

from house_prices.data import load_data, validate_data
from house_prices.evaluate import evaluate_model
from house_prices.features import make_dataset
from house_prices.handover import Handover
from house_prices.persist import MODEL_DIR, save_model
from house_prices.settings import Settings
from house_prices.train import train_model


def load(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `load`."""
    houses = load_data()
    handover.give(houses=houses)


def validate(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `validate`."""
    houses = handover.take("load", "houses")
    validate_data(houses)


def features(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `features`."""
    houses = handover.take("load", "houses")
    df = make_dataset(houses)
    handover.give(df=df)


def train(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `train`."""
    df = handover.take("features", "df")
    X_test, y_test, model = train_model(df, settings)
    handover.give(X_test=X_test, model=model, y_test=y_test)
    save_model(model, model_dir / "model.skops")


def evaluate(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `evaluate`."""
    X_test = handover.take("train", "X_test")
    model = handover.take("train", "model")
    y_test = handover.take("train", "y_test")
    predicted, r2, mae, measured = evaluate_model(X_test, model, y_test)
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
