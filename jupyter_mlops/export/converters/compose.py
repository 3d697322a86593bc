"""Estimators that hold others: pipelines, column transformers, searches."""

from __future__ import annotations

from typing import Any

from jupyter_mlops.export.compiler import (
    Classified,
    Clustered,
    Compiler,
    classifies,
    clusters,
    regresses,
    transforms,
)
from jupyter_mlops.export.graph import Unsupported
from jupyter_mlops.export.values import Value

__all__ = ["inner_estimator", "run_steps"]

_SEARCHES = ("sklearn.GridSearchCV", "sklearn.RandomizedSearchCV", "sklearn.HalvingGridSearchCV", "sklearn.HalvingRandomSearchCV")
_WRAPPERS = (*_SEARCHES, "sklearn.FrozenEstimator")


def inner_estimator(est: Any) -> Any:
    """What a search or a frozen estimator predicts with."""
    if hasattr(est, "best_estimator_"):
        return est.best_estimator_
    if hasattr(est, "cv_results_"):
        raise Unsupported(f"{type(est).__name__} was run with refit=False and holds no fitted model")
    return est.estimator


def run_steps(c: Compiler, steps: list[tuple[str, Any]], x: Value) -> Value:
    """The transforms of a pipeline, one after another; a refusal names its step."""
    for name, step in steps:
        if step is None or isinstance(step, str):  # "passthrough"
            continue
        try:
            x = c.transform(step, x)
        except Unsupported as error:
            raise Unsupported(f"step '{name}' ({type(step).__name__}): {error}") from error
    return x


@transforms("sklearn.Pipeline")
def pipeline(c: Compiler, est: Any, x: Value) -> Value:
    """All steps are transformers."""
    return run_steps(c, est.steps, x)


@classifies("sklearn.Pipeline")
def pipeline_classifier(c: Compiler, est: Any, x: Value) -> Classified:
    """Transformers, then a classifier."""
    return c.classify(est.steps[-1][1], run_steps(c, est.steps[:-1], x))


@regresses("sklearn.Pipeline")
def pipeline_regressor(c: Compiler, est: Any, x: Value) -> str:
    """Transformers, then a regressor."""
    return c.regress(est.steps[-1][1], run_steps(c, est.steps[:-1], x))


@clusters("sklearn.Pipeline")
def pipeline_clusterer(c: Compiler, est: Any, x: Value) -> Clustered:
    """Transformers, then a clusterer."""
    return c.cluster(est.steps[-1][1], run_steps(c, est.steps[:-1], x))


@transforms(*_WRAPPERS)
def wrapped_transformer(c: Compiler, est: Any, x: Value) -> Value:
    """The fitted estimator inside."""
    return c.transform(inner_estimator(est), x)


@classifies(*_WRAPPERS)
def wrapped_classifier(c: Compiler, est: Any, x: Value) -> Classified:
    """The fitted estimator inside."""
    return c.classify(inner_estimator(est), x)


@regresses(*_WRAPPERS)
def wrapped_regressor(c: Compiler, est: Any, x: Value) -> str:
    """The fitted estimator inside."""
    return c.regress(inner_estimator(est), x)


@clusters(*_WRAPPERS)
def wrapped_clusterer(c: Compiler, est: Any, x: Value) -> Clustered:
    """The fitted estimator inside."""
    return c.cluster(inner_estimator(est), x)


@transforms("sklearn.ColumnTransformer")
def column_transformer(c: Compiler, est: Any, x: Value) -> Value:
    """Each transformer on its columns, results side by side.

    Names, masks, slices and callables were resolved to positions when it was fitted; those positions are used.
    """
    positions = est._transformer_to_input_indices
    results = []
    for name, transformer, _ in est.transformers_:
        indices = [int(i) for i in positions[name]]
        if not indices or (isinstance(transformer, str) and transformer == "drop"):
            continue
        chosen = x.select(c.graph, indices)
        if not isinstance(transformer, str):
            try:
                chosen = c.transform(transformer, chosen)
            except Unsupported as error:
                raise Unsupported(f"transformer '{name}' ({type(transformer).__name__}): {error}") from error
        weights = est.transformer_weights
        if weights and name in weights:
            scaled = c.graph.op("Mul", chosen.matrix(c.graph), c.graph.number(weights[name]))
            chosen = Value.of(scaled, chosen.width)
        results.append(chosen)
    return Value.beside(results)


@transforms("sklearn.FeatureUnion")
def feature_union(c: Compiler, est: Any, x: Value) -> Value:
    """Every transformer on all columns, results side by side."""
    results = []
    for name, transformer in est.transformer_list:
        if isinstance(transformer, str):
            if transformer == "passthrough":
                results.append(x)
            continue
        try:
            result = c.transform(transformer, x)
        except Unsupported as error:
            raise Unsupported(f"transformer '{name}' ({type(transformer).__name__}): {error}") from error
        weights = est.transformer_weights
        if weights and name in weights:
            result = Value.of(c.graph.op("Mul", result.matrix(c.graph), c.graph.number(weights[name])), result.width)
        results.append(result)
    return Value.beside(results)
