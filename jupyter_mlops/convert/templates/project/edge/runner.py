"""The edge bundle's runner: predicts with numpy and onnxruntime, nothing else.

    python runner.py rows.json      # a JSON list of rows (or one row); "-" reads standard input
    python runner.py --check        # checksums, and the golden rows against what the notebook predicted

From Python: ``Bundle().predict([{...}, {...}])``. The folder can be copied anywhere; `signature.json` says what a row
holds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

FOLDER = Path(__file__).resolve().parent
DTYPES = {"double": np.float64, "int64": np.int64, "bool": np.bool_, "string": np.object_}
KINDS: dict[str, tuple[type, ...]] = {
    "float": (float, int),
    "integer": (int,),
    "boolean": (bool,),
    "string": (str,),
    "datetime": (str,),
}
EPOCH = datetime(1970, 1, 1)
MICROSECOND = timedelta(microseconds=1)
MANY = 4096  # rows of one call of the model


class Bundle:
    """The model of a bundle's folder.

    Parameters
    ----------
    folder
        Where `model.onnx` and `signature.json` are.

    Raises
    ------
    ValueError
        A file is not the one that was proven (SHA256SUMS).
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        if wrong := changed_files(folder):
            raise ValueError(f"The bundle in {folder} was changed: {', '.join(wrong)}. Copy it again.")
        signature = json.loads((folder / "signature.json").read_text(encoding="utf-8"))
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        session = ort.InferenceSession(
            folder / "model.onnx", options, providers=["CPUExecutionProvider"]
        )
        self._run = session.run
        onnx, output = signature["onnx"], signature["raw"]["output"]
        outputs = onnx["outputs"]
        self._outputs = [outputs["label"] or outputs["prediction"]]
        self._classes: list[str] | None = None
        if outputs["probabilities"]:
            self._outputs.append(outputs["probabilities"])
            self._classes = [str(label) for label in output["classes"]]
        self._as_bool = output["dtype"].startswith("bool")
        self._columns = {column["name"]: column for column in signature["raw"]["inputs"]}
        self._inputs = [
            (one["name"], one["type"], self._names(one["column"])) for one in onnx["inputs"]
        ]
        self._null = onnx["null_string"]
        self._one, self._cells = self._prepared()

    def _names(self, column: str | None) -> list[str]:
        """Columns of one input of the model; without a name it takes all of them, by position."""
        return [column] if column is not None else list(self._columns)

    def _prepared(self) -> tuple[dict[str, Any], list[tuple[Any, ...]]]:
        """Arrays for a single row, made once, and where in them each column's value goes."""
        arrays, cells = {}, []
        for name, kind, columns in self._inputs:
            array = np.zeros((1, len(columns)), DTYPES[kind])
            arrays[name] = array
            flat = array.reshape(-1)
            for at, column in enumerate(columns):
                described = self._columns[column]
                null = self._null if kind == "string" else math.nan
                accepted = frozenset(KINDS[described["kind"]])
                levels = _levels(described)
                convert = _conversion(described, kind)
                cells.append(
                    (column, accepted, flat, at, null, described["nullable"], levels, convert)
                )
        return arrays, cells

    def predict(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Predict rows.

        Returns
        -------
        list of dict
            ``prediction``, and ``probabilities`` by class (None where the model has none), for each row.

        Raises
        ------
        ValueError
            A row misses a column that must be there, holds one that is unknown, or a value of another type.
        """
        if len(rows) == 1:
            return [self.predict_one(rows[0])]
        answers: list[dict[str, Any]] = []
        for start in range(0, len(rows), MANY):
            part = rows[start : start + MANY]
            arrays: dict[str, Any] = {
                name: np.zeros((len(part), len(columns)), DTYPES[kind])
                for name, kind, columns in self._inputs
            }
            for at, row in enumerate(part):
                self._fill(row, start + at)
                for name, array in arrays.items():
                    array[at] = self._one[name][0]
            answers += self._answers(self._run(self._outputs, arrays))
        return answers

    def predict_one(self, row: dict[str, Any]) -> dict[str, Any]:
        """Predict one row, in arrays that are made only once."""
        self._fill(row, 0)
        results = self._run(self._outputs, self._one)
        label = results[0].item()
        classes = self._classes
        return {
            "prediction": bool(label) if self._as_bool else label,
            "probabilities": None if classes is None else dict(zip(classes, results[1][0].tolist())),
        }

    def _fill(self, row: dict[str, Any], number: int) -> None:
        if row.__class__ is not dict:
            raise ValueError(f"row {number}: a JSON object is needed, not {row!r}")
        get = row.get
        absent = 0
        for name, accepted, flat, at, null, nullable, levels, convert in self._cells:
            value = get(name)
            if value is None:
                if not nullable:
                    raise ValueError(f"row {number}: column {name!r} is required")
                absent += name not in row
                flat[at] = null
            elif value.__class__ in accepted:
                if levels is not None and value not in levels:
                    raise ValueError(
                        f"row {number}: column {name!r} knows no {value!r}, only {', '.join(sorted(levels))}"
                    )
                try:
                    flat[at] = value if convert is None else convert(value)
                except ValueError as error:
                    raise ValueError(f"row {number}: column {name!r}: {error}") from None
            else:
                raise ValueError(
                    f"row {number}: column {name!r} takes {self._columns[name]['kind']}, not {value!r}"
                )
        if len(row) + absent != len(self._columns):
            unknown = sorted(row.keys() - self._columns.keys())
            raise ValueError(f"row {number}: unknown columns {', '.join(map(repr, unknown))}")

    def _answers(self, results: list[Any]) -> list[dict[str, Any]]:
        labels = results[0].reshape(-1).tolist()
        if self._as_bool:
            labels = [bool(label) for label in labels]
        classes = self._classes
        if classes is None:
            return [{"prediction": label, "probabilities": None} for label in labels]
        return [
            {"prediction": label, "probabilities": dict(zip(classes, row))}
            for label, row in zip(labels, results[1].tolist())
        ]


def _levels(column: dict[str, Any]) -> frozenset[str] | None:
    """The texts of a column that takes no others."""
    if column["kind"] != "string" or not column["closed"] or not column["categories"]:
        return None
    return frozenset(column["categories"])


def _conversion(column: dict[str, Any], kind: str) -> Callable[[Any], Any] | None:
    """How a value of a row becomes one of the model; None: as it is."""
    if kind == "string":
        return None if column["kind"] in ("string", "datetime") else str
    if column["kind"] == "datetime":
        return _microseconds
    if column["dtype"] in ("float32", "float16"):  # training saw these columns rounded
        narrow: Callable[[Any], Any] = np.dtype(column["dtype"]).type
        return narrow
    return None


def _microseconds(text: str) -> float:
    """An ISO 8601 date as microseconds since 1970."""
    return (datetime.fromisoformat(text).replace(tzinfo=None) - EPOCH) / MICROSECOND


def changed_files(folder: Path) -> list[str]:
    """Names in SHA256SUMS whose file is missing or another one."""
    wrong = []
    for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        path = folder / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            wrong.append(name)
    return wrong


def check(bundle: Bundle, golden: dict[str, Any]) -> tuple[int, float]:
    """Rows whose prediction is not the notebook's, and the largest difference of a number."""
    answers = bundle.predict(golden["rows"])
    wrong, largest = 0, 0.0
    probabilities = golden["probabilities"] or [None] * len(answers)
    for answer, expected, wanted in zip(answers, golden["predictions"], probabilities):
        got = answer["prediction"]
        difference = 0.0
        if isinstance(expected, float):
            difference = abs(got - expected) / max(1.0, abs(expected))
        elif got != expected:
            difference = math.inf
        if wanted is not None and answer["probabilities"] is not None:
            pairs = zip(answer["probabilities"].values(), wanted)
            difference = max(difference, *(abs(a - b) for a, b in pairs))
        wrong += not difference <= 1e-6
        largest = max(largest, difference)
    return wrong, largest


def main() -> int:
    """Command line; the exit code is 1 when a check fails, 2 when the rows or the bundle are wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="?", help='JSON file with rows, or "-"')
    parser.add_argument("--check", action="store_true", help="predict the golden rows and compare")
    arguments = parser.parse_args()
    if not arguments.check and arguments.rows is None:
        parser.error("give a file with rows, or --check")
    try:
        bundle = Bundle()
        if arguments.check:
            golden = json.loads((FOLDER / "golden.json").read_text(encoding="utf-8"))
            wrong, largest = check(bundle, golden)
            print(f"{len(golden['rows'])} golden rows, {wrong} differ, largest difference {largest:.3g}")
            return 1 if wrong else 0
        text = sys.stdin.read() if arguments.rows == "-" else Path(arguments.rows).read_text("utf-8")
        rows = json.loads(text)
        print(json.dumps(bundle.predict(rows if isinstance(rows, list) else [rows])))
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
