"""The pipeline stage by stage, as dvc.yaml runs it: `dvc repro` runs again only what changed.

    python stage.py NAME    # what is between stages lies in files below stages/

All in one process: python -m loan_rates.pipeline
"""

from __future__ import annotations

import argparse
import contextlib
import json
from pathlib import Path

from loan_rates.answer import answering
from loan_rates.data import load_data
from loan_rates.evaluate import evaluate_model
from loan_rates.features import make_dataset
from loan_rates.handover import Handover
from loan_rates.persist import MODEL_DIR, save_model
from loan_rates.settings import Settings
from loan_rates.train import train_model


def load(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `load`."""
    loans = load_data()
    handover.give(loans=loans)


def features(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `features`."""
    loans = handover.take("load", "loans")
    X_train, X_test, y_train, y_test = make_dataset(loans)
    handover.give(X_test=X_test, X_train=X_train, y_test=y_test, y_train=y_train)


def train(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `train`."""
    X_train = handover.take("features", "X_train")
    y_train = handover.take("features", "y_train")
    gbr = train_model(X_train, y_train)
    handover.give(gbr=gbr)
    save_model(answering(gbr), model_dir / "model.skops")


def evaluate(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `evaluate`."""
    X_test = handover.take("features", "X_test")
    gbr = handover.take("train", "gbr")
    y_test = handover.take("features", "y_test")
    measured = evaluate_model(X_test, gbr, y_test)
    handover.metrics.update(measured)
    metrics = {**handover.metrics}
    model_dir.mkdir(parents=True, exist_ok=True)
    (model_dir / "metrics.json").write_text(
        json.dumps({"metrics": metrics}, indent=2) + "\n", encoding="utf-8"
    )


# In the order in which they run; each goes on with the random generators of the one before.
STAGES = {
    "load": load,
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
