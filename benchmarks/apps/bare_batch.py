"""The loop that anybody would write: Arrow batches through ONNX Runtime, and out again.

    python benchmarks/apps/bare_batch.py PROJECT IN OUT ROWS

Numbers go in as doubles, strings as objects; ONNX Runtime uses all cores, as it does by default. Prints the seconds.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pyarrow as pa
import pyarrow.parquet as pq


def main(project: Path, given: Path, out: Path, rows: int) -> float:
    """Score a file; returns the seconds that it took."""
    started = time.monotonic()
    onnx = json.loads((project / "model" / "signature.json").read_text(encoding="utf-8"))["onnx"]
    session = ort.InferenceSession(project / "model" / "model.onnx", providers=["CPUExecutionProvider"])
    outputs = [onnx["outputs"]["label"], onnx["outputs"]["probabilities"]]
    writer = None
    for batch in pq.ParquetFile(given).iter_batches(rows):
        feeds = {}
        for one in onnx["inputs"]:
            column = batch.column(one["column"])
            filled = column.fill_null(onnx["null_string"]) if one["type"] == "string" else column.cast(pa.float64())
            feeds[one["name"]] = filled.to_numpy(zero_copy_only=False).reshape(-1, 1)
        label, probabilities = session.run(outputs, feeds)
        arrays = [*batch.columns, pa.array(label.reshape(-1)), *(pa.array(np.ascontiguousarray(one)) for one in probabilities.T)]
        names = [*batch.schema.names, "prediction", *(f"probability_{n}" for n in range(probabilities.shape[1]))]
        scored = pa.RecordBatch.from_arrays(arrays, names=names)
        writer = writer or pq.ParquetWriter(out, scored.schema)
        writer.write_batch(scored)
    if writer is not None:
        writer.close()
    return time.monotonic() - started


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])))
