"""What a promotion's entries add up to: a pure fold, so that state is never stored beside the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from jupyter_mlops.promotion.journal import ENDS, Entry

__all__ = ["APPROVAL", "CANARY", "LIFECYCLE", "RETURNED", "Approval", "PromotionState", "StepState", "fold"]

APPROVAL, CANARY, LIFECYCLE = "approval", "canary", "lifecycle"
RETURNED = "traffic-returned"  # an entry that may come behind the end: what was moved has gone back
Status = Literal["running", "waiting", "promoted", "rejected", "failed", "cancelled"]
StepStatus = Literal["pending", "running", "passed", "failed", "inconclusive", "waiting", "skipped"]
_OUTCOMES: dict[str, StepStatus] = {
    "step-passed": "passed", "step-failed": "failed", "step-inconclusive": "inconclusive", "step-skipped": "skipped",
}  # fmt: skip


@dataclass(frozen=True)
class StepState:
    """How far one step is.

    Attributes
    ----------
    asked
        It was inconclusive, and whoever approves decides about it.
    """

    name: str
    title: str
    status: StepStatus = "pending"
    message: str = ""
    seconds: float | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    log: str | None = None
    asked: bool = False


@dataclass(frozen=True)
class Approval:
    """Who approved, and of what."""

    who: str
    digest: str | None
    comment: str


@dataclass(frozen=True)
class PromotionState:
    """How far a promotion is.

    Attributes
    ----------
    digest
        Of the artifact; an approval is for this one only.
    run
        That the version was registered from: another version of this number, of a model that was deleted and made anew, has another.
    champion
        Version that was in production when it began.
    runner
        The process that works on it, as far as the journal knows.
    rule
        The policy's word on the approval, once it waits for one.
    lifecycle
        What was decided about the lifecycle: version in production, and the one before.
    model_digest
        Of the registered model, as it was first seen.
    last
        The last entry: what is written next follows it.
    """

    id: str
    registry: str
    model: str
    version: str
    author: str
    started_by: str
    started: int
    digest: str | None
    run: str
    champion: str | None
    last: Entry
    steps: tuple[StepState, ...] = ()
    status: Status = "running"
    ended: int | None = None
    runner: Mapping[str, Any] | None = None
    rule: Mapping[str, Any] | None = None
    approval: Approval | None = None
    lifecycle: Mapping[str, Any] | None = None
    model_digest: str | None = None

    @property
    def active(self) -> bool:
        """Whether it has not ended."""
        return self.ended is None

    @property
    def is_way_back(self) -> bool:
        """Whether it goes back to the version before, which passed its gates then."""
        return [one.name for one in self.steps] == [LIFECYCLE]

    def step(self, name: str) -> StepState:
        """A step by its name."""
        return next(one for one in self.steps if one.name == name)

    @property
    def moved_on(self) -> str | None:
        """Machine on which this promotion moved traffic that has not gone back."""
        return self._traffic.get("machine")

    @property
    def former(self) -> str | None:
        """Version that had the traffic before; None where nothing was deployed."""
        return self._traffic.get("former")

    @property
    def _traffic(self) -> Mapping[str, Any]:
        return next((one.figures for one in self.steps if one.name == CANARY), {})

    def is_done(self, name: str) -> bool:
        """Whether nothing is left to do for a step."""
        step = self.step(name)
        return step.status in ("passed", "skipped") or step.asked


def fold(entries: Sequence[Entry]) -> PromotionState:
    """The state after these entries, which begin with `started`. What this version does not know is passed over."""
    first = entries[0]
    state = PromotionState(
        id=first.promotion, registry=first.registry, model=first.model, version=first.version,
        author=first.data.get("author") or "", started_by=first.who, started=first.at,
        digest=first.data.get("digest"), run=first.data.get("run") or "", champion=first.data.get("champion"), runner=first.data.get("runner"), last=first,
        steps=tuple(StepState(name, title) for name, title in first.data["steps"]),
    )  # fmt: skip
    for entry in entries[1:]:
        if state.active or entry.what == RETURNED:
            state = _after(state, entry)
        state = replace(state, last=entry)
    return state


def _after(state: PromotionState, entry: Entry) -> PromotionState:
    what, data = entry.what, entry.data
    if state.model_digest is None and data.get("model"):
        state = replace(state, model_digest=data["model"])
    if what == "step-started":  # figures of an earlier try stay: they may say where the traffic is
        return _with(state, data["step"], "running", data.get("message", ""), figures=state.step(data["step"]).figures)
    if what in _OUTCOMES:
        more = {"seconds": data.get("seconds"), "figures": data.get("figures") or {}, "log": data.get("log")}
        more["asked"] = bool(data.get("ask"))
        return _with(state, data["step"], _OUTCOMES[what], data.get("message", ""), **more)
    if what == "resumed":
        return replace(_reset(state), status="running", runner=data.get("runner"))
    if what == "interrupted":
        return replace(_reset(state, data.get("message", "")), runner=None)
    if what == "waiting":
        state = _with(state, APPROVAL, "waiting", data.get("message", ""))
        return replace(state, status="waiting", rule=data.get("rule") or {}, runner=None)
    if what == "approved":
        state = _with(state, APPROVAL, "passed", _said(f"Approved by {entry.who}", data))
        return replace(state, status="running", approval=Approval(entry.who, data.get("digest"), data.get("comment", "")))
    if what == "traffic-moved":
        return _with(state, CANARY, "running", data.get("message", ""), figures=data.get("figures") or {})
    if what == RETURNED:
        steps = (
            replace(one, figures={**one.figures, "machine": None, "share": 0}) if one.name == CANARY else one
            for one in state.steps
        )
        return replace(state, steps=tuple(steps))
    if what == "lifecycle-changed":
        return replace(state, lifecycle=data)
    for status in ENDS:
        if what == status:
            return _ended(state, entry, status)
    return state


def _ended(state: PromotionState, entry: Entry, status: Status) -> PromotionState:
    if status == "rejected":
        state = _with(state, APPROVAL, "failed", _said(f"Rejected by {entry.who}", entry.data))
    elif status == "cancelled":
        said = _said(f"Cancelled by {entry.who}", entry.data)
        for one in state.steps:
            if one.status in ("running", "waiting"):
                state = _with(state, one.name, "skipped", said, figures=one.figures)
    elif status == "failed":
        state = _reset(state)
    return replace(state, status=status, ended=entry.at, runner=None)


def _said(what: str, data: Mapping[str, Any]) -> str:
    return f"{what}: {data['comment']}" if data.get("comment") else f"{what}."


def _with(state: PromotionState, name: str, status: StepStatus, message: str, **more: Any) -> PromotionState:
    """The state with a step that stands so; what is not given of the step is as at its beginning."""
    steps = (StepState(one.name, one.title, status, message, **more) if one.name == name else one for one in state.steps)
    return replace(state, steps=tuple(steps))


def _reset(state: PromotionState, message: str = "") -> PromotionState:
    """Steps that were running when their process went have to be done again."""
    return replace(
        state,
        steps=tuple(replace(one, status="pending", message=message) if one.status == "running" else one for one in state.steps),
    )
