"""AdaBoost and bagging: ensembles over any estimator, with one tree node where all members are trees."""

from __future__ import annotations

from typing import Any

from jupyter_mlops.export.compiler import Classified, Compiler, class_name, classifies, regresses
from jupyter_mlops.export.converters.linear import softmax
from jupyter_mlops.export.converters.meta import one_hot_index
from jupyter_mlops.export.graph import Graph, Unsupported
from jupyter_mlops.export.trees import as_float32, emit_trees, leaf_lookup, sklearn_tree
from jupyter_mlops.export.values import Value

__all__: list[str] = []

_TREE_CLASSIFIERS = {"sklearn.DecisionTreeClassifier", "sklearn.ExtraTreeClassifier"}
_TREE_REGRESSORS = {"sklearn.DecisionTreeRegressor", "sklearn.ExtraTreeRegressor"}


def _are(estimators: list[Any], names: set[str]) -> bool:
    return all(class_name(one) in names for one in estimators)


def _running_sum(g: Graph, tensors: list[str]) -> str:
    total = tensors[0]
    for tensor in tensors[1:]:
        total = g.op("Add", total, tensor)
    return total


def _vote_rows(est: Any, inner: Any, weight: float) -> Any:
    """Row k: what a vote for the inner estimator's class k adds to each class of the ensemble."""
    import numpy as np

    other = -1 / (len(est.classes_) - 1) * weight  # in this order, so that ties stay ties
    return np.where(np.asarray(inner.classes_)[:, None] == np.asarray(est.classes_)[None, :], weight, other)


@classifies("sklearn.AdaBoostClassifier")
def ada_boost_classifier(c: Compiler, est: Any, x: Value) -> Classified:
    """Weighted votes; a vote for one class counts against the others."""
    import numpy as np

    g = c.graph
    classes = len(est.classes_)
    if classes < 2:
        raise Unsupported("a single class")
    weights = [float(w) for w in est.estimator_weights_[: len(est.estimators_)]]
    members = list(zip(est.estimators_, weights, strict=True))
    if _are(est.estimators_, _TREE_CLASSIFIERS):
        tables = [_vote_rows(est, inner, weight)[inner.tree_.value[:, 0, :].argmax(axis=1)] for inner, weight in members]
        trees = [inner.tree_ for inner in est.estimators_]
        total = leaf_lookup(g, as_float32(g, x.values(g)), trees, tables)
    else:
        votes = []
        for inner, weight in members:
            index = c.classify(inner, x).index
            votes.append(g.op("Gather", g.const(_vote_rows(est, inner, weight)), index, axis=0))
        total = _running_sum(g, votes)
    total = g.op("Div", total, g.number(float(np.sum(est.estimator_weights_))))
    if classes > 2:
        shares = softmax(g, g.op("Div", total, g.number(float(classes - 1))))
        return Classified(g.argmax(total), shares, total)
    decision = g.op("Sub", g.columns(total, [1]), g.columns(total, [0]))
    index = g.cast(g.flat(g.op("Greater", decision, g.number(0.0))), "int64")
    both = g.op("Div", g.concat([g.op("Neg", decision), decision]), g.number(2.0))
    return Classified(index, softmax(g, both), decision)


@regresses("sklearn.AdaBoostRegressor")
def ada_boost_regressor(c: Compiler, est: Any, x: Value) -> str:
    """The weighted median of the members' predictions."""
    import numpy as np

    g = c.graph
    members = est.estimators_
    if _are(members, _TREE_REGRESSORS):
        trees = [sklearn_tree(inner.tree_, inner.tree_.value[:, 0, 0], k) for k, inner in enumerate(members)]
        answers = emit_trees(g, as_float32(g, x.values(g)), trees, targets=len(trees))
    else:
        answers = g.concat([c.regress(inner, x) for inner in members])
    ordered, order = g.ops("TopK", answers, g.ints(len(members)), outputs=2, axis=1, largest=0, sorted=1)
    weights = np.asarray(est.estimator_weights_, dtype=np.float64)[: len(members)]
    running = g.op("CumSum", g.op("Gather", g.const(weights), order, axis=0), g.const(np.array(1, dtype=np.int64)))
    half = g.op("Mul", g.columns(running, [len(members) - 1]), g.number(0.5))
    reached = g.cast(g.op("GreaterOrEqual", running, half), "int64")
    return g.op("GatherElements", ordered, g.as_column(g.argmax(reached)), axis=1)


@classifies("sklearn.BaggingClassifier")
def bagging_classifier(c: Compiler, est: Any, x: Value) -> Classified:
    """The mean of the members' probabilities, or the share of their votes."""
    import numpy as np

    g = c.graph
    classes = len(est.classes_)
    members = list(zip(est.estimators_, est.estimators_features_, strict=True))

    def spread(inner: Any, table: Any) -> Any:
        """Columns of the classes that the member saw (as positions) into all classes."""
        wide = np.zeros((len(table), classes))
        wide[:, np.asarray(inner.classes_, dtype=int)] = table
        return wide

    if _are(est.estimators_, _TREE_CLASSIFIERS):
        tables = [spread(inner, inner.tree_.value[:, 0, :]) for inner, _ in members]
        features = [features for _, features in members]
        total = leaf_lookup(g, as_float32(g, x.values(g)), [inner.tree_ for inner, _ in members], tables, features)
    else:
        shares = []
        for inner, features in members:
            result = c.classify(inner, x.select(g, [int(f) for f in features]))
            if not hasattr(inner, "predict_proba"):
                share = one_hot_index(g, result.index, len(inner.classes_))
            elif result.probabilities is None:
                raise Unsupported(f"the probabilities of {type(inner).__name__} have no exact ONNX form")
            else:
                share = result.probabilities
            if len(inner.classes_) != classes:
                share = g.op("MatMul", share, g.const(spread(inner, np.eye(len(inner.classes_)))))
            shares.append(share)
        total = _running_sum(g, shares)
    mean = g.op("Div", total, g.number(float(est.n_estimators)))
    return Classified(g.argmax(mean), mean)


@regresses("sklearn.BaggingRegressor")
def bagging_regressor(c: Compiler, est: Any, x: Value) -> str:
    """The mean of the members' predictions."""
    g = c.graph
    members = list(zip(est.estimators_, est.estimators_features_, strict=True))
    if _are(est.estimators_, _TREE_REGRESSORS):
        trees = []
        for inner, features in members:
            tree = sklearn_tree(inner.tree_, inner.tree_.value[:, 0, 0])
            tree.feature = [int(features[f]) if f >= 0 else 0 for f in tree.feature]
            trees.append(tree)
        total = emit_trees(g, as_float32(g, x.values(g)), trees)
    else:
        total = _running_sum(g, [c.regress(inner, x.select(g, [int(f) for f in fs])) for inner, fs in members])
    return g.op("Div", total, g.number(float(est.n_estimators)))
