"""Which model is meant where no tag says it, and which of its calls counts."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from jupyter_mlops.convert.models import ModelChoice, choose_model
from jupyter_mlops.notebook.dataflow import analyse
from jupyter_mlops.notebook.read import read_notebook
from tests.notebooks import write_notebook

START = """
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.preprocessing import StandardScaler
df = pd.read_csv("data.csv")
X, y = df[["a", "b"]], df["y"]
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
"""


def _choose(tmp_path: Path, *cells: str) -> ModelChoice:
    notebook = write_notebook(tmp_path / "models.ipynb", [("", START), *(("", one) for one in cells)])
    choice = choose_model(analyse(read_notebook(notebook)))
    assert isinstance(choice, ModelChoice), choice
    return choice


def _asked(choice: ModelChoice) -> str | None:
    if choice.asked is None:
        return None
    return f"{choice.asked.method}({'?' if choice.asked.argument is None else ast.unparse(choice.asked.argument)})"


FIT = "model = LogisticRegression().fit(X_train, y_train)"


@pytest.mark.parametrize(
    ("cells", "variable", "asked"),
    [
        ([FIT, "model.score(X_test, y_test)"], "model", "score(X_test)"),
        ([FIT, "a = model.predict(X_test)", "model.predict([[5, 2]])"], "model", "predict(X_test)"),
        ([FIT, "model.predict(X_test)", "row = np.array([[5, 2]])", "model.predict(row)"], "model", "predict(X_test)"),
        ([FIT, "model.predict([[5, 2]])"], "model", None),
        (
            [
                "scaler = StandardScaler()\nA = scaler.fit_transform(X_train)\nB = scaler.transform(X_test)",
                "model = LogisticRegression().fit(A, y_train)\nmodel.predict(B)",
                "model.predict(scaler.transform([[5, 2]]))",
            ],
            "model",
            "predict(B)",
        ),
        (
            [
                FIT,
                "model.predict(X_test)",
                "u, v = np.meshgrid(np.linspace(X.a.min(), X.a.max()), np.linspace(X.b.min(), X.b.max()))",
                "grid = np.c_[u.ravel(), v.ravel()]\nmodel.predict(grid)",
            ],
            "model",
            "predict(X_test)",
        ),
        ([FIT, "model.predict(X_test)", "model.predict(X_train)"], "model", "predict(X_test)"),
        ([FIT, "model.predict(X_train)", "model.predict(X_test)"], "model", "predict(X_test)"),
        ([FIT, "test = pd.read_csv('test.csv')", "model.predict(test[['a', 'b']])"], "model", "predict(test[['a', 'b']])"),
        (
            ["def run(m):\n    m.fit(X_train, y_train)\n    return m.predict(X_test)", "model = LogisticRegression()\nrun(model)"],
            "model",
            "predict(X_test)",
        ),
        (
            ["def run(m, rows):\n    return m.predict(rows.fillna(0))", FIT, "run(model, X_test)"],
            "model",
            "predict(X_test.fillna(0))",
        ),
        (["model = LogisticRegression()\ndef run():\n    model.fit(X_train, y_train)\n    return model.score(X_test, y_test)\nrun()"],
         "model", "score(X_test)"),
        (
            ["g = GridSearchCV(LogisticRegression(), {'C': [1, 2]})\ng.fit(X_train, y_train)\nbest = g.best_estimator_",
             "best.predict(X_test)"],
            "best",
            "predict(X_test)",
        ),
    ],
)  # fmt: skip
def test_the_call_that_counts_is_about_the_data(tmp_path: Path, cells: list[str], variable: str, asked: str | None) -> None:
    choice = _choose(tmp_path, *cells)
    assert (choice.variable, _asked(choice)) == (variable, asked)
    assert choice.fit is not None


FOREST = "forest = RandomForestClassifier().fit(X_train, y_train)"


@pytest.mark.parametrize(
    ("cells", "variable"),
    [
        ([FIT, "a = model.predict(X_test)", FOREST, "b = forest.predict(X_test)"], "forest"),
        ([FIT, FOREST, "b = forest.predict(X_test)", "a = model.predict(X_test)"], "model"),
        # measured last, though asked first
        ([FIT, FOREST, "a = model.predict(X_test)\nb = forest.predict(X_test)", "accuracy_score(y_test, a)"], "model"),
        ([FIT, "model.score(X_test, y_test)", FOREST, "cross_val_score(forest, X, y)"], "forest"),
        ([FIT, "model.score(X_test, y_test)", "search = GridSearchCV(LogisticRegression(), {'C': [1]})\nsearch.fit(X, y)",
          "search.best_score_"], "search"),
        # what is saved is meant
        ([FIT, "model.score(X_test, y_test)", FOREST, "forest.score(X_test, y_test)", "import joblib\njoblib.dump(model, 'm')"],
         "model"),
        # the fitted model goes by its last name
        (["lr = LinearRegression()\nmodel = lr.fit(X_train, y_train)", "lr.score(X_test, y_test)",
          "import pickle\nwith open('m', 'wb') as f:\n    pickle.dump(model, f)"], "model"),
        # Keras' history is no model
        (["net = LinearRegression()\nhistory = net.fit(X_train, y_train)", "net.predict(X_test)"], "net"),
        # a scaler is fitted, and no model
        ([FIT, "model.score(X_test, y_test)", "scaler = StandardScaler()\nscaler.fit(X)"], "model"),
    ],
)  # fmt: skip
def test_the_model_that_is_meant(tmp_path: Path, cells: list[str], variable: str) -> None:
    assert _choose(tmp_path, *cells).variable == variable


def test_tags_win(tmp_path: Path) -> None:
    cells = [
        ("", START),
        ("", FIT),
        ("evaluate", "model.score(X_test, y_test)"),
        ("", FOREST),
        ("", "forest.score(X_test, y_test)"),
    ]
    choice = choose_model(analyse(read_notebook(write_notebook(tmp_path / "tagged.ipynb", cells))))
    assert isinstance(choice, ModelChoice)
    assert choice.variable == "model"
