"""Encoders of categories. What a category becomes is asked from the fitted encoder itself, one category at a time."""

from __future__ import annotations

import math
from typing import Any

from jupyter_mlops.export.compiler import Compiler, transforms
from jupyter_mlops.export.graph import ML_DOMAIN, Unsupported
from jupyter_mlops.export.values import Part, Value

__all__ = ["encode_column", "lookup"]

_LARGEST = 2**53  # from here on doubles leave out integers


def _missing(value: Any) -> str | None:
    """ "none" or "nan" when the category stands for a missing value."""
    if value is None:
        return "none"
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    return "nan" if type(value).__name__ in {"NAType", "NaTType"} else None


def _keys(c: Compiler, part: Part, categories: list[Any]) -> dict[Any, int]:
    """The value a category has inside the graph, and its position; a missing one that cannot occur is left out."""
    keys: dict[Any, int] = {}
    kinds = {_missing(value) for value in categories} - {None}
    for position, value in enumerate(categories):
        missing = _missing(value)
        if missing is not None:
            if len(kinds) > 1 and part.null is None:
                raise Unsupported("its categories hold both None and nan, which one sentinel cannot tell apart")
            if part.null is not None and part.null != missing and part.kind == "string":
                continue
            keys[c.null_string if part.kind == "string" else math.nan] = position
        elif part.kind == "string":
            if not isinstance(value, str):
                raise Unsupported(f"a text column with the category {value!r}, which is no text")
            keys[str(value)] = position
        else:
            if isinstance(value, str):
                raise Unsupported(f"a column of numbers with the text category {value!r}")
            if isinstance(value, int) and abs(value) >= _LARGEST:
                raise Unsupported(f"the category {value!r}, an integer that a double does not tell from its neighbours")
            keys[float(value)] = position
    return keys


def lookup(c: Compiler, part: Part, keys: dict[Any, Any], default: Any, *, integer: bool) -> str:
    """Map each value of a column through a dictionary, [rows, 1], int64 or double."""
    import numpy as np
    from onnx import numpy_helper

    kind = np.int64 if integer else np.float64
    if not keys:  # nothing is known: every value is the default
        shape = c.graph.op("Shape", part.tensor)
        return c.graph.op("Expand", c.graph.const(np.array([[default]], dtype=kind)), shape)
    domain = np.array(list(keys), dtype=object if part.kind == "string" else np.float64)
    return c.graph.op(
        "LabelEncoder",
        part.tensor,
        domain=ML_DOMAIN,
        keys_tensor=numpy_helper.from_array(domain),
        values_tensor=numpy_helper.from_array(np.array(list(keys.values()), dtype=kind)),
        default_tensor=numpy_helper.from_array(np.array([default], dtype=kind)),
    )


def _frame(est: Any, rows: dict[int, list[Any]], count: int) -> Any:
    """Rows for the encoder: the given values in some columns, a known category in the others, in fitting dtypes."""
    import pandas as pd

    names = list(getattr(est, "feature_names_in_", range(len(est.categories_))))
    columns = []
    for index, categories in enumerate(est.categories_):
        values = rows.get(index, [categories[0]] * count if len(categories) else [math.nan] * count)
        dtype = object if categories.dtype.kind in "UO" else categories.dtype
        try:
            columns.append(pd.Series(values, dtype=dtype, name=names[index]))
        except (ValueError, TypeError):  # a missing value among integers or booleans
            columns.append(pd.Series(values, dtype=object, name=names[index]))
    frame = pd.concat(columns, axis=1)
    return frame if hasattr(est, "feature_names_in_") else frame.to_numpy()


def _ask(est: Any, index: int, values: list[Any]) -> Any:
    """What the fitted encoder makes of `values` in column `index`; sparse or dense, all output columns."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # unknown categories encoded as zeros are what is asked for here
        return est.transform(_frame(est, {index: values}, len(values)))


def _unknown(categories: Any) -> Any:
    """A value that is none of the categories."""
    if categories.dtype.kind in "UO":
        texts = [value for value in categories.tolist() if isinstance(value, str)]
        numbers = [value for value in categories.tolist() if isinstance(value, (int, float)) and not _missing(value)]
        if numbers and not texts:
            return max(numbers) + 1
        return "".join(sorted(texts)[-1:]) + "?unknown"
    if categories.dtype.kind == "b":
        return None
    finite = [value for value in categories.tolist() if not _missing(value)]
    return (max(finite) if finite else 0) + 1


def encode_column(c: Compiler, est: Any, index: int, part: Part, columns: slice, *, one_hot: bool) -> str:
    """One column through the fitted encoder; `columns` says which of its output columns belong to it."""
    import numpy as np

    categories = list(est.categories_[index].tolist())
    width = columns.stop - columns.start
    keys = _keys(c, part, categories)

    def rows(values: list[Any]) -> Any:
        out = _ask(est, index, values)
        out = out.iloc[:, columns] if hasattr(out, "iloc") else out[:, columns]
        return out

    try:
        unknown = rows([_unknown(est.categories_[index])])
    except (ValueError, TypeError):  # handle_unknown="error": the request is refused before the model sees it
        unknown = None
        seen = lookup(c, part, dict.fromkeys(keys, 1), 0, integer=True)
        c.guards.append(c.graph.op("Equal", seen, c.graph.ints(0)))
    if one_hot:
        from scipy import sparse

        known = sparse.csr_matrix(rows(categories)) if categories else sparse.csr_matrix((0, width))
        position = [int(known[i].indices[0]) if known[i].nnz else width for i in range(known.shape[0])]
        nothing = width  # a position beyond the last column: all zeros
        if unknown is not None:
            unknown = sparse.csr_matrix(unknown)
            nothing = int(unknown.indices[0]) if unknown.nnz else width
        codes = lookup(c, part, {key: position[at] for key, at in keys.items()}, nothing, integer=True)
        hits = c.graph.op("Equal", codes, c.graph.const(np.arange(width, dtype=np.int64).reshape(1, -1)))
        return c.graph.cast(hits, "double")
    table = np.asarray(rows(categories), dtype=np.float64).reshape(len(categories), width)
    default = np.full((1, width), np.nan) if unknown is None else np.asarray(unknown, dtype=np.float64).reshape(1, width)
    if width == 1:
        return lookup(c, part, {key: table[at, 0] for key, at in keys.items()}, default[0, 0], integer=False)
    codes = lookup(c, part, keys, len(categories), integer=True)
    return c.graph.op("Gather", c.graph.const(np.vstack([table, default])), c.graph.flat(codes), axis=0)


@transforms("sklearn.OneHotEncoder")
def one_hot_encoder(c: Compiler, est: Any, x: Value) -> Value:
    """One column per category that is not dropped or infrequent."""
    parts, start = [], 0
    for index, width in enumerate(int(n) for n in est._n_features_outs):
        columns = slice(start, start + width)
        start += width
        if width:
            part = x.column(c.graph, index)
            parts.append(Part(encode_column(c, est, index, part, columns, one_hot=True), width))
    return Value(tuple(parts))


@transforms("sklearn.OrdinalEncoder")
def ordinal_encoder(c: Compiler, est: Any, x: Value) -> Value:
    """One number per category."""
    parts = [
        Part(encode_column(c, est, i, x.column(c.graph, i), slice(i, i + 1), one_hot=False), 1)
        for i in range(len(est.categories_))
    ]
    return Value(tuple(parts))


@transforms("sklearn.TargetEncoder")
def target_encoder(c: Compiler, est: Any, x: Value) -> Value:
    """The target's mean within a category, one per class where there are more than two."""
    width = len(est.classes_) if est.target_type_ == "multiclass" else 1
    parts = []
    for i in range(len(est.categories_)):
        columns = slice(i * width, (i + 1) * width)
        parts.append(Part(encode_column(c, est, i, x.column(c.graph, i), columns, one_hot=False), width))
    return Value(tuple(parts))
