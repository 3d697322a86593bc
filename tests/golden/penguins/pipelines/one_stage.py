"""One stage of dvc.yaml with files of its own, for orchestrators that run each stage in a place of its own.

    python pipelines/one_stage.py NAME --run DIR    # settings as JSON in PIPELINE_PARAMETERS, else those of params.yaml

With the image of kubeflow.py, components call `run`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from penguins.settings import PROJECT, Settings  # noqa: E402
from penguins.stages import STAGES, run_stage  # noqa: E402


def run(
    name: str,
    parameters: Mapping[str, Any],
    *,
    needs: Mapping[str, str],
    files: str,
    model: str | None = None,
    state: str | None = None,
    metrics: str | None = None,
) -> dict[str, float]:
    """Run a stage on the files of others, wherever they lie, and put its own where they are wanted.

    Parameters
    ----------
    parameters
        Settings to take instead of those of params.yaml.
    needs
        Folder of each stage whose files it reads, by name.
    files, model, state, metrics
        Places that what it makes goes to.

    Returns
    -------
    dict[str, float]
        The metrics, if it is the stage that gives them.
    """
    settings = settings_with(parameters)
    with TemporaryDirectory() as scratch:
        place = Path(scratch)
        for stage, folder in needs.items():
            (place / stage).symlink_to(Path(folder).resolve(), target_is_directory=True)
        run_stage(name, settings, folder=place, model_dir=place / ".model")
        _move(place / name, files)
        if model is not None:
            _move(place / ".model" / "model.skops", str(Path(model) / "model.skops"))
        if state is not None:
            _move(place / ".model" / "state", state)
        if metrics is None:
            return {}
        measured = _measured(place / ".model")
        _move(place / ".model" / "metrics.json", metrics)
        return measured


def settings_with(parameters: Mapping[str, Any]) -> Settings:
    """The project's settings with other values for some.

    Raises
    ------
    ValueError
        A name is unknown or a value has another type; the message names it.
    """
    file = PROJECT / "params.yaml"
    given = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else None
    with TemporaryDirectory() as scratch:
        together = Path(scratch) / "parameters.yaml"
        values = {**(given or {}), **parameters}
        together.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
        return Settings.load(together)


def _move(made: Path, place: str) -> None:
    target = Path(place)
    if target.is_dir():  # some orchestrators make it before
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(made, target)


def _measured(model_dir: Path) -> dict[str, float]:
    found: dict[str, float] = json.loads((model_dir / "metrics.json").read_text("utf-8"))["metrics"]
    return found


def main() -> None:
    """Run the stage that is named in a folder that all stages of a run share; the last one says the metrics."""
    parser = argparse.ArgumentParser(description="Run one stage of the pipeline.")
    parser.add_argument("name", choices=list(STAGES), help="stage of dvc.yaml")
    parser.add_argument("--run", type=Path, required=True, metavar="DIR", help="folder of the run")
    arguments = parser.parse_args()
    settings = settings_with(json.loads(os.environ.get("PIPELINE_PARAMETERS") or "{}"))
    folder: Path = arguments.run.absolute()
    run_stage(arguments.name, settings, folder=folder / "stages", model_dir=folder / "model")
    if arguments.name == list(STAGES)[-1]:
        print(json.dumps(_measured(folder / "model")))


if __name__ == "__main__":
    main()
