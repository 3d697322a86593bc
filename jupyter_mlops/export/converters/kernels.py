"""Models that measure distances: support vectors, neighbours, centres, mixtures."""

from __future__ import annotations

from typing import Any

from jupyter_mlops.export.compiler import Classified, Clustered, Compiler, classifies, clusters, regresses
from jupyter_mlops.export.graph import Graph, Unsupported
from jupyter_mlops.export.values import Value

__all__: list[str] = []

_FEW_FEATURES = 64


def _squared_distances(g: Graph, matrix: str, points: Any) -> str:
    """[rows, points]. Both sides are centred first: |x|^2 + |p|^2 - 2xp loses digits far from the origin."""
    import numpy as np

    points = np.asarray(points, dtype=np.float64)
    centre = points.mean(axis=0)
    x = g.op("Sub", matrix, g.row(centre))
    p = points - centre
    own = g.sum(g.op("Mul", x, x))
    cross = g.op("MatMul", x, g.const(np.ascontiguousarray(-2.0 * p.T)))
    total = g.op("Add", g.op("Add", own, g.row((p * p).sum(axis=1))), cross)
    return g.op("Max", total, g.number(0.0))


def _kernel(g: Graph, est: Any, matrix: str) -> str:
    """[rows, support vectors]; libsvm widens float32 to double first."""
    import numpy as np

    if not isinstance(est.kernel, str) or est.kernel == "precomputed":
        raise Unsupported(f"kernel={est.kernel!r}")
    vectors = est.support_vectors_
    vectors = vectors.toarray() if hasattr(vectors, "toarray") else np.asarray(vectors)
    if est.kernel == "rbf":
        return g.op("Exp", g.op("Mul", _squared_distances(g, matrix, vectors), g.number(-float(est._gamma))))
    product = g.op("MatMul", matrix, g.const(np.ascontiguousarray(vectors.T, dtype=np.float64)))
    if est.kernel == "linear":
        return product
    scaled = g.op("Add", g.op("Mul", product, g.number(float(est._gamma))), g.number(float(est.coef0)))
    if est.kernel == "sigmoid":
        return g.op("Tanh", scaled)
    return g.op("Pow", scaled, g.number(float(est.degree)))


def _dense(values: Any) -> Any:
    import numpy as np

    return values.toarray() if hasattr(values, "toarray") else np.asarray(values, dtype=np.float64)


@classifies("sklearn.SVC", "sklearn.NuSVC")
def support_vector_classifier(c: Compiler, est: Any, x: Value) -> Classified:
    """One decision per pair of classes, then votes, as libsvm does."""
    import numpy as np

    g = c.graph
    classes = len(est.classes_)
    coefficients = _dense(est._dual_coef_)
    starts = np.concatenate([[0], np.cumsum(est._n_support)])
    pairs = [(i, j) for i in range(classes) for j in range(i + 1, classes)]
    weights = np.zeros((coefficients.shape[1], len(pairs)))
    to_first, to_second = np.zeros((2, len(pairs), classes))
    for k, (i, j) in enumerate(pairs):
        own, other = slice(starts[i], starts[i + 1]), slice(starts[j], starts[j + 1])
        weights[own, k] = coefficients[j - 1, own]
        weights[other, k] = coefficients[i, other]
        to_first[k, i], to_second[k, j] = 1.0, 1.0
    raw = g.linear(_kernel(g, est, x.values(g)), weights, est._intercept_)
    if classes == 2:
        decision = g.op("Neg", raw)
        index = g.cast(g.flat(g.op("LessOrEqual", raw, g.number(0.0))), "int64")
        return Classified(index, None, decision)

    def votes(first: str) -> str:
        won = g.cast(first, "double")
        lost = g.op("Sub", g.number(1.0), won)
        return g.op("Add", g.op("MatMul", won, g.const(to_first)), g.op("MatMul", lost, g.const(to_second)))

    counted = votes(g.op("Greater", raw, g.number(0.0)))
    if est.decision_function_shape != "ovr":
        return Classified(g.argmax(counted), None, raw)
    confidence = g.op("MatMul", raw, g.const(to_first - to_second))
    size = g.op("Mul", g.op("Add", g.op("Abs", confidence), g.number(1.0)), g.number(3.0))
    decision = g.op("Add", votes(g.op("GreaterOrEqual", raw, g.number(0.0))), g.op("Div", confidence, size))
    return Classified(g.argmax(decision if est.break_ties else counted), None, decision)


@regresses("sklearn.SVR", "sklearn.NuSVR")
def support_vector_regressor(c: Compiler, est: Any, x: Value) -> str:
    """Kernel values times dual coefficients."""
    g = c.graph
    return g.linear(_kernel(g, est, x.values(g)), _dense(est._dual_coef_).T, est._intercept_)


@clusters("sklearn.OneClassSVM")
def one_class_svm(c: Compiler, est: Any, x: Value) -> Clustered:
    """1 inside, -1 outside."""
    g = c.graph
    decision = g.linear(_kernel(g, est, x.values(g)), _dense(est._dual_coef_).T, est._intercept_)
    return Clustered(_sign(g, g.op("Greater", decision, g.number(0.0))), decision)


def _sign(g: Graph, inside: str) -> str:
    import numpy as np

    plus, minus = (g.const(np.array([v], dtype=np.int64)) for v in (1, -1))
    return g.op("Where", g.flat(inside), plus, minus)


@clusters("sklearn.EllipticEnvelope")
def elliptic_envelope(c: Compiler, est: Any, x: Value) -> Clustered:
    """1 where the squared Mahalanobis distance is small enough."""
    g = c.graph
    centred = g.op("Sub", x.matrix(g), g.row(est.location_))
    distance = g.sum(g.op("Mul", g.linear(centred, est.precision_), centred))
    decision = g.op("Sub", g.op("Neg", distance), g.number(float(est.offset_)))
    return Clustered(_sign(g, g.op("GreaterOrEqual", decision, g.number(0.0))), decision)


def _neighbours(c: Compiler, est: Any, x: Value) -> tuple[str, str]:
    """Positions and distances of the nearest training rows, [rows, k] each.

    scikit-learn's trees add the squared differences one feature after the other, and so does this where there are few
    features: equal distances are then seen as equal. With many features (as in its brute-force search) the expanded
    distance finds a few candidates too many; the difference, squared and summed, then ranks them.
    """

    g = c.graph
    power = 2 if est.metric == "euclidean" else est.p
    if est.metric not in {"minkowski", "euclidean"} or power != 2 or est.metric_params:
        raise Unsupported(f"metric={est.metric!r} with p={power}")
    points = _dense(est._fit_X)
    if points.size > 5_000_000:
        raise Unsupported("the training data it carries is too large for a model file")
    matrix = x.matrix(g)
    if est._fit_method != "brute" and x.width <= _FEW_FEATURES:
        total = ""
        for feature in range(x.width):
            gap = g.op("Sub", g.columns(matrix, [feature]), g.row(points[:, feature]))
            square = g.op("Mul", gap, gap)
            total = g.op("Add", total, square) if total else square
        nearest, found = g.ops("TopK", total, g.ints(est.n_neighbors), outputs=2, axis=1, largest=0, sorted=1)
        return found, g.op("Sqrt", nearest)
    count = min(len(points), est.n_neighbors + 8)
    rough = _squared_distances(g, matrix, points)
    _, candidates = g.ops("TopK", rough, g.ints(count), outputs=2, axis=1, largest=0, sorted=1)
    rows = g.op("Gather", g.const(points), candidates, axis=0)
    gap = g.op("Sub", g.op("Unsqueeze", matrix, g.ints(1)), rows)
    exact = g.op("ReduceSum", g.op("Mul", gap, gap), g.ints(2), keepdims=0)
    nearest, at = g.ops("TopK", exact, g.ints(est.n_neighbors), outputs=2, axis=1, largest=0, sorted=1)
    return g.op("GatherElements", candidates, at, axis=1), g.op("Sqrt", nearest)


def _weights(g: Graph, est: Any, distances: str) -> str | None:
    """1 / distance; where one distance is 0, only the rows at distance 0 count."""
    if est.weights == "uniform":
        return None
    if est.weights != "distance":
        raise Unsupported("weights given as a function")
    same = g.cast(g.op("Equal", distances, g.number(0.0)), "double")
    any_same = g.op("Greater", g.sum(same), g.number(0.0))
    return g.op("Where", any_same, same, g.op("Div", g.number(1.0), distances))


@classifies("sklearn.KNeighborsClassifier")
def neighbours_classifier(c: Compiler, est: Any, x: Value) -> Classified:
    """The share of each class among the neighbours."""
    import numpy as np

    if est.outputs_2d_:
        raise Unsupported("more than one target")
    g = c.graph
    positions, distances = _neighbours(c, est, x)
    one_hot = np.eye(len(est.classes_))[np.asarray(est._y).ravel()]
    votes = g.op("Gather", g.const(one_hot), positions, axis=0)
    weights = _weights(g, est, distances)
    if weights is not None:
        votes = g.op("Mul", votes, g.op("Unsqueeze", weights, g.ints(2)))
    total = g.op("ReduceSum", votes, g.ints(1), keepdims=0)
    return Classified(g.argmax(total), g.op("Div", total, g.sum(total)))


@regresses("sklearn.KNeighborsRegressor")
def neighbours_regressor(c: Compiler, est: Any, x: Value) -> str:
    """The mean of the neighbours' targets."""
    import numpy as np

    g = c.graph
    targets = np.asarray(est._y, dtype=np.float64)
    if targets.ndim == 2 and targets.shape[1] != 1:
        raise Unsupported("more than one target")
    positions, distances = _neighbours(c, est, x)
    values = g.op("Gather", g.const(targets.ravel()), positions, axis=0)
    weights = _weights(g, est, distances)
    if weights is None:
        return g.op("Div", g.sum(values), g.number(float(est.n_neighbors)))
    return g.op("Div", g.sum(g.op("Mul", values, weights)), g.sum(weights))


@clusters("sklearn.KMeans", "sklearn.MiniBatchKMeans")
def k_means(c: Compiler, est: Any, x: Value) -> Clustered:
    """The nearest centre, by |c|^2 - 2xc as scikit-learn computes it."""
    import numpy as np

    g = c.graph
    centres = np.asarray(est.cluster_centers_, dtype=np.float64)
    cross = g.op("MatMul", x.matrix(g), g.const(np.ascontiguousarray(-2.0 * centres.T)))
    distance = g.op("Add", cross, g.row((centres * centres).sum(axis=1)))
    return Clustered(g.op("ArgMin", distance, axis=1, keepdims=0))


@clusters("sklearn.GaussianMixture")
def gaussian_mixture(c: Compiler, est: Any, x: Value) -> Clustered:
    """The component with the largest weighted density."""
    import numpy as np
    from sklearn.mixture._gaussian_mixture import _compute_log_det_cholesky

    g = c.graph
    features = x.width
    matrix = x.matrix(g)
    squares = []
    for k, mean in enumerate(est.means_):
        centred = g.op("Sub", matrix, g.row(mean))
        if est.covariance_type in {"full", "tied"}:
            root = est.precisions_cholesky_[k] if est.covariance_type == "full" else est.precisions_cholesky_
            y = g.linear(centred, root)
        else:
            y = g.op("Mul", centred, g.row(np.broadcast_to(est.precisions_cholesky_[k], (features,))))
        squares.append(g.sum(g.op("Mul", y, y)))
    log_det = _compute_log_det_cholesky(est.precisions_cholesky_, est.covariance_type, features)
    constant = -0.5 * features * np.log(2 * np.pi) + log_det + np.log(est.weights_)
    scores = g.op("Add", g.op("Mul", g.concat(squares), g.number(-0.5)), g.row(constant))
    return Clustered(g.argmax(scores), scores)
