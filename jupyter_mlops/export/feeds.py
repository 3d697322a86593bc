"""The one place that turns rows of model input into what ONNX Runtime is fed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import ExportError
from jupyter_mlops.export.parity import Predictions

if TYPE_CHECKING:
    import numpy as np

    from jupyter_mlops.export.onnx import OnnxInput, OnnxModel

__all__ = ["feeds", "numbers", "run_onnx", "strings"]


def numbers(values: Any) -> np.ndarray:
    """Values as doubles; whatever pandas calls missing becomes NaN. Booleans count as 0 and 1."""
    import numpy as np
    import pandas as pd

    array = np.asarray(values, dtype=object) if not hasattr(values, "dtype") else values
    if getattr(array.dtype, "kind", "") == "M":  # dates: microseconds since 1970
        moments = np.asarray(array, dtype="datetime64[us]")
        return np.where(np.isnat(moments), np.nan, moments.astype(np.int64).astype(np.float64))
    if isinstance(array, np.ndarray) and array.dtype.kind in "fiub":
        return array.astype(np.float64)
    series = pd.Series(array.ravel() if isinstance(array, np.ndarray) else array)
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(object)
    flat: np.ndarray = series.to_numpy(dtype=np.float64, na_value=np.nan)
    return flat.reshape(np.shape(array))


def strings(values: Any, null_string: str) -> np.ndarray:
    """Values as an object array of str, with the sentinel for whatever pandas calls missing."""
    import numpy as np
    import pandas as pd

    series = pd.Series(np.asarray(values, dtype=object).ravel(), dtype=object)
    out: np.ndarray = series.map(lambda value: value if isinstance(value, str) else str(value)).to_numpy(dtype=object)
    out[series.isna().to_numpy()] = null_string
    return out


def feeds(model_input: Any, inputs: Sequence[OnnxInput], null_string: str) -> dict[str, np.ndarray]:
    """ONNX feeds for rows of model input.

    Parameters
    ----------
    model_input
        A DataFrame (columns by name), a 2-d array, or a Series or list of one column.
    inputs
        The model's inputs, from `OnnxModel.inputs`.
    null_string
        What stands for a missing string.
    """
    import numpy as np
    import pandas as pd

    by_name = {str(name): name for name in model_input.columns} if isinstance(model_input, pd.DataFrame) else {}
    out: dict[str, np.ndarray] = {}
    for wanted in inputs:
        values: Any
        if wanted.column is None or not isinstance(model_input, pd.DataFrame):
            values = model_input.to_numpy() if isinstance(model_input, pd.DataFrame) else model_input
            if not isinstance(values, pd.Series):
                values = np.asarray(values, dtype=object if isinstance(values, list) else None)
        elif wanted.column in by_name:
            values = model_input[by_name[wanted.column]]
        else:
            raise ExportError(f"The rows have no column {wanted.column!r}; the model needs it.")
        if wanted.type == "string":
            out[wanted.name] = strings(values, null_string).reshape(-1, 1)
            continue
        array = numbers(values)
        array = array.reshape(-1, 1) if array.ndim == 1 else array
        kind = {"double": np.float64, "int64": np.int64, "bool": np.bool_}[wanted.type]
        out[wanted.name] = np.ascontiguousarray(array, dtype=kind)
    return out


def run_onnx(session: Any, model_input: Any, model: OnnxModel) -> Predictions:
    """Predict with an ONNX Runtime session of `model`."""
    import numpy as np

    names = [name for name in model.outputs.values() if name is not None]
    results = dict(zip(names, session.run(names, feeds(model_input, model.inputs, model.null_string)), strict=True))
    label = model.outputs.get("label")
    prediction = model.outputs.get("prediction")
    probabilities = model.outputs.get("probabilities")
    labels = np.asarray(results[label]) if label else np.asarray(results[str(prediction)]).reshape(-1)
    return Predictions(labels, np.asarray(results[probabilities]) if probabilities else None)
