"""The verdict on a canary: from windows of what both versions answered to go, hold or abort.

A window is what was counted between two looks. `Canary.after` takes one in; `Canary.verdict` says what to do now, and why.
Everything is plain data, so that a canary goes on where it was after its controller was killed.

To add a rule: a function of `_RULES` that gives the reason to abort, or None; its limit in `Limits`; what it has to remember
in `Canary`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from jupyter_mlops.promotion.verdicts.error_rate import Counts, ErrorRate
from jupyter_mlops.promotion.verdicts.histograms import balanced, plus, psi, psi_at_least, quantile, shift_p_value

__all__ = ["Answers", "Canary", "Limits", "Step", "Verdict", "Window"]


@dataclass(frozen=True)
class Answers:
    """What one version answered in a window.

    Attributes
    ----------
    refused
        Of the requests: rows that the version does not accept. The caller may be at fault, or the version wants other rows.
    latency
        Requests in each bucket of `Limits.bounds`, and those beyond.
    predictions
        Count of each answer: a class, or a bin of numbers.
    alive
        Whether a replica was ready at the end of the window.
    """

    counts: Counts = field(default_factory=Counts)
    latency: tuple[int, ...] = ()
    predictions: Mapping[str, float] = field(default_factory=dict)
    alive: bool = True
    refused: int = 0

    @property
    def good(self) -> int:
        """Requests that were answered with predictions."""
        return max(0, self.counts.requests - self.counts.errors - self.refused)

    @property
    def refusals(self) -> Counts:
        """Refused among all requests."""
        return Counts(self.counts.requests, min(self.refused, self.counts.requests))


@dataclass(frozen=True)
class Window:
    """What both versions answered between two looks, and for how long, in seconds."""

    seconds: float
    stable: Answers
    canary: Answers


@dataclass(frozen=True)
class Limits:
    """When to abort.

    Attributes
    ----------
    evidence
        Against an equal error rate, or an equal rate of refused requests; 1 / evidence bounds the share of good canaries that are
        aborted for each of them.
    failing, failing_requests
        This share of a window's requests failing (or refused) is enough, once there are so many.
    bake_failing, bake_ratio, bake_requests
        When the champion has no traffic any more: this share of all requests since, and so many times the champion's share
        before, once there are so many.
    latency_ratio, latency_quantile, latency_looks, latency_requests
        The canary's quantile may be so many times the stable one's; more has to be seen so often in a row, each time in at
        least so many requests of each version.
    shift, shift_p, shift_requests
        PSI of the predictions, where it is at least that (see `psi_at_least`) and no chance (a chi-square test at this level),
        after so many requests.
    bounds
        Upper bounds of the latency's buckets, in seconds.
    """

    evidence: float = 20.0
    failing: float = 0.5
    failing_requests: int = 10
    bake_failing: float = 0.05
    bake_ratio: float = 3.0
    bake_requests: int = 50
    latency_ratio: float = 1.5
    latency_quantile: float = 0.95
    latency_looks: int = 4
    latency_requests: int = 50
    shift: float = 0.25
    shift_p: float = 1e-4
    shift_requests: int = 200
    bounds: Sequence[float] = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


@dataclass(frozen=True)
class Step:
    """A share of the traffic (0 to 1), and how long and with how many canary requests it lasts at least."""

    share: float
    seconds: float = 60.0
    requests: int = 100


@dataclass(frozen=True)
class Verdict:
    """What to do now, and why."""

    action: Literal["go", "hold", "abort"]
    reason: str


@dataclass(frozen=True)
class Canary:
    """What is known of a canary so far.

    Attributes
    ----------
    step_seconds, step_requests
        Of the step that it is in; requests that it answered with predictions.
    champion, baked
        Requests that were not answered with predictions, of the stable version in all steps, and of the canary since it has all
        of the traffic.
    slow
        Looks in a row with too high a latency.
    stable_latency, canary_latency
        Not yet looked at, because they are too few.
    stable_predictions, canary_predictions
        Of the step that it is in; `former_predictions` are those of the steps before, as `balanced` has them.
    """

    error_rate: ErrorRate = field(default_factory=ErrorRate)
    refusals: ErrorRate = field(default_factory=ErrorRate)
    champion: Counts = field(default_factory=Counts)
    baked: Counts | None = None
    step_seconds: float = 0.0
    step_requests: int = 0
    slow: int = 0
    stable_latency: tuple[int, ...] = ()
    canary_latency: tuple[int, ...] = ()
    ratio: float | None = None
    stable_predictions: Mapping[str, float] = field(default_factory=dict)
    canary_predictions: Mapping[str, float] = field(default_factory=dict)
    former_predictions: tuple[Mapping[str, float], Mapping[str, float]] = ({}, {})
    last: Window | None = None

    def next_step(self) -> Canary:
        """At the start of another step: what is known of the versions stays."""
        return replace(
            self, step_seconds=0.0, step_requests=0, stable_predictions={}, canary_predictions={},
            former_predictions=self.all_predictions, last=None,
        )  # fmt: skip

    @property
    def all_predictions(self) -> tuple[Mapping[str, float], Mapping[str, float]]:
        """Of both versions, in all steps, as `balanced` has them."""
        now = balanced(self.stable_predictions, self.canary_predictions)
        return _sum(self.former_predictions[0], now[0]), _sum(self.former_predictions[1], now[1])

    def bake(self) -> Canary:
        """When it has all of the traffic: there is nothing to compare it with but what the champion did before."""
        return Canary(champion=self.champion, baked=self.baked or Counts())

    def after(self, window: Window, limits: Limits) -> Canary:
        """With one more window."""
        made = replace(
            self, error_rate=self.error_rate.after(window.stable.counts, window.canary.counts),
            refusals=self.refusals.after(window.stable.refusals, window.canary.refusals),
            champion=_not_good(self.champion, window.stable),
            baked=None if self.baked is None else _not_good(self.baked, window.canary),
            step_seconds=self.step_seconds + window.seconds, step_requests=self.step_requests + window.canary.good,
            stable_latency=plus(self.stable_latency, window.stable.latency),
            canary_latency=plus(self.canary_latency, window.canary.latency),
            stable_predictions=_sum(self.stable_predictions, _per_request(window.stable)),
            canary_predictions=_sum(self.canary_predictions, _per_request(window.canary)),
            last=window,
        )  # fmt: skip
        if min(sum(made.stable_latency), sum(made.canary_latency)) < limits.latency_requests:
            return made
        slow, fast = (quantile(one, limits.bounds, limits.latency_quantile) for one in (made.canary_latency, made.stable_latency))
        ratio = 1.0 if slow == fast else slow / fast
        too_slow = ratio > limits.latency_ratio
        return replace(made, stable_latency=(), canary_latency=(), ratio=ratio, slow=self.slow + 1 if too_slow else 0)

    def verdict(self, step: Step, limits: Limits) -> Verdict:
        """What to do in this step."""
        for rule in _RULES:
            if (reason := rule(self, limits)) is not None:
                return Verdict("abort", reason)
        if self.slow:
            return Verdict("hold", f"slower than the stable version in {self.slow} looks; {limits.latency_looks} abort it")
        if self.step_requests < step.requests:
            return Verdict("hold", f"{self.step_requests} of {step.requests} requests")
        if self.step_seconds < step.seconds:
            return Verdict("hold", f"{self.step_seconds:.0f} of {step.seconds:.0f} s")
        return Verdict("go", f"{self.step_requests} requests in {self.step_seconds:.0f} s")


def _dead(canary: Canary, limits: Limits) -> str | None:
    if canary.last is not None and not canary.last.canary.alive:
        return "no replica of the canary is ready"
    return None


def _failing(canary: Canary, limits: Limits) -> str | None:
    if canary.last is None:
        return None
    mine, other = canary.last.canary, canary.last.stable
    for word, own, theirs in (("failed", mine.counts, other.counts), ("were refused", mine.refusals, other.refusals)):
        if own.requests < limits.failing_requests or own.errors < limits.failing * own.requests:
            continue
        # Where the stable version fails as well, the fault lies elsewhere; the e-process decides.
        if theirs.requests and theirs.errors >= limits.failing * theirs.requests:
            continue
        # Without the champion's traffic, refused rows may be the callers'.
        if canary.baked is None or word == "failed":
            return f"{own.errors} of {own.requests} requests {word}"
    return None


def _failing_more(canary: Canary, limits: Limits) -> str | None:
    for word, process in (("fails", canary.error_rate), ("refuses requests", canary.refusals)):
        if process.evidence >= limits.evidence:
            return f"{word} more often than the stable version (evidence {process.evidence:.3g})"
    return None


def _failing_alone(canary: Canary, limits: Limits) -> str | None:
    found, before = canary.baked, canary.champion
    if found is None or found.requests < limits.bake_requests:
        return None
    allowed = max(limits.bake_failing, limits.bake_ratio * before.errors / max(before.requests, 1))
    if found.errors <= allowed * found.requests:
        return None
    return f"{found.errors} of {found.requests} requests were not answered since it has all of the traffic"


def _slow(canary: Canary, limits: Limits) -> str | None:
    if canary.slow < limits.latency_looks:
        return None
    return f"{canary.ratio:.1f} times the stable version's p{limits.latency_quantile * 100:g} in {canary.slow} looks in a row"


def _shifted(canary: Canary, limits: Limits) -> str | None:
    before, after = canary.all_predictions
    if min(sum(before.values()), sum(after.values())) < limits.shift_requests:
        return None
    if psi_at_least(before, after) <= limits.shift or shift_p_value(before, after) >= limits.shift_p:
        return None
    return f"predicts otherwise than the stable version (PSI {psi(before, after):.2f}, limit {limits.shift:g}: `abort.shift`)"


_RULES: Sequence[Callable[[Canary, Limits], str | None]] = (_dead, _failing, _failing_more, _failing_alone, _slow, _shifted)


def _not_good(so_far: Counts, answers: Answers) -> Counts:
    requests = answers.counts.requests
    return Counts(so_far.requests + requests, so_far.errors + min(requests, answers.counts.errors + answers.refused))


def _per_request(answers: Answers) -> Mapping[str, float]:
    """Rows of one request are no independent answers: together they count as much as there were requests."""
    rows = sum(answers.predictions.values())
    if rows <= answers.good:
        return answers.predictions
    return {name: count * answers.good / rows for name, count in answers.predictions.items()}


def _sum(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}
