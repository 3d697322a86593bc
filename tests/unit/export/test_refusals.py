"""What is not known to be exact is refused, with the reason and without an exception."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from jupyter_mlops.export import build
from jupyter_mlops.export.check import first_difference
from jupyter_mlops.export.onnx import OnnxModel, Refusal, export_onnx
from tests.unit.export.holding import exact_or_refused
from tests.unit.export.matrix import Data, load, signature_of

pytestmark = pytest.mark.filterwarnings("ignore")


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


class GrandDoubled(Doubled):
    """Changes nothing of a class that does."""


class Quiet(StandardScaler):  # type: ignore[misc]
    """Only another name for a scaler."""


class OwnRule(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier of the notebook's own."""

    def fit(self, rows: Any, target: Any) -> OwnRule:
        self.classes_ = np.unique(target)
        return self

    def predict(self, rows: Any) -> Any:
        return self.classes_[(np.asarray(rows)[:, 0] > 1).astype(int)]


class Cautious(RandomForestClassifier):  # type: ignore[misc]
    """A forest that says no when in doubt."""

    def predict(self, X: Any) -> Any:
        return np.where(self.predict_proba(X).max(axis=1) > 0.9, super().predict(X), 0)


def _export(estimator: Any, data: Data, task: str = "classification") -> OnnxModel | Refusal:
    return export_onnx(estimator, signature_of(data, task), data.rows)


@pytest.mark.parametrize("own", [OwnScaler, Doubled, GrandDoubled])
def test_a_transformer_of_the_notebook_is_refused_by_name(own: type) -> None:
    data = load("wine")
    estimator = make_pipeline(SimpleImputer(), own(), RandomForestClassifier(5, random_state=0)).fit(data.rows, data.target)
    made = _export(estimator, data)
    assert isinstance(made, Refusal)
    assert made.code == "onnx-unsupported"
    assert own.__name__ in made.reason


@pytest.mark.parametrize("own", [OwnRule, Cautious])
def test_a_classifier_of_the_notebook_is_refused_by_name(own: type) -> None:
    data = load("wine")
    made = _export(own().fit(data.rows, data.target), data)
    assert isinstance(made, Refusal)
    assert own.__name__ in made.reason


def test_a_subclass_that_changes_nothing_is_its_parent() -> None:
    data = load("wine")
    estimator = make_pipeline(Quiet(), LogisticRegression()).fit(data.rows, data.target)
    exact_or_refused(estimator, data, "classification", None)


def test_a_class_of_the_notebook_may_be_called_like_a_known_one() -> None:
    class DummyRegressor(Ridge):  # type: ignore[misc]
        def predict(self, X: Any) -> Any:
            return super().predict(X)

    data = load("diabetes")
    estimator = GradientBoostingRegressor(init=DummyRegressor(), n_estimators=3).fit(data.rows, data.target)
    made = _export(estimator, data, "regression")
    assert isinstance(made, Refusal)
    assert "init=DummyRegressor" in made.reason


def test_a_method_that_was_replaced_is_seen() -> None:
    data = load("diabetes")
    estimator = DummyRegressor().fit(data.rows, data.target)
    assert isinstance(_export(estimator, data, "regression"), OnnxModel)
    estimator.predict = lambda rows: np.full(len(rows), float(estimator.constant_.item()))
    made = _export(estimator, data, "regression")
    assert isinstance(made, Refusal)
    assert "predict was replaced" in made.reason


def _unfitted() -> Any:
    return RandomForestClassifier()


def _nothing() -> Any:
    return object()


def _broken_attribute() -> Any:
    estimator = LogisticRegression().fit(load("wine").rows, load("wine").target)
    estimator.coef_ = "lost"
    return estimator


def _wrong_width() -> Any:
    return LogisticRegression().fit(load("wine").rows.iloc[:, :3], load("wine").target)


def _ends_in_a_word() -> Any:
    return Pipeline([("a", StandardScaler()), ("b", "passthrough")]).fit(load("wine").rows, load("wine").target)


@pytest.mark.parametrize("broken", [_unfitted, _nothing, _broken_attribute, _wrong_width, _ends_in_a_word])
def test_what_is_broken_is_refused_and_never_raises(broken: Callable[[], Any]) -> None:
    made = _export(broken(), load("wine"))
    assert isinstance(made, Refusal)
    assert made.reason


def test_a_model_that_predicts_otherwise_is_refused_with_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line of defence: an error in a converter shows as a refusal that names the step and the column."""
    data = load("wine")
    estimator = make_pipeline(StandardScaler(), LogisticRegression()).fit(data.rows, data.target)
    made_right = build.build_model

    def made_wrong(one: Any, *rest: Any) -> OnnxModel:
        shift = one[0].mean_.copy()
        one[0].mean_[3] += 1.0
        try:
            return made_right(one, *rest)
        finally:
            one[0].mean_[:] = shift

    monkeypatch.setattr(build, "build_model", made_wrong)
    made = _export(estimator, data)
    assert isinstance(made, Refusal)
    assert made.code == "onnx-wrong"
    assert "of 178 rows (sample)" in made.reason
    assert "LogisticRegression" in made.reason  # the transform itself is exact, when it is converted alone


def test_the_first_step_that_differs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from jupyter_mlops.export import compiler

    data = load("wine")
    estimator = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()).fit(data.rows, data.target)
    compiler.registered()
    right = compiler._TRANSFORMS["sklearn.StandardScaler"]

    def wrong(c: Any, one: Any, x: Any) -> Any:
        out = right(c, one, x)
        offset = np.zeros(out.width)
        offset[2] = 1e-6
        return out.of(c.graph.op("Add", out.matrix(c.graph), c.graph.row(offset)), out.width)

    monkeypatch.setitem(compiler._TRANSFORMS, "sklearn.StandardScaler", wrong)
    where = first_difference(estimator, signature_of(data, "classification"), data.rows)
    assert where == "first in step 'standardscaler' (StandardScaler), column 'ash'"
    made = _export(estimator, data)
    assert isinstance(made, Refusal)
    assert made.code == "onnx-wrong"
    assert "'standardscaler'" in made.reason


def test_columns_called_like_outputs_and_odd_names_are_kept_apart() -> None:
    wine = load("wine")
    names = ["label", "probabilities", "prediction", "scores", "input_label", "größe (cm)", "a/b", "", "v/c_1", "x y"]
    rows = wine.rows.iloc[:, : len(names)].set_axis(names, axis=1)
    data = Data(rows, wine.target)
    estimator = RandomForestClassifier(5, random_state=0).fit(rows, wine.target)
    made = _export(estimator, data)
    assert isinstance(made, OnnxModel), made
    assert len({one.name for one in made.inputs}) == len(names)
    assert [one.column for one in made.inputs] == names
    exact_or_refused(estimator, data, "classification", None)


def test_two_columns_of_one_name_are_refused() -> None:
    wine = load("wine")
    rows = wine.rows.iloc[:, :2].set_axis(["a", "a"], axis=1)
    signature = signature_of(Data(rows.set_axis(["a", "b"], axis=1), wine.target), "classification")
    estimator = RandomForestClassifier(3).fit(rows.to_numpy(), wine.target)
    made = export_onnx(estimator, signature, rows)
    assert isinstance(made, Refusal)
    assert "two columns" in made.reason


def test_metadata_and_names_travel_with_the_model() -> None:
    import onnx

    data = load("wine")
    estimator = LogisticRegression().fit(data.rows, data.target)
    made = export_onnx(estimator, signature_of(data, "classification"), data.rows, metadata={"run": "7", "größe": "ß"})
    assert isinstance(made, OnnxModel)
    read = onnx.load_from_string(made.data)
    assert {p.key: p.value for p in read.metadata_props} == {"run": "7", "größe": "ß"}
    assert made.as_dict()["outputs"] == {"label": "label", "probabilities": "probabilities", "prediction": None}
    assert [one["column"] for one in made.as_dict()["inputs"]] == list(data.rows.columns)
