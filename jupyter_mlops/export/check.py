"""The check behind every export: same rows through the estimator and through ONNX Runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_mlops.export.graph import Unsupported
from jupyter_mlops.export.onnx import OnnxModel, Refusal, open_session

if TYPE_CHECKING:
    from jupyter_mlops.signature import Signature

__all__ = ["check_model", "first_difference"]

EDGE_ROWS = 60


def check_model(estimator: Any, model_signature: Signature, sample: Any, model: OnnxModel) -> Refusal | None:
    """None when every row agrees, else the refusal."""
    import warnings

    from jupyter_mlops.export.edges import accepted, edge_rows
    from jupyter_mlops.export.feeds import run_onnx
    from jupyter_mlops.export.parity import compare, predict_estimator, tolerance_of

    try:
        session = open_session(model.data)
    except Exception as error:  # ONNX Runtime has no common root for what a session may raise
        return Refusal(f"ONNX Runtime does not load the model: {_short(error)}", "onnx-unsupported")
    task = model_signature.output.task
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # unseen categories and missing feature names are what the edge rows are about
        edges = edge_rows(sample, model_signature, limit=EDGE_ROWS)
        keep = accepted(lambda rows: predict_estimator(estimator, rows), edges)
        for what, rows in (("sample", sample), ("edge rows made of the sample", _take(edges, keep))):
            if not len(rows):
                continue
            expected = predict_estimator(estimator, rows)
            limit = tolerance_of(task, expected)
            try:
                got = run_onnx(session, rows, model)
            except Exception as error:
                return Refusal(f"ONNX Runtime fails on the {what}: {_short(error)}", "onnx-wrong")
            result = compare(expected, got, limit, task=task)
            if result.ok:
                continue
            where = _where(estimator, model_signature, rows)
            far = f", by up to {result.max_abs_diff:.3g}" if result.max_abs_diff else ""
            return Refusal(
                f"{result.mismatches} of {result.rows} rows ({what}) are predicted differently by ONNX{far}"
                + (f"; {where}" if where else ""),
                "onnx-wrong",
            )
    return None


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _take(rows: Any, keep: Any) -> Any:
    if isinstance(rows, list):
        return [row for row, kept in zip(rows, keep, strict=True) if kept]
    return rows.iloc[keep] if hasattr(rows, "iloc") else rows[keep]


def _where(estimator: Any, model_signature: Signature, rows: Any) -> str | None:
    try:
        return first_difference(estimator, model_signature, rows)
    except Exception:  # a refusal stands without the name of a step
        return None


def first_difference(estimator: Any, model_signature: Signature, rows: Any) -> str | None:
    """The first transform step of a pipeline whose output differs, with the column, or None."""
    import numpy as np

    from jupyter_mlops.export.build import build_transform
    from jupyter_mlops.export.converters.compose import inner_estimator

    while hasattr(estimator, "best_estimator_"):
        estimator = inner_estimator(estimator)
    steps = getattr(estimator, "steps", None)
    if not steps:
        return None
    for count in range(1, len(steps)):
        name, step = steps[count - 1]
        if isinstance(step, str) or step is None:
            continue
        front = estimator[:count]
        try:
            model = build_transform(front, model_signature, rows)
        except Unsupported:
            continue  # text between two steps cannot be put out as a matrix of numbers
        expected = front.transform(rows)
        expected = expected.toarray() if hasattr(expected, "toarray") else np.asarray(expected, dtype=np.float64)
        from jupyter_mlops.export.feeds import feeds

        (got,) = open_session(model.data).run(["prediction"], feeds(rows, model.inputs, model.null_string))
        if got.shape != expected.shape:
            return f"first in step '{name}' ({type(step).__name__}), which makes {got.shape[1]} columns"
        off = ~np.isclose(got, expected, rtol=1e-9, atol=1e-9, equal_nan=True)
        if off.any():
            column = int(np.flatnonzero(off.any(axis=0))[0])
            return f"first in step '{name}' ({type(step).__name__}), {_output_name(front, column)}"
    return f"all transform steps agree, so the difference lies in {type(steps[-1][1]).__name__}"


def _output_name(front: Any, column: int) -> str:
    try:
        return f"column '{front.get_feature_names_out()[column]}'"
    except (AttributeError, ValueError, TypeError):
        return f"column {column}"
