"""ONNX export of a fitted scikit-learn estimator that predicts exactly what it predicts, or a refusal that says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from jupyter_mlops.signature import Signature

__all__ = ["OnnxInput", "OnnxModel", "Refusal", "export_onnx", "open_session", "session_options"]


@dataclass(frozen=True)
class OnnxInput:
    """One input of the ONNX model; `column` is None where it takes all columns at once."""

    name: str
    column: str | None
    type: Literal["double", "int64", "bool", "string"]


@dataclass(frozen=True)
class OnnxModel:
    """A converted and checked model. `outputs` has the keys label, probabilities and prediction."""

    data: bytes
    inputs: tuple[OnnxInput, ...]
    null_string: str
    outputs: dict[str, str | None]

    def as_dict(self) -> dict[str, Any]:
        """The "onnx" object of `signature.json`."""
        return {
            "inputs": [asdict(one) for one in self.inputs],
            "null_string": self.null_string,
            "outputs": dict(self.outputs),
        }


@dataclass(frozen=True)
class Refusal:
    """Why there is no ONNX model.

    `code` is "onnx-unsupported" (no exact counterpart), "onnx-wrong" (converted, but some row differed) or
    "onnx-missing-package".
    """

    reason: str
    code: str


def session_options() -> Any:
    """One thread, no spinning, no warnings about constants: a worker serves one small request at a time."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    return options


def open_session(data: bytes) -> Any:
    """An ONNX Runtime session on the CPU."""
    import onnxruntime

    return onnxruntime.InferenceSession(data, session_options(), providers=["CPUExecutionProvider"])


def export_onnx(
    estimator: Any, model_signature: Signature, sample: Any, *, metadata: Mapping[str, str] = {}
) -> OnnxModel | Refusal:
    """Convert an estimator, load the result in ONNX Runtime and compare both on real rows.

    Parameters
    ----------
    estimator
        Fitted scikit-learn estimator or pipeline.
    model_signature
        Schema of the model's input.
    sample
        Rows of model input as the notebook made them: a DataFrame, a 2-d array or a Series.
    metadata
        Written into the model's properties.

    Returns
    -------
    OnnxModel | Refusal
        A model that predicted, on the sample and on edge rows made of it, what the estimator predicts; otherwise the
        reason why there is none.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        return Refusal(f"{error.name} is not installed; add it with: pip install onnx onnxruntime", "onnx-missing-package")
    from jupyter_mlops.export.build import build_model
    from jupyter_mlops.export.check import check_model
    from jupyter_mlops.export.graph import Unsupported

    try:
        model = build_model(estimator, model_signature, sample, metadata)
    except Unsupported as error:
        return Refusal(f"{type(estimator).__name__} has no exact ONNX form: {error}", "onnx-unsupported")
    except ImportError as error:
        return Refusal(f"The conversion needs {error.name}, which is not installed", "onnx-missing-package")
    except Exception as error:  # an attribute that another release names otherwise, an object nobody thought of
        return Refusal(f"{type(estimator).__name__} could not be converted: {_short(error)}", "onnx-unsupported")
    try:
        return check_model(estimator, model_signature, sample, model) or model
    except Exception as error:  # the notebook's objects run here too; what could not be compared is not handed out
        return Refusal(
            f"{type(estimator).__name__} could not be compared with its ONNX form: {_short(error)}", "onnx-unsupported"
        )


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
