"""The frozen holdout: labelled raw rows on which challenger and champion are compared later, in ``holdout/holdout.json``.

They are the rows that the notebook itself evaluates its model on, with the labels that it compares the predictions with.
Runs in the `worker`'s process, behind the export.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.promotion.holdout import FILE, HELD_OUT
from jupyter_mlops.workflows.captured import Captured, load_captured, load_estimator, match_rows
from jupyter_mlops.workflows.labels import Answers, Labels, find_labels, plain_array, same_values
from jupyter_mlops.workflows.prover import _as_frame, _package, _rows, _usable, answered
from jupyter_mlops.workflows.schemas import json_rows, json_value, output_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["holdout"]

_TRAINING, _MIXED = "training rows", "all rows, training rows among them"
_WORTH = 30  # rows that were held out; with fewer, those of the training that are evaluated too are kept
_CHECKED = 200  # rows of the training that are looked up in the raw table
_ADVICE = "Evaluate the model on rows held out, with a metric: accuracy_score(y_test, model.predict(X_test)), say."


def holdout(
    folder: str, project: str, package: str, raw: str, boundary: str, needed: list[str], synthetic: bool = False
) -> dict[str, Any]:
    """Write the holdout of a project, if the notebook shows the labels of the rows that it evaluates on.

    Returns
    -------
    dict
        Plain data for plan and report: "rows" (0: there is none), "measure", "cell", "line", "evaluated_on", "problems".
    """
    place, root = Path(folder), Path(project)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            made, reason = _made(place, root, package, raw if boundary == "raw" else None, needed, synthetic), ""
        except _NoHoldout as no:
            made, reason = None, str(no)
        except Exception as error:  # a holdout is no part of the proof: without it the conversion is as good
            made, reason = None, f"they could not be put together: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
    if made is None:
        message = f"There are no labelled rows to compare later versions of the model on: {reason}."
        return {"rows": 0, "problems": [{"code": "no-holdout", "severity": "info", "message": message, "fix": _ADVICE}]}
    (root / FILE).parent.mkdir(exist_ok=True)
    (root / FILE).write_text(json.dumps(made, ensure_ascii=False) + "\n", encoding="utf-8")
    source = made["source"]
    problems = []
    if made["evaluated_on"] != HELD_OUT:
        problems.append(
            {"code": "holdout-trained-on", "severity": "info", "cell": source["cell"], "line": source["line"],
             "message": f"The notebook evaluates its model on {made['evaluated_on']}, so these are what later versions are compared "
             "on: scores look better there than on new data.", "fix": _ADVICE}
        )  # fmt: skip
    return {"rows": len(made["rows"]), **source, "evaluated_on": made["evaluated_on"], "problems": problems}


class _NoHoldout(Exception):
    """Why there is none."""


def _made(place: Path, root: Path, package: str, raw: str | None, needed: Sequence[str], synthetic: bool) -> dict[str, Any]:
    import numpy as np

    captured = load_captured(place)
    if captured.input is None or not captured.evaluation:
        raise _NoHoldout("the notebook never asks the fitted model about rows of its data")
    helpers = f"{package}.helpers" if (root / "src" / package / "helpers.py").exists() else None
    inner = whole = load_estimator(place, helpers)
    if (root / "src" / package / "answer.py").exists():
        whole = _package(root, package, "answer").answering(inner, load_estimator(place, helpers, "fitted"))
    answers, known = _answers(captured, inner, whole)
    build = _package(root, package, "features").build_features
    table = None if raw is None else _usable(place, captured.frames[raw])
    if table is None:
        rows, positions = _as_frame(captured.input, captured.layout), np.arange(len(answers.own))
    else:
        matched = match_rows(build, table, captured.input, synthetic=synthetic)
        if matched.raw is None or matched.positions is None:
            raise _NoHoldout(matched.reason)
        rows, positions = matched.raw, matched.positions
    labels = find_labels(captured.evaluation, answers)
    if labels is None and table is not None:
        labels = _from_column(captured, table, rows, positions, answers, len(answers.own))
    if labels is None:
        raise _NoHoldout("the notebook measures its model on no labels that could be seen to belong to the rows that it predicts")
    columns = list(needed) if raw is not None else [str(name) for name in rows.columns]
    trained = _trained(captured, table, rows, build, synthetic)
    kept = np.array([labels.values[at] is not None for at in positions]) & _sayable(rows, columns)
    evaluated_on = HELD_OUT
    if trained is None or trained[kept].all():
        evaluated_on = _MIXED if trained is None else _TRAINING
    elif trained.any():
        evaluated_on = HELD_OUT if (kept & ~trained).sum() >= _WORTH else _MIXED
        kept = kept & ~trained if evaluated_on == HELD_OUT else kept
    if labels.measure == "column" and evaluated_on != HELD_OUT:
        raise _NoHoldout("the notebook measures its model on rows of the training only, and not with labels that could be seen")
    if not kept.any():
        raise _NoHoldout("none of the rows that the notebook evaluates on has a label")
    at = positions[kept]
    table_of = answers.probabilities if known else None
    return {
        "rows": json_rows(rows[kept], columns),
        "labels": [labels.values[one] for one in at],
        "predictions": [json_value(one) for one in answers.whole[at].tolist()] if known else None,
        "probabilities": None if table_of is None else table_of[at].tolist(),
        "source": {"measure": labels.measure, "cell": labels.cell, "line": labels.line},
        "measures": [dict(one) for one in labels.measures],
        "evaluated_on": evaluated_on,
    }


def _answers(captured: Captured, inner: Any, whole: Any) -> tuple[Answers, bool]:
    """What the model answered; and whether it still would, not having been trained again since."""
    import numpy as np

    from jupyter_mlops.export.parity import predict_estimator

    recorded = captured.result
    asked = predict_estimator(inner, captured.input) if recorded is None or captured.probabilities is None else None
    own = plain_array(recorded if recorded is not None or asked is None else asked.labels)
    if own.ndim != 1:
        raise _NoHoldout("the model predicts several values for each row")
    probabilities = captured.probabilities
    if probabilities is None and asked is not None and not captured.refit:
        probabilities = asked.probabilities
    output = output_of(whole, own)
    if output.task == "clustering":
        raise _NoHoldout("clusters have no labels to be right about")
    classes = None
    if output.classes is not None:
        classes = tuple(json_value(one) for one in np.asarray(inner.classes_).tolist())
    elif output.task != "regression":
        classes = tuple(json_value(one) for one in np.unique(own).tolist())
    margins = captured.evaluation.get("margins")
    made = Answers(
        own=own, whole=answered(inner, whole, own), probabilities=probabilities, margins=None if margins is None else np.asarray(margins),
        classes=classes, names=output.classes or classes, carry=lambda numbers: answered(inner, whole, numbers),
    )  # fmt: skip
    return made, recorded is not None and not captured.refit


def _from_column(
    captured: Captured, table: pd.DataFrame, rows: pd.DataFrame, positions: np.ndarray, answers: Answers, count: int
) -> Labels | None:
    """The raw table's column that the model was trained to predict, where its rows can be told by their index."""
    import pandas as pd

    fit = captured.evaluation.get("fit") or {}
    trained_on = captured.fit_input
    if fit.get("target") is None or not hasattr(trained_on, "index") or isinstance(trained_on, list):
        return None
    if not (table.index.is_unique and trained_on.index.isin(table.index).all()):
        return None
    target = plain_array(fit["target"])
    before = table.loc[trained_on.index]
    for name in table.columns:
        column = plain_array(before[name].astype(object) if isinstance(before[name].dtype, pd.CategoricalDtype) else before[name])
        if target.ndim == 1 and same_values(target, column):
            values: list[Any] = [None] * count
            given = Answers(answers.own, answers.whole, classes=answers.classes, names=answers.names, carry=answers.carry)
            scored = {"scored": {"target": rows[name].astype(object), "cell": None, "line": None}}
            if (found := find_labels(scored, given)) is None:
                return None
            for position, value in zip(positions.tolist(), found.values, strict=True):
                values[position] = value
            return Labels(values, "column", None, None, ())
    return None


def _trained(
    captured: Captured, table: pd.DataFrame | None, rows: pd.DataFrame, build: Any, synthetic: bool
) -> np.ndarray | None:
    """Which rows the model was trained on; None where some are, and cannot be told."""
    import numpy as np

    fit = captured.evaluation.get("fit")
    if fit is None:
        return np.zeros(len(rows), dtype=bool)
    if fit["same"]:
        return np.ones(len(rows), dtype=bool)
    everything = len(table) if table is not None else None
    if everything is not None and fit["rows"] >= everything and not synthetic:
        return np.ones(len(rows), dtype=bool)
    given, trained_on = captured.input, captured.fit_input
    if table is not None and fit["index"] is not None and hasattr(given, "index") and table.index.is_unique:
        some = _rows(trained_on, np.unique(np.linspace(0, len(trained_on) - 1, min(len(trained_on), _CHECKED)).astype(int)))
        by_index = given.index.isin(table.index).all() and rows.index.isin(given.index).all() and len(rows) == len(given)
        if by_index and some.index.isin(table.index).all():
            looked_up = match_rows(build, table, some, synthetic=synthetic)  # an index that was made anew names other rows
            if looked_up.raw is not None and looked_up.raw.index.equals(some.index):
                return np.asarray(rows.index.isin(fit["index"]))
    asked = captured.evaluation.get("rows")
    if everything is not None and asked is not None and asked >= everything:
        return None
    return np.zeros(len(rows), dtype=bool)


def _sayable(rows: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Rows that JSON can hold: it has no infinity."""
    import numpy as np

    numbers = rows[list(columns)].select_dtypes("number")
    return (
        ~np.isinf(numbers.to_numpy(dtype=float, na_value=np.nan)).any(axis=1)
        if numbers.shape[1]
        else np.ones(len(rows), dtype=bool)
    )
