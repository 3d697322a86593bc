"""Fitted scikit-learn objects that the program carries: they go through the exporter's own converters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from jupyter_mlops.export.build import precision_of
from jupyter_mlops.export.graph import Unsupported
from jupyter_mlops.export.program.cells import Cell, Tracer
from jupyter_mlops.export.program.symbols import Symbol, contains_symbol
from jupyter_mlops.export.values import Part, Value

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["call_fitted", "to_value"]


def to_value(t: Tracer, x: Symbol, estimator: Any) -> Value:
    """A table as scikit-learn gets it: columns by position, with the precision of their dtypes."""
    parts: list[Part] = []
    at = 0
    dtypes = x.dtypes()
    while at < len(x.cells):
        cell = x.cells[at]
        if cell.kind == "text":
            _no_none(x, at)
            parts.append(t.texts(cell, estimator))
            at += 1
            continue
        if cell.kind != "number":  # a column transformer may leave it alone; whoever takes it refuses such texts
            parts.append(Part(t.full("", cell.block), 1, "string", partial=True))
            at += 1
            continue
        precision = precision_of(dtypes[at])
        stop = at + 1
        while stop < len(x.cells) and x.cells[stop].kind == "number" and precision_of(dtypes[stop]) == precision:
            stop += 1
        for tensor, group in t.runs(x.cells[at:stop]):
            parts.append(Part(tensor, len(group), precision=precision))
        at = stop
    return Value(tuple(parts))


def _no_none(x: Symbol, at: int) -> None:
    column: pd.Series | Any = x.column(at)
    if any(value is None for value in column):
        raise Unsupported("None and nan in a text column; requests hold nan")


def call_fitted(t: Tracer, estimator: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """estimator.transform(x): what scikit-learn makes of the sample rows, and the cells."""
    if name != "transform" or kwargs or len(args) != 1 or not isinstance(args[0], Symbol):
        raise Unsupported(f"{type(estimator).__name__}.{name} of columns")
    import warnings

    x = args[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            out = estimator.transform(x.shadow)
        except Exception as error:
            raise Unsupported(f"transform fails on the sample rows: {type(error).__name__}: {str(error)[:200]}") from error
    if type(estimator).__name__ == "LabelEncoder":
        return out, [_label_encoder(t, estimator, x)]
    value = t.compiler.transform(estimator, to_value(t, x, estimator))
    return out, t.cells(value)


def _label_encoder(t: Tracer, estimator: Any, x: Symbol) -> Cell:
    """The position of each class; another value raises."""
    import numpy as np

    if contains_symbol(estimator) or type(estimator).__module__.split(".")[0] != "sklearn":
        raise Unsupported("an encoder of the notebook's own")
    classes = estimator.classes_.tolist()
    code = t.code(x.cell, classes)
    unknown = t.g.op("Less", code, t.g.ints(0))
    missing: Any = None
    try:
        missing = int(estimator.transform(np.array([math.nan], dtype=object if x.cell.kind == "text" else float))[0])
    except (ValueError, TypeError):
        t.refuse(unknown)
    else:
        t.refuse(t.g.op("And", unknown, t.g.op("Not", t.missing(x.cell))))
    made = Cell(t.g.cast(code, "double"), domain=tuple(range(len(classes))))
    return made if missing is None else t.where(t.missing(x.cell), t.constant(missing, t.base(x.cell)), made)
