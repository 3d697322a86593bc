"""From estimator and signature to an ONNX model: inputs, converters, outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from jupyter_mlops.export.compiler import Compiler
from jupyter_mlops.export.graph import Graph, Unsupported
from jupyter_mlops.export.onnx import OnnxInput, OnnxModel
from jupyter_mlops.export.values import Null, Part, Precision, Value

if TYPE_CHECKING:
    from jupyter_mlops.signature import Column, Signature

__all__ = ["RESERVED", "build_model", "build_transform", "estimator_outputs", "null_string", "output_names", "precision_of"]

RESERVED = {"label", "probabilities", "prediction", "scores"}


def null_string(model_signature: Signature, sample: Any) -> str:
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


def precision_of(dtype: Any) -> Precision:
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
        return (OnnxInput("features", None, "double"),), Value((Part(tensor, width, precision=precision_of(sample.dtype)),))
    inputs, parts, taken = [], [], set(RESERVED)
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
            parts.append(Part(name, 1, precision=precision_of(values.dtype)))
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
    missing = null_string(model_signature, sample)
    inputs, value = _inputs(g, model_signature, sample)
    outputs = estimator_outputs(Compiler(g, missing), estimator, value, model_signature.output.task)
    data = g.model(outputs, {str(key): str(text) for key, text in metadata.items()})
    return OnnxModel(data, inputs, missing, output_names(outputs))


def output_names(outputs: Mapping[str, Any]) -> dict[str, str | None]:
    """The "outputs" of an `OnnxModel`."""
    return {name: name if name in outputs else None for name in ("label", "probabilities", "prediction")}


def estimator_outputs(
    c: Compiler, estimator: Any, value: Value, task: str, guard: Callable[[str, str], str] = lambda tensor, kind: tensor
) -> dict[str, tuple[str, str, int | None]]:
    """The nodes of a fitted estimator; what `Graph.model` takes as outputs.

    `guard` is put around the number that every answer is made of, a tensor and its element type.
    """
    outputs: dict[str, tuple[str, str, int | None]] = {}
    if task == "classification":
        import numpy as np

        if isinstance(estimator.classes_, list) or np.ndim(estimator.classes_) != 1:
            raise Unsupported("more than one target")
        result = c.classify(estimator, value)
        label, kind = _labels(c.graph, guard(result.index, "int64"), estimator.classes_)
        outputs["label"] = (label, kind, None)
        if hasattr(estimator, "predict_proba"):
            if result.probabilities is None:
                advice = "; use CalibratedClassifierCV(SVC(), ensemble=False) instead of SVC(probability=True)"
                raise Unsupported("its probabilities have no exact ONNX form" + (advice if "SVC" in repr(estimator) else ""))
            outputs["probabilities"] = (result.probabilities, "double", len(estimator.classes_))
    elif task == "regression":
        prediction = c.regress(estimator, value)
        outputs["prediction"] = (guard(prediction, "double"), "double", 1)
    else:
        clustered = c.cluster(estimator, value)
        outputs["label"] = (guard(clustered.label, "int64"), "int64", None)
        if clustered.scores is not None:
            outputs["scores"] = (clustered.scores, "double", None)
    return outputs


def build_transform(transformer: Any, model_signature: Signature, sample: Any) -> OnnxModel:
    """The matrix that a transformer makes, as output "prediction"; for finding the step that differs."""
    g = Graph()
    missing = null_string(model_signature, sample)
    inputs, value = _inputs(g, model_signature, sample)
    result = Compiler(g, missing).transform(transformer, value)
    data = g.model({"prediction": (result.matrix(g), "double", result.width)}, {})
    return OnnxModel(data, inputs, missing, {"label": None, "probabilities": None, "prediction": "prediction"})
