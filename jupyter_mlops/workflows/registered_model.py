"""The registered model about rows, in a process of its own.

    python -m jupyter_mlops.workflows.registered_model MODEL ROWS RESULT

The model's code is imported there and nowhere else, as MLflow serves it: by its pyfunc, with the signature enforced.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.promotion.process import run_module

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ask_model", "in_process", "main", "predict_registered"]

_NAMED = 8  # columns that a message names


class _Missing(LookupError):
    """Columns that the model needs and the rows do not have: the arguments."""


def in_process(
    module: str, arguments: Sequence[str], scratch: Path, *, python: str = sys.executable, seconds: float = 300.0,
    ask: Callable[[], None] = lambda: None,
) -> dict[str, Any]:  # fmt: skip
    """Have a module ask a registered model, see `run_module`.

    Returns
    -------
    dict
        The result with ``seconds`` and ``log``; or ``error`` and ``log``.
    """
    done, found = run_module(
        module, arguments, python=python, folder=scratch, seconds=seconds, ask=ask, MLFLOW_DISABLE_TELEMETRY="true"
    )
    if done.code is None:
        return {"error": f"The registered model did not answer within {seconds:.0f} s.", "log": done.log}
    if found is None:
        return {
            "error": f"The registered model cannot be asked here: {done.last_line}. Its requirements.lock names what it needs.",
            "log": done.log,
        }
    return {**found, "seconds": round(done.seconds, 1), "log": done.log}


def predict_registered(
    model: Path, rows: Sequence[Mapping[str, Any]], *, python: str = sys.executable, seconds: float = 300.0,
    ask: Callable[[], None] = lambda: None,
) -> dict[str, Any]:  # fmt: skip
    """What a registered model predicts for rows of requests.

    Parameters
    ----------
    model
        Its folder as MLflow keeps it.

    Returns
    -------
    dict
        ``predictions``, ``probabilities`` (a list for each row, or None) in the order of ``classes``, ``task``, ``seconds``; or
        ``error`` and ``log``, with ``missing`` where it needs columns that the rows do not have.
    """
    with tempfile.TemporaryDirectory(prefix="jupyter-mlops-") as folder:
        given = Path(folder) / "rows.json"
        given.write_text(json.dumps(list(rows)), encoding="utf-8")
        module = "jupyter_mlops.workflows.registered_model"
        return in_process(module, [str(model), str(given)], Path(folder), python=python, seconds=seconds, ask=ask)


def ask_model(model: str, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Load a registered model and have it predict, in the process' own interpreter.

    Raises
    ------
    LookupError
        The rows lack columns that it needs: its arguments.
    """
    from mlflow import pyfunc

    loaded = pyfunc.load_model(model)
    package = loaded.metadata.flavors["python_function"]["config"]["package"]
    schema = __import__(f"{package}.schema", fromlist=["raw_frame"])  # MLflow has put the model's code on the path
    missing = [name for name in schema.COLUMNS if not any(name in row for row in rows)]
    if missing:
        raise _Missing(*missing)
    frame = schema.raw_frame({name: [row.get(name) for row in rows] for name in schema.COLUMNS})
    for column in loaded.metadata.get_input_schema().inputs:  # MLflow casts the rows of a request in the same way
        if column.type.name == "double" and column.name in frame and frame[column.name].dtype.kind in "iu":
            frame[column.name] = frame[column.name].astype("float64")
    answer: pd.DataFrame = loaded.predict(frame)
    return answer


def main(model: str, rows: str, result: str) -> None:
    """The process' side: load, predict, write."""
    started = time.perf_counter()
    warnings.simplefilter("ignore")
    from jupyter_mlops.workflows.schemas import json_value

    made: dict[str, Any]
    try:
        answer = ask_model(model, json.loads(Path(rows).read_text(encoding="utf-8")))
    except _Missing as error:
        names = ", ".join(error.args[:_NAMED]) + (f" and {len(error.args) - _NAMED} more" if len(error.args) > _NAMED else "")
        made = {"error": f"it needs columns that the rows do not have: {names}", "missing": list(error.args)}
    else:
        signature = json.loads((Path(model) / "artifacts" / "model" / "signature.json").read_text(encoding="utf-8"))
        output = signature["raw"]["output"]
        of_classes = [name for name in answer.columns if name.startswith("probability_")]
        made = {
            "predictions": [json_value(one) for one in answer["prediction"].tolist()],
            "probabilities": answer[of_classes].to_numpy(dtype=float).tolist() if of_classes else None,
            "classes": output["classes"], "task": output["task"], "predictSeconds": round(time.perf_counter() - started, 2),
        }  # fmt: skip
    Path(result).write_text(json.dumps(made), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
