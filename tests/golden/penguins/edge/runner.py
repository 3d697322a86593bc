"""Temporary."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort

F = Path(__file__).parent
S = json.loads((F / "signature.json").read_text())
s = ort.InferenceSession(str(F / "model.onnx"))
o = S["onnx"]
rows = json.loads(Path(sys.argv[1]).read_text())
names = [c["name"] for c in S["raw"]["inputs"]]
out = []
D = {"double": np.float64, "int64": np.int64, "bool": np.bool_, "string": object}
for r in rows:
    feeds = {}
    for i in o["inputs"]:
        cols = [i["column"]] if i["column"] else names
        null = o["null_string"] if i["type"] == "string" else np.nan
        feeds[i["name"]] = np.array(
            [[null if r.get(c) is None else r[c] for c in cols]], dtype=D[i["type"]]
        )
    outs = {k: v for k, v in o["outputs"].items() if v}
    got = dict(zip(outs, s.run(list(outs.values()), feeds)))
    lab = got.get("label", got.get("prediction"))
    p = got.get("probabilities")
    cl = S["raw"]["output"]["classes"]
    out.append(
        {
            "prediction": lab.ravel().tolist()[0],
            "probabilities": None if p is None else dict(zip(map(str, cl), p[0].tolist())),
        }
    )
print(json.dumps(out))
