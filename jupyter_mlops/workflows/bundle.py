"""The edge bundle's folder: model, schema, golden rows, the browser's runtime, checksums."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

from jupyter_mlops.export.checksums import write_checksums
from jupyter_mlops.notebook.problems import Problem

__all__ = ["write_bundle"]


def write_bundle(project: Path) -> list[Problem]:
    """Fill `edge/` of a project whose `model/` is complete. Returns what is missing from it."""
    edge, model = project / "edge", project / "model"
    edge.mkdir(exist_ok=True)
    for name in ("model.onnx", "signature.json", "golden.json"):
        shutil.copyfile(model / name, edge / name)
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
    write_checksums(edge)
    return problems
