"""The holdout: is it there, and are its rows such as the model takes them?"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_mlops.promotion.gates.kinds import GateResult, Subject, Tell
from jupyter_mlops.promotion.holdout import FILE, Holdout, NoHoldout, label_problems, listed, read_holdout, row_problems
from jupyter_mlops.promotion.process import run_module

__all__ = ["HoldoutData"]

_FEW = 30  # rows on which two models can hardly be told apart
_SECONDS = 300.0


@dataclass(frozen=True)
class HoldoutData:
    """Columns, types, labels, and the project's own expectations."""

    name: str = "data"
    title: str = "Holdout data"

    def run(self, subject: Subject, tell: Tell) -> GateResult:
        """Look at every row; what is wrong is named with counts."""
        try:
            holdout = read_holdout(subject.project)
        except NoHoldout as error:
            return GateResult("inconclusive", str(error), {"rows": 0}, ask=True)
        except ValueError as error:
            return GateResult("failed", f"{FILE} of the project cannot be used: {error}. Convert the notebook again.")
        figures: dict[str, Any] = {"rows": len(holdout.rows), "columns": len(holdout.signature.inputs)}
        if not holdout.rows:
            return GateResult("failed", f"{FILE} of the project has no rows. Convert the notebook again.", figures)
        found = row_problems(holdout.rows, holdout.signature.inputs) + label_problems(holdout)
        if found:
            return _failed(found, figures)
        log = None
        if (subject.project / "expectations").is_dir() and (subject.project / "service" / "checks.py").is_file():
            tell("the project's expectations", None)
            checked = _expectations(subject, tell)
            log = checked.pop("log") or None
            if checked.get("error"):
                return GateResult("failed", str(checked["error"]), figures, log)
            figures["expectations"] = checked["expectations"]
            if checked["broken"]:
                return _failed(checked["broken"], figures, log)
        return _judged(holdout, figures, log)


def _failed(found: list[str], figures: dict[str, Any], log: str | None = None) -> GateResult:
    message = f"The holdout cannot be used: {listed(found, sign='; ')}. Mend the data and convert again."
    return GateResult("failed", message, {**figures, "findings": len(found)}, log or "\n".join(found))


def _judged(holdout: Holdout, figures: dict[str, Any], log: str | None) -> GateResult:
    labels, output = holdout.labels, holdout.signature.output
    rows = len(labels)
    different = len(set(labels))
    if output.task == "regression":
        numbers = [float(one) for one in labels]
        figures |= {"smallest": min(numbers), "largest": max(numbers)}
        what = "different labels"
    else:
        figures["classes"] = different
        what = "classes"
        if unknown := [one for one in labels if output.classes and one not in output.classes]:
            figures["unknownLabels"] = len(unknown)
    if different < 2:
        message = f"All {rows:,} labels of the holdout are {labels[0]!r:.60}, so no model can be better than another on it."
        return GateResult("inconclusive", message, figures, log, ask=True)
    if rows < _FEW:
        message = f"The holdout has {rows} rows only: hardly any two models can be told apart on it."
        return GateResult("inconclusive", message, figures, log, ask=True)
    parts = [f"{rows:,} rows, {len(holdout.signature.inputs)} columns, {different:,} {what}"]
    if "expectations" in figures:
        parts.append(f"{figures['expectations']} expectations hold")
    if "unknownLabels" in figures:
        parts.append(f"{figures['unknownLabels']:,} labels are no class of the model")
    if holdout.evaluated_on and not holdout.is_held_out:
        figures["evaluatedOn"] = holdout.evaluated_on
        parts.append(f"the notebook evaluates on {holdout.evaluated_on}")
    return GateResult("passed", "; ".join(parts), figures, log)


def _expectations(subject: Subject, tell: Tell) -> dict[str, Any]:
    """What the project's own module says about the rows; or ``error``. Always with ``log``."""
    with tempfile.TemporaryDirectory(prefix="jupyter-mlops-") as scratch:
        done, found = run_module(
            "jupyter_mlops.promotion.suite_rows", [str(subject.project)], python=subject.python, folder=Path(scratch),
            seconds=_SECONDS, ask=lambda: tell("", None),
        )  # fmt: skip
    if found is not None:
        return {**found, "log": done.log}
    how = f"did not end within {_SECONDS:.0f} s" if done.code is None else f"failed: {done.last_line}"
    return {"error": f"Checking the holdout with the project's expectations {how}. Convert the notebook again.", "log": done.log}
