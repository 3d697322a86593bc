"""The table of converters: which function turns which fitted estimator into ONNX nodes.

To add one, write a function in `jupyter_mlops/export/converters/` and decorate it with the class names it serves:

    @transforms("sklearn.MaxAbsScaler")
    def max_abs_scaler(c: Compiler, est: Any, x: Value) -> Value: ...

It repeats what the estimator's own `transform` or `predict` computes, in the same order and precision, and raises
`Unsupported` for a setting that it does not cover. Then add the estimator to `tests/unit/export/matrix.py`. A class is
served under its own name, and a subclass of it when it changes nothing: otherwise it may compute something else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jupyter_mlops.export.graph import Graph, Unsupported
from jupyter_mlops.export.values import Value

__all__ = [
    "Classified",
    "Clustered",
    "Compiler",
    "class_name",
    "classifies",
    "clusters",
    "registered",
    "regresses",
    "transforms",
]


@dataclass(frozen=True)
class Classified:
    """A classifier's result: index into `classes_` [rows], probabilities [rows, classes], decision values.

    `decision` has the shape scikit-learn gives it, with one column in the binary case.
    """

    index: str
    probabilities: str | None = None
    decision: str | None = None


@dataclass(frozen=True)
class Clustered:
    """A clusterer's or outlier detector's integer label [rows], with a score matrix where there is one."""

    label: str
    scores: str | None = None


Transform = Callable[["Compiler", Any, Value], Value]
Classify = Callable[["Compiler", Any, Value], Classified]
Regress = Callable[["Compiler", Any, Value], str]
Cluster = Callable[["Compiler", Any, Value], Clustered]

_TRANSFORMS: dict[str, Transform] = {}
_CLASSIFIES: dict[str, Classify] = {}
_REGRESSES: dict[str, Regress] = {}
_CLUSTERS: dict[str, Cluster] = {}


_LIBRARIES = {"sklearn", "xgboost", "lightgbm"}
_DOCUMENTATION = {
    *("__module__ __doc__ __qualname__ __annotations__ __dict__ __weakref__ __parameters__ __signature__".split()),
    *("__abstractmethods__ _abc_impl __firstlineno__ __static_attributes__ _sklearn_auto_wrap_output_keys".split()),
}
_METHODS = ("predict", "predict_proba", "decision_function", "transform")


def _changes_nothing(kind: type) -> bool:
    """Whether a class has one parent and no attribute of its own, those aside that Python and scikit-learn put there."""
    own = (name for name in vars(kind) if name not in _DOCUMENTATION)
    return len(kind.__bases__) == 1 and all(name.startswith("set_") and name.endswith("_request") for name in own)


def class_name(estimator: Any) -> str:
    """Library and class, such as "sklearn.Pipeline": modules move between releases, these do not.

    A subclass goes by its parent's name only when it changes nothing of it.
    """
    kind = type(estimator)
    while kind.__module__.split(".")[0] not in _LIBRARIES and _changes_nothing(kind):
        kind = kind.__bases__[0]
    return f"{kind.__module__.split('.')[0]}.{kind.__qualname__}"


def _lookup(table: dict[str, Any], estimator: Any) -> Any:
    name = class_name(estimator)
    found = table.get(name)
    if found is None:
        raise Unsupported(f"{name} has no converter")
    replaced = [method for method in _METHODS if method in getattr(estimator, "__dict__", {})]
    if replaced:
        raise Unsupported(f"{name} whose {replaced[0]} was replaced by another function")
    return found


def _into(table: dict[str, Any], names: tuple[str, ...]) -> Callable[[Any], Any]:
    def register(function: Any) -> Any:
        for name in names:
            if name in table:
                raise ValueError(f"two converters for {name}")
            table[name] = function
        return function

    return register


def transforms(*names: str) -> Callable[[Transform], Transform]:
    """Register the converter of transformers."""
    return _into(_TRANSFORMS, names)


def classifies(*names: str) -> Callable[[Classify], Classify]:
    """Register the converter of classifiers."""
    return _into(_CLASSIFIES, names)


def regresses(*names: str) -> Callable[[Regress], Regress]:
    """Register the converter of regressors; it returns a matrix of one column."""
    return _into(_REGRESSES, names)


def clusters(*names: str) -> Callable[[Cluster], Cluster]:
    """Register the converter of clusterers and outlier detectors."""
    return _into(_CLUSTERS, names)


def registered() -> dict[str, tuple[str, ...]]:
    """The names served, by role."""
    _load()
    tables: dict[str, dict[str, Any]] = {
        "transform": _TRANSFORMS,
        "classify": _CLASSIFIES,
        "regress": _REGRESSES,
        "cluster": _CLUSTERS,
    }
    return {role: tuple(sorted(table)) for role, table in tables.items()}


def _load() -> None:
    import importlib
    import pkgutil

    from jupyter_mlops.export import converters

    for module in pkgutil.iter_modules(converters.__path__):
        importlib.import_module(f"{converters.__name__}.{module.name}")


class Compiler:
    """Looks up converters and hands them the graph; converters call back for the estimators they contain."""

    def __init__(self, graph: Graph, null_string: str) -> None:
        _load()
        self.graph = graph
        self.null_string = null_string
        self.guards: list[str] = []  # [rows, 1] booleans: values that the estimator itself raises on

    def transform(self, estimator: Any, x: Value) -> Value:
        """The output of `estimator.transform`."""
        found: Transform = _lookup(_TRANSFORMS, estimator)
        return found(self, estimator, x)

    def classify(self, estimator: Any, x: Value) -> Classified:
        """The outputs of a classifier."""
        found: Classify = _lookup(_CLASSIFIES, estimator)
        return found(self, estimator, x)

    def regress(self, estimator: Any, x: Value) -> str:
        """The prediction of a regressor, [rows, 1]."""
        found: Regress = _lookup(_REGRESSES, estimator)
        return found(self, estimator, x)

    def cluster(self, estimator: Any, x: Value) -> Clustered:
        """The label of a clusterer or outlier detector."""
        found: Cluster = _lookup(_CLUSTERS, estimator)
        return found(self, estimator, x)
