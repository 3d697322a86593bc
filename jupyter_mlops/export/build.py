"""From estimator and signature to an ONNX model: inputs, converters, outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jupyter_mlops.export.compiler import Compiler
from jupyter_mlops.export.graph import Graph, Unsupported
from jupyter_mlops.export.onnx import OnnxInput, OnnxModel
from jupyter_mlops.export.values import Null, Part, Precision, Value

if TYPE_CHECKING:
    from jupyter_mlops.signature import Column, Signature

__all__ = ["build_model", "build_transform"]

_RESERVED = {"label", "probabilities", "prediction", "scores"}


def _null_string(model_signature: Signature, sample: Any) -> str:
    """A text that no known value equals."""
    import numpy as np
    import pandas as pd

    known = {str(value) for column in model_signature.inputs for value in column.categories or ()}
    columns = [sample[name] for name in sample.columns] if isinstance(sample, pd.DataFrame) else [sample]
    for column in columns:
        array = np.asarray(column, dtype=object) if not isinstance(column, np.ndarray) else column
        if array.dtype == object:
            known.update(value for value in array.ravel() if isinstance(value, str))
    name = "<missing>"
    while name in known:
        name = f"<{name}>"
    return name


def _null_of(values: Any) -> Null | None:
    for value in values:
        if value is None:
            return "none"
        if not isinstance(value, str):
            return "nan"
    return None


def _column_kind(column: Column, values: Any) -> str:
    """ "double" or "string"; the values decide where the signature leaves a doubt."""
    import numpy as np
    import pandas as pd

    if column.kind == "datetime" or (hasattr(values, "dtype") and getattr(values.dtype, "kind", "") in "mM"):
        raise Unsupported(f"column {column.name!r} holds dates; ONNX inputs are numbers and text")
    array = np.asarray(values, dtype=object).ravel()
    present = array[~pd.isna(array)]
    texts = sum(isinstance(value, str) for value in present)
    if texts == 0:
        if len(present) == 0:
            return "string" if column.kind == "string" else "double"
        if not all(isinstance(value, (bool, int, float, np.number, np.bool_)) for value in present):
            raise Unsupported(f"column {column.name!r} holds values that are neither numbers nor text")
        return "double"
    if texts < len(present):
        raise Unsupported(f"column {column.name!r} mixes text with other values")
    return "string"


def _precision(dtype: Any) -> Precision:
    """Of a column of this numpy or pandas dtype."""
    import numpy as np

    plain = getattr(dtype, "numpy_dtype", dtype)  # pandas' nullable dtypes
    if not isinstance(plain, np.dtype) or plain.kind not in "fiub":
        return "double"
    if plain.kind == "f":
        return "single" if plain.itemsize <= 4 else "double"
    return "narrow" if plain.itemsize <= 2 else "double"


def _inputs(g: Graph, model_signature: Signature, sample: Any) -> tuple[tuple[OnnxInput, ...], Value]:
    import numpy as np
    import pandas as pd

    columns = model_signature.inputs
    if model_signature.layout == "array":
        width = len(columns)
        tensor = g.input("features", "double", width)
        return (OnnxInput("features", None, "double"),), Value((Part(tensor, width, precision=_precision(sample.dtype)),))
    inputs, parts, taken = [], [], set(_RESERVED)
    by_name = {str(name): name for name in sample.columns} if isinstance(sample, pd.DataFrame) else {}
    if isinstance(sample, pd.DataFrame) and len(by_name) != sample.shape[1]:
        raise Unsupported("two columns of the same name")
    for column in columns:
        values = sample[by_name[column.name]] if isinstance(sample, pd.DataFrame) else pd.Series(sample)
        kind = _column_kind(column, values)
        name = column.name or "text"
        while name in taken:
            name = f"input_{name}"
        taken.add(name)
        g.input(name, kind, 1)
        if kind == "string":
            array = np.asarray(values, dtype=object)
            inputs.append(OnnxInput(name, column.name, "string"))
            parts.append(Part(name, 1, "string", _null_of(array[pd.isna(array)])))
        else:
            inputs.append(OnnxInput(name, column.name, "double"))
            parts.append(Part(name, 1, precision=_precision(values.dtype)))
    return tuple(inputs), Value(tuple(parts))


def _labels(g: Graph, index: str, classes: Any) -> tuple[str, str]:
    """The class at each index, and the element type of the output."""
    import numpy as np

    values = np.asarray(classes)
    if values.dtype.kind in "UO":
        if not all(isinstance(value, str) for value in values.tolist()):
            raise Unsupported("classes that mix text with other values")
        return g.op("Gather", g.const(values.astype(object)), index, axis=0), "string"
    if values.dtype.kind == "b":
        return g.op("Gather", g.const(values), index, axis=0), "bool"
    if values.dtype.kind in "iu":
        return g.op("Gather", g.const(values.astype(np.int64)), index, axis=0), "int64"
    return g.op("Gather", g.const(values.astype(np.float64)), index, axis=0), "double"


def build_model(estimator: Any, model_signature: Signature, sample: Any, metadata: Mapping[str, str]) -> OnnxModel:
    """Convert; raises `Unsupported` where there is no exact counterpart. Nothing is compared yet."""
    g = Graph()
    null_string = _null_string(model_signature, sample)
    inputs, value = _inputs(g, model_signature, sample)
    c = Compiler(g, null_string)
    names: dict[str, str | None] = {"label": None, "probabilities": None, "prediction": None}
    outputs: dict[str, tuple[str, str, int | None]] = {}
    task = model_signature.output.task
    if task == "classification":
        import numpy as np

        if isinstance(estimator.classes_, list) or np.ndim(estimator.classes_) != 1:
            raise Unsupported("more than one target")
        result = c.classify(estimator, value)
        label, kind = _labels(g, result.index, estimator.classes_)
        outputs["label"] = (label, kind, None)
        if hasattr(estimator, "predict_proba"):
            if result.probabilities is None:
                advice = "; use CalibratedClassifierCV(SVC(), ensemble=False) instead of SVC(probability=True)"
                raise Unsupported("its probabilities have no exact ONNX form" + (advice if "SVC" in repr(estimator) else ""))
            outputs["probabilities"] = (result.probabilities, "double", len(estimator.classes_))
    elif task == "regression":
        outputs["prediction"] = (c.regress(estimator, value), "double", 1)
    else:
        clustered = c.cluster(estimator, value)
        outputs["label"] = (clustered.label, "int64", None)
        if clustered.scores is not None:
            outputs["scores"] = (clustered.scores, "double", None)
    for name in outputs:
        if name in names:
            names[name] = name
    data = g.model(outputs, {str(key): str(text) for key, text in metadata.items()})
    return OnnxModel(data, inputs, null_string, names)


def build_transform(transformer: Any, model_signature: Signature, sample: Any) -> OnnxModel:
    """The matrix that a transformer makes, as output "prediction"; for finding the step that differs."""
    g = Graph()
    null_string = _null_string(model_signature, sample)
    inputs, value = _inputs(g, model_signature, sample)
    result = Compiler(g, null_string).transform(transformer, value)
    data = g.model({"prediction": (result.matrix(g), "double", result.width)}, {})
    return OnnxModel(data, inputs, null_string, {"label": None, "probabilities": None, "prediction": "prediction"})
