"""Convert real notebooks and print what was proven, as a Markdown table.

    python benchmarks/notebooks.py NOTEBOOK_OR_FOLDER... [--timeout SECONDS] [--keep DIR]

Each notebook is converted on a copy of the folder it stands in, since notebooks write files. A side shows its mismatches
and rows; "-" means that there is none (no exact ONNX form, say).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

_NAMED = {"engineered-boundary", "not-lifted", "looks-at-other-rows", "onnx-unsupported", "onnx-wrong", "bundle-takes-features"}


def _side(parity: dict[str, Any] | None, name: str) -> str:
    one = (parity or {}).get(name)
    return "-" if not one else f"{one['mismatches']} of {one['rows']}" + ("" if one["labels_equal"] else ", labels differ")


def measure(notebook: Path, timeout: float, keep: Path | None) -> str:
    """One row of the table."""
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copytree(notebook.parent, Path(scratch) / "copy")
        out = keep / notebook.stem if keep else Path(scratch) / "out"
        command = [sys.executable, "-m", "jupyter_mlops", "convert", str(Path(scratch) / "copy" / notebook.name), "-o", str(out)]
        started = time.perf_counter()
        try:
            done = subprocess.run(
                [*command, "--no-register", "--force"], capture_output=True, text=True, check=False, timeout=timeout
            )
        except subprocess.TimeoutExpired:
            return f"| {notebook.name} | stopped after {timeout:.0f} s | | | | | |"
        seconds = time.perf_counter() - started
        path = out / "report.json"
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    model = (report.get("model") or {}).get("variable") or "-"
    named = [p["message"] for p in report.get("problems", []) if p["code"] in _NAMED]
    said = report.get("error") or "; ".join(named) or ("" if done.returncode == 0 else done.stderr[-200:])
    cells = [
        notebook.name,
        str(report.get("boundary") or "-"),
        model,
        *(_side(report.get("parity"), s) for s in ("package", "service", "bundle")),
    ]
    return "| " + " | ".join([*cells, f"{seconds:.0f}", " ".join(said.split())[:300].replace("|", "/")]) + " |"


def main() -> int:
    """Print the table; one row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("places", nargs="+", type=Path, metavar="NOTEBOOK_OR_FOLDER")
    parser.add_argument("--timeout", type=float, default=900.0, metavar="SECONDS")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the generated projects here")
    arguments = parser.parse_args()
    found = [n for place in arguments.places for n in (sorted(place.rglob("*.ipynb")) if place.is_dir() else [place])]
    print("| notebook | boundary | model | package | service | bundle | seconds | named |\n|---|---|---|---|---|---|---|---|")
    for notebook in found:
        print(measure(notebook, arguments.timeout, arguments.keep), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
