"""What fitted, row-aligned operators learn from their data.

Each function is given a call that was made, ``(receiver, function, arguments, keyword arguments, result)``, and gives what
the call learned, with further facts: "fitted" is False where it learned nothing.
"""

from __future__ import annotations

import copy
from typing import Any

Learned = tuple[Any, dict[str, Any]]

def _first(args: tuple[Any, ...], kwargs: dict[str, Any], name: str) -> Any:
    return args[0] if args else kwargs[name]


def _argument(args: tuple[Any, ...], kwargs: dict[str, Any], position: int, name: str, default: Any) -> Any:
    return args[position] if len(args) > position else kwargs.get(name, default)


def learned_levels(receiver: Any, call: Any, args: Any, kwargs: Any, result: Any) -> Learned:
    """`pd.get_dummies`: the levels of every column that it spread out."""
    import pandas as pd

    data = _first(args, kwargs, "data")
    if hasattr(data, "columns"):
        columns = _argument(args, kwargs, 4, "columns", None)
        if columns is None:
            columns = list(data.select_dtypes(include=["object", "string", "category"]).columns)
        return {c: pd.Categorical(data[c]).categories.tolist() for c in columns}, {}
    return pd.Categorical(data).categories.tolist(), {}


def learned_dtype(receiver: Any, call: Any, args: Any, kwargs: Any, result: Any) -> Learned:
    """`astype`, `pd.Categorical`: the categories, in their order. None where the result has none."""
    import pandas as pd

    if hasattr(result, "columns"):
        found = {c: t for c, t in result.dtypes.items() if isinstance(t, pd.CategoricalDtype)}
        return found or None, {"fitted": bool(found)}
    fitted = isinstance(result.dtype, pd.CategoricalDtype)
    return result.dtype if fitted else None, {"fitted": fitted}


def learned_uniques(receiver: Any, call: Any, args: Any, kwargs: Any, result: Any) -> Learned:
    """`factorize`: the level of each code."""
    return list(result[1]), {}


def learned_bins(receiver: Any, call: Any, args: Any, kwargs: Any, result: Any) -> Learned:
    """`pd.cut` with a number of bins, `pd.qcut`: their edges."""
    _, edges = call(*args, **{**kwargs, "retbins": True})
    bins = _argument(args, kwargs, 1, "bins", _argument(args, kwargs, 1, "q", None))
    fitted = getattr(call, "__name__", "") == "qcut" or isinstance(bins, int) or hasattr(bins, "dtype") and getattr(bins, "ndim", 1) == 0
    return [float(edge) for edge in edges] if getattr(edges, "dtype", None) is not None and edges.dtype.kind in "fiu" else edges, {"fitted": fitted}


def learned_transformer(receiver: Any, call: Any, args: Any, kwargs: Any, result: Any) -> Learned:
    """`fit_transform`: the fitted object, as it is behind this call."""
    if not hasattr(receiver, "transform"):
        raise TypeError(f"{type(receiver).__name__} cannot transform rows that it was not fitted on")
    return copy.deepcopy(receiver), {"class": type(receiver).__name__}


def learned_groups(receiver: Any, call: Any, args: Any, kwargs: Any, result: Any) -> Learned:
    """`groupby(...).transform(...)`: the value of each group, where a group has one. Estimators learn nothing in `transform`."""
    import pandas as pd

    if not hasattr(receiver, "ngroup"):
        return None, {"fitted": False}
    keys = receiver.keys if isinstance(receiver.keys, list) else [receiver.keys]
    if not all(isinstance(k, str) for k in keys):
        return None, {"fitted": False}
    frame = result if hasattr(result, "columns") else result.to_frame("value")
    grouped = frame.groupby(receiver.ngroup())
    if (grouped.nunique(dropna=False) > 1).any(axis=None):
        return None, {"fitted": False, "varies": True}
    table = grouped.first()
    sizes = receiver.size()
    if hasattr(sizes, "columns"):  # as_index=False
        sizes = sizes.set_index(keys)
    table.index = sizes.index[table.index.astype(int)]
    return table if hasattr(result, "columns") else table["value"].rename(None), {"fitted": True, "keys": keys}


def learned_encoders(receiver: Any, call: Any, args: Any, kwargs: Any, result: Any) -> Learned:
    """`df.apply(encoder.fit_transform)`: the encoder as fitted on each column."""
    function = _first(args, kwargs, "func")
    owner = getattr(function, "__self__", None)
    if owner is None or getattr(function, "__name__", "") != "fit_transform" or not hasattr(receiver, "columns"):
        return None, {"fitted": False}
    return {c: copy.deepcopy(owner).fit(receiver[c]) for c in receiver.columns}, {"fitted": True}


def learned_moments(receiver: Any, call: Any, args: Any, kwargs: Any, result: Any) -> Learned:
    """`scipy.stats.zscore`, `sklearn.preprocessing.scale`: mean and standard deviation, of each column."""
    import numpy as np

    data = _first(args, kwargs, "a" if "a" in kwargs else "X")
    if _argument(args, kwargs, 1, "axis", 0) != 0 or set(kwargs) - {"a", "X", "axis", "ddof", "nan_policy"}:
        raise TypeError("only the plain call, along the rows, is carried")
    ddof = kwargs.get("ddof", 0)
    if hasattr(data, "std"):
        values = data.astype(float) if hasattr(data, "astype") else data
        plain = not hasattr(values, "iloc")
        mean = values.mean(axis=0) if plain else values.mean(skipna=kwargs.get("nan_policy") == "omit" or getattr(call, "__name__", "") == "scale")
        std = values.std(axis=0, ddof=ddof) if plain else values.std(ddof=ddof, skipna=kwargs.get("nan_policy") == "omit" or getattr(call, "__name__", "") == "scale")
        return (mean, std), {}
    values = np.asarray(data, dtype=float)
    return (values.mean(axis=0), values.std(axis=0, ddof=ddof)), {}


def learned_power(receiver: Any, call: Any, args: Any, kwargs: Any, result: Any) -> Learned:
    """`scipy.stats.boxcox` without a lambda: the lambda that it found."""
    fitted = isinstance(result, tuple)
    return float(result[1]) if fitted else None, {"fitted": fitted}


CAPTURES = {
    "get_dummies": learned_levels,
    "astype": learned_dtype,
    "Categorical": learned_dtype,
    "factorize": learned_uniques,
    "cut": learned_bins,
    "qcut": learned_bins,
    "transform": learned_groups,
    "fit_transform": learned_transformer,
    "apply": learned_encoders,
    "zscore": learned_moments,
    "scale": learned_moments,
    "boxcox": learned_power,
    "yeojohnson": learned_power,
}
