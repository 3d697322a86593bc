"""How quick the service is, by itself and beside the one in production."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from jupyter_mlops.promotion.gates.golden import Golden, golden_to_ask
from jupyter_mlops.promotion.gates.kinds import GateResult, Subject, Tell
from jupyter_mlops.promotion.gates.load import Load, LoadError, Measured
from jupyter_mlops.promotion.gates.service import ServiceError, StartedService, has_service, started_service
from jupyter_mlops.promotion.rules import LatencyRule

__all__ = ["Latency"]

_SLICES = 8  # at least; of each service
_ROWS = 64  # that requests are made of
_WARM = 1.0  # seconds at most, before anything is measured

Figures = dict[str, float | int | str | bool | None]


@dataclass(frozen=True)
class Latency:
    """Percentiles and throughput against the budget of the policy, and against the champion's at the same time.

    Both services run, and short slices of load alternate between them, each first in every other pair (ABBA): a machine that is
    busy for a while is so for both. What goes beyond a limit is measured a second time, and only what does so twice fails.

    Attributes
    ----------
    ready
        Seconds that a service may take to start.
    """

    ready: float = 90.0
    name: str = "latency"
    title: str = "Latency"

    def run(self, subject: Subject, tell: Tell) -> GateResult:
        """Start the service, and the champion's, and measure."""
        rule = subject.policy.latency
        if rule.p50_ms is rule.p99_ms is rule.throughput is rule.ratio is None:
            return GateResult("passed", "not measured: promotion.yaml sets no limits")
        golden = golden_to_ask(subject.project)
        if isinstance(golden, GateResult):
            return golden
        with ExitStack() as stack:
            tell("starting the service", None)
            try:
                service = stack.enter_context(started_service(subject.project, subject.python, tell, seconds=self.ready))
            except ServiceError as error:
                return GateResult("failed", f"The service did not start. {error} Its log says why.", log=error.log)
            own = _load(service, golden, rule, tell)
            try:
                if (answered := _warm_up(own, rule)).failed:
                    message = f"The service does not answer its golden rows: {_failures(answered)}. Its log may say why."
                    return GateResult("failed", message, log=service.log)
                rival = self._rival(subject, golden, stack, tell)
                return _judged(rule, own, rival, service, tell)
            except LoadError as error:
                return GateResult(
                    "failed", f"The service does not stand the load: {error}. Its log may say why.", log=service.log
                )

    def _rival(self, subject: Subject, golden: Golden, stack: ExitStack, tell: Tell) -> _Rival:
        """The champion's service under load, or why there is none."""
        champion, rule = subject.champion, subject.policy.latency
        if champion is None:
            return _Rival("", "no version is in production to compare with")
        if rule.ratio is None:
            return _Rival(champion.version, "not compared with production: promotion.yaml sets no ratio")
        name = f"champion (version {champion.version})"
        tell(f"starting the service of the {name}", None)
        try:
            project = champion.project()
            if not has_service(project):
                return _Rival(champion.version, f"{name} not compared: it has no service")
            service = stack.enter_context(started_service(project, subject.python, tell, seconds=self.ready))
            load = _load(service, golden, rule, tell)
            if not (answered := _warm_up(load, rule)).failed:
                return _Rival(champion.version, name, load)
            if answered.broken or max(answered.statuses) >= 500:
                return _Rival(champion.version, f"{name} not compared: its service fails")
            theirs = Golden.read(project)
            load = _load(service, theirs, rule, tell) if theirs.rows else load
            if _warm_up(load, rule).failed:
                return _Rival(champion.version, f"{name} not compared: it refuses the golden rows")
            return _Rival(champion.version, f"{name}, on golden rows of its own since it refuses these", load)
        except (LookupError, ValueError, ServiceError, LoadError) as error:
            return _Rival(champion.version, f"{name} not compared: {str(error).strip().rstrip('.')}")


@dataclass
class _Rival:
    """The champion: what to call it, and its load; None where it is not compared, and the name says why."""

    version: str
    name: str
    load: Load | None = None


def _load(service: StartedService, golden: Golden, rule: LatencyRule, tell: Tell) -> Load:
    rows = [golden.rows[at] for at in golden.pick(_ROWS)]
    patience = max(10.0, 4 * (rule.p99_ms or 0) / 1000)
    return Load(service.port, rows, rule.clients, patience=patience, ask=lambda: tell("", None))


def _warm_up(load: Load, rule: LatencyRule) -> Measured:
    """Every row once, and more: caches are filled, and it is known that all are answered."""
    return load.run(min(_WARM, rule.seconds / 4), at_least=load.rows)


def _judged(rule: LatencyRule, own: Load, rival: _Rival, service: StartedService, tell: Tell) -> GateResult:
    first: Mapping[str, str] = {}
    for number in (1, 2):
        what = "measuring" if number == 1 else f"measuring again: {', '.join(first.values())}"
        mine, theirs = _measure(rule, own, rival, what, tell)
        figures = _figures(rule, mine, theirs, rival, number)
        if mine.failed:
            message = f"Under load {_failures(mine)}. The log may say why."
            return GateResult("failed", message, figures, service.log)
        beyond = _beyond(rule, figures)
        if not beyond or (number == 2 and not first.keys() & beyond.keys()):
            message = f"{_sentence(mine)}; {rival.name}{_short(theirs)}"
            if first:
                message += f". A first measurement went beyond a limit ({', '.join(first.values())}), a second one did not"
            return GateResult("passed", message, figures)
        both = [sentence for kind, sentence in beyond.items() if number == 1 or kind in first]
        first = beyond
    message = (
        f"{'; '.join(both)}, measured twice ({_sentence(mine)}; {rival.name}{_short(theirs)}). Make the model or its features quicker, "
        "or set other limits under latency in the promotion.yaml beside the notebook, and convert again."
    )
    return GateResult("failed", message, figures, service.log)


def _measure(rule: LatencyRule, own: Load, rival: _Rival, what: str, tell: Tell) -> tuple[Measured, Measured | None]:
    """Slices of load on both, in turn. A champion that fails is left out from then on."""
    mine, theirs = Measured(), Measured()
    slices = 2 * max(_SLICES // 2, math.ceil(rule.seconds / 2))
    length = rule.seconds / slices
    for number in range(slices):
        tell(what, number / slices)  # between the slices: it may write to a database, which would disturb
        order = (own, rival.load) if number % 2 == 0 else (rival.load, own)
        for load in order:
            if load is own:
                mine.add(own.run(length))
            elif load is not None and rival.load is not None:
                try:
                    theirs.add(load.run(length))
                    failed = _failures(theirs) if theirs.failed else ""
                except LoadError as error:
                    failed = str(error)
                if failed:
                    rival.load, rival.name = None, f"champion (version {rival.version}) not compared: under load {failed}"
    return mine, theirs if rival.load is not None else None


def _figures(rule: LatencyRule, mine: Measured, theirs: Measured | None, rival: _Rival, measurements: int) -> Figures:
    def of(measured: Measured, prefix: str = "") -> Figures:
        names = ("p50Ms", "p99Ms", "throughput") if not prefix else ("championP50Ms", "championP99Ms", "championThroughput")
        values = (measured.milliseconds(50), measured.milliseconds(99), measured.throughput)
        return {name: round(value, 3) for name, value in zip(names, values, strict=True) if math.isfinite(value)}

    figures: Figures = {
        **of(mine), "requests": mine.requests, "failed": mine.failed, "clients": rule.clients, "seconds": round(mine.seconds, 2),
        "measurements": measurements,
    }  # fmt: skip
    if theirs is not None and theirs.latencies and mine.latencies:
        p99, seconds = mine.milliseconds(99) / theirs.milliseconds(99), theirs.throughput / mine.throughput
        figures |= {
            **of(theirs, "champion"), "champion": rival.version, "p99Ratio": round(p99, 3), "secondsRatio": round(seconds, 3),
            "ratio": round(max(p99, seconds), 3),
        }  # fmt: skip
    return figures


def _beyond(rule: LatencyRule, figures: Figures) -> dict[str, str]:
    """What goes beyond a limit, by its kind."""
    found = {}
    for percentile, limit in (("p50", rule.p50_ms), ("p99", rule.p99_ms)):
        value = figures.get(f"{percentile}Ms")
        if limit is not None and isinstance(value, float) and value > limit:
            found[percentile] = f"{percentile} is {_ms(value)} ms and may be {limit:g}"
    throughput = figures.get("throughput")
    if rule.throughput is not None and isinstance(throughput, float) and throughput < rule.throughput:
        found["throughput"] = f"{_rate(throughput)} requests/s are answered and {rule.throughput:g} needed"
    for kind, what in (("p99Ratio", "p99"), ("secondsRatio", "the time a request")):
        value = figures.get(kind)
        if rule.ratio is not None and isinstance(value, float) and value > rule.ratio:
            found[kind] = f"{what} is {value:.1f} times the champion's and may be {rule.ratio:g} times"
    return found


def _failures(one: Measured) -> str:
    how = [f"{count} with status {status}" for status, count in sorted(one.statuses.items()) if status != 200]
    how += [f"{one.broken} with a broken connection"] if one.broken else []
    return f"{one.failed} of {one.requests} requests failed ({', '.join(how)})"


def _sentence(one: Measured) -> str:
    return f"p50 {_ms(one.milliseconds(50))} ms, p99 {_ms(one.milliseconds(99))} ms, {_rate(one.throughput)} requests/s"


def _short(one: Measured | None) -> str:
    return f": {_ms(one.milliseconds(50))}, {_ms(one.milliseconds(99))}, {_rate(one.throughput)}" if one is not None else ""


def _ms(value: float) -> str:
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
