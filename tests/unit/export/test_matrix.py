"""Estimators and pipelines of the matrix: exact in ONNX, or refused with the reason. Never a wrong number."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from jupyter_mlops.export.edges import accepted, edge_rows
from jupyter_mlops.export.feeds import run_onnx
from jupyter_mlops.export.onnx import OnnxModel, Refusal, export_onnx, open_session
from jupyter_mlops.export.parity import compare, predict_estimator, tolerance_of
from tests.unit.export.matrix import CASES, Case, load, signature_of

pytestmark = pytest.mark.filterwarnings("ignore")  # scikit-learn's about small data and unseen categories


def _rows(rows: Any, part: slice) -> Any:
    return rows.iloc[part] if hasattr(rows, "iloc") else rows[part]


def _assert_equal(estimator: Any, model: OnnxModel, rows: Any, task: str) -> None:
    expected = predict_estimator(estimator, rows)
    got = run_onnx(open_session(model.data), rows, model)
    result = compare(expected, got, tolerance_of(task, expected), task=task)
    assert result.mismatches == 0, result


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_exact_or_refused(case: Case) -> None:
    data = load(case.data)
    estimator = case.fit()
    signature = signature_of(data, case.task)
    # The exporter sees every third row: the others are news to it.
    made = export_onnx(estimator, signature, _rows(data.rows, slice(None, None, 3)))
    if case.refused is not None:
        assert isinstance(made, Refusal), "it has an ONNX form now: take `refused` out of the case"
        assert case.refused in made.reason
        return
    assert isinstance(made, OnnxModel), made
    _assert_equal(estimator, made, data.rows, case.task)
    if not isinstance(data.rows, pd.DataFrame) or case.name.startswith("knn"):
        return  # far from all data every distance is the same number, and ties go by the order of scikit-learn's tree
    edges = edge_rows(data.rows, signature)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        good = accepted(lambda rows: predict_estimator(estimator, rows), edges)
    if good.any():
        _assert_equal(estimator, made, edges[good], case.task)


class OwnScaler(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A transformer of the notebook's own."""

    def fit(self, rows: Any, target: Any = None) -> OwnScaler:
        self.mean_ = np.nanmean(rows, axis=0)
        return self

    def transform(self, rows: Any) -> Any:
        return rows - self.mean_


class Doubled(StandardScaler):  # type: ignore[misc]
    """Looks like a scaler that ONNX knows, and is none."""

    def transform(self, X: Any, copy: bool | None = None) -> Any:
        return 2 * super().transform(X, copy)


@pytest.mark.parametrize("own", [OwnScaler, Doubled])
def test_a_class_of_the_notebook_is_refused_by_name(own: type) -> None:
    data = load("wine")
    estimator = make_pipeline(SimpleImputer(), own(), RandomForestClassifier(5, random_state=0)).fit(data.rows, data.target)
    made = export_onnx(estimator, signature_of(data, "classification"), data.rows)
    assert isinstance(made, Refusal)
    assert own.__name__ in made.reason
