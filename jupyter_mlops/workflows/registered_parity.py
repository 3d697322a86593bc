"""The registered model against the notebook's own predictions, in a process of its own.

    python -m jupyter_mlops.workflows.registered_parity PROJECT MODEL RESULT

The model's code is imported there and nowhere else, as MLflow serves it: by its pyfunc, with the signature enforced.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_mlops.checksums import file_digest
from jupyter_mlops.workflows.registered_model import ask_model, in_process

__all__ = ["changed_files", "compare_registered", "main"]


def changed_files(project: Path, model: Path) -> list[str]:
    """Files in which a registered model (a folder of MLflow's) differs from the project that it was made of."""
    package = json.loads((project / "model" / "metadata.json").read_text(encoding="utf-8"))["package"]
    differing = []
    for here, there in (
        (project / "model", model / "artifacts" / "model"),
        (project / "src" / package, model / "code" / package),
    ):
        ours, theirs = _hashes(here), _hashes(there)
        differing += [
            (here / name).relative_to(project).as_posix()
            for name in sorted(ours.keys() | theirs.keys())
            if ours.get(name) != theirs.get(name)
        ]
    return differing  # fmt: skip


def _hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): file_digest(path)
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def compare_registered(
    project: Path, model: Path, *, python: str = sys.executable, seconds: float = 300.0, ask: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Run the comparison; gives a comparison with ``changed``, ``seconds`` and ``tolerance``, or ``error`` and ``log``."""
    try:
        changed = changed_files(project, model)
    except (OSError, ValueError, KeyError) as error:
        return {"error": f"The project has no model/metadata.json that can be read ({error}). Convert the notebook again."}
    if changed:
        return {"changed": changed}
    with tempfile.TemporaryDirectory(prefix="jupyter-mlops-") as scratch:
        module = "jupyter_mlops.workflows.registered_parity"
        found = in_process(module, [str(project), str(model)], Path(scratch), python=python, seconds=seconds, ask=ask)
    return found if found.get("error") else {**found, "changed": []}


def main(project: str, model: str, result: str) -> None:
    """The process' side: load, predict, compare, write."""
    started = time.perf_counter()
    warnings.simplefilter("ignore")
    from jupyter_mlops.export.parity import Predictions, Tolerance, compare
    from jupyter_mlops.workflows.verify import _expected

    root = Path(project)
    golden, parity, signature = (
        json.loads((root / "model" / f"{name}.json").read_text(encoding="utf-8")) for name in ("golden", "parity", "signature")
    )
    task = signature["raw"]["output"]["task"]
    answer = ask_model(model, golden["rows"])
    expected = _expected(golden, task)
    names = [name for name in answer.columns if name.startswith("probability_")]
    got = Predictions(
        answer["prediction"].to_numpy(dtype=float if task == "regression" else object),
        answer[names].to_numpy(dtype=float) if names and expected.probabilities is not None else None,
    )
    allowed = Tolerance(**parity["tolerance"])
    made = compare(expected, got, allowed, task=task).as_dict()
    made |= {"tolerance": allowed.absolute, "predictSeconds": round(time.perf_counter() - started, 2)}
    Path(result).write_text(json.dumps(made), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
