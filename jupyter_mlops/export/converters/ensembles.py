"""Trees and what is built of them. The rules of each `predict` are repeated, sums in the same order."""

from __future__ import annotations

from typing import Any

from jupyter_mlops.export.compiler import Classified, Clustered, Compiler, class_name, classifies, clusters, regresses
from jupyter_mlops.export.converters.encoders import encode_column
from jupyter_mlops.export.converters.linear import binary_probabilities, inverse_link, sigmoid, softmax
from jupyter_mlops.export.graph import Graph, Unsupported
from jupyter_mlops.export.trees import LEQ, MEMBER, Tree, as_float32, constant_tree, emit_trees, leaf_lookup, sklearn_tree
from jupyter_mlops.export.values import Part, Value

__all__: list[str] = []


def _single_output(est: Any) -> None:
    if est.n_outputs_ != 1:
        raise Unsupported("more than one target")


def _probabilities(g: Graph, matrix: str, estimators: list[Any]) -> str:
    """The sum of the trees' class shares, [rows, classes]."""
    trees = [estimator.tree_ for estimator in estimators]
    return leaf_lookup(g, as_float32(g, matrix), trees, [tree.value[:, 0, :] for tree in trees])


@classifies("sklearn.DecisionTreeClassifier", "sklearn.ExtraTreeClassifier")
def tree_classifier(c: Compiler, est: Any, x: Value) -> Classified:
    """The class shares of the leaf."""
    _single_output(est)
    shares = _probabilities(c.graph, x.values(c.graph), [est])
    return Classified(c.graph.argmax(shares), shares)


@classifies("sklearn.RandomForestClassifier", "sklearn.ExtraTreesClassifier")
def forest_classifier(c: Compiler, est: Any, x: Value) -> Classified:
    """The mean of the trees' class shares."""
    _single_output(est)
    g = c.graph
    total = _probabilities(g, x.values(g), est.estimators_)
    shares = g.op("Div", total, g.number(float(len(est.estimators_))))
    return Classified(g.argmax(shares), shares)


@regresses("sklearn.DecisionTreeRegressor", "sklearn.ExtraTreeRegressor")
def tree_regressor(c: Compiler, est: Any, x: Value) -> str:
    """The leaf's mean."""
    _single_output(est)
    tree = sklearn_tree(est.tree_, est.tree_.value[:, 0, 0])
    return emit_trees(c.graph, as_float32(c.graph, x.values(c.graph)), [tree])


@regresses("sklearn.RandomForestRegressor", "sklearn.ExtraTreesRegressor")
def forest_regressor(c: Compiler, est: Any, x: Value) -> str:
    """The mean of the trees."""
    _single_output(est)
    g = c.graph
    trees = [sklearn_tree(e.tree_, e.tree_.value[:, 0, 0]) for e in est.estimators_]
    total = emit_trees(g, as_float32(g, x.values(g)), trees)
    return g.op("Div", total, g.number(float(len(trees))))


def _boosted(c: Compiler, est: Any, x: Value) -> str:
    """Raw prediction of GradientBoosting*: the initial value plus learning rate times each tree."""
    import numpy as np

    g = c.graph
    matrix = x.values(g)
    stages, targets = est.estimators_.shape
    if isinstance(est.init_, str):
        initial = np.zeros((1, targets))
    elif class_name(est.init_) in {"sklearn.DummyClassifier", "sklearn.DummyRegressor"}:
        initial = est._raw_predict_init(np.zeros((1, x.width), dtype=np.float32))
    else:
        raise Unsupported(f"init={type(est.init_).__name__}")
    trees = [constant_tree(float(initial[0, k]), k) for k in range(targets)]
    for stage in range(stages):
        for k in range(targets):
            inner = est.estimators_[stage, k].tree_
            trees.append(sklearn_tree(inner, est.learning_rate * inner.value[:, 0, 0], k))
    return emit_trees(g, as_float32(g, matrix), trees, targets=targets)


@classifies("sklearn.GradientBoostingClassifier")
def gradient_boosting_classifier(c: Compiler, est: Any, x: Value) -> Classified:
    """Sigmoid or softmax of the raw prediction; at exactly 0 the second class."""
    g = c.graph
    raw = _boosted(c, est, x)
    if len(est.classes_) == 2:
        chance = inverse_link(g, est._loss.link, raw)
        index = g.cast(g.flat(g.op("GreaterOrEqual", raw, g.number(0.0))), "int64")
        return Classified(index, binary_probabilities(g, chance), raw)
    return Classified(g.argmax(raw), softmax(g, raw), raw)


@regresses("sklearn.GradientBoostingRegressor")
def gradient_boosting_regressor(c: Compiler, est: Any, x: Value) -> str:
    """The raw prediction."""
    return _boosted(c, est, x)


def _histogram_input(c: Compiler, est: Any, x: Value) -> str:
    """Categorical columns first, as ordinal numbers; unknown and missing ones are missing."""
    g = c.graph
    preprocessor = est._preprocessor
    if preprocessor is None:
        return x.values(g)
    positions = preprocessor._transformer_to_input_indices
    encoder = preprocessor.named_transformers_["encoder"]
    parts = []
    for at, index in enumerate(positions["encoder"]):
        part = x.column(g, int(index))
        parts.append(Part(encode_column(c, encoder, at, part, slice(at, at + 1), one_hot=False), 1))
    numbers = [int(index) for index in positions["numerical"]]
    rest = [x.select(g, numbers)] if numbers else []
    return Value.beside([Value(tuple(parts)), *rest]).values(g)


def _histogram_tree(predictor: Any, target: int) -> Tree:
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(bool)
    categorical = nodes["is_categorical"].astype(bool) & ~leaf
    members: dict[int, list[float]] = {}
    for node in categorical.nonzero()[0].tolist():
        bits = predictor.raw_left_cat_bitsets[int(nodes["bitset_idx"][node])]
        members[node] = [float(v) for v in range(256) if int(bits[v // 32]) >> (v % 32) & 1]
    return Tree(
        feature=nodes["feature_idx"].tolist(),
        threshold=nodes["num_threshold"].tolist(),
        left=[-1 if done else int(child) for done, child in zip(leaf, nodes["left"], strict=True)],
        right=[-1 if done else int(child) for done, child in zip(leaf, nodes["right"], strict=True)],
        missing_left=[bool(flag) for flag in nodes["missing_go_to_left"]],
        value=nodes["value"].tolist(),
        mode=[MEMBER if flag else LEQ for flag in categorical],
        members=members,
        target=target,
    )


def _histogram(c: Compiler, est: Any, x: Value) -> str:
    """Raw prediction of HistGradientBoosting*: doubles compared with doubles."""
    targets = int(est.n_trees_per_iteration_)
    baseline = est._baseline_prediction.reshape(-1)
    trees = [constant_tree(float(baseline[k]), k) for k in range(targets)]
    for iteration in est._predictors:
        trees.extend(_histogram_tree(predictor, k) for k, predictor in enumerate(iteration))
    return emit_trees(c.graph, _histogram_input(c, est, x), trees, targets=targets)


@classifies("sklearn.HistGradientBoostingClassifier")
def histogram_classifier(c: Compiler, est: Any, x: Value) -> Classified:
    """Sigmoid or softmax of the raw prediction; at exactly 0 the first class."""
    g = c.graph
    raw = _histogram(c, est, x)
    if len(est.classes_) == 2:
        index = g.cast(g.flat(g.op("Greater", raw, g.number(0.0))), "int64")
        return Classified(index, binary_probabilities(g, sigmoid(g, raw)), raw)
    return Classified(g.argmax(raw), softmax(g, raw), raw)


@regresses("sklearn.HistGradientBoostingRegressor")
def histogram_regressor(c: Compiler, est: Any, x: Value) -> str:
    """The inverse link of the raw prediction."""
    return inverse_link(c.graph, est._loss.link, _histogram(c, est, x))


@clusters("sklearn.IsolationForest")
def isolation_forest(c: Compiler, est: Any, x: Value) -> Clustered:
    """-1 where the mean depth is short: score minus offset below 0."""
    import numpy as np
    from sklearn.ensemble._iforest import _average_path_length

    g = c.graph
    rounded = as_float32(g, x.values(g))
    trees = []
    for number, (estimator, features) in enumerate(zip(est.estimators_, est.estimators_features_, strict=True)):
        inner = estimator.tree_
        lengths = est._decision_path_lengths[number] + est._average_path_length_per_tree[number] - 1.0
        tree = sklearn_tree(inner, lengths)
        tree.feature = [int(features[f]) if f >= 0 else 0 for f in tree.feature]
        trees.append(tree)
    depth = emit_trees(g, rounded, trees)
    denominator = len(trees) * float(np.ravel(_average_path_length([est._max_samples]))[0])
    if denominator == 0:
        raise Unsupported("an isolation forest of single rows")
    exponent = g.op("Neg", g.op("Div", depth, g.number(denominator)))
    score = g.op("Neg", g.op("Pow", g.number(2.0), exponent))
    decision = g.op("Sub", score, g.number(float(est.offset_)))
    outlier = g.flat(g.op("Less", decision, g.number(0.0)))
    minus, plus = (g.const(np.array([v], dtype=np.int64)) for v in (-1, 1))
    return Clustered(g.op("Where", outlier, minus, plus), decision)
