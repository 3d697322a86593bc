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
from jupyter_mlops.promotion.verdicts.histograms import plus, psi, quantile, shift_p_value

__all__ = ["Answers", "Canary", "Limits", "Step", "Verdict", "Window"]


@dataclass(frozen=True)
class Answers:
    """What one version answered in a window.

    Attributes
    ----------
    latency
        Requests in each bucket of `Limits.bounds`, and those beyond.
    predictions
        Count of each answer: a class, or a bin of numbers.
    alive
        Whether a replica was ready at the end of the window.
    """

    counts: Counts = field(default_factory=Counts)
    latency: tuple[int, ...] = ()
    predictions: Mapping[str, int] = field(default_factory=dict)
    alive: bool = True


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
        Against an equal error rate; 1 / evidence bounds the share of good canaries that are aborted for it.
    failing, failing_requests
        This share of a window's requests failing is enough, once there are so many.
    latency_ratio, latency_quantile, latency_looks, latency_requests
        The canary's quantile may be so many times the stable one's; more has to be seen so often in a row, each time in at
        least so many requests of each version.
    shift, shift_p, shift_requests
        PSI of the predictions, where it is no chance (a chi-square test at this level), after so many requests.
    bounds
        Upper bounds of the latency's buckets, in seconds.
    """

    evidence: float = 20.0
    failing: float = 0.5
    failing_requests: int = 10
    latency_ratio: float = 1.5
    latency_quantile: float = 0.95
    latency_looks: int = 3
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
        Of the step that it is in.
    slow
        Looks in a row with too high a latency.
    stable_latency, canary_latency
        Not yet looked at, because they are too few.
    """

    error_rate: ErrorRate = field(default_factory=ErrorRate)
    step_seconds: float = 0.0
    step_requests: int = 0
    slow: int = 0
    stable_latency: tuple[int, ...] = ()
    canary_latency: tuple[int, ...] = ()
    ratio: float | None = None
    stable_predictions: Mapping[str, int] = field(default_factory=dict)
    canary_predictions: Mapping[str, int] = field(default_factory=dict)
    last: Window | None = None

    def next_step(self) -> Canary:
        """At the start of another step: what is known of the versions stays."""
        return replace(self, step_seconds=0.0, step_requests=0, last=None)

    def after(self, window: Window, limits: Limits) -> Canary:
        """With one more window."""
        made = replace(
            self, error_rate=self.error_rate.after(window.stable.counts, window.canary.counts),
            step_seconds=self.step_seconds + window.seconds, step_requests=self.step_requests + window.canary.counts.requests,
            stable_latency=plus(self.stable_latency, window.stable.latency),
            canary_latency=plus(self.canary_latency, window.canary.latency),
            stable_predictions=_sum(self.stable_predictions, window.stable.predictions),
            canary_predictions=_sum(self.canary_predictions, window.canary.predictions),
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
    mine, other = canary.last.canary.counts, canary.last.stable.counts
    if mine.requests < limits.failing_requests or mine.errors < limits.failing * mine.requests:
        return None
    # Where the stable version fails as well, the fault lies elsewhere; the e-process decides.
    if other.requests and other.errors >= limits.failing * other.requests:
        return None
    return f"{mine.errors} of {mine.requests} requests failed"


def _failing_more(canary: Canary, limits: Limits) -> str | None:
    evidence = canary.error_rate.evidence
    return f"fails more often than the stable version (evidence {evidence:.3g})" if evidence >= limits.evidence else None


def _slow(canary: Canary, limits: Limits) -> str | None:
    if canary.slow < limits.latency_looks:
        return None
    return f"{canary.ratio:.1f} times the stable version's p{limits.latency_quantile * 100:g} in {canary.slow} looks in a row"


def _shifted(canary: Canary, limits: Limits) -> str | None:
    before, after = canary.stable_predictions, canary.canary_predictions
    if min(sum(before.values()), sum(after.values())) < limits.shift_requests:
        return None
    distance = psi(before, after)
    if distance <= limits.shift or shift_p_value(before, after) >= limits.shift_p:
        return None
    return f"predicts otherwise than the stable version (PSI {distance:.2f})"


_RULES: Sequence[Callable[[Canary, Limits], str | None]] = (_dead, _failing, _failing_more, _slow, _shifted)


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}
