"""The labelled holdout of a project, ``holdout/holdout.json``, and what may be wrong with it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jupyter_mlops.signature import Column, Signature

__all__ = [
    "FILE",
    "HELD_OUT",
    "Holdout",
    "NoHoldout",
    "label_problems",
    "listed",
    "read_holdout",
    "read_signature",
    "row_problems",
]

HELD_OUT = "rows held out"

FILE = "holdout/holdout.json"
_NAMED = 5  # things that a message names
_NUMBERS = (int, float)

Row = Mapping[str, Any]


class NoHoldout(LookupError):
    """The project has none."""


@dataclass(frozen=True)
class Holdout:
    """Rows as requests have them, and the truth about each.

    Attributes
    ----------
    measures
        How the notebook measures its model on these rows: the functions' names, in order, with options such as ``average``.
    evaluated_on
        ``rows held out``, or which others.
    """

    rows: Sequence[Row]
    labels: Sequence[Any]
    measures: Sequence[Mapping[str, Any]]
    evaluated_on: str
    signature: Signature

    @property
    def is_held_out(self) -> bool:
        """Whether the model was not trained on these rows, as far as could be seen."""
        return self.evaluated_on == HELD_OUT


def read_signature(folder: Path) -> Signature:
    """Of raw rows, from a ``model/`` folder.

    Raises
    ------
    ValueError
        There is none that can be read.
    """
    try:
        return Signature.from_dict(json.loads((folder / "signature.json").read_text(encoding="utf-8"))["raw"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"there is no signature.json that can be read ({error})") from None


def read_holdout(project: Path) -> Holdout:
    """The holdout of a project.

    Raises
    ------
    NoHoldout
        It has none.
    ValueError
        It has one that cannot be read; the message says what is wrong.
    """
    path = project / FILE
    if not path.is_file():
        raise NoHoldout(
            "The project has no holdout: labelled rows on which versions are compared. Evaluate the model in the notebook with a "
            "metric on rows held out (accuracy_score(y_test, model.predict(X_test)), say) and convert again."
        )
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"it is no JSON ({error})") from None
    rows, labels = (data.get("rows"), data.get("labels")) if isinstance(data, dict) else (None, None)
    if not isinstance(rows, list) or not isinstance(labels, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError('it has no lists "rows" and "labels"')
    signature = read_signature(project / "model")
    measures = [one for one in data.get("measures") or [] if isinstance(one, dict) and "name" in one]
    return Holdout(rows, labels, measures, str(data.get("evaluated_on") or ""), signature)


def row_problems(rows: Sequence[Row], columns: Sequence[Column]) -> list[str]:
    """What a model with these columns would refuse of rows, as parts of a sentence with names and counts."""
    found = []
    known = {column.name for column in columns}
    for column in columns:
        lacking = sum(column.name not in row for row in rows)
        if lacking:
            found.append(f"column {column.name} is missing" + (f" in {lacking:,} rows" if lacking < len(rows) else ""))
            continue
        values = [row[column.name] for row in rows]
        empty = sum(_empty(value) for value in values)
        if empty and not column.nullable:
            found.append(f"column {column.name} is empty in {empty:,} rows, and may not be")
        there = [value for value in values if not _empty(value)]
        odd = [value for value in there if not _KINDS[column.kind](value)]
        if odd:
            found.append(f"column {column.name} is no {column.kind} in {len(odd):,} rows, such as {odd[0]!r:.60}")
        elif column.closed and column.categories is not None:
            levels = set(column.categories)
            strange = [value for value in there if value not in levels]
            if strange:
                found.append(f"column {column.name} has no level {strange[0]!r:.60}, which {len(strange):,} rows hold")
    others = sorted({name for row in rows for name in row} - known)
    return found + [f"the model knows no column {name}" for name in others]


def label_problems(holdout: Holdout) -> list[str]:
    """What is wrong with the labels, as parts of a sentence."""
    rows, labels, output = len(holdout.rows), holdout.labels, holdout.signature.output
    if len(labels) != rows:
        return [f"{rows:,} rows have {len(labels):,} labels"]
    found = []
    if empty := sum(_empty(label) for label in labels):
        found.append(f"{empty:,} of {rows:,} labels are missing")
    there = [label for label in labels if not _empty(label)]
    if output.task == "regression":
        odd = [label for label in there if not _is_number(label)]
        what = "a number"
    else:
        kinds = {_kind(one) for one in output.classes or ()}
        odd = [label for label in there if kinds and _kind(label) not in kinds]
        what = f"of the kind of the model's classes ({listed([repr(one) for one in output.classes or ()])})"
    if odd:
        found.append(f"{len(odd):,} labels, such as {odd[0]!r:.60}, are not {what}")
    return found


def listed(parts: Sequence[str], most: int = _NAMED, sign: str = ", ") -> str:
    """The first of some parts, and how many more there are."""
    return sign.join(parts[:most]) + (f"{sign}and {len(parts) - most} more" if len(parts) > most else "")


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


def _kind(value: Any) -> str:
    return "text" if isinstance(value, str) else "number" if isinstance(value, _NUMBERS) else type(value).__name__


def _is_date(value: Any) -> bool:
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True


_KINDS: dict[str, Callable[[Any], bool]] = {
    "float": _is_number,
    "integer": lambda value: _is_number(value) and float(value).is_integer(),
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "datetime": _is_date,
}
