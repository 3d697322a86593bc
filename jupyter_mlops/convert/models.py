"""Which fitted model of the notebook is meant, and where it is fitted and asked.

Where no tag says it, the model that the notebook saves is meant, else the last one that it evaluates. The rows that a
model is asked about count only when they come from the data: ``model.predict([[5, 2]])`` and a grid for a plot do not.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_mlops.convert.loaders import Loaders
from jupyter_mlops.convert.modeluses import ANSWERS, FITS, SCORES, ModelUse, class_of, model_uses, saved_variables
from jupyter_mlops.convert.rowflow import RowFlow
from jupyter_mlops.notebook.cells import Stage
from jupyter_mlops.notebook.problems import Problem

if TYPE_CHECKING:
    from jupyter_mlops.notebook.dataflow import Analysis

__all__ = ["ModelChoice", "ModelUse", "choose_model", "is_predictor", "model_uses"]

# Class names that are estimators though the notebook may never ask them for a prediction.
_PREDICTORS = (
    "Classifier", "Regressor", "Regression", "RegressionCV", "SVC", "SVR", "KMeans", "NB", "Lasso", "Ridge",
    "ElasticNet", "Pipeline", "make_pipeline", "SearchCV", "Forest", "Perceptron", "DBSCAN", "GaussianMixture",
    "DiscriminantAnalysis",
)  # fmt: skip


@dataclass(frozen=True)
class ModelChoice:
    """The chosen model: its variable, why it was chosen, and the calls that matter."""

    variable: str
    reason: str
    fit: ModelUse | None
    asked: ModelUse | None  # the evaluated predict, else the last call that asks the model
    others: tuple[str, ...]
    uses: tuple[ModelUse, ...]


def is_predictor(analysis: Analysis, variable: str) -> bool:
    """Whether a variable holds an estimator that predicts, by the name of its class."""
    return class_of(analysis, variable).endswith(_PREDICTORS)


def choose_model(analysis: Analysis, wanted: str | None = None) -> ModelChoice | Problem:
    """The model that `wanted` names, else the one that tags point to, else the one saved, else the last one evaluated.

    Returns
    -------
    ModelChoice or Problem
        A problem with code ``no-model`` or ``unknown-model`` when there is none.
    """
    uses = model_uses(analysis)
    asked = {u.variable for u in uses if u.method in ANSWERS}
    fitted = {u.variable for u in uses if u.method in FITS}
    candidates = list(
        dict.fromkeys(
            u.variable for u in uses if u.variable in asked or (u.variable in fitted and is_predictor(analysis, u.variable))
        )
    )
    if wanted is not None and wanted not in candidates:
        if analysis.defined_by(wanted) and wanted in fitted:
            candidates.append(wanted)
        else:
            names = ", ".join(candidates) or "none"
            return Problem(
                "unknown-model", "error", f"No model named {wanted!r} is fitted in this notebook (models found: {names}).",
                fix="Name one of them: in the sidebar's options, or with --model.",
            )  # fmt: skip
    if not candidates:
        return Problem(
            "no-model", "error", "No fitted model was found: nothing in this notebook calls .fit and .predict.",
            fix="Fit an estimator with the scikit-learn interface in a cell tagged 'train'.",
        )  # fmt: skip
    if wanted is not None:
        variable, reason = wanted, "as asked for"
    else:
        variable, reason = _decide(analysis, uses, candidates)
    own = [u for u in uses if u.variable == variable]
    fit, evaluated = _fit_and_asked(analysis, variable, own, [u for u in uses if u.variable in candidates])
    return ModelChoice(variable, reason, fit, evaluated, tuple(c for c in candidates if c != variable), tuple(own))


def _decide(analysis: Analysis, uses: list[ModelUse], candidates: list[str]) -> tuple[str, str]:
    """The variable, and why."""
    mine = [u for u in uses if u.variable in candidates]

    def last(selected: list[ModelUse]) -> str | None:
        return selected[-1].variable if selected else None

    measured = [u for u in mine if u.method in ANSWERS | SCORES]
    end = len(analysis.statements)
    shown = analysis.slice([(end, name) for name in analysis.notebook.metrics if analysis.defined_by(name)])
    if evaluated := last([u for u in mine if u.method in ANSWERS and _stage(analysis, u) is Stage.EVALUATE]):
        return evaluated, "the last one that a cell tagged 'evaluate' asks"
    if trained := last([u for u in mine if u.method in FITS and _stage(analysis, u) is Stage.TRAIN]):
        return trained, "the last one fitted in a cell tagged 'train'"
    if named := last([u for u in measured if u.statement in shown]):
        return named, "the last one that a cell tagged 'pipeline-metrics' measures"
    saved = [name for name in saved_variables(analysis) if name in candidates]
    if saved:
        asked = [name for name in saved if any(u.variable == name for u in measured)]
        return (asked or saved)[-1], "the one that the notebook saves"
    if found := last(measured):
        return found, "the last one evaluated"
    return candidates[-1], "the last one fitted"


def _stage(analysis: Analysis, use: ModelUse) -> Stage | None:
    return analysis.statements[use.statement].stage


def _fit_and_asked(
    analysis: Analysis, variable: str, own: list[ModelUse], all_uses: list[ModelUse]
) -> tuple[ModelUse | None, ModelUse | None]:
    """The fit that counts, and the call that is evaluated: None where every call asks about made-up rows."""
    fits = [u for u in own if u.method in FITS]
    answers = [u for u in own if u.method in ANSWERS]
    if not fits and answers:  # `best = search.best_estimator_`: fitted under another name
        path = analysis.slice([(answers[-1].statement, variable)])
        fits = [u for u in all_uses if u.method in FITS and u.statement in path]
    real = _on_data(analysis, fits, answers)
    tagged = [u for u in answers if _stage(analysis, u) is Stage.EVALUATE]
    if tagged:
        asked = _most_telling([u for u in tagged if u in real][::-1] or tagged[::-1])
    elif real:
        # The model as it is at the end; of its answers the first, since more and more special questions follow.
        final = max((f.statement for f in fits if f.statement <= real[-1].statement), default=-1)
        since = [u for u in real if u.statement >= final]
        trained_on = {ast.unparse(f.argument) for f in fits if f.argument is not None}
        held_out = [u for u in since if u.argument is None or ast.unparse(u.argument) not in trained_on]
        asked = _most_telling(held_out or since)
    else:
        asked = None if fits else _most_telling(answers[::-1])
    before = [u for u in fits if asked is None or u.statement <= asked.statement]
    return next(reversed(before or fits), None), asked


def _most_telling(group: list[ModelUse]) -> ModelUse | None:
    """The first call of the most telling method."""
    order = {"predict": 0, "fit_predict": 0, "predict_proba": 1, "decision_function": 1, "score": 2}
    return min(group, key=lambda u: order[u.method], default=None)


def _on_data(analysis: Analysis, fits: list[ModelUse], answers: list[ModelUse]) -> list[ModelUse]:
    """Those answers whose rows are loaded ones, or come from where the rows of the training come from."""
    loaders = Loaders(analysis)
    flow = RowFlow(analysis, loaders)
    trained = frozenset().union(*(flow.roots(f.statement, f.argument) for f in fits))

    def counts(use: ModelUse) -> bool:
        if use.argument is None:
            return True  # known only inside of a function
        roots = flow.roots(use.statement, use.argument)
        loaded = any(loaders.call_in(analysis.statements[i].node) for i in roots)
        return bool(roots & trained) or loaded or (bool(roots) and not trained)

    return [u for u in answers if counts(u)]
