"""What the notebook makes of its model's prediction."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.convert.answers import Answer, find_answer
from jupyter_mlops.convert.models import ModelChoice, choose_model
from jupyter_mlops.convert.names import classify
from jupyter_mlops.notebook.dataflow import analyse
from jupyter_mlops.notebook.problems import Problem
from jupyter_mlops.notebook.read import read_notebook
from tests.notebooks import write_notebook

HEAD = """
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_squared_error
from sklearn.preprocessing import LabelEncoder, StandardScaler
from scipy.special import inv_boxcox
"""
TRAIN = """
X, y = df[["a"]], np.log1p(df["b"])
lam = y.mean()
scaler = StandardScaler().fit(y.to_frame())
le = LabelEncoder().fit(df["c"])
model = LinearRegression().fit(X, y)
"""


def answer_of(tmp_path: Path, code: str) -> Answer | Problem | None:
    path = write_notebook(
        tmp_path / "nb.ipynb",
        [("imports", HEAD), ("load", "df = pd.read_csv('d.csv')"), ("train", TRAIN), ("evaluate", code)],
    )
    analysis = analyse(read_notebook(path))
    choice = choose_model(analysis)
    assert isinstance(choice, ModelChoice)
    return find_answer(analysis, choice, classify(analysis, frozenset(range(len(analysis.statements))), {}))


@pytest.mark.parametrize(
    ("code", "expected", "variable"),
    [
        ("print(np.expm1(model.predict(X)))", "np.expm1(prediction)", ""),
        ("pred = model.predict(X)\nerror = mean_squared_error(np.exp(y), np.exp(pred))", "np.exp(prediction)", ""),
        ("pred = model.predict(X).ravel()\npred = np.expm1(pred)", "np.expm1(prediction)", ""),
        ("print(10 ** model.predict(X))", "10 ** prediction", ""),
        (
            "print(scaler.inverse_transform(model.predict(X).reshape(-1, 1)))",
            "fitted.inverse_transform(prediction.reshape(-1, 1))",
            "scaler",
        ),
        ("names = le.inverse_transform(model.predict(X))", "fitted.inverse_transform(prediction)", "le"),
        ("names = np.where(model.predict(X) == 1, 'yes', 'no')", "np.where(prediction == 1, 'yes', 'no')", ""),
        (
            "pred = model.predict(X)\nnames = pd.Series(pred).map({0: 'no', 1: 'yes'})",
            "pd.Series(prediction).map({0: 'no', 1: 'yes'})",
            "",
        ),
    ],
)
def test_the_last_step_is_found(tmp_path: Path, code: str, expected: str, variable: str) -> None:
    found = answer_of(tmp_path, code)
    assert isinstance(found, Answer), found
    assert (found.code, found.variable) == (expected, variable)
    assert found.cell == 4


@pytest.mark.parametrize(
    "code",
    [
        "pred = model.predict(X)\nrmse = mean_squared_error(y, pred) ** 0.5",
        "rmse = np.sqrt(mean_squared_error(y, model.predict(X)))",
        "pred = model.predict(X)\nresidual = y - pred",
        "pred = model.predict(X)\npred = y.to_numpy()\nprint(np.expm1(pred))",
        "pred = model.predict(X)\nmean_squared_error(np.expm1(y), pred)",
        "print(model.predict(X)[:5].round(2))",
    ],
)
def test_measuring_is_no_last_step(tmp_path: Path, code: str) -> None:
    assert answer_of(tmp_path, code) is None


def test_an_inverse_with_a_learned_number_is_named(tmp_path: Path) -> None:
    found = answer_of(tmp_path, "pred = inv_boxcox(model.predict(X), lam)")
    assert isinstance(found, Problem)
    assert found.code == "answer-not-carried"
    assert "lam" in found.message
