"""Naive Bayes, quadratic discriminants and multi-layer perceptrons."""

from __future__ import annotations

from typing import Any

from jupyter_mlops.export.compiler import Classified, Compiler, classifies, regresses
from jupyter_mlops.export.converters.linear import binary_probabilities, sigmoid, softmax
from jupyter_mlops.export.graph import Graph, Unsupported
from jupyter_mlops.export.values import Value

__all__: list[str] = []


def _from_log_likelihood(g: Graph, joint: str) -> Classified:
    """exp(l - logsumexp(l)) is the softmax of l."""
    return Classified(g.argmax(joint), softmax(g, joint))


@classifies("sklearn.GaussianNB")
def gaussian_nb(c: Compiler, est: Any, x: Value) -> Classified:
    """Independent normal densities."""
    import numpy as np

    g = c.graph
    matrix = x.matrix(g)
    columns = []
    for k in range(len(est.classes_)):
        gap = g.op("Sub", matrix, g.row(est.theta_[k]))
        ratio = g.op("Div", g.op("Mul", gap, gap), g.row(est.var_[k]))
        constant = -0.5 * np.sum(np.log(2.0 * np.pi * est.var_[k]))
        part = g.op("Sub", g.number(float(constant)), g.op("Mul", g.sum(ratio), g.number(0.5)))
        columns.append(g.op("Add", part, g.number(float(np.log(est.class_prior_[k])))))
    return _from_log_likelihood(g, g.concat(columns))


@classifies("sklearn.MultinomialNB")
def multinomial_nb(c: Compiler, est: Any, x: Value) -> Classified:
    """Counts times log probabilities."""
    g = c.graph
    return _from_log_likelihood(g, g.linear(x.matrix(g), est.feature_log_prob_.T, est.class_log_prior_))


@classifies("sklearn.ComplementNB")
def complement_nb(c: Compiler, est: Any, x: Value) -> Classified:
    """Counts times the complement's log probabilities."""
    g = c.graph
    if len(est.classes_) == 1:
        raise Unsupported("a single class")
    return _from_log_likelihood(g, g.linear(x.matrix(g), est.feature_log_prob_.T))


@classifies("sklearn.BernoulliNB")
def bernoulli_nb(c: Compiler, est: Any, x: Value) -> Classified:
    """Presence and absence of each feature."""
    import numpy as np

    g = c.graph
    matrix = x.matrix(g)
    if est.binarize is not None:
        matrix = g.cast(g.op("Greater", matrix, g.number(float(est.binarize))), "double")
    absent = np.log(1 - np.exp(est.feature_log_prob_))
    joint = g.linear(matrix, (est.feature_log_prob_ - absent).T, est.class_log_prior_ + absent.sum(axis=1))
    return _from_log_likelihood(g, joint)


@classifies("sklearn.QuadraticDiscriminantAnalysis")
def quadratic_discriminant(c: Compiler, est: Any, x: Value) -> Classified:
    """A normal density per class with its own covariance."""
    import numpy as np

    g = c.graph
    matrix = x.matrix(g)
    if not hasattr(est, "rotations_") or not hasattr(est, "scalings_"):
        raise Unsupported("a solver that keeps no rotations")
    columns = []
    for k in range(len(est.classes_)):
        centred = g.op("Sub", matrix, g.row(est.means_[k]))
        turned = g.linear(centred, est.rotations_[k] * est.scalings_[k] ** -0.5)
        size = g.op("Add", g.sum(g.op("Mul", turned, turned)), g.number(float(np.sum(np.log(est.scalings_[k])))))
        part = g.op("Mul", size, g.number(-0.5))
        columns.append(g.op("Add", part, g.number(float(np.log(est.priors_[k])))))
    joint = g.concat(columns)
    result = _from_log_likelihood(g, joint)
    if len(est.classes_) != 2:
        return Classified(result.index, result.probabilities, joint)
    decision = g.op("Sub", g.columns(joint, [1]), g.columns(joint, [0]))
    return Classified(result.index, result.probabilities, decision)


def _activate(g: Graph, name: str, x: str) -> str:
    if name == "identity":
        return x
    if name == "relu":
        return g.op("Max", x, g.number(0.0))
    if name == "tanh":
        return g.op("Tanh", x)
    if name == "logistic":
        return sigmoid(g, x)
    if name == "softmax":
        return softmax(g, x)
    if name == "exp":
        return g.op("Exp", x)
    raise Unsupported(f"activation {name!r}")


def _forward(g: Graph, est: Any, x: str) -> str:
    last = len(est.coefs_) - 1
    for layer, (weights, bias) in enumerate(zip(est.coefs_, est.intercepts_, strict=True)):
        x = g.linear(x, weights, bias)
        x = _activate(g, est.out_activation_ if layer == last else est.activation, x)
    return x


@classifies("sklearn.MLPClassifier")
def mlp_classifier(c: Compiler, est: Any, x: Value) -> Classified:
    """Layers; two classes share one output."""
    g = c.graph
    if est._label_binarizer.y_type_ not in {"binary", "multiclass"}:
        raise Unsupported("several labels per row")
    out = _forward(g, est, x.matrix(g))
    if est.n_outputs_ == 1:
        index = g.cast(g.flat(g.op("Greater", out, g.number(0.5))), "int64")
        return Classified(index, binary_probabilities(g, out))
    return Classified(g.argmax(out), out)


@regresses("sklearn.MLPRegressor")
def mlp_regressor(c: Compiler, est: Any, x: Value) -> str:
    """Layers."""
    if est.n_outputs_ != 1:
        raise Unsupported("more than one target")
    return _forward(c.graph, est, x.matrix(c.graph))
