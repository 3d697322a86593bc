"""A version takes over the traffic of a deployment in steps, or is taken off it again (`jupyter mlops deploy --canary`).

Where it stands is kept beside the deployment, so that the same command goes on with it after an interrupt or a kill.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from jupyter_mlops.database import database_url
from jupyter_mlops.deploy.files import CANARY, replace_json
from jupyter_mlops.deploy.members import read_members
from jupyter_mlops.deploy.numbers import Numbers, read_numbers, total
from jupyter_mlops.deploy.spec import Deployment, Deployments, Spec
from jupyter_mlops.deploy.traffic import Traffic
from jupyter_mlops.errors import ConflictError, UsageError
from jupyter_mlops.processes import machine
from jupyter_mlops.promotion.rules import CanaryRule
from jupyter_mlops.promotion.verdicts.canary import Answers, Canary, Limits, Step, Verdict, Window
from jupyter_mlops.promotion.verdicts.error_rate import Counts, ErrorRate
from jupyter_mlops.workflows.deploying import DeployOptions, deploy
from jupyter_mlops.workflows.events import Event, Listener
from jupyter_mlops.workflows.supervising import ensure_supervisor

__all__ = ["CanaryOptions", "CanaryResult", "run_canary", "take_off"]

_SETTLE = 1.0  # seconds in which the Envoys follow a change of the shares


@dataclass(frozen=True)
class CanaryOptions:
    """How careful to be.

    Attributes
    ----------
    shares
        Of the traffic, one after the other; all of it comes after the last.
    seconds, requests
        That each of them lasts at least; requests are those of the canary.
    bake
        Seconds for which the replicas of the version before are kept warm after that.
    look
        Seconds between two looks.
    shadow
        Seconds for which the version is sent copies of requests, before it answers any.
    """

    shares: tuple[float, ...] = tuple(percent / 100 for percent in CanaryRule.steps)
    seconds: float = CanaryRule.seconds
    requests: int = CanaryRule.requests
    bake: float = CanaryRule.bake
    look: float = 2.0
    shadow: float = CanaryRule.shadow
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if not self.shares or list(self.shares) != sorted(set(self.shares)) or not 0 < self.shares[0] <= self.shares[-1] < 1:
            said = ", ".join(f"{share:g}" for share in self.shares)
            raise UsageError(
                f"The shares of a canary ({said}) must grow, each above 0 and below 1. The last step is all of the traffic."
            )


@dataclass(frozen=True)
class CanaryResult:
    """How it ended: ``promoted`` means that the version has all the traffic."""

    status: Literal["promoted", "aborted"]
    version: str
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def run_canary(
    model: str, version: str, options: CanaryOptions | None = None, deployment: DeployOptions | None = None,
    listen: Listener = lambda event: None,
) -> CanaryResult:  # fmt: skip
    """Give a version more and more of the traffic of a deployment, until it has all of it or something speaks against it.

    Parameters
    ----------
    deployment
        Where the model is registered, and how many replicas the version gets.

    Raises
    ------
    NotFoundError
        The model is not deployed here, or there is no such version.
    ConflictError
        Another version is on its way, or this one is served already.
    EnvironmentLackError
        The version did not get ready; the stable one serves on.
    """
    options, deployment = options or CanaryOptions(), deployment or DeployOptions()
    deployments = Deployments(database_url(deployment.database))
    known = deployments.get(model, machine())
    stable = known.spec.traffic.stable
    others = [one for one in known.spec.versions if one not in (version, stable)]
    if version == stable and not others:
        raise ConflictError(f"Version {version} of {model} has all the traffic already. Nothing is to be done.")
    if version != stable and others:
        raise ConflictError(
            f"Version {others[0]} of {model} shares the traffic already. Give all of it to one version first: "
            f"jupyter mlops deploy {model}@{stable}."
        )
    if version not in known.spec.versions:
        deploy(model, version, replace(deployment, share=0.0), listen)
        known = deployments.get(model, machine())
    ensure_supervisor(model, known.spec.place, deployment.database)
    return _Controller(deployments, known, version, options, listen, deployment.database).run()


class _Controller:
    """The way of one canary."""

    def __init__(
        self, deployments: Deployments, known: Deployment, version: str, options: CanaryOptions, listen: Listener,
        database: str | None,
    ) -> None:  # fmt: skip
        self.deployments, self.known, self.version, self.options, self.listen = deployments, known, version, options, listen
        self.database = database
        self.canary = _read_state(self.spec.place, version)
        self.limits = options.limits
        self.former = next(one for one in self.spec.versions if one != version)
        self.seen: dict[str, tuple[int, Numbers]] = {}  # by replica: its process, and what it had counted at the last look
        self.looked = time.monotonic()

    @property
    def spec(self) -> Spec:
        """As it was last written."""
        return self.known.spec

    def run(self) -> CanaryResult:
        """All steps that are left."""
        _write_state(self.spec.place, self.version, self.canary)  # before any traffic: the supervisor sees that somebody looks
        if self.spec.traffic.stable != self.version:
            share = self.spec.traffic.shares.get(self.version, 0.0)
            if self.options.shadow and not share and (verdict := self._shadow()).action == "abort":
                return self._abort(verdict.reason)
            for step in (one for one in self.options.shares if one >= share):
                if step > share:
                    self.canary = self.canary.next_step()
                    self._change(traffic=Traffic(self.spec.traffic.stable, {self.version: step}))
                    time.sleep(_SETTLE)
                verdict = self._watch(f"canary {step * 100:g}%", Step(step, self.options.seconds, self.options.requests))
                if verdict.action == "abort":
                    return self._abort(verdict.reason)
            self._change(traffic=Traffic(self.version))
        self.listen(
            Event("canary 100%", "started", f"the replicas of version {self.former} are kept for {self.options.bake:g} s")
        )
        if (reason := self._bake()) is not None:
            return self._abort(reason)
        self.listen(Event("canary 100%", "done", f"version {self.version} has all the traffic"))
        self._change(versions={self.version: self.spec.versions[self.version]})
        _forget_state(self.spec.place)
        return CanaryResult("promoted", self.version, f"no word against it in {len(self.options.shares)} steps")

    def _shadow(self) -> Verdict:
        """Copies of the requests only; their answers count as the version's."""
        self._change(traffic=Traffic(self.spec.traffic.stable, {}, self.version))
        time.sleep(_SETTLE)
        return self._watch("canary shadow", Step(0.0, self.options.shadow, self.options.requests))

    def _watch(self, name: str, step: Step) -> Verdict:
        self.listen(Event(name, "started", "", 0.0))
        self._look()  # what was counted before is none of this step's
        while True:
            time.sleep(self.options.look)
            self.canary = self.canary.after(self._look(), self.limits)
            verdict = self.canary.verdict(step, self.limits)
            _write_state(self.spec.place, self.version, self.canary)
            if verdict.action == "go":
                self.listen(Event(name, "done", verdict.reason, 1.0, self.canary.step_seconds, self._figures()))
                return verdict
            if verdict.action == "abort":
                self.listen(Event(name, "failed", verdict.reason, None, self.canary.step_seconds, self._figures()))
                return verdict
            done = min(1.0, self.canary.step_seconds / max(step.seconds, 1e-9), self.canary.step_requests / max(step.requests, 1))
            self.listen(Event(name, "progress", verdict.reason, done, data=self._figures()))

    def _bake(self) -> str | None:
        """Why to go back, if there is a reason."""
        ended = time.monotonic() + self.options.bake
        self.canary = self.canary.bake()
        self._look()
        while time.monotonic() < ended:
            time.sleep(min(self.options.look, max(0.0, ended - time.monotonic())))
            self.canary = self.canary.after(self._look(), self.limits)
            verdict = self.canary.verdict(Step(1.0, 0.0, 0), self.limits)
            _write_state(self.spec.place, self.version, self.canary)
            left = max(0.0, ended - time.monotonic())
            self.listen(
                Event("canary 100%", "progress", f"{left:.0f} s left", 1 - left / self.options.bake, data=self._figures())
            )
            if verdict.action == "abort":
                return verdict.reason
        return None

    def _abort(self, reason: str) -> CanaryResult:
        take_off(self.deployments, self.known, self.former, self.database, lambda: self.listen(
            Event("back", "done", f"all traffic to version {self.former}")
        ))  # fmt: skip
        return CanaryResult("aborted", self.version, reason)

    def _change(self, **changes: Any) -> None:
        self.known = self.deployments.change(self.known, machine(), **changes)
        ensure_supervisor(self.spec.model, self.spec.place, self.database)  # it has to carry this out

    # -- looking --------------------------------------------------------------------------------------------------------

    def _look(self) -> Window:
        current = self.deployments.get(self.spec.model, machine())
        if current.revision != self.known.revision:
            raise ConflictError(
                f"The traffic of {self.spec.model} was changed by somebody else: {_words(current.spec.traffic)}. "
                f"Look at it: jupyter mlops status {self.spec.model}."
            )
        ensure_supervisor(self.spec.model, self.spec.place, self.database)
        members = read_members(self.spec.place)
        counted: dict[str, list[Numbers]] = {self.version: [], self.former: []}
        for name, one in members.items():
            if one.version in counted and one.port and one.ready and (numbers := read_numbers(one.port)) is not None:
                pid, before = self.seen.get(name, (one.pid, numbers))
                counted[one.version].append(numbers.since(before) if pid == one.pid else numbers)
                self.seen[name] = (one.pid, numbers)
        alive = any(one.version == self.version and one.ready and one.alive for one in members.values())
        mine, others = (self._answers(total(counted[version])) for version in (self.version, self.former))
        since, self.looked = self.looked, time.monotonic()
        return Window(self.looked - since, others, replace(mine, alive=alive))

    def _answers(self, numbers: Numbers) -> Answers:
        bounds = tuple(numbers.latency)[:-1]
        if bounds:
            self.limits = replace(self.limits, bounds=bounds)
        counts = Counts(numbers.requests, min(numbers.errors, numbers.requests))
        return Answers(counts, tuple(numbers.latency.values()), dict(numbers.predictions), refused=numbers.refused)

    def _figures(self) -> dict[str, Any]:
        canary = self.canary
        return {
            "requests": canary.step_requests, "evidence": round(canary.error_rate.evidence, 3),
            "latencyRatio": None if canary.ratio is None else round(canary.ratio, 2), "slowLooks": canary.slow,
        }  # fmt: skip


def _words(traffic: Traffic) -> str:
    return ", ".join(f"version {version} {weight / 100:g}%" for version, weight in traffic.weights.items())


def take_off(
    deployments: Deployments, known: Deployment, former: str, database: str | None, moved: Callable[[], None] = lambda: None
) -> None:
    """Give all traffic to one version, and only then end the replicas of the others.

    Parameters
    ----------
    moved
        Called when the traffic has gone.

    Raises
    ------
    ConflictError
        Somebody else changed the deployment meanwhile.
    """
    known = deployments.change(known, machine(), traffic=Traffic(former))
    ensure_supervisor(known.spec.model, known.spec.place, database)
    moved()
    time.sleep(_SETTLE)
    deployments.change(known, machine(), versions={former: known.spec.versions[former]})
    _forget_state(known.spec.place)


# -- what outlives the process ------------------------------------------------------------------------------------------


def _write_state(folder: Path, version: str, canary: Canary) -> None:
    replace_json(folder / CANARY, {"version": version, "canary": asdict(replace(canary, last=None))})


def _read_state(folder: Path, version: str) -> Canary:
    """What is known of this version's canary, from whoever looked after it before."""
    try:
        data: Mapping[str, Any] = json.loads((folder / CANARY).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Canary()
    if data["version"] != version:
        return Canary()
    kept = data["canary"]
    counts = {name: None if kept[name] is None else Counts(**kept[name]) for name in ("champion", "baked")}
    processes = {name: ErrorRate(tuple(kept[name]["logs"])) for name in ("error_rate", "refusals")}
    tuples = {name: tuple(kept[name]) for name in ("stable_latency", "canary_latency", "former_predictions")}
    return Canary(**{**kept, **counts, **processes, **tuples})


def _forget_state(folder: Path) -> None:
    (folder / CANARY).unlink(missing_ok=True)
