"""BentoML with the same ONNX session. Runs in an environment of its own."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import bentoml
import numpy as np
import onnxruntime as ort

FOLDER = Path(os.environ["BENCHMARK_PROJECT"]) / "model"
SIGNATURE = json.loads((FOLDER / "signature.json").read_text(encoding="utf-8"))
DTYPES = {"double": np.float64, "int64": np.int64, "bool": np.bool_, "string": np.object_}


@bentoml.service(workers=1)
class Model:
    """The service."""

    def __init__(self) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(FOLDER / "model.onnx", options, providers=["CPUExecutionProvider"])

    @bentoml.api  # type: ignore[untyped-decorator]
    def predict(self, row: dict[str, Any]) -> dict[str, Any]:
        """Predict one row."""
        feeds: dict[str, Any] = {}
        for one in SIGNATURE["onnx"]["inputs"]:
            value = row.get(one["column"])
            if value is None:
                value = SIGNATURE["onnx"]["null_string"] if one["type"] == "string" else np.nan
            feeds[one["name"]] = np.array([[value]], dtype=DTYPES[one["type"]])
        results = self.session.run(None, feeds)
        return {"prediction": results[0].ravel().tolist()[0]}
