"""Program and estimator as one graph that takes the raw row."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

from jupyter_mlops.export.edges import accepted
from jupyter_mlops.export.feeds import run_onnx
from jupyter_mlops.export.onnx import OnnxModel, open_session
from jupyter_mlops.export.parity import compare, predict_estimator, tolerance_of
from jupyter_mlops.export.program import compose
from jupyter_mlops.export.program.compose import ProgramRefusal, export_program
from jupyter_mlops.signature import Signature
from jupyter_mlops.workflows.schemas import output_of
from tests.unit.export.program.holding import frame, imported, signature_of

pytestmark = pytest.mark.filterwarnings("ignore")

RAW = frame(400)
LABEL = ((RAW["whole"] > 15) | (RAW["city"] == "Oslo")).astype(int).map({0: "no", 1: "yes"})
PRICE = RAW["price"].abs() + RAW["whole"] + 10 * RAW["sex"].str.strip().str.lower().eq("male")

LOOSE = """
df = raw.copy()
df["gap"] = df["gap"].fillna(state.mean)
df["sex"] = df["sex"].str.strip().str.lower().map({"male": 0, "female": 1})
df["city"] = state.encoder.transform(df["city"])
df["age"] = (pd.Timestamp("2024-01-01") - df["day"]).dt.days / 365.25
df = pd.get_dummies(with_levels(df, {"cabin": state.decks}), columns=["cabin"], dtype=int)
df = df.drop(["name", "code", "when", "day"], axis=1)
return pd.DataFrame(state.scaler.transform(df), columns=df.columns)
"""


def _loose_state() -> Any:
    state = SimpleNamespace(mean=0.3, encoder=LabelEncoder().fit(RAW["city"]), decks=["C85", "D", "G6"])
    state.scaler = SimpleNamespace(transform=lambda table: table)
    return state


def _exported(module: Any, estimator: Any, state: Any) -> tuple[OnnxModel | ProgramRefusal, Signature]:
    given = () if state is None else (state,)

    def predict(rows: pd.DataFrame) -> Any:
        return predict_estimator(estimator, module.build_features(rows.copy(), *given))

    signature = Signature(signature_of(RAW, predict).inputs, output_of(estimator, predict(RAW).labels))
    return export_program(module.build_features, module, estimator, signature, RAW.iloc[::3], state=state), signature


def _held(model: Any, module: Any, estimator: Any, state: Any, signature: Signature) -> None:
    """Rows that the exporter has not seen."""
    assert isinstance(model, OnnxModel), model
    assert [one.column for one in model.inputs] == list(RAW.columns)
    given = () if state is None else (state,)
    expected = predict_estimator(estimator, module.build_features(RAW.copy(), *given))
    got = run_onnx(open_session(model.data), RAW, model)
    assert compare(expected, got, tolerance_of(signature.output.task, expected), task=signature.output.task).ok


@pytest.mark.parametrize("estimator", [RandomForestClassifier(20, random_state=0), LogisticRegression(max_iter=500)], ids=str)
def test_loose_pandas_with_state_and_a_model(estimator: Any, tmp_path: Path) -> None:
    state = _loose_state()
    with imported(tmp_path, LOOSE) as module:
        made = module.build_features(RAW.copy(), state)
        state.scaler = StandardScaler().fit(made)
        fitted = estimator.fit(module.build_features(RAW.copy(), state), LABEL)
        model, signature = _exported(module, fitted, state)
        _held(model, module, fitted, state, signature)
        # What the encoder does not know is an error on both sides
        unknown = RAW.head(1).assign(city="Atlantis")
        with pytest.raises(ValueError, match="unseen labels"):
            module.build_features(unknown.copy(), state)
        with pytest.raises(Exception, match="Cast"):
            run_onnx(open_session(model.data), unknown, model)  # type: ignore[union-attr, arg-type]


def test_texts_that_were_edited_reach_an_encoder_of_the_model(tmp_path: Path) -> None:
    body = 'df = raw.copy()\ndf["sex"] = df["sex"].str.strip().str.lower()\nreturn df[["sex", "city", "price", "size"]]'
    pipeline = make_pipeline(
        make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["sex", "city"]), remainder="passthrough"),
        RandomForestClassifier(20, random_state=0),
    )
    with imported(tmp_path, body) as module:
        fitted = pipeline.fit(module.build_features(RAW.copy()), LABEL)
        model, signature = _exported(module, fitted, None)
        _held(model, module, fitted, None, signature)
        odd = RAW.head(3).assign(sex=["\N{NO-BREAK SPACE}FEMALE", "ma le", "femal\N{LATIN SMALL LETTER E WITH ACUTE}"])
        expected = predict_estimator(fitted, module.build_features(odd.copy()))
        got = run_onnx(open_session(model.data), odd, model)  # type: ignore[union-attr, arg-type]
        np.testing.assert_allclose(got.probabilities, expected.probabilities, rtol=0, atol=1e-12)  # type: ignore[arg-type]


def test_an_array_and_a_regressor(tmp_path: Path) -> None:
    body = 'X = raw[["whole", "size", "price"]].values\nsex = raw["sex"].str.strip().str.lower().eq("male").to_numpy().reshape(-1, 1)\nreturn np.hstack([X, sex])'
    with imported(tmp_path, body) as module:
        fitted = GradientBoostingRegressor(n_estimators=30).fit(module.build_features(RAW.copy()), PRICE)
        model, signature = _exported(module, fitted, None)
        _held(model, module, fitted, None, signature)


def test_a_refusal_names_the_operation_and_its_line(tmp_path: Path) -> None:
    body = 'df = raw.copy()\ndf["a"] = df["price"] * 2\ndf["b"] = df["name"].str.title().str.len()\nreturn df[["a", "b"]]'
    with imported(tmp_path, body) as module:
        fitted = GradientBoostingRegressor(n_estimators=5).fit(module.build_features(RAW.copy()), PRICE)
        refused, _ = _exported(module, fitted, None)
        assert isinstance(refused, ProgramRefusal)
        assert refused.operation == "df['name'].str.title()"
        assert refused.module == "features"
        assert "title" in Path(str(module.__file__)).read_text(encoding="utf-8").split("\n")[refused.line - 1]


def test_a_vectoriser_behind_a_text_that_is_known_in_part_is_refused(tmp_path: Path) -> None:
    with imported(tmp_path, 'return raw["name"].str.lower()') as module:
        fitted = make_pipeline(CountVectorizer(), LogisticRegression()).fit(RAW["name"].str.lower(), LABEL)
        refused, _ = _exported(module, fitted, None)
        assert isinstance(refused, ProgramRefusal)
        assert "known in part" in refused.reason


def test_a_graph_that_predicts_something_else_is_not_handed_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison has the last word: here the walk is given another program than the one that is proven."""
    (tmp_path / "other").mkdir()
    with (
        imported(tmp_path / "other", 'return raw[["whole", "price"]] * 2') as other,
        imported(tmp_path, 'return raw[["whole", "price"]]') as module,
    ):
        fitted = GradientBoostingRegressor(n_estimators=5).fit(module.build_features(RAW.copy()), PRICE)
        honest = compose.walk
        monkeypatch.setattr(compose, "walk", lambda build, *rest: honest(other.build_features, *rest))
        refused, _ = _exported(module, fitted, None)
        assert isinstance(refused, ProgramRefusal)
        assert refused.code == "program-wrong"
        assert "'whole'" in refused.reason


def test_rows_the_model_takes_are_never_many_enough_to_need_more(tmp_path: Path) -> None:
    """One row alone is what it is among others."""
    with imported(tmp_path, 'return raw[["price", "gap"]].fillna(0)') as module:
        fitted = GradientBoostingRegressor(n_estimators=5).fit(module.build_features(RAW.copy()), PRICE)
        model, _ = _exported(module, fitted, None)
        assert isinstance(model, OnnxModel)
        session = open_session(model.data)
        together = run_onnx(session, RAW, model).labels
        assert run_onnx(session, RAW.iloc[[7]], model).labels[0] == together[7]
        assert accepted(lambda rows: run_onnx(session, rows, model), RAW.iloc[:20]).all()
