"""A promotion as the sidebar and the command line show it: the message `Promotion` of ``schema/api/models.yaml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_mlops.promotion.journal import Entry
from jupyter_mlops.promotion.policy import why_not
from jupyter_mlops.promotion.rules import ApprovalRule
from jupyter_mlops.promotion.state import RETURNED, PromotionState, fold

__all__ = ["reason_against", "view"]

_WORDS = {"passed": "passed", "failed": "failed", "inconclusive": "was inconclusive", "skipped": "was skipped"}


def reason_against(state: PromotionState, user: str) -> str | None:
    """Why this user can decide nothing about the promotion now; None when they can."""
    if not state.active:
        return f"This promotion is over ({state.status})."
    if state.status != "waiting":
        return "It does not wait for an approval yet: the steps before come first."
    return why_not(ApprovalRule.from_dict(state.rule or {}), state.author, user)


def view(entries: Sequence[Entry], user: str) -> dict[str, Any]:
    """The promotion with these entries, for this user."""
    state = fold(entries)
    against = reason_against(state, user)
    return {
        "id": state.id, "model": state.model, "version": state.version, "status": state.status, "author": state.author,
        "startedBy": state.started_by, "started": state.started, "ended": state.ended, "digest": state.digest,
        "champion": state.champion,
        "steps": [
            {
                "name": one.name, "title": one.title, "status": one.status, "message": one.message, "seconds": one.seconds,
                "figures": dict(one.figures), "log": one.log,
            }
            for one in state.steps
        ],
        "mayDecide": against is None, "whyNot": against, "job": None,
        "journal": [
            {"at": entry.at, "who": entry.who, "what": entry.what, "message": _describe(entry, state)} for entry in entries
        ],
    }  # fmt: skip


def _describe(entry: Entry, state: PromotionState) -> str:
    """One entry as a sentence."""
    data = entry.data
    titles: Mapping[str, str] = {one.name: one.title for one in state.steps}
    step = titles.get(str(data.get("step", "")), str(data.get("step", "")))
    message = f": {text}" if (text := data.get("message") or data.get("comment")) else ""
    if entry.what == "started":
        before = f", to replace version {state.champion}" if state.champion else ""
        mended = f" (set right in the registry first: {'; '.join(data['reconciled'])})" if data.get("reconciled") else ""
        what = "Promotion of" if len(state.steps) > 1 else "Back to"
        return f"{what} version {entry.version}{before}{message}{mended}"
    if entry.what == "step-started":
        return f"{step} started"
    if entry.what.startswith("step-"):
        return f"{step} {_WORDS.get(entry.what.removeprefix('step-'), '')}{message}"
    if entry.what == "lifecycle-changed":
        former = f", version {data['previous']} archived" if data.get("previous") else ""
        return f"Version {data.get('production', entry.version)} goes into production{former}"
    if entry.what in ("traffic-moved", RETURNED):
        return str(data.get("message", ""))
    sentences = {
        "resumed": "Going on where it stood", "interrupted": "Stopped on the way", "waiting": "Waits for an approval",
        "approved": "Approved", "rejected": "Rejected", "cancelled": "Cancelled", "promoted": "In production", "failed": "Failed",
        "at-work": "Still at work",
    }  # fmt: skip
    return f"{sentences.get(entry.what, entry.what)}{message}"
