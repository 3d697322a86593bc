"""A bare ASGI application: msgspec decodes the row, ONNX Runtime predicts it. No framework, no checks, no batching."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnxruntime as ort

FOLDER = Path(os.environ["BENCHMARK_PROJECT"]) / "model"
SIGNATURE = json.loads((FOLDER / "signature.json").read_text(encoding="utf-8"))
DTYPES = {"double": np.float64, "int64": np.int64, "bool": np.bool_, "string": np.object_}
OUTPUT = SIGNATURE["raw"]["output"]
CLASSES = [str(label) for label in OUTPUT["classes"] or ()]
NULL = SIGNATURE["onnx"]["null_string"]
INPUTS = [
    (one["name"], one["column"], DTYPES[one["type"]], NULL if one["type"] == "string" else np.nan)
    for one in SIGNATURE["onnx"]["inputs"]
]
OUTPUTS = [
    name
    for name in (
        SIGNATURE["onnx"]["outputs"]["label"] or SIGNATURE["onnx"]["outputs"]["prediction"],
        SIGNATURE["onnx"]["outputs"]["probabilities"],
    )
    if name
]

options = ort.SessionOptions()
options.intra_op_num_threads = 1
session = ort.InferenceSession(FOLDER / "model.onnx", options, providers=["CPUExecutionProvider"])
decode = msgspec.json.Decoder(dict[str, Any]).decode
encode = msgspec.json.Encoder().encode


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer one request."""
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        if not message["more_body"]:
            break
    row = decode(body)
    feeds: dict[str, Any] = {}
    for name, column, dtype, null in INPUTS:
        value = row.get(column)
        feeds[name] = np.array([[null if value is None else value]], dtype=dtype)
    results = session.run(OUTPUTS, feeds)
    answer: dict[str, Any] = {"prediction": results[0].ravel().tolist()[0]}
    if len(results) > 1:
        answer["probabilities"] = dict(zip(CLASSES, results[1][0].tolist(), strict=True))
    content = encode(answer)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})
