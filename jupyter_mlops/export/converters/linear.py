"""Linear models: features times coefficients, then a link."""

from __future__ import annotations

from typing import Any

from jupyter_mlops.export.compiler import Classified, Compiler, classifies, regresses, transforms
from jupyter_mlops.export.converters.numeric import clip
from jupyter_mlops.export.graph import Graph, Unsupported
from jupyter_mlops.export.values import Value

__all__ = ["binary_probabilities", "inverse_link", "one_vs_rest", "positive", "sigmoid", "softmax"]


def sigmoid(g: Graph, x: str) -> str:
    """1 / (1 + exp(-x))."""
    return g.op("Sigmoid", x)


def softmax(g: Graph, x: str) -> str:
    """Per row, the largest value subtracted first, as scikit-learn does."""
    return g.op("Softmax", x, axis=1)


def binary_probabilities(g: Graph, positive_class: str) -> str:
    """[1 - p, p]."""
    return g.concat([g.op("Sub", g.number(1.0), positive_class), positive_class])


def positive(g: Graph, decision: str) -> str:
    """Class index from a binary decision value: 1 where it is above 0."""
    return g.cast(g.flat(g.op("Greater", decision, g.number(0.0))), "int64")


def _decision(c: Compiler, est: Any, x: Value) -> str:
    import numpy as np

    binarizer = getattr(est, "_label_binarizer", None)
    if binarizer is not None and binarizer.y_type_.startswith("multilabel"):
        raise Unsupported("several labels per row")
    if type(est.coef_).__module__.startswith("scipy"):
        raise Unsupported("sparse coefficients; call densify() on the estimator")
    coefficients = np.atleast_2d(est.coef_)
    intercept = np.broadcast_to(np.asarray(est.intercept_, dtype=np.float64), (coefficients.shape[0],))
    return c.graph.linear(x.matrix(c.graph), coefficients.T, intercept)


def _index(g: Graph, decision: str, classes: int) -> str:
    return positive(g, decision) if classes == 2 else g.argmax(decision)


def one_vs_rest(g: Graph, scores: str, classes: int) -> str:
    """Independent probabilities of each class, divided by their sum; equal where all are 0."""
    total = g.sum(scores)
    nothing = g.op("Equal", total, g.number(0.0))
    scores = g.op("Where", nothing, g.number(1.0), scores)
    return g.op("Div", scores, g.op("Where", nothing, g.number(float(classes)), total))


@classifies("sklearn.LogisticRegression", "sklearn.LogisticRegressionCV", "sklearn.LinearDiscriminantAnalysis")
def logistic_regression(c: Compiler, est: Any, x: Value) -> Classified:
    """Sigmoid of the decision value for two classes, softmax for more."""
    g = c.graph
    classes = len(est.classes_)
    if classes > 2 and getattr(est, "solver", "") == "liblinear":
        raise Unsupported("liblinear with more than two classes")
    if getattr(est, "multi_class", "auto") not in {"auto", "deprecated"}:  # an option until scikit-learn 1.8
        raise Unsupported(f"multi_class={est.multi_class!r}")
    decision = _decision(c, est, x)
    if classes == 2:
        probabilities = binary_probabilities(g, sigmoid(g, decision))
    else:
        probabilities = softmax(g, decision)
    return Classified(_index(g, decision, classes), probabilities, decision)


@classifies(
    "sklearn.RidgeClassifier",
    "sklearn.RidgeClassifierCV",
    "sklearn.LinearSVC",
    "sklearn.Perceptron",
    "sklearn.PassiveAggressiveClassifier",
)
def linear_classifier(c: Compiler, est: Any, x: Value) -> Classified:
    """The sign, or the largest, of the decision values; no probabilities."""
    decision = _decision(c, est, x)
    return Classified(_index(c.graph, decision, len(est.classes_)), None, decision)


@classifies("sklearn.SGDClassifier")
def sgd_classifier(c: Compiler, est: Any, x: Value) -> Classified:
    """A linear classifier whose loss decides whether it has probabilities."""
    g = c.graph
    classes = len(est.classes_)
    decision = _decision(c, est, x)
    index = _index(g, decision, classes)
    if est.loss == "log_loss":
        scores = sigmoid(g, decision)
    elif est.loss == "modified_huber":
        scores = g.op("Div", g.op("Add", clip(g, decision, -1.0, 1.0), g.number(1.0)), g.number(2.0))
    else:
        return Classified(index, None, decision)
    probabilities = binary_probabilities(g, scores) if classes == 2 else one_vs_rest(g, scores, classes)
    return Classified(index, probabilities, decision)


@regresses(
    *(
        f"sklearn.{name}"
        for name in (
            "LinearRegression Ridge RidgeCV Lasso LassoCV ElasticNet ElasticNetCV Lars LarsCV LassoLars LassoLarsCV "
            "LassoLarsIC OrthogonalMatchingPursuit OrthogonalMatchingPursuitCV BayesianRidge ARDRegression "
            "HuberRegressor TheilSenRegressor SGDRegressor PassiveAggressiveRegressor LinearSVR QuantileRegressor"
        ).split()
    )
)
def linear_regressor(c: Compiler, est: Any, x: Value) -> str:
    """Features times coefficients plus intercept."""
    import numpy as np

    if np.ndim(est.coef_) == 2 and np.shape(est.coef_)[0] != 1:
        raise Unsupported("more than one target")
    return _decision(c, est, x)


@regresses("sklearn.PoissonRegressor", "sklearn.GammaRegressor", "sklearn.TweedieRegressor")
def generalized_linear(c: Compiler, est: Any, x: Value) -> str:
    """The inverse link of the linear predictor."""
    return inverse_link(c.graph, est._base_loss.link, _decision(c, est, x))


def inverse_link(g: Graph, link: Any, raw: str) -> str:
    """Raw prediction to target scale."""
    name = type(link).__name__
    if name == "IdentityLink":
        return raw
    if name == "LogLink":
        return g.op("Exp", raw)
    if name == "LogitLink":
        return sigmoid(g, raw)
    if name == "HalfLogitLink":
        return sigmoid(g, g.op("Mul", raw, g.number(2.0)))
    raise Unsupported(f"the link {name}")


@regresses("sklearn.RANSACRegressor")
def ransac(c: Compiler, est: Any, x: Value) -> str:
    """The model fitted on the inliers."""
    return c.regress(est.estimator_, x)


@transforms("sklearn.LinearDiscriminantAnalysis")
def discriminant_projection(c: Compiler, est: Any, x: Value) -> Value:
    """Project onto the discriminant directions."""
    g = c.graph
    matrix = x.matrix(g)
    if est.solver == "svd":
        matrix = g.op("Sub", matrix, g.row(est.xbar_))
    width = int(est._max_components)
    return Value.of(g.linear(matrix, est.scalings_[:, :width]), min(width, est.scalings_.shape[1]))
