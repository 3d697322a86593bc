"""FastAPI with pydantic and the scikit-learn model in a pandas frame, as people write it."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from fastapi import FastAPI
from pydantic import create_model

PROJECT = Path(os.environ["BENCHMARK_PROJECT"])
sys.path.insert(0, str(PROJECT / "src"))
METADATA = json.loads((PROJECT / "model" / "metadata.json").read_text(encoding="utf-8"))
COLUMNS = json.loads((PROJECT / "model" / "signature.json").read_text(encoding="utf-8"))["raw"]["inputs"]
TYPES: dict[str, Any] = {"float": float, "integer": int, "boolean": bool}

model = importlib.import_module(f"{METADATA['package']}.persist").load_model()
build_features = importlib.import_module(f"{METADATA['package']}.features").build_features
raw_frame = importlib.import_module(f"{METADATA['package']}.schema").raw_frame
Row = create_model(  # type: ignore[call-overload]
    "Row",
    **{
        c["name"]: (TYPES.get(c["kind"], str) | None, None) if c["nullable"] else (TYPES.get(c["kind"], str), ...)
        for c in COLUMNS
    },
)
app = FastAPI()


def predict(row: Any) -> dict[str, Any]:
    """Predict one row."""
    features = build_features(raw_frame({name: [value] for name, value in row.model_dump().items()}))
    assert isinstance(features, pd.DataFrame) or len(features) == 1
    answer: dict[str, Any] = {"prediction": model.predict(features).tolist()[0]}
    if hasattr(model, "predict_proba"):
        classes = map(str, model.classes_.tolist())
        answer["probabilities"] = dict(zip(classes, model.predict_proba(features)[0].tolist(), strict=True))
    return answer


predict.__annotations__["row"] = Row
app.post("/predict")(predict)
