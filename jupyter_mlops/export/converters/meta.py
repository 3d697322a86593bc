"""Estimators made of estimators: votes, stacks, calibration, thresholds, transformed targets."""

from __future__ import annotations

from typing import Any

from jupyter_mlops.export.compiler import Classified, Compiler, class_name, classifies, regresses
from jupyter_mlops.export.converters.functions import apply_function
from jupyter_mlops.export.converters.linear import binary_probabilities, sigmoid, softmax
from jupyter_mlops.export.converters.numeric import interpolate
from jupyter_mlops.export.graph import Graph, Unsupported
from jupyter_mlops.export.values import Value

__all__ = ["one_hot_index", "response"]


def one_hot_index(g: Graph, index: str, classes: int) -> str:
    """Class index [rows] to a [rows, classes] matrix of 0 and 1."""
    import numpy as np

    return g.cast(g.op("Equal", g.as_column(index), g.const(np.arange(classes).reshape(1, -1))), "double")


def _probabilities(est: Any, result: Classified) -> str:
    if result.probabilities is None:
        raise Unsupported(f"the probabilities of {type(est).__name__} have no exact ONNX form")
    return result.probabilities


def response(c: Compiler, est: Any, x: Value, methods: tuple[str, ...]) -> tuple[str, str]:
    """The first of `methods` that the estimator has, and its values; two classes give one column."""
    for method in methods:
        if not hasattr(est, method):
            continue
        result = c.classify(est, x)
        if method == "decision_function":
            if result.decision is None:
                raise Unsupported(f"the decision function of {type(est).__name__}")
            return method, result.decision
        if method == "predict_proba":
            values = _probabilities(est, result)
            return method, c.graph.columns(values, [1]) if len(est.classes_) == 2 else values
    raise Unsupported(f"{type(est).__name__} has none of {', '.join(methods)}")


def _weighted_mean(g: Graph, tensors: list[str], weights: list[float] | None) -> str:
    total = ""
    for number, tensor in enumerate(tensors):
        scaled = tensor if weights is None else g.op("Mul", tensor, g.number(weights[number]))
        total = g.op("Add", total, scaled) if total else scaled
    return g.op("Div", total, g.number(float(len(tensors) if weights is None else sum(weights))))


def _class_values(g: Graph, est: Any, index: str) -> str:
    """What `predict` returns, as a double column."""
    import numpy as np

    values = np.asarray(est.classes_)
    if values.dtype.kind not in "iufb":
        raise Unsupported("text labels used as features")
    return g.as_column(g.op("Gather", g.const(values.astype(np.float64)), index, axis=0))


@classifies("sklearn.VotingClassifier")
def voting_classifier(c: Compiler, est: Any, x: Value) -> Classified:
    """The mean of the probabilities, or the most votes; the first class wins a tie."""
    import numpy as np

    g = c.graph
    weights = None if est._weights_not_none is None else [float(w) for w in est._weights_not_none]
    if est.voting == "soft":
        mean = _weighted_mean(g, [_probabilities(e, c.classify(e, x)) for e in est.estimators_], weights)
        return Classified(g.argmax(mean), mean)
    votes = ""
    for number, inner in enumerate(est.estimators_):
        if not np.array_equal(inner.classes_, np.arange(len(est.classes_))):
            raise Unsupported("a voter that knows other classes than the vote")
        vote = one_hot_index(g, c.classify(inner, x).index, len(est.classes_))
        if weights is not None:
            vote = g.op("Mul", vote, g.number(weights[number]))
        votes = g.op("Add", votes, vote) if votes else vote
    return Classified(g.argmax(votes))


@regresses("sklearn.VotingRegressor")
def voting_regressor(c: Compiler, est: Any, x: Value) -> str:
    """The weighted mean."""
    weights = None if est._weights_not_none is None else [float(w) for w in est._weights_not_none]
    return _weighted_mean(c.graph, [c.regress(e, x) for e in est.estimators_], weights)


def _with_input(c: Compiler, est: Any, columns: list[str], widths: list[int], x: Value) -> Value:
    stacked = Value.of(c.graph.concat(columns), sum(widths))
    return Value.beside([stacked, x]) if est.passthrough else stacked


@classifies("sklearn.StackingClassifier")
def stacking_classifier(c: Compiler, est: Any, x: Value) -> Classified:
    """The inner models' answers are the final model's features."""
    g = c.graph
    columns, widths = [], []
    for inner, method in zip(est.estimators_, est.stack_method_, strict=True):
        if method == "predict":
            columns.append(_class_values(g, inner, c.classify(inner, x).index))
            widths.append(1)
            continue
        _, values = response(c, inner, x, (method,))
        columns.append(values)
        widths.append(1 if len(inner.classes_) == 2 else len(inner.classes_))
    return c.classify(est.final_estimator_, _with_input(c, est, columns, widths, x))


@regresses("sklearn.StackingRegressor")
def stacking_regressor(c: Compiler, est: Any, x: Value) -> str:
    """The inner models' predictions are the final model's features."""
    columns = [c.regress(inner, x) for inner in est.estimators_]
    return c.regress(est.final_estimator_, _with_input(c, est, columns, [1] * len(columns), x))


def _calibrated(c: Compiler, one: Any, x: Value) -> str:
    g = c.graph
    classes = len(one.classes)
    if one.method not in {"sigmoid", "isotonic", "temperature"}:
        raise Unsupported(f"calibration by {one.method}")
    method, values = response(c, one.estimator, x, ("decision_function", "predict_proba"))
    if one.method == "temperature":
        if method == "predict_proba":
            values = binary_probabilities(g, values) if classes == 2 else values
            values = g.op("Log", g.op("Add", values, g.number(1e-12)))  # scikit-learn's guard against log(0)
        elif classes == 2:
            values = g.concat([g.op("Neg", values), values])
        return softmax(g, g.op("Mul", values, g.number(float(one.calibrators[0].beta_))))
    if len(one.estimator.classes_) != classes:
        raise Unsupported("a calibrated model that has not seen every class")
    columns = []
    for number, calibrator in enumerate(one.calibrators):
        column = values if classes == 2 else g.columns(values, [number])
        if one.method == "sigmoid":
            raw = g.op("Add", g.op("Mul", column, g.number(float(calibrator.a_))), g.number(float(calibrator.b_)))
            columns.append(sigmoid(g, g.op("Neg", raw)))
        else:
            columns.append(interpolate(g, column, calibrator.X_thresholds_, calibrator.y_thresholds_))
    if classes == 2:
        return binary_probabilities(g, columns[0])
    together = g.concat(columns)
    total = g.sum(together)
    nothing = g.op("Equal", total, g.number(0.0))
    shares = g.op("Div", together, g.op("Where", nothing, g.number(1.0), total))
    return g.op("Where", nothing, g.number(1.0 / classes), shares)


@classifies("sklearn.CalibratedClassifierCV")
def calibrated_classifier(c: Compiler, est: Any, x: Value) -> Classified:
    """The mean of the calibrated models."""
    g = c.graph
    mean = _weighted_mean(g, [_calibrated(c, one, x) for one in est.calibrated_classifiers_], None)
    return Classified(g.argmax(mean), mean)


@classifies("sklearn.OneVsRestClassifier")
def one_vs_rest_classifier(c: Compiler, est: Any, x: Value) -> Classified:
    """One model per class; the highest score wins."""
    g = c.graph
    if est.multilabel_:
        raise Unsupported("several labels per row")
    scores, shares, methods = [], [], set()
    for inner in est.estimators_:
        method, values = response(c, inner, x, ("decision_function", "predict_proba"))
        methods.add(method)
        scores.append(values)
        if hasattr(est, "predict_proba"):
            shares.append(g.columns(_probabilities(inner, c.classify(inner, x)), [1]))
    if len(scores) == 1:
        limit = 0.0 if methods == {"decision_function"} else 0.5
        index = g.cast(g.flat(g.op("Greater", scores[0], g.number(limit))), "int64")
        return Classified(index, binary_probabilities(g, shares[0]) if shares else None, scores[0])
    together = g.concat(scores)
    probabilities = None
    if shares:
        values = g.concat(shares)
        total = g.sum(values)
        safe = g.op("Where", g.op("Equal", total, g.number(0.0)), g.number(1.0), total)
        probabilities = g.op("Div", values, safe)
    return Classified(g.argmax(together), probabilities, together)


@classifies("sklearn.TunedThresholdClassifierCV", "sklearn.FixedThresholdClassifier")
def threshold_classifier(c: Compiler, est: Any, x: Value) -> Classified:
    """Two classes, split at another threshold than one half."""
    import numpy as np

    g = c.graph
    inner = est.estimator_ if hasattr(est, "estimator_") else est.estimator
    threshold: Any  # a number, or "auto"
    if hasattr(est, "best_threshold_"):
        threshold, positive_label = float(est.best_threshold_), est._curve_scorer._get_pos_label()
    else:
        positive_label = est.pos_label
        threshold = est.threshold
    method, score = response(c, inner, x, _methods(est))
    if threshold == "auto":
        threshold = 0.5 if method == "predict_proba" else 0.0
    position = 1 if positive_label is None else int(np.flatnonzero(est.classes_ == positive_label)[0])
    if position == 0 and method == "predict_proba":
        score = g.columns(_probabilities(inner, c.classify(inner, x)), [0])
    elif position == 0:
        score = g.op("Neg", score)
    above = g.cast(g.flat(g.op("GreaterOrEqual", score, g.number(float(threshold)))), "int64")
    index = above if position == 1 else g.op("Sub", g.const(np.array(1, dtype=np.int64)), above)
    result = c.classify(inner, x)
    return Classified(index, result.probabilities, result.decision)


def _methods(est: Any) -> tuple[str, ...]:
    found = est._get_response_method()
    return (found,) if isinstance(found, str) else tuple(found)


@regresses("sklearn.TransformedTargetRegressor")
def transformed_target(c: Compiler, est: Any, x: Value) -> str:
    """The inner prediction through the inverse of the target's transformation."""
    g = c.graph
    out = c.regress(est.regressor_, x)
    transformer = est.transformer_
    name = class_name(transformer)
    if name == "sklearn.FunctionTransformer":
        return apply_function(c, transformer.inverse_func, transformer.inv_kw_args, Value.of(out, 1)).matrix(g)
    if name == "sklearn.StandardScaler":
        if transformer.with_std:
            out = g.op("Mul", out, g.row(transformer.scale_))
        return g.op("Add", out, g.row(transformer.mean_)) if transformer.with_mean else out
    if name == "sklearn.MinMaxScaler" and not transformer.clip:
        return g.op("Div", g.op("Sub", out, g.row(transformer.min_)), g.row(transformer.scale_))
    if name == "sklearn.RobustScaler":
        if transformer.with_scaling:
            out = g.op("Mul", out, g.row(transformer.scale_))
        return g.op("Add", out, g.row(transformer.center_)) if transformer.with_centering else out
    raise Unsupported(f"the inverse of {name}")


def _rows_of(c: Compiler, x: Value, row: Any) -> str:
    """The same row of doubles for every input row."""
    import numpy as np

    g = c.graph
    count = g.op("Gather", g.op("Shape", x.parts[0].tensor), g.ints(0), axis=0)
    values = np.asarray(row, dtype=np.float64).reshape(1, -1)
    return g.op("Expand", g.const(values), g.op("Concat", count, g.ints(values.shape[1]), axis=0))


@classifies("sklearn.DummyClassifier")
def dummy_classifier(c: Compiler, est: Any, x: Value) -> Classified:
    """The same answer for every row."""
    import numpy as np

    if est.strategy not in {"prior", "most_frequent", "constant"} or est.n_outputs_ != 1:
        raise Unsupported(f"strategy={est.strategy!r} draws at random")
    label = est.predict(np.zeros((1, 1)))[0]
    chosen = np.flatnonzero(est.classes_ == label)[0]
    one_hot = _rows_of(c, x, np.arange(len(est.classes_)) == chosen)
    return Classified(c.graph.argmax(one_hot), _rows_of(c, x, est.predict_proba(np.zeros((1, 1)))[0]))


@regresses("sklearn.DummyRegressor")
def dummy_regressor(c: Compiler, est: Any, x: Value) -> str:
    """The same number for every row."""
    if est.n_outputs_ != 1:
        raise Unsupported("more than one target")
    return _rows_of(c, x, est.constant_)
