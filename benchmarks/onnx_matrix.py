"""Each estimator of the test matrix through our exporter and through skl2onnx, on the same rows, as a Markdown table.

    python benchmarks/onnx_matrix.py [--quick] [--only WORD]

skl2onnx (with onnxmltools for XGBoost and LightGBM) is no dependency of the package; add it with
`pip install skl2onnx onnxmltools`. It is set up as its documentation has it, with what is known to help: float32 inputs,
one matrix where the model takes a matrix and one input per column where a ColumnTransformer comes first (missing texts as
empty ones), no ZipMap, the best estimator of a search instead of the search, XGBoost without feature names; and further
tries where the default does not load: `target_opset={"": 18, "ai.onnx.ml": 3}`, and the locale "C" for text, since few
machines have the default en_US.

Both are compared with the estimator's own predictions on all rows of the data set and on rows with one value moved
(missing, unseen, extreme, next to a threshold), of those that the estimator itself takes. A row is wrong when its label
differs or a number is off by more than 1e-4 + 1e-4 |expected|: far more than float32 needs. Our exporter sees every third
row of the data and none of the moved ones.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from jupyter_mlops.export.edges import accepted, edge_rows  # noqa: E402
from jupyter_mlops.export.feeds import run_onnx  # noqa: E402
from jupyter_mlops.export.onnx import Refusal, export_onnx, open_session  # noqa: E402
from jupyter_mlops.export.parity import Predictions, predict_estimator  # noqa: E402
from tests.unit.export.holding import taken  # noqa: E402
from tests.unit.export.matrix import CASES, Data, load, signature_of  # noqa: E402
from tests.unit.export.traps import TRAPS  # noqa: E402

WRONG = 1e-4
QUICK = 6  # every so many cases
OLDER = {"": 18, "ai.onnx.ml": 3}


@dataclass(frozen=True)
class Figure:
    """How one side compares: wrong rows of all, and the largest difference of a number."""

    wrong: int
    rows: int
    largest: float
    labels: int


def figure(expected: Predictions, got: Predictions, task: str) -> Figure:
    """Compare; labels count as equal when they read the same."""
    rows = len(expected.labels)
    if len(got.labels) != rows:
        return Figure(rows, rows, float("inf"), rows)
    gap: Any = np.zeros(rows)
    bad: Any = np.zeros(rows, dtype=bool)
    pairs = [(expected.labels, got.labels)] if task == "regression" else [(expected.probabilities, got.probabilities)]
    for a, b in pairs:
        if a is None or b is None:
            continue
        left, right = (np.asarray(side, dtype=np.float64).reshape(rows, -1) for side in (a, b))
        if left.shape != right.shape:
            return Figure(rows, rows, float("inf"), rows)
        off = np.nan_to_num(np.abs(left - right), nan=np.inf, posinf=np.inf)
        off[(left == right) | (np.isnan(left) & np.isnan(right))] = 0.0
        gap, bad = off.max(axis=1), (off > WRONG + WRONG * np.abs(np.nan_to_num(left))).any(axis=1)
    unequal: Any = np.zeros(rows, dtype=bool)
    if task != "regression":
        unequal = np.array([not _reads_the_same(x, y) for x, y in zip(expected.labels, got.labels, strict=True)])
    return Figure(int((bad | unequal).sum()), rows, float(gap.max(initial=0.0)), int(unequal.sum()))


def _reads_the_same(left: Any, right: Any) -> bool:
    return bool(np.all(left == right)) or str(left) == str(right)


def shown(name: str, part: Figure, task: str) -> str:
    """One cell's words about one set of rows."""
    if not part.rows:
        return f"no {name}"
    what = "" if task in {"clustering", "outlier"} else f", max {part.largest:.0e}" if part.largest else ", max 0"
    if not part.wrong:
        return f"{name}: none wrong{what}"
    return f"{name}: **{part.wrong} of {part.rows} wrong**" + (f" ({part.labels} labels)" if part.labels else "") + what


def _starts_with_columns(estimator: Any) -> bool:
    while hasattr(estimator, "best_estimator_"):
        estimator = estimator.best_estimator_
    if hasattr(estimator, "steps"):
        return _starts_with_columns(estimator.steps[0][1])
    return type(estimator).__name__ in {"ColumnTransformer", "FrozenEstimator"}


def _register() -> None:
    """onnxmltools' converters, as its documentation registers them."""
    import lightgbm
    import xgboost
    from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
    from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
    from skl2onnx import update_registered_converter
    from skl2onnx.common import shape_calculator as shapes

    options = {"nocl": [True, False], "zipmap": [True, False, "columns"], "raw_scores": [True, False]}
    for library, convert in ((lightgbm, convert_lightgbm), (xgboost, convert_xgboost)):
        short = "LGBM" if library is lightgbm else "XGB"
        for kind, shape in (
            ("Classifier", shapes.calculate_linear_classifier_output_shapes),
            ("Regressor", shapes.calculate_linear_regressor_output_shapes),
        ):
            own = {"options": options} if kind == "Classifier" else {}
            if library is lightgbm and kind == "Regressor":
                own = {"options": {"split": None}}
            update_registered_converter(getattr(library, short + kind), short + kind, shape, convert, **own)


def _text_options(estimator: Any) -> dict[int, dict[str, Any]]:
    """The locale that exists everywhere, for each text vectoriser inside."""
    found: dict[int, dict[str, Any]] = {}
    for one in [estimator, *estimator.get_params(deep=True).values()]:
        if type(one).__name__ in {"TfidfVectorizer", "CountVectorizer"}:
            found[id(one)] = {"locale": "C"}
    for inner in getattr(estimator, "transformers_", ()):  # fitted copies
        if hasattr(inner[1], "get_params"):
            found |= _text_options(inner[1])
    for _, step in getattr(estimator, "steps", ()):
        if hasattr(step, "get_params"):
            found |= _text_options(step)
    return found


def _nameless(estimator: Any) -> Any:
    """onnxmltools takes no other names of XGBoost's features than its own."""
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    if type(last).__module__.startswith("xgboost") and hasattr(last, "get_booster"):
        last.get_booster().feature_names = None
    return estimator


def _first_that_loads(estimator: Any, types: list[Any], options: list[dict[int, Any]]) -> Any:
    """The session of the first setting that works; else the error of the plain one."""
    from skl2onnx import to_onnx

    errors = []
    for one in options:
        for target in ({}, {"target_opset": OLDER}):
            try:
                made = to_onnx(estimator, initial_types=types, options=one or None, **target)
                return open_session(made.SerializeToString())
            except Exception as error:  # neither library has a common root for what it raises
                errors.append(error)
    raise errors[0]


def skl2onnx_predictor(estimator: Any, data: Data, task: str) -> Callable[[Any], Predictions]:
    """Convert as documented; raises what the conversion or ONNX Runtime raises."""
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    while hasattr(estimator, "best_estimator_"):
        estimator = estimator.best_estimator_
    rows = data.rows
    columns: list[str] | None = None
    if not isinstance(rows, pd.DataFrame) and not isinstance(rows, np.ndarray):
        types = [("text", StringTensorType([None, 1]))]
    elif isinstance(rows, np.ndarray) or not _starts_with_columns(estimator):
        types = [("features", FloatTensorType([None, rows.shape[1]]))]
    else:
        columns = [str(name) for name in rows.columns]
        kinds = [_is_text(rows[name]) for name in rows.columns]
        types = [(c, (StringTensorType if t else FloatTensorType)([None, 1])) for c, t in zip(columns, kinds, strict=True)]
    if columns is None and isinstance(rows, pd.DataFrame) and any(_is_text(rows[name]) for name in rows.columns):
        raise TypeError("text columns that no encoder takes")
    plain = {id(estimator): {"zipmap": False}} if task == "classification" else {}
    session = _first_that_loads(_nameless(estimator), types, [plain, {}, {**plain, **_text_options(estimator)}])

    def predict(part: Any) -> Predictions:
        if columns is not None:
            feeds = {c: _column(part[name], text) for c, name, text in zip(columns, rows.columns, kinds, strict=True)}
            feeds = {one.name: feeds[one.name] for one in session.get_inputs()}
        elif types[0][0] == "text":
            feeds = {"text": np.asarray(part, dtype=object).reshape(-1, 1)}
        else:
            feeds = {"features": np.asarray(part, dtype=np.float64).astype(np.float32)}
        results = session.run(None, feeds)
        labels = np.asarray(results[0])
        labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
        has_shares = task == "classification" and hasattr(estimator, "predict_proba")
        return Predictions(labels, np.asarray(results[1]) if has_shares else None)

    return predict


def _is_text(values: Any) -> bool:
    return not pd.api.types.is_numeric_dtype(values.dtype) and any(isinstance(v, str) for v in values.dropna().head(50))


def _column(values: Any, text: bool) -> Any:
    if text:
        return values.astype(object).where(values.notna(), "").to_numpy(dtype=object).reshape(-1, 1)
    return values.to_numpy(dtype=np.float64, na_value=np.nan).astype(np.float32).reshape(-1, 1)


def _error(error: BaseException, when: str) -> str:
    words = " ".join(str(error).split()).replace("|", "/")
    return f"fails {when} ({type(error).__name__}: {words[:60].rstrip()}…)"


def measured(name: str, estimator: Any, data: Data, task: str) -> tuple[str, str, str]:
    """One line of the table, and how it went: "exact", "refused" or "wrong" of ours, and skl2onnx's."""
    signature = signature_of(data, task)
    edges = edge_rows(data.rows, signature)
    edges = taken(edges, accepted(lambda rows: predict_estimator(estimator, rows), edges))
    parts = [("rows", data.rows), ("moved", edges)]
    wanted = {what: predict_estimator(estimator, rows) for what, rows in parts if len(rows)}

    def compared(predict: Callable[[Any], Predictions]) -> tuple[str, str]:
        words, worst = [], "exact"
        for what, rows in parts:
            if what not in wanted:
                continue
            try:
                one = figure(wanted[what], predict(rows), task)
            except Exception as error:  # ONNX Runtime's errors have no common root
                words.append(f"{what}: {_error(error, 'to run')}")
                worst = "wrong" if worst == "wrong" else "fails"
                continue
            words.append(shown(what, one, task))
            worst = "wrong" if one.wrong else worst
        return "; ".join(words), worst

    made = export_onnx(estimator, signature, taken(data.rows, slice(None, None, 3)))
    how = "refused"
    if isinstance(made, Refusal):
        ours = f"refused: {made.reason[:110]}".replace("|", "/")
    else:
        session = open_session(made.data)
        ours, how = compared(lambda rows: run_onnx(session, rows, made))
    try:
        theirs, other = compared(skl2onnx_predictor(estimator, data, task))
    except Exception as error:
        theirs, other = _error(error, "to convert or load"), "fails"
    return f"| {name} | {ours} | {theirs} |", how, other


def main() -> int:
    """Print the table and the sums; the exit code is 1 when a model of ours is wrong anywhere."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"every {QUICK}th case only")
    parser.add_argument("--only", default="", help="cases whose name holds this word")
    arguments = parser.parse_args()
    try:
        _register()
    except ImportError as error:
        parser.error(f"{error.name} is not installed; add what is compared with: pip install skl2onnx onnxmltools")
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    cases = [(one.name, one, load(one.data)) for one in CASES] + [(one.name, one, one.data()) for one in TRAPS]
    cases = [one for one in cases if arguments.only in one[0]][:: QUICK if arguments.quick else 1]
    sums: dict[str, dict[str, int]] = {"ours": {}, "skl2onnx": {}}
    print("| estimator or pipeline | ours | skl2onnx, float32 |\n|---|---|---|")
    for name, case, data in cases:
        with contextlib.redirect_stdout(io.StringIO()):
            estimator = case.fit()
            if not hasattr(estimator, "predict"):  # DBSCAN and its like label their training rows only
                continue
            line, how, other = measured(name, estimator, data, case.task)
        print(line, flush=True)
        for side, what in (("ours", how), ("skl2onnx", other)):
            sums[side][what] = sums[side].get(what, 0) + 1
    for side, counted in sums.items():
        print(
            f"\n{side}: " + ", ".join(f"{n} {what}" for what, n in sorted(counted.items())) + f" of {sum(counted.values())}",
            flush=True,
        )
    return int(sums["ours"].get("wrong", 0) + sums["ours"].get("fails", 0) > 0)


if __name__ == "__main__":
    sys.exit(main())
