"""The promise of the exporter, as one assertion: the same predictions on rows it has not seen, or a refusal."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from jupyter_mlops.export.edges import accepted, edge_rows
from jupyter_mlops.export.feeds import run_onnx
from jupyter_mlops.export.onnx import OnnxModel, Refusal, export_onnx, open_session
from jupyter_mlops.export.parity import compare, predict_estimator, tolerance_of
from tests.unit.export.matrix import Data, signature_of

__all__ = ["assert_equal", "exact_or_refused", "taken"]


def taken(rows: Any, which: Any) -> Any:
    """Some of the rows of a frame, an array, a Series or a list; `which` is a slice or a boolean array."""
    if isinstance(rows, list):
        return rows[which] if isinstance(which, slice) else [row for row, kept in zip(rows, which, strict=True) if kept]
    return rows.iloc[which] if hasattr(rows, "iloc") else rows[which]


def assert_equal(estimator: Any, model: OnnxModel, rows: Any, task: str) -> None:
    """Labels are equal, numbers within the stated tolerance."""
    expected = predict_estimator(estimator, rows)
    got = run_onnx(open_session(model.data), rows, model)
    result = compare(expected, got, tolerance_of(task, expected), task=task)
    assert result.mismatches == 0, result


def exact_or_refused(estimator: Any, data: Data, task: str, refused: str | None, *, edges: bool = True) -> None:
    """Export from every third row, then compare on all rows and on 200 edge rows; the others are news to the exporter."""
    signature = signature_of(data, task)
    made = export_onnx(estimator, signature, taken(data.rows, slice(None, None, 3)))
    if refused is not None:
        assert isinstance(made, Refusal), "it has an ONNX form now: take `refused` out of the case"
        assert refused in made.reason
        return
    assert isinstance(made, OnnxModel), made
    assert_equal(estimator, made, data.rows, task)
    if not edges:
        return
    moved = edge_rows(data.rows, signature)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        good = accepted(lambda rows: predict_estimator(estimator, rows), moved)
    if np.any(good):
        assert_equal(estimator, made, taken(moved, good), task)
