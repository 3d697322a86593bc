"""FunctionTransformer: the function is called once with a stand-in array that records what numpy is asked to do.

Only element-wise numpy operations, column picking and putting columns side by side have a meaning for the stand-in;
anything else (a mean over rows, a loop over values, pandas calls) raises, and the step is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.lib.mixins import NDArrayOperatorsMixin

from jupyter_mlops.export.compiler import Compiler, transforms
from jupyter_mlops.export.converters.numeric import clip, expm1, log1p
from jupyter_mlops.export.graph import Graph, Unsupported
from jupyter_mlops.export.values import Value

__all__ = ["BINARY", "UNARY", "apply_function"]

UNARY: dict[str, Callable[[Graph, str], str]] = {
    "log1p": log1p,
    "expm1": expm1,
    "log": lambda g, x: g.op("Log", x),
    "log2": lambda g, x: g.op("Div", g.op("Log", x), g.number(0.6931471805599453)),
    "log10": lambda g, x: g.op("Div", g.op("Log", x), g.number(2.302585092994046)),
    "exp": lambda g, x: g.op("Exp", x),
    "sqrt": lambda g, x: g.op("Sqrt", x),
    "square": lambda g, x: g.op("Mul", x, x),
    "absolute": lambda g, x: g.op("Abs", x),
    "fabs": lambda g, x: g.op("Abs", x),
    "negative": lambda g, x: g.op("Neg", x),
    "positive": lambda g, x: x,
    "reciprocal": lambda g, x: g.op("Div", g.number(1.0), x),
    "sin": lambda g, x: g.op("Sin", x),
    "cos": lambda g, x: g.op("Cos", x),
    "tanh": lambda g, x: g.op("Tanh", x),
    "floor": lambda g, x: g.op("Floor", x),
    "ceil": lambda g, x: g.op("Ceil", x),
    "rint": lambda g, x: g.op("Round", x),
    "sign": lambda g, x: g.op("Where", g.op("IsNaN", x), x, g.op("Sign", x)),
    "isnan": lambda g, x: g.cast(g.op("IsNaN", x), "double"),
    "logical_not": lambda g, x: g.cast(g.op("Equal", x, g.number(0.0)), "double"),
}


def _comparison(name: str) -> Callable[[Graph, str, str], str]:
    return lambda g, a, b: g.cast(g.op(name, a, b), "double")


def _extreme(name: str) -> Callable[[Graph, str, str], str]:
    """np.maximum and np.minimum hand a missing value on."""

    def build(g: Graph, a: str, b: str) -> str:
        chosen = g.op("Where", g.op(name, a, b), a, b)
        return g.op("Where", g.op("IsNaN", a), a, chosen)

    return build


BINARY: dict[str, Callable[[Graph, str, str], str]] = {
    "add": lambda g, a, b: g.op("Add", a, b),
    "subtract": lambda g, a, b: g.op("Sub", a, b),
    "multiply": lambda g, a, b: g.op("Mul", a, b),
    "divide": lambda g, a, b: g.op("Div", a, b),
    "power": lambda g, a, b: g.op("Pow", a, b),
    "maximum": _extreme("Greater"),
    "minimum": _extreme("Less"),
    "greater": _comparison("Greater"),
    "greater_equal": _comparison("GreaterOrEqual"),
    "less": _comparison("Less"),
    "less_equal": _comparison("LessOrEqual"),
    "equal": _comparison("Equal"),
}


class _Columns(NDArrayOperatorsMixin):
    """The stand-in for an array of shape [rows, width], or [rows] when `vector`."""

    def __init__(self, g: Graph, tensor: str, width: int, vector: bool = False) -> None:
        self.g, self.tensor, self.width, self.vector = g, tensor, width, vector

    def __bool__(self) -> bool:
        raise Unsupported("a decision that depends on the values of a whole array")

    @property
    def ndim(self) -> int:
        return 1 if self.vector else 2

    def astype(self, dtype: Any, copy: bool = True) -> _Columns:
        import numpy as np

        if np.dtype(dtype) != np.float64:
            raise Unsupported(f"astype({dtype!r})")
        return self

    def to_numpy(self) -> _Columns:
        return self

    @property
    def values(self) -> _Columns:
        return self

    def clip(self, low: float | None = None, high: float | None = None) -> _Columns:
        return _clip(self, low, high)

    def reshape(self, *shape: Any) -> _Columns:
        if tuple(shape) in {(-1, 1), ((-1, 1),)} and self.width == 1:
            return _Columns(self.g, self.tensor, 1)
        raise Unsupported(f"reshape{shape}")

    def __getitem__(self, key: Any) -> _Columns:
        import numpy as np

        if self.vector or not (isinstance(key, tuple) and len(key) == 2 and key[0] == slice(None)):
            raise Unsupported(f"indexing with {key!r}")
        picked = np.arange(self.width)[key[1]]
        if np.ndim(picked) > 1:
            raise Unsupported(f"indexing with {key!r}")
        indices = np.atleast_1d(picked).tolist()
        return _Columns(self.g, self.g.columns(self.tensor, indices), len(indices), vector=np.ndim(picked) == 0)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            raise Unsupported(f"numpy's {ufunc.__name__}.{method} with {sorted(options)}")
        if len(inputs) == 1 and ufunc.__name__ in UNARY:
            return _Columns(self.g, UNARY[ufunc.__name__](self.g, self.tensor), self.width, self.vector)
        if len(inputs) == 2 and ufunc.__name__ in BINARY:
            a, b = (self._operand(one) for one in inputs)
            sizes = [one.width for one in inputs if isinstance(one, _Columns)]
            return _Columns(self.g, BINARY[ufunc.__name__](self.g, a, b), max(sizes), self.vector)
        raise Unsupported(f"numpy's {ufunc.__name__}")

    def _operand(self, value: Any) -> str:
        import numpy as np

        if isinstance(value, _Columns):
            if value.vector != self.vector:
                raise Unsupported("a row-wise vector together with a matrix")
            return value.tensor
        array = np.asarray(value, dtype=np.float64)
        if array.ndim == 0:
            return self.g.number(float(array))
        if self.vector or array.shape not in {(self.width,), (1, self.width)}:
            raise Unsupported(f"an array of shape {array.shape} together with the columns")
        return self.g.row(array)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        name = function.__name__
        if name in {"hstack", "column_stack", "concatenate"} and len(args) == 1:
            if name == "concatenate" and options.get("axis") not in {1, -1}:
                raise Unsupported("numpy's concatenate along rows")
            pieces = list(args[0])
            if not all(isinstance(piece, _Columns) for piece in pieces):
                raise Unsupported(f"numpy's {name} of constants")
            if name != "column_stack" and any(piece.vector for piece in pieces):
                raise Unsupported(f"numpy's {name} of vectors")
            return _Columns(self.g, self.g.concat([p.tensor for p in pieces]), sum(p.width for p in pieces))
        if name == "clip" and isinstance(args[0], _Columns):
            return _clip(args[0], *args[1:], **options)
        if name == "where" and len(args) == 3 and isinstance(args[0], _Columns):
            condition = self.g.cast(args[0].tensor, "bool")
            a, b = (args[0]._operand(one) for one in args[1:])
            return _Columns(self.g, self.g.op("Where", condition, a, b), args[0].width, args[0].vector)
        if name == "nan_to_num" and len(args) == 1 and not options.keys() - {"nan"}:
            raise Unsupported("numpy's nan_to_num; use SimpleImputer")
        raise Unsupported(f"numpy's {name}")


def _clip(x: _Columns, low: Any = None, high: Any = None, **options: Any) -> _Columns:
    low, high = options.pop("a_min", low), options.pop("a_max", high)
    low, high = options.pop("min", low), options.pop("max", high)
    if options:
        raise Unsupported(f"numpy's clip with {sorted(options)}")
    bounds = [float("-inf") if low is None else float(low), float("inf") if high is None else float(high)]
    return _Columns(x.g, clip(x.g, x.tensor, bounds[0], bounds[1]), x.width, x.vector)


def apply_function(c: Compiler, function: Any, keywords: dict[str, Any] | None, x: Value) -> Value:
    """The function's effect on a matrix."""
    if function is None:
        return x
    if type(function).__name__ == "ufunc" or callable(function):
        stand_in = _Columns(c.graph, x.matrix(c.graph), x.width)
        name = getattr(function, "__name__", repr(function))
        try:
            result = function(stand_in, **(keywords or {}))
        except Unsupported as error:
            raise Unsupported(f"the function {name}: {error}") from error
        except Exception as error:  # the user's code, run on something it was not written for
            raise Unsupported(f"the function {name} does more than element-wise numpy operations ({error})") from error
        if isinstance(result, _Columns) and not result.vector:
            return Value.of(result.tensor, result.width)
        raise Unsupported(f"the function {name} does not return a matrix made of its input's columns")
    raise Unsupported(f"the function {function!r}")


@transforms("sklearn.FunctionTransformer")
def function_transformer(c: Compiler, est: Any, x: Value) -> Value:
    """The recorded operations of the function."""
    return apply_function(c, est.func, est.kw_args, x)
