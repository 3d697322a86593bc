"""The signature: the schema of a model's input and output, as it is written into `signature.json`.

It is read off the frames that the notebook really used and crosses every layer (request models of the service, ONNX
inputs, MLflow's signature, edge bundle), so it stands below all of them and imports nothing heavy.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = ["Column", "Kind", "Layout", "Output", "Signature", "Task"]

Kind = Literal["float", "integer", "boolean", "string", "datetime"]
Layout = Literal["frame", "array", "series"]
Task = Literal["classification", "regression", "clustering", "outlier"]


@dataclass(frozen=True)
class Column:
    """One input column.

    `nullable` and `closed` are not what the training rows happened to hold but what the notebook's own fitted objects
    were seen to accept: a column is nullable when a row with a missing value there was predicted, and its categories
    are closed when a value outside of them was refused.
    """

    name: str
    dtype: str  # pandas dtype of the training frame: "int64", "float32", "object", "category", "datetime64[ns]", ...
    kind: Kind
    nullable: bool = False
    categories: tuple[str | int | float | bool, ...] | None = None  # of string, category and boolean columns with few levels
    closed: bool = False  # only `categories` are accepted
    minimum: float | None = None  # as seen in training; documents the column, never refuses a request
    maximum: float | None = None
    example: Any = None  # a JSON value of a real row; datetimes are ISO 8601 strings


@dataclass(frozen=True)
class Output:
    """What a prediction is. `classes` are the labels in the order of the probabilities, JSON values."""

    task: Task
    dtype: str  # numpy dtype of the prediction: "int64", "float64", "object", ...
    classes: tuple[str | int | float | bool, ...] | None = None
    probabilities: bool = False


@dataclass(frozen=True)
class Signature:
    """Input columns in order, how they reach the estimator, and the output.

    `layout` is "frame" (a DataFrame, columns by name), "array" (a 2-d numpy array, columns by position) or "series"
    (one column handed over as a 1-d Series or list, as text vectorisers want it).
    """

    inputs: tuple[Column, ...]
    output: Output
    layout: Layout = "frame"

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Signature:
        """The inverse of `as_dict`; lists from JSON become tuples again."""

        def tuples(row: dict[str, Any], name: str) -> dict[str, Any]:
            return {**row, name: None if row.get(name) is None else tuple(row[name])}

        return cls(
            inputs=tuple(Column(**tuples(row, "categories")) for row in data["inputs"]),
            output=Output(**tuples(data["output"], "classes")),
            layout=data.get("layout", "frame"),
        )
