"""Penguin species: the stages of dvc.yaml as a pipeline for Kubeflow Pipelines v2.

    python pipelines/kubeflow.py    # compiles it to kubeflow.yaml beside this file (pip install "kfp>=2.13,<3")

The image holds the project: docker build -f pipelines/Dockerfile -t IMAGE . (from the project's folder). CPU, memory
and GPUs are yours to set in the pipeline below, as in `evaluate_task.set_cpu_limit("4")`.
"""
# mypy: disallow-untyped-decorators=False, warn-return-any=False, disable-error-code="import-not-found,import-untyped,no-any-unimported"

from pathlib import Path
from typing import NamedTuple

from kfp import compiler, dsl
from kfp.dsl import Artifact, Input, Metrics, Model, Output

IMAGE = "registry.example.org/penguins:1"


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def load(seed: int, files: Output[Artifact]) -> None:
    """Stage `load`."""
    from one_stage import run

    run("load", {"seed": seed}, needs={}, files=files.path)


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def validate(load_files: Input[Artifact], files: Output[Artifact]) -> None:
    """Stage `validate`."""
    from one_stage import run

    run("validate", {}, needs={"load": load_files.path}, files=files.path)


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def features(
    load_files: Input[Artifact],
    validate_files: Input[Artifact],
    heavy: float,
    test_size: float,
    files: Output[Artifact],
) -> None:
    """Stage `features`."""
    from one_stage import run

    run(
        "features",
        {"heavy": heavy, "test_size": test_size},
        needs={"load": load_files.path, "validate": validate_files.path},
        files=files.path,
    )


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def train(
    features_files: Input[Artifact],
    n_estimators: int,
    files: Output[Artifact],
    model: Output[Model],
) -> None:
    """Stage `train`."""
    from one_stage import run

    run(
        "train",
        {"n_estimators": n_estimators},
        needs={"features": features_files.path},
        files=files.path,
        model=model.path,
    )


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def evaluate(
    features_files: Input[Artifact],
    train_files: Input[Artifact],
    files: Output[Artifact],
    metrics: Output[Metrics],
) -> None:
    """Stage `evaluate`."""
    from one_stage import run

    measured = run(
        "evaluate",
        {},
        needs={"features": features_files.path, "train": train_files.path},
        files=files.path,
        metrics=metrics.path,
    )
    for name, value in measured.items():
        metrics.log_metric(name, value)


class Outputs(NamedTuple):
    """What a run gives."""

    model: Model
    metrics: Metrics


@dsl.pipeline(name="penguins", description="Penguin species")
def pipeline(
    n_estimators: int = 20,
    heavy: float = 4500.0,
    test_size: float = 0.3,
    seed: int = 0,
) -> Outputs:
    """Run all stages.

    Args:
        n_estimators: trees
        heavy: parameter of the notebook
        test_size: parameter of the notebook
        seed: of the global generators, for code that sets none
    """
    load_task = load(seed=seed)
    # The data may have changed where nothing that Kubeflow sees has.
    load_task.set_caching_options(False)
    validate_task = validate(load_files=load_task.outputs["files"])
    features_task = features(
        load_files=load_task.outputs["files"],
        validate_files=validate_task.outputs["files"],
        heavy=heavy,
        test_size=test_size,
    )
    train_task = train(features_files=features_task.outputs["files"], n_estimators=n_estimators)
    evaluate_task = evaluate(
        features_files=features_task.outputs["files"], train_files=train_task.outputs["files"]
    )
    return Outputs(
        model=train_task.outputs["model"],
        metrics=evaluate_task.outputs["metrics"],
    )


if __name__ == "__main__":
    compiler.Compiler().compile(pipeline, str(Path(__file__).with_suffix(".yaml")))
