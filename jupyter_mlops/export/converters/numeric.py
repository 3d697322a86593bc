"""Scaling, binning, projecting: transformers of numbers, computed in double and in scikit-learn's order."""

from __future__ import annotations

from typing import Any

from jupyter_mlops.export.compiler import Compiler, transforms
from jupyter_mlops.export.graph import Graph, Unsupported
from jupyter_mlops.export.values import Value

__all__ = ["clip", "expm1", "interpolate", "log1p", "row_normalize", "standard_scale"]


def clip(g: Graph, x: str, low: float, high: float) -> str:
    """np.clip: a missing value stays missing, which ONNX's Min and Max do not promise."""
    floor = g.number(low)
    ceiling = g.number(high)
    x = g.op("Where", g.op("Less", x, floor), floor, x)
    return g.op("Where", g.op("Greater", x, ceiling), ceiling, x)


def interpolate(g: Graph, x: str, xs: Any, ys: Any) -> str:
    """Piecewise linear interpolation of a [rows, 1] column, constant beyond both ends; `xs` ascend."""
    import numpy as np

    xs, ys = np.asarray(xs, dtype=np.float64), np.asarray(ys, dtype=np.float64)
    if len(xs) == 1:
        return g.op("Add", g.op("Mul", x, g.number(0.0)), g.number(float(ys[0])))
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.where(np.diff(xs) > 0, np.diff(ys) / np.diff(xs), 0.0)
    inside = clip(g, x, float(xs[0]), float(xs[-1]))
    # The segment is the number of inner knots at or below x, as np.searchsorted(side="right") finds it
    if len(xs) > 2:
        above = g.cast(g.op("GreaterOrEqual", inside, g.row(xs[1:-1])), "int64")
        segment = g.sum(above)
    else:
        segment = g.cast(g.op("Mul", g.cast(g.op("IsNaN", inside), "double"), g.number(0.0)), "int64")
    pick = g.flat(segment)
    left, base, slope = (g.as_column(g.op("Gather", g.const(v), pick, axis=0)) for v in (xs[:-1], ys[:-1], slopes))
    between = g.op("Add", g.op("Mul", slope, g.op("Sub", inside, left)), base)
    return g.op("Where", g.op("GreaterOrEqual", x, g.number(float(xs[-1]))), g.number(float(ys[-1])), between)


def standard_scale(g: Graph, est: Any, x: str) -> str:
    """(x - mean) / scale."""
    if est.with_mean:
        x = g.op("Sub", x, g.row(est.mean_))
    if est.with_std:
        x = g.op("Div", x, g.row(est.scale_))
    return x


@transforms("sklearn.StandardScaler")
def standard_scaler(c: Compiler, est: Any, x: Value) -> Value:
    """Centre and scale."""
    return Value.of(standard_scale(c.graph, est, x.matrix(c.graph)), x.width)


@transforms("sklearn.MinMaxScaler")
def min_max_scaler(c: Compiler, est: Any, x: Value) -> Value:
    """x * scale + min, clipped where asked."""
    g = c.graph
    out = g.op("Add", g.op("Mul", x.matrix(g), g.row(est.scale_)), g.row(est.min_))
    return Value.of(clip(g, out, *map(float, est.feature_range)) if est.clip else out, x.width)


@transforms("sklearn.MaxAbsScaler")
def max_abs_scaler(c: Compiler, est: Any, x: Value) -> Value:
    """x / scale, clipped where asked."""
    out = c.graph.op("Div", x.matrix(c.graph), c.graph.row(est.scale_))
    return Value.of(clip(c.graph, out, -1.0, 1.0) if getattr(est, "clip", False) else out, x.width)


@transforms("sklearn.RobustScaler")
def robust_scaler(c: Compiler, est: Any, x: Value) -> Value:
    """(x - centre) / scale."""
    out = x.matrix(c.graph)
    if est.with_centering:
        out = c.graph.op("Sub", out, c.graph.row(est.center_))
    if est.with_scaling:
        out = c.graph.op("Div", out, c.graph.row(est.scale_))
    return Value.of(out, x.width)


@transforms("sklearn.Normalizer")
def normalizer(c: Compiler, est: Any, x: Value) -> Value:
    """Rows of norm 1; a row of zeros stays."""
    return Value.of(row_normalize(c.graph, x.matrix(c.graph), est.norm), x.width)


def row_normalize(g: Graph, x: str, norm: str) -> str:
    """Divide each row by its norm."""
    if norm == "l2":
        size = g.op("Sqrt", g.sum(g.op("Mul", x, x)))
    elif norm == "l1":
        size = g.sum(g.op("Abs", x))
    else:
        size = g.op("ReduceMax", g.op("Abs", x), g.ints(1), keepdims=1)
    size = g.op("Where", g.op("Equal", size, g.number(0.0)), g.number(1.0), size)
    return g.op("Div", x, size)


@transforms("sklearn.Binarizer")
def binarizer(c: Compiler, est: Any, x: Value) -> Value:
    """1 above the threshold, else 0."""
    above = c.graph.op("Greater", x.matrix(c.graph), c.graph.number(float(est.threshold)))
    return Value.of(c.graph.cast(above, "double"), x.width)


@transforms("sklearn.PolynomialFeatures")
def polynomial_features(c: Compiler, est: Any, x: Value) -> Value:
    """Products of columns."""
    import numpy as np

    g = c.graph
    matrix = x.matrix(g)
    factors = [np.repeat(np.arange(x.width), powers).tolist() for powers in est.powers_.astype(int)]
    ones = g.op("Add", g.op("Mul", g.columns(matrix, [0]), g.number(0.0)), g.number(1.0))
    with_one = g.concat([matrix, ones])  # the extra column stands in for a factor that is not there
    out = ""
    # Highest factor first and lowest last: scikit-learn multiplies each column onto the product of the later ones
    for depth in range(max([1, *map(len, factors)])):
        index = [f[len(f) - 1 - depth] if depth < len(f) else x.width for f in factors]
        column = g.columns(with_one, index)
        out = column if not out else g.op("Mul", out, column)
    return Value.of(out, len(factors))


@transforms("sklearn.KBinsDiscretizer")
def k_bins_discretizer(c: Compiler, est: Any, x: Value) -> Value:
    """The number of inner bin edges at or below the value, or that number one-hot encoded."""
    import numpy as np

    g = c.graph
    outputs, widths = [], []
    for index, edges in enumerate(est.bin_edges_):
        column = x.column(g, index).tensor
        inner = edges[1:-1]
        if len(inner):
            code = g.sum(g.cast(g.op("GreaterOrEqual", column, g.row(inner)), "double"))
        else:
            code = g.op("Mul", column, g.number(0.0))
        if est.encode == "ordinal":
            outputs.append(code)
            widths.append(1)
            continue
        count = int(est.n_bins_[index])
        outputs.append(g.cast(g.op("Equal", code, g.row(np.arange(count))), "double"))
        widths.append(count)
    return Value.of(g.concat(outputs), sum(widths))


@transforms("sklearn.PowerTransformer")
def power_transformer(c: Compiler, est: Any, x: Value) -> Value:
    """Box-Cox or Yeo-Johnson per column, then standardised."""
    g = c.graph
    columns = []
    for index, power in enumerate(map(float, est.lambdas_)):
        column = x.column(g, index).tensor
        columns.append(_box_cox(g, column, power) if est.method == "box-cox" else _yeo_johnson(g, column, power))
    out = g.concat(columns)
    return Value.of(standard_scale(g, est._scaler, out) if est.standardize else out, x.width)


def _box_cox(g: Graph, x: str, power: float) -> str:
    if abs(power) < 1e-19:
        return g.op("Log", x)
    # expm1(power * log(x)) / power, as scipy computes it
    return g.op("Div", expm1(g, g.op("Mul", g.op("Log", x), g.number(power))), g.number(power))


def _yeo_johnson(g: Graph, x: str, power: float) -> str:
    one = g.number(1.0)
    zero = g.number(0.0)
    positive = g.op("Max", x, zero)
    magnitude = g.op("Max", g.op("Neg", x), zero)

    def branch(value: str, exponent: float, sign: float) -> str:
        logarithm = log1p(g, value)
        if abs(exponent) < 2.3e-16:
            return g.op("Mul", logarithm, g.number(sign))
        raised = expm1(g, g.op("Mul", logarithm, g.number(exponent)))
        return g.op("Div", raised, g.number(sign * exponent))

    del one
    out = g.op(
        "Where",
        g.op("GreaterOrEqual", x, zero),
        branch(positive, power, 1.0),
        branch(magnitude, 2.0 - power, -1.0),
    )
    return g.op("Where", g.op("IsNaN", x), x, out)


def log1p(g: Graph, x: str) -> str:
    """log(1 + x) to the last digit also where 1 + x rounds: Kahan's correction, since ONNX has no Log1p."""
    one = g.number(1.0)
    u = g.op("Add", x, one)
    same = g.op("Equal", u, one)
    d = g.op("Sub", u, one)
    safe = g.op("Where", same, one, d)
    corrected = g.op("Mul", g.op("Log", u), g.op("Div", x, safe))
    infinite = g.op("IsInf", x)
    return g.op("Where", g.op("Or", same, infinite), x, corrected)


def expm1(g: Graph, x: str) -> str:
    """exp(x) - 1 without cancellation near 0: Kahan's correction, since ONNX has no Expm1."""
    one = g.number(1.0)
    u = g.op("Exp", x)
    d = g.op("Sub", u, one)
    near = g.op("Less", g.op("Abs", x), g.number(0.7))
    tiny = g.op("Equal", u, one)
    logarithm = g.op("Log", u)
    safe = g.op("Where", g.op("Equal", logarithm, g.number(0.0)), one, logarithm)
    corrected = g.op("Mul", d, g.op("Div", x, safe))
    return g.op("Where", near, g.op("Where", tiny, x, corrected), d)


@transforms("sklearn.QuantileTransformer")
def quantile_transformer(c: Compiler, est: Any, x: Value) -> Value:
    """The mean of the interpolation from below and from above, so that repeated quantiles are met halfway."""
    import numpy as np

    if est.output_distribution != "uniform":
        raise Unsupported("output_distribution='normal' needs the inverse normal distribution, which ONNX lacks")
    g = c.graph
    columns = []
    for index in range(x.width):
        column = x.column(g, index).tensor
        quantiles = est.quantiles_[:, index]
        up = interpolate(g, column, quantiles, est.references_)
        down = interpolate(g, g.op("Neg", column), -quantiles[::-1], -est.references_[::-1])
        out = g.op("Mul", g.op("Sub", up, down), g.number(0.5))
        out = g.op("Where", g.op("Equal", column, g.number(float(quantiles[-1]))), g.number(1.0), out)
        out = g.op("Where", g.op("Equal", column, g.number(float(quantiles[0]))), g.number(0.0), out)
        columns.append(g.op("Where", g.op("IsNaN", column), g.number(np.nan), out))
    return Value.of(g.concat(columns), x.width)


@transforms("sklearn.PCA", "sklearn.IncrementalPCA")
def pca(c: Compiler, est: Any, x: Value) -> Value:
    """Project, then centre, then whiten: scikit-learn's own order."""
    import numpy as np

    g = c.graph
    out = g.linear(x.matrix(g), est.components_.T)
    out = g.op("Sub", out, g.row(est.mean_.reshape(1, -1) @ est.components_.T))
    if est.whiten:
        scale = np.sqrt(est.explained_variance_)
        out = g.op("Div", out, g.row(np.maximum(scale, np.finfo(scale.dtype).eps)))
    return Value.of(out, len(est.components_))


@transforms("sklearn.TruncatedSVD")
def truncated_svd(c: Compiler, est: Any, x: Value) -> Value:
    """Project."""
    return Value.of(c.graph.linear(x.matrix(c.graph), est.components_.T), len(est.components_))


@transforms(
    "sklearn.SelectKBest",
    "sklearn.SelectPercentile",
    "sklearn.SelectFpr",
    "sklearn.SelectFdr",
    "sklearn.SelectFwe",
    "sklearn.GenericUnivariateSelect",
    "sklearn.SelectFromModel",
    "sklearn.RFE",
    "sklearn.RFECV",
    "sklearn.SequentialFeatureSelector",
    "sklearn.VarianceThreshold",
)
def feature_selector(c: Compiler, est: Any, x: Value) -> Value:
    """Keep the chosen columns."""
    return x.select(c.graph, [int(i) for i in est.get_support(indices=True)])
