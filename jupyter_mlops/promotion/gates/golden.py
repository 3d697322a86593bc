"""The golden rows of a project, and whether an answer of its service is the notebook's."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_mlops.promotion.gates.kinds import GateResult
from jupyter_mlops.promotion.gates.service import NO_SERVICE, has_service

__all__ = ["Golden", "as_text", "golden_to_ask", "is_close"]

_SHOWN = 200  # characters of a value in a message


@dataclass(frozen=True)
class Golden:
    """Rows with what the notebook predicted for them.

    Attributes
    ----------
    name
        Of the model.
    columns
        Of the signature: name, and whether it is nullable.
    numeric
        Whether a prediction is a number that may differ within the tolerance; a label may not.
    probabilities
        Of each class, in the order of `classes`; None where the notebook has none.
    absolute, relative
        The tolerance of the parity report.
    allowed
        Rows in which the service differed from the notebook when the version was made.
    """

    name: str
    columns: Sequence[Mapping[str, Any]]
    numeric: bool
    classes: Sequence[Any]
    rows: Sequence[Mapping[str, Any]]
    predictions: Sequence[Any]
    probabilities: Sequence[Sequence[float]] | None
    absolute: float
    relative: float
    allowed: int

    @classmethod
    def read(cls, project: Path) -> Golden:
        """Those of a project.

        Raises
        ------
        ValueError
            One of its files is missing or broken; the message says what to do.
        """
        try:
            golden, metadata, signature, parity = (
                json.loads((project / "model" / f"{name}.json").read_text(encoding="utf-8"))
                for name in ("golden", "metadata", "signature", "parity")
            )
            output, tolerance = signature["raw"]["output"], parity["tolerance"]
            if len(golden["rows"]) != len(golden["predictions"]):
                raise ValueError("rows without predictions")
            return cls(
                name=str(metadata["name"]), numeric=output["task"] == "regression", classes=list(output["classes"] or ()),
                columns=[{"name": one["name"], "nullable": one["nullable"]} for one in signature["raw"]["inputs"]],
                rows=list(golden["rows"]), predictions=list(golden["predictions"]), probabilities=golden["probabilities"],
                absolute=float(tolerance["absolute"]), relative=float(tolerance["relative"]),
                allowed=int((parity["service"] or {}).get("mismatches", 0)),
            )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"The project's golden rows and parity report cannot be read ({error}). Convert the notebook again."
            ) from None

    def pick(self, count: int) -> list[int]:
        """Positions of at most so many rows, evenly spread."""
        total = len(self.rows)
        return sorted({at * total // count for at in range(count)}) if total > count else list(range(total))

    def difference(self, position: int, answer: Any) -> str | None:
        """How an answer of ``/predict`` differs from the notebook's prediction of a row; None: it does not."""
        if not isinstance(answer, dict) or "prediction" not in answer:
            return f"an answer with a prediction expected for row {position}, {as_text(answer)} came"
        expected, got = self.predictions[position], answer["prediction"]
        if not (is_close(expected, got, self.absolute, self.relative) if self.numeric else expected == got):
            return f"{as_text(expected)} expected for row {position}, {as_text(got)} came"
        if self.probabilities is None or not self.classes:
            return None
        wanted = dict(zip(map(str, self.classes), self.probabilities[position], strict=False))
        given: Any = answer.get("probabilities")
        named = isinstance(given, dict) and list(given) == list(wanted)
        if not named or not is_close(list(wanted.values()), list(given.values()), self.absolute, self.relative):
            return f"probabilities {as_text(wanted)} expected for row {position}, {as_text(given)} came"
        return None


def golden_to_ask(project: Path) -> Golden | GateResult:
    """What to ask the service of a project; or, where it cannot be asked, the result that ends the gate."""
    if not has_service(project):
        return GateResult("failed", NO_SERVICE)
    try:
        golden = Golden.read(project)
    except ValueError as error:
        return GateResult("failed", str(error))
    if not golden.rows:
        return GateResult("inconclusive", "The project has no golden rows, so there is nothing to ask its service.")
    return golden


def is_close(expected: Any, got: Any, absolute: float, relative: float) -> bool:
    """Whether two values of JSON are the same, numbers within a tolerance that is relative to the expected one."""
    if expected == got:
        return True
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and all(is_close(a, b, absolute, relative) for a, b in zip(expected, got, strict=True))
    if not isinstance(expected, (int, float)) or not isinstance(got, (int, float)):
        return False
    return math.isfinite(expected) and abs(expected - got) <= absolute + relative * abs(expected)


def as_text(value: Any) -> str:
    """A value of JSON in a message."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
