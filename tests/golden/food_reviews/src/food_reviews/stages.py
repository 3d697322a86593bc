"""The pipeline stage by stage, as dvc.yaml runs it: `dvc repro` runs again only what changed.

    python stage.py NAME    # what is between stages lies in files below stages/

All in one process: python -m food_reviews.pipeline
"""

from __future__ import annotations

import argparse
import contextlib
import json
from pathlib import Path

from food_reviews.data import load_data, validate_data
from food_reviews.evaluate import evaluate_model
from food_reviews.features import make_dataset
from food_reviews.handover import Handover
from food_reviews.persist import MODEL_DIR, save_model
from food_reviews.settings import Settings
from food_reviews.train import train_model


def load(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `load`."""
    reviews = load_data()
    handover.give(reviews=reviews)


def validate(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `validate`."""
    reviews = handover.take("load", "reviews")
    validate_data(reviews)


def features(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `features`."""
    reviews = handover.take("load", "reviews")
    df, X, y = make_dataset(reviews)
    handover.give(X=X, df=df, y=y)


def train(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `train`."""
    df = handover.take("features", "df")
    X = handover.take("features", "X")
    y = handover.take("features", "y")
    is_train, model = train_model(df, X, y, settings)
    handover.give(is_train=is_train, model=model)
    save_model(model, model_dir / "model.skops")


def evaluate(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `evaluate`."""
    X = handover.take("features", "X")
    y = handover.take("features", "y")
    is_train = handover.take("train", "is_train")
    model = handover.take("train", "model")
    y_test, predicted, accuracy, roc_auc, measured = evaluate_model(X, y, is_train, model)
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
