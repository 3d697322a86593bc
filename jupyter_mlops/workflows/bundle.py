"""The edge bundle's folder: model, signature, golden rows, the browser's runtime, checksums.

The bundle takes the model's input. Where that is made of columns of the raw row, unchanged, it is the raw row; where
feature code stands in between, the caller of the bundle runs that code.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.checksums import write_checksums
from jupyter_mlops.notebook.problems import Problem
from jupyter_mlops.signature import Signature
from jupyter_mlops.workflows.composed import features_problem

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["bundle_golden", "bundle_signature", "write_bundle"]


def bundle_signature(model: Signature, frame: pd.DataFrame, identity: bool, onnx: dict[str, Any]) -> dict[str, Any]:
    """The bundle's `signature.json`: what a row of it holds, and how that reaches the ONNX model.

    Parameters
    ----------
    model
        The signature of what the ONNX model takes, as training saw it: of the model's input, or of the raw row.
    frame
        All golden and edge rows of it: a column with a missing value here takes missing values.
    identity
        Whether the raw row is taken, by the names of its columns.
    """
    gaps = {str(name) for name in frame.columns if frame[name].isna().any()}
    # A column of integers with a missing value is one of floats.
    floats = {str(name) for name in frame.columns if frame[name].dtype.kind == "f"}
    inputs = tuple(
        replace(
            c,
            nullable=c.nullable or c.name in gaps,
            kind="float" if c.kind == "integer" and c.name in floats else c.kind,
        )
        for c in model.inputs
    )
    return {"raw": replace(model, inputs=inputs).as_dict(), "identity": identity, "onnx": onnx}


def bundle_golden(frame: pd.DataFrame, golden: dict[str, Any]) -> dict[str, Any]:
    """The golden rows as the bundle takes them; rows with an infinite number, which JSON cannot hold, are left out."""
    from jupyter_mlops.workflows.schemas import json_rows

    rows = json_rows(frame, [str(c) for c in frame.columns])
    columns = [frame[name].tolist() for name in frame.columns]
    kept = [i for i in range(len(rows)) if not any(isinstance(c[i], float) and math.isinf(c[i]) for c in columns)]

    def pick(values: Sequence[Any] | None) -> list[Any] | None:
        return None if values is None else [values[i] for i in kept]

    return {"rows": [rows[i] for i in kept], **{k: pick(golden[k]) for k in ("predictions", "probabilities", "kinds")}}


def write_bundle(project: Path, scratch: Path) -> list[Problem]:
    """Fill `edge/` of a project from its `model/` and from what the export left in `scratch`. Returns what is missing."""
    edge = project / "edge"
    edge.mkdir(exist_ok=True)
    shutil.copyfile(project / "model" / "model.onnx", edge / "model.onnx")
    for name in ("signature.json", "golden.json"):
        shutil.copyfile(scratch / f"bundle.{name}", edge / name)
    runtime = Path(str(files("jupyter_mlops.export") / "web"))
    assets = sorted(p for p in runtime.glob("*") if p.suffix in {".mjs", ".wasm", ".js"}) if runtime.is_dir() else []
    problems = []
    if assets:
        (edge / "vendor").mkdir(exist_ok=True)
        for asset in assets:
            shutil.copyfile(asset, edge / "vendor" / asset.name)
    else:
        problems.append(
            Problem(
                "no-web-runtime",
                "warning",
                "The bundle's page has no onnxruntime-web: this installation came without it.",
                fix="Install jupyter-mlops from a wheel, or run `make web-assets` in a checkout, and convert again.",
            )  # fmt: skip
        )
    signature = json.loads((edge / "signature.json").read_text(encoding="utf-8"))
    if not signature["identity"]:
        refusal = scratch / "program.json"
        problems.append(features_problem(json.loads(refusal.read_text(encoding="utf-8")) if refusal.is_file() else None))
    write_checksums(edge)
    return problems
