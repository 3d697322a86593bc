"""Labels by watching: cells run in a real IPython shell with the recorder in it, and what was noted tells the truth of each row."""

from __future__ import annotations

import builtins
import copy
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from sklearn.compose import TransformedTargetRegressor
from sklearn.preprocessing import FunctionTransformer
from traitlets.config import Config

from jupyter_mlops.convert import evaluations, recorder
from jupyter_mlops.convert.lifting import observer
from jupyter_mlops.workflows.captured import Captured, load_captured, load_estimator
from jupyter_mlops.workflows.holdout import _answers, _sayable
from jupyter_mlops.workflows.labels import Labels, find_labels

# 150 rows of test data; predictions are right in most of them, and wrong in some.
SETUP = """
import numpy as np, pandas as pd
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import *
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.preprocessing import LabelEncoder
rng = np.random.default_rng(0)
X = pd.DataFrame(rng.normal(size=(500, 3)), columns=["a", "b", "c"])
noise = rng.normal(size=500)
y = ((X["a"] + X["b"] + noise) > 0).astype(int)
names = y.map({0: "no", 1: "yes"})
amount = np.exp(1 + 0.3 * X["a"] + 0.1 * noise)
def split(target):
    return train_test_split(X, target, test_size=0.3, random_state=0)
"""
CLASSES = SETUP + "X_train, X_test, y_train, y_test = split(y)\nmodel = LogisticRegression().fit(X_train, y_train)\n"
NAMES = SETUP + "X_train, X_test, y_train, y_test = split(names)\nmodel = LogisticRegression().fit(X_train, y_train)\n"
NUMBERS = SETUP + "X_train, X_test, y_train, y_test = split(amount)\nmodel = LinearRegression().fit(X_train, y_train)\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Captured, Any, dict[str, Any]]]]:
    """Run cells with the recorder's sources as they are sent to a kernel."""
    monkeypatch.setattr(sys, "addaudithook", lambda hook: None)  # it could never be taken away again
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell(config=config)
    module = types.ModuleType("in_kernel")
    module.__dict__["get_ipython"] = lambda: shell
    for source in (recorder, observer, evaluations):
        exec(compile(Path(str(source.__file__)).read_text(encoding="utf-8"), "in_kernel", "exec"), module.__dict__)

    def made(*cells: str, variable: str = "model") -> tuple[Captured, Any, dict[str, Any]]:
        noting = module.__dict__["Recorder"]()
        noting.start(None)
        noting.measure()
        asked = None
        for number, cell in enumerate(cells, start=1):
            noting.cell = number
            shell.run_cell(cell).raise_error()
        events = [e for e in noting.events if e["text"] in (variable, "m") and e["method"] not in ("fit", "score")]
        if events:
            asked = [events[0]["cell"], events[0]["line"]]
        elif any(e["method"] == "score" for e in noting.events):
            asked = next([e["cell"], e["line"]] for e in noting.events if e["method"] == "score")
        noting.finish(str(tmp_path), variable, {"at": asked, "fitted": ""})
        return load_captured(tmp_path), load_estimator(tmp_path, None), shell.user_ns

    yield made
    for name in (recorder.HOOK, evaluations.MEASURE, evaluations.LEFT, evaluations.RIGHT):
        monkeypatch.delattr(builtins, name, raising=False)


def labels_of(captured: Captured, model: Any, whole: Any = None) -> Labels | None:
    answers, _ = _answers(captured, model, model if whole is None else whole)
    return find_labels(captured.evaluation, answers)


FORMS = [
    (CLASSES, "accuracy_score(y_test, model.predict(X_test))", "accuracy_score"),
    (CLASSES, "pred = model.predict(X_test)\naccuracy_score(pred, y_test)", "accuracy_score"),
    (CLASSES, "pred = model.predict(X_test)\naccuracy_score(y_pred=pred, y_true=y_test.tolist())", "accuracy_score"),
    (CLASSES, "f1_score(y_test, model.predict(X_test), average='macro')", "f1_score"),
    (CLASSES, "p = model.predict_proba(X_test)[:, 1]\nroc_auc_score(y_test, p)", "roc_auc_score"),
    (CLASSES, "p = model.predict_proba(X_test)[:, 0]\nroc_auc_score(1 - y_test, p)", "roc_auc_score"),
    (CLASSES, "p = model.predict_proba(X_test)[:, 0]\nlog_loss(y_test, 1 - p)", "log_loss"),
    (CLASSES, "log_loss(y_test, model.predict_proba(X_test))", "log_loss"),
    (CLASSES, "s = model.decision_function(X_test)\nroc_auc_score(y_test, s)", "roc_auc_score"),
    (CLASSES, "p = model.predict_proba(X_test)[:, 1]\nconfusion_matrix(y_test, (p > 0.3).astype(int))", "confusion_matrix"),
    (CLASSES, "confusion_matrix((model.predict_proba(X_test)[:, 1] > 0.3).astype(int), y_test)", "confusion_matrix"),
    (CLASSES, "fpr, tpr, _ = roc_curve(y_test, model.predict_proba(X_test)[:, 1]); auc(fpr, tpr)", "roc_curve"),
    (CLASSES, "model.score(X_test, y_test)", "score"),
    (CLASSES, "pred = model.predict(X_test)\nmodel.score(X_test, y=y_test)", "score"),
    (CLASSES, "pred = model.predict(X_test)\n(pred == y_test).mean()", "=="),
    (CLASSES, "pred = model.predict(X_test)\nerror = np.mean(y_test != pred)", "!="),
    (CLASSES, "print(classification_report(y_test, model.predict(X_test)))", "classification_report"),
    (
        CLASSES,
        "def evaluate(m, X, t):\n    p = m.predict(X)\n    return {'acc': accuracy_score(t, p)}\nevaluate(model, X_test, y_test)",
        "accuracy_score",
    ),
    (
        CLASSES,
        "for m in (LogisticRegression(C=1e-4), LogisticRegression(C=1e-3), model):\n    m.fit(X_train, y_train)\n"
        "    p = m.predict(X_test)\n    print(accuracy_score(y_test, p), (p != y_test).sum())",
        "accuracy_score",
    ),
    (NAMES, "pred = model.predict(X_test)\naccuracy_score(y_test, pred)", "accuracy_score"),
    (NAMES, "roc_auc_score(y_test == 'yes', model.predict_proba(X_test)[:, 1])", "roc_auc_score"),
    (NAMES, "roc_auc_score(y_test == 'no', model.predict_proba(X_test)[:, 0])", "roc_auc_score"),
    (NUMBERS, "mean_squared_error(y_test, model.predict(X_test)) ** 0.5", "mean_squared_error"),
    (NUMBERS, "pred = model.predict(X_test)\nnp.sqrt(((y_test - pred) ** 2).mean())", "-"),
    (NUMBERS, "pred = np.clip(model.predict(X_test), 1, 4)\nr2_score(y_test, pred)", "r2_score"),
    (NUMBERS, "mean_absolute_error(y_test, model.predict(X_test).round(1))", "mean_absolute_error"),
    (
        NUMBERS,
        "def rmse(actual, guessed):\n    return np.sqrt(np.mean((actual - guessed) ** 2))\nrmse(y_test.values, model.predict(X_test))",
        "rmse",
    ),
]


@pytest.mark.parametrize(("setup", "evaluated", "measure"), FORMS)
def test_the_truth_is_found(run: Any, setup: str, evaluated: str, measure: str) -> None:
    captured, model, space = run(setup, evaluated)
    found = labels_of(captured, model)
    assert found is not None
    assert (found.measure, found.cell) == (measure, 2)
    assert found.values == space["y_test"].tolist()


@pytest.mark.parametrize(
    "evaluated",
    [
        "cross_val_score(model, X, y)",
        "pred = model.predict(X_test)\ncross_val_score(model, X, y).mean()",
        "pred = model.predict(X_test)\nother = LogisticRegression(C=1e-3).fit(X_train, y_train).predict(X_test)\n(pred == other).mean()",
        "other = LogisticRegression(C=1e-3).fit(X_train, y_train)\nagree = accuracy_score(other.predict(X_test), model.predict(X_test))",
        "pred = model.predict(X_test)\ngap = pred - X_test['a']",
        "pred = model.predict(X_test)\naccuracy_score(y_test[:100], pred[:100])",
        "[a == b for a, b in zip(model.predict(X_test), y_test)]",
    ],
)
def test_nothing_is_taken_for_labels_that_was_not_measured_against_the_model(run: Any, evaluated: str) -> None:
    captured, model, _ = run(CLASSES, evaluated)
    if captured.evaluation:
        assert labels_of(captured, model) is None
    else:
        assert captured.input is None


def test_another_model_that_is_always_right_hides_no_labels(run: Any) -> None:
    captured, model, space = run(
        CLASSES,
        "from sklearn.neighbors import KNeighborsClassifier\n"
        "best = KNeighborsClassifier(1).fit(X_test, y_test)\npred = model.predict(X_test)\n"
        "for p in (pred, best.predict(X_test)):\n    print(accuracy_score(y_test, p))",
    )
    found = labels_of(captured, model)
    assert found is not None and found.values == space["y_test"].tolist()


def test_labels_in_logarithms_are_carried_over(run: Any) -> None:
    setup = (
        SETUP + "X_train, X_test, t_train, t_test = split(np.log1p(amount))\nmodel = LinearRegression().fit(X_train, t_train)\n"
    )
    for evaluated in (
        "pred = model.predict(X_test)\nmean_squared_error(np.expm1(t_test), np.expm1(pred))",
        "pred = model.predict(X_test)\nmean_squared_error(t_test, pred)",
        "model.score(X_test, t_test)",
    ):
        captured, model, space = run(setup, evaluated)
        inverse = FunctionTransformer(inverse_func=np.expm1, check_inverse=False)
        whole = TransformedTargetRegressor(regressor=model, transformer=inverse, check_inverse=False)
        whole.regressor_, whole.transformer_, whole._training_dim = model, inverse, 1
        found = labels_of(captured, model, whole)
        assert found is not None, evaluated
        assert found.values == pytest.approx(np.expm1(space["t_test"]).tolist(), rel=1e-12)


def test_codes_of_an_encoder_get_their_names(run: Any) -> None:
    setup = (
        SETUP + "encoder = LabelEncoder()\nX_train, X_test, y_train, y_test = split(encoder.fit_transform(names))\n"
        "model = LogisticRegression().fit(X_train, y_train)\n"
    )
    for evaluated in (
        "accuracy_score(y_test, model.predict(X_test))",
        "pred = encoder.inverse_transform(model.predict(X_test))\naccuracy_score(encoder.inverse_transform(y_test), pred)",
        "roc_auc_score(y_test, model.predict_proba(X_test)[:, 1])",
        "model.score(X_test, y_test)",
    ):
        captured, model, space = run(setup, evaluated)
        whole = copy.deepcopy(model)
        whole.classes_ = space["encoder"].classes_
        found = labels_of(captured, model, whole)
        assert found is not None, evaluated
        assert found.values == space["encoder"].inverse_transform(space["y_test"]).tolist()


def test_all_that_is_measured_with_the_labels_is_noted_in_order(run: Any) -> None:
    captured, model, _ = run(
        CLASSES,
        "pred, p = model.predict(X_test), model.predict_proba(X_test)[:, 1]\n"
        "f1_score(y_test, pred, average='weighted')\nroc_auc_score(y_test, p)\nf1_score(y_test, pred)\n(pred == y_test).mean()",
    )
    found = labels_of(captured, model)
    assert found is not None and (found.cell, found.line) == (2, 2)
    assert [dict(one) for one in found.measures] == [{"name": "f1_score", "average": "weighted"}, {"name": "roc_auc_score"}]


def test_training_rows_are_known_as_such(run: Any) -> None:
    captured, model, _ = run(CLASSES, "accuracy_score(y_train, model.predict(X_train))")
    assert captured.evaluation["fit"]["same"] is True
    assert labels_of(captured, model) is not None
    captured, _, _ = run(CLASSES, "accuracy_score(y_test, model.predict(X_test))")
    fit = captured.evaluation["fit"]
    assert (fit["same"], fit["rows"], len(fit["index"]), len(fit["target"])) == (False, 350, 350, 350)


def test_long_tables_are_sampled_at_the_same_rows(run: Any) -> None:
    setup = CLASSES.replace("(500, 3)", "(9000, 3)").replace("size=500", "size=9000")
    captured, model, space = run(setup, "accuracy_score(y_test, model.predict(X_test))")
    found = labels_of(captured, model)
    assert found is not None and len(found.values) == len(captured.input) == recorder.SAMPLE < len(space["y_test"])
    assert found.values == space["y_test"].loc[captured.input.index].tolist()


def test_of_a_loop_the_last_passes_are_kept(run: Any) -> None:
    captured, _, _ = run(
        CLASSES, "pred = model.predict(X_test)\nfor n in range(30):\n    accuracy_score(y_test, np.full(150, n))"
    )
    pairs = captured.evaluation["pairs"]
    assert [pair["sides"][1][0] for pair in pairs] == list(range(30))[-evaluations.KEPT_PASSES :]


def test_rows_that_json_cannot_hold_are_known() -> None:
    rows = pd.DataFrame({"a": [1, np.inf, np.nan], "b": [-np.inf, 2, 3], "c": ["x", "y", "z"]})
    assert _sayable(rows, ["a", "c"]).tolist() == [True, False, True]
    assert _sayable(rows, ["a", "b"]).tolist() == [False, False, True]
    assert _sayable(rows, ["c"]).all()


def test_results_and_errors_are_the_notebooks_own(run: Any) -> None:
    _, _, space = run(
        CLASSES,
        "pred = model.predict(X_test)\nacc = accuracy_score(y_test, pred)\nwrong = (pred != y_test).sum()\n"
        "same = 1 == 1.0\nrest = X['a'] - X['b']\ndays = sorted([3, 1])[1] - 1\n"
        "try:\n    accuracy_score([1], pred)\nexcept ValueError as error:\n    said = str(error)\n",
    )
    pred, truth = space["pred"], space["y_test"]
    assert space["acc"] == (pred == truth).mean() and space["wrong"] == (pred != truth).sum()
    assert space["same"] is True and space["days"] == 2 and "inconsistent numbers of samples" in space["said"]
    assert (space["rest"] == space["X"]["a"] - space["X"]["b"]).all()
