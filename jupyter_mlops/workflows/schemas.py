"""Signatures read off the frames that the notebook used and off what its fitted model accepts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from jupyter_mlops.signature import Column, Kind, Output, Signature, Task

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["describe_frame", "json_rows", "json_value", "output_of", "probe", "signature_of", "task_of"]

_LEVELS = 60  # a string column with more different values is free text or a key, not a category
_CLOSED_LEVELS = 5_000


def json_value(value: Any) -> Any:
    """A cell of a frame as a JSON value: missing is None, dates are ISO 8601, numpy scalars are Python's."""
    import pandas as pd

    if value is None or value is pd.NA:  # which has no truth value, even compared with itself
        return None
    if hasattr(value, "isoformat"):
        return None if value != value else value.isoformat()
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (bool, int, str)) else None if value != value else str(value)


def json_rows(frame: pd.DataFrame, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of a frame as JSON objects of some of its columns."""
    lists = {name: [json_value(value) for value in frame[name].tolist()] for name in columns}
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def _kind(series: pd.Series) -> Kind:
    import pandas as pd

    dtype = series.dtype
    if pd.api.types.is_bool_dtype(dtype):
        return "boolean"
    if isinstance(dtype, pd.CategoricalDtype):
        return _kind(pd.Series(dtype.categories))
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return "datetime"
    if pd.api.types.is_integer_dtype(dtype):
        return "integer"
    if pd.api.types.is_float_dtype(dtype):
        return "float"
    kinds = {type(value) for value in series.dropna().head(10_000)}
    if kinds and kinds <= {bool}:
        return "boolean"
    if kinds and kinds <= {int, float}:
        return "float"
    return "string"


def describe_frame(frame: pd.DataFrame, columns: Sequence[str]) -> tuple[Column, ...]:
    """Columns as the training table has them; what is nullable and closed is found by `probe`."""
    import pandas as pd

    out = []
    for name in columns:
        series = frame[name]
        kind = _kind(series)
        present = series.dropna()
        categories: tuple[Any, ...] | None = None
        low = high = None
        if isinstance(series.dtype, pd.CategoricalDtype):
            categories = tuple(json_value(v) for v in series.dtype.categories)
        elif kind in ("string", "boolean"):
            levels = present.unique()
            if len(levels) <= _LEVELS:
                categories = tuple(sorted((json_value(v) for v in levels), key=str))
        if kind in ("float", "integer") and len(present) and not isinstance(series.dtype, pd.CategoricalDtype):
            low, high = float(present.min()), float(present.max())
        example = json_value(present.iloc[0]) if len(present) else None
        out.append(
            Column(
                name=str(name),
                dtype=str(series.dtype),
                kind=kind,
                nullable=bool(series.isna().any()),
                categories=categories,
                minimum=low,
                maximum=high,
                example=example,
            )  # fmt: skip
        )
    return tuple(out)


def probe(
    columns: tuple[Column, ...], frame: pd.DataFrame, predict: Callable[[pd.DataFrame], Any], table: pd.DataFrame
) -> tuple[Column, ...]:
    """Ask the notebook's own fitted objects what they accept: a missing value, a category never seen.

    Parameters
    ----------
    frame
        Rows that are predicted.
    table
        All that there are: a level may be so rare that `frame` does not have it.
    """
    from dataclasses import replace

    sample = frame[[c.name for c in columns]].head(1)
    complete = frame[[c.name for c in columns]].dropna().head(1)
    row = complete if len(complete) else sample

    def accepts(name: str, value: Any) -> bool:
        import warnings

        import pandas as pd

        changed = row.copy()
        series = changed[name]
        if value is None and pd.api.types.is_integer_dtype(series.dtype):
            changed[name] = float("nan")
        elif value is None and pd.api.types.is_bool_dtype(series.dtype):
            changed[name] = pd.Series([None], index=changed.index, dtype=object)
        elif value is None:
            changed[name] = pd.Series([float("nan")] if series.dtype == object else [None], index=changed.index).astype(
                series.dtype
            )
        else:
            changed[name] = pd.Series([value], index=changed.index, dtype=object)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                predict(changed)
            except Exception:  # whatever it raises: it does not accept such a row
                return False
        return True

    out = []
    for column in columns:
        nullable = accepts(column.name, None)
        closed, categories = False, column.categories
        if column.dtype == "category":
            closed = True  # a frame cannot hold another value
        elif column.kind == "string" and not accepts(column.name, "a value that was never seen"):
            levels = table[column.name].dropna().unique().tolist()
            if len(levels) <= _CLOSED_LEVELS:
                known = _accepted(column.name, levels, row, predict) if levels else []
                closed, categories = True, tuple(sorted((json_value(v) for v in known), key=str))
        out.append(replace(column, nullable=nullable, closed=closed, categories=categories))
    return tuple(out)


def _accepted(name: str, levels: list[Any], row: pd.DataFrame, predict: Callable[[pd.DataFrame], Any]) -> list[Any]:
    """Those levels that are predicted."""
    import warnings

    import pandas as pd

    from jupyter_mlops.export.edges import accepted

    rows = row.iloc[[0] * len(levels)].reset_index(drop=True)
    rows[name] = pd.Series(levels, dtype=object)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        good = accepted(lambda part: predict(part.reset_index(drop=True)), rows)
    return [level for level, taken in zip(levels, good, strict=True) if taken]


def task_of(estimator: Any, labels: Any = None) -> Task:
    """What kind of answer an estimator gives; a class of the notebook's own that is no scikit-learn estimator by its `labels`."""
    if not hasattr(type(estimator), "__sklearn_tags__"):
        kind = getattr(estimator, "_estimator_type", None)
        if kind in {"classifier", "regressor"}:
            return "classification" if kind == "classifier" else "regression"
        numbers = labels is not None and getattr(labels, "dtype", None) is not None and labels.dtype.kind == "f"
        return "regression" if numbers and not hasattr(estimator, "predict_proba") else "classification"
    from sklearn.base import is_classifier, is_clusterer, is_outlier_detector, is_regressor

    for test, task in (
        (is_classifier, "classification"), (is_regressor, "regression"), (is_clusterer, "clustering"),
        (is_outlier_detector, "outlier"),
    ):  # fmt: skip
        if test(estimator):
            return cast("Task", task)
    return "classification" if hasattr(estimator, "predict_proba") else "regression"


def output_of(estimator: Any, labels: Any) -> Output:
    """The output's schema from a fitted estimator and some of its predictions."""
    task = task_of(estimator, labels)
    classes = None
    if task == "classification" and getattr(estimator, "classes_", None) is not None:
        classes = tuple(json_value(v) for v in estimator.classes_)
    try:
        probabilities = classes is not None and hasattr(estimator, "predict_proba")
    except AttributeError:
        probabilities = False
    return Output(task, str(labels.dtype), classes, probabilities)


def signature_of(columns: tuple[Column, ...], output: Output, layout: str) -> Signature:
    """Put the parts together."""
    return Signature(columns, output, cast("Any", layout))
