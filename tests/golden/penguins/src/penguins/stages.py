"""The pipeline stage by stage, as dvc.yaml runs it: `dvc repro` runs again only what changed.

    python stage.py NAME    # what is between stages lies in files below stages/

All in one process: python -m penguins.pipeline
"""

from __future__ import annotations

import argparse
import contextlib
import json
from pathlib import Path

from penguins.data import load_data, validate_data
from penguins.evaluate import evaluate_model
from penguins.features import make_dataset
from penguins.handover import Handover
from penguins.persist import MODEL_DIR, save_model
from penguins.settings import Settings
from penguins.train import train_model


def load(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `load`."""
    penguins = load_data()
    handover.give(penguins=penguins)


def validate(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `validate`."""
    penguins = handover.take("load", "penguins")
    validate_data(penguins)


def features(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `features`."""
    penguins = handover.take("load", "penguins")
    y, X_train, X_test, y_train, y_test = make_dataset(penguins, settings)
    handover.give(X_test=X_test, X_train=X_train, y_test=y_test, y_train=y_train)


def train(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `train`."""
    X_train = handover.take("features", "X_train")
    y_train = handover.take("features", "y_train")
    model = train_model(X_train, y_train, settings)
    handover.give(model=model)
    save_model(model, model_dir / "model.skops")


def evaluate(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `evaluate`."""
    X_test = handover.take("features", "X_test")
    model = handover.take("train", "model")
    y_test = handover.take("features", "y_test")
    predicted, accuracy, measured = evaluate_model(X_test, model, y_test)
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
