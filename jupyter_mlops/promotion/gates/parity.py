"""Does the registered model still predict what the notebook predicted?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jupyter_mlops.promotion.gates.kinds import GateResult, Subject, Tell

__all__ = ["Parity"]

_SIDES = ("package", "service", "bundle")


@dataclass(frozen=True)
class Parity:
    """The model in the registry, asked about the golden rows; and what the conversion's parity report says."""

    name: str = "parity"
    title: str = "Parity with the notebook"

    def run(self, subject: Subject, tell: Tell) -> GateResult:
        """No row may differ, unless that was allowed when the version was made."""
        try:
            recorded = json.loads((subject.project / "model" / "parity.json").read_text(encoding="utf-8"))
            known = {side: None if recorded[side] is None else int(recorded[side]["mismatches"]) for side in _SIDES}
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = (
                f"The project has no parity report that can be read ({error}), so nothing is proven. Convert the notebook again."
            )
            return GateResult("failed", reason)
        allowed = subject.tags.get("mismatch_allowed") == "true"
        figures: dict[str, float | int | str | bool | None] = {
            side: "none" if count is None else count for side, count in known.items()
        }
        if allowed:
            figures["mismatchAllowed"] = True
        differing = [f"{side} {count}" for side, count in known.items() if count]
        if differing and not allowed:
            message = (
                f"The conversion found rows that differ from the notebook ({', '.join(differing)}). Mend that and convert again."
            )
            return GateResult("failed", message, figures)
        tell("the registered model predicts the golden rows", None)
        found = subject.compare(tell)
        log = found.get("log") or None
        if found.get("error"):
            return GateResult("failed", str(found["error"]), figures, log)
        if changed := list(found.get("changed", ())):
            named = ", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")
            message = f"The registered model is not the one of the proven project; these files differ: {named}. Convert again."
            return GateResult("failed", message, {**figures, "changedFiles": len(changed)}, log)
        rows, wrong = int(found["rows"]), int(found["mismatches"])
        figures |= {
            "rows": rows, "mismatches": wrong, "largestDifference": found["max_abs_diff"], "labelsEqual": bool(found["labels_equal"]),
            "seconds": found.get("seconds"),
        }  # fmt: skip
        if not rows:
            return GateResult("inconclusive", "The project has no golden rows, so nothing can be compared.", figures, log)
        if wrong > (known["package"] or 0 if allowed else 0):
            message = (
                f"The registered model differs from the notebook in {wrong} of {rows} rows{_worst(found)}. "
                "The environment here may have other versions than the project's requirements.lock; else convert again."
            )
            return GateResult("failed", message, figures, log)
        message = f"{rows} rows, no difference beyond {found['tolerance']:.0e}"
        if wrong or differing:
            message = f"{rows} rows, {wrong} differ: allowed when the version was made (--allow-mismatch)"
        return GateResult("passed", message, figures, log)


def _worst(found: Mapping[str, Any]) -> str:
    worst = found.get("worst") or []
    if not worst:
        return ""
    one = worst[0]
    return f", such as row {one['row']}: {str(one['expected'])[:80]} in the notebook, {str(one['got'])[:80]} from the registry"
