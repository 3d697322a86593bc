"""The pipeline stage by stage, as dvc.yaml runs it: `dvc repro` runs again only what changed.

    python stage.py NAME    # what is between stages lies in files below stages/

All in one process: python -m penguins_messy.pipeline
"""

from __future__ import annotations

import argparse
import contextlib
import json
from pathlib import Path

from penguins_messy.data import load_data
from penguins_messy.evaluate import evaluate_model
from penguins_messy.handover import Handover
from penguins_messy.persist import MODEL_DIR, save_model
from penguins_messy.settings import Settings
from penguins_messy.train import train_model


def load(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `load`."""
    df = load_data()
    handover.give(df=df)


def train_evaluate(settings: Settings, handover: Handover, model_dir: Path) -> None:
    """Stage `train-evaluate`."""
    df = handover.take("load", "df")
    df, X_test, y_test, model = train_model(df, settings)
    measured = evaluate_model(X_test, model, y_test, settings)
    handover.metrics.update(measured)
    save_model(model, model_dir / "model.skops")
    metrics = {**handover.metrics}
    model_dir.mkdir(parents=True, exist_ok=True)
    (model_dir / "metrics.json").write_text(
        json.dumps({"metrics": metrics}, indent=2) + "\n", encoding="utf-8"
    )


# In the order in which they run; each goes on with the random generators of the one before.
STAGES = {
    "load": load,
    "train-evaluate": train_evaluate,
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
