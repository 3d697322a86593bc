"""One model version's way into production: gates, approval, lifecycle. Each step is in the journal before the next begins.

Whatever stops it (a kill, a registry that went away, an approval that takes days), calling `promote` again goes on with the
first step that is not done.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from jupyter_mlops.database import database_url, now
from jupyter_mlops.errors import ConflictError, MlopsError, NotFoundError, NotReadyError, UsageError
from jupyter_mlops.processes import created, is_alive, machine
from jupyter_mlops.promotion.gates import GATES
from jupyter_mlops.promotion.gates.kinds import Champion, Gate, GateResult
from jupyter_mlops.promotion.journal import Active, Entry, Journal, Moved
from jupyter_mlops.promotion.rules import ApprovalRule
from jupyter_mlops.promotion.state import APPROVAL, CANARY, LIFECYCLE, PromotionState, fold
from jupyter_mlops.promotion.view import view
from jupyter_mlops.tracking.lifecycle import AUTHOR, PREVIOUS, VersionFacts, apply_lifecycle, find_version, mark_canary
from jupyter_mlops.tracking.store import check_reachable, registry_key, shown, tracking_uri
from jupyter_mlops.workflows.artifact import Artifact, ArtifactError
from jupyter_mlops.workflows.events import Event, Listener, Progress
from jupyter_mlops.workflows.person import current_user
from jupyter_mlops.workflows.reconciling import reconcile
from jupyter_mlops.workflows.subjects import champion_of, subject_of
from jupyter_mlops.workflows.taking_over import TookOver, is_moved, serve_instead, serving, take_over, traffic_back

__all__ = ["PromoteOptions", "PromoteResult", "promote", "restore_previous"]

_ASK_EVERY = 1.0  # seconds between two looks whether the promotion was cancelled
_ELSEWHERE = 3600.0  # seconds without a word after which a process on another machine counts as gone
_WORD = 1200.0  # seconds without one after which a process that works gives it
_LAST = [[APPROVAL, "Approval"], [CANARY, "Traffic"], [LIFECYCLE, "Into production"]]  # behind the gates
_here: set[str] = set()  # promotions that this process works on
_lock = threading.Lock()


@dataclass(frozen=True)
class PromoteOptions:
    """How to promote; the defaults are those of the command line.

    Attributes
    ----------
    folder
        Where the SQLite store lies when no tracking URI is given.
    database
        URL of the journal's database.
    user
        Who promotes.
    """

    tracking_uri: str | None = None
    folder: Path = field(default_factory=Path.cwd)
    database: str | None = None
    user: str | None = None
    comment: str = ""


@dataclass(frozen=True)
class PromoteResult:
    """Where the promotion stands: `status` is waiting, promoted, rejected, failed or cancelled."""

    promotion: str
    status: str
    view: Mapping[str, Any]
    tracking_uri: str

    @property
    def ok(self) -> bool:
        """Whether nothing and nobody said no."""
        return self.status in ("promoted", "waiting")

    @property
    def exit_code(self) -> int:
        """0 in production or waiting for an approval, 1 a gate or a person said no."""
        return 0 if self.ok else 1

    def as_dict(self) -> dict[str, Any]:
        """The message `PromoteDone`."""
        return {"ok": self.ok, "promotion": self.promotion, "status": self.status}


def promote(
    model: str, version: str | None = None, options: PromoteOptions | None = None, listen: Listener = lambda event: None
) -> PromoteResult:
    """Run the open steps of a version's promotion, up to an approval that it has to wait for, or to its end.

    Parameters
    ----------
    version
        Default: that of the promotion under way, else that of the alias `staging`, else the newest.

    Raises
    ------
    NotFoundError
        There is no such model or version.
    ConflictError
        Another promotion of the model is active, another process works on this one, or the version is in production.
    EnvironmentLackError
        The registry or the database does not answer; calling again goes on.
    """
    options = options or PromoteOptions()
    journal, uri, user = _opened(options)
    return _go_on(journal, _begin_or_find(journal, uri, model, version, user, options), uri, user, options, listen)


def restore_previous(model: str, options: PromoteOptions | None = None, listen: Listener = lambda event: None) -> PromoteResult:
    """Put the version that was in production before into production again. It went through its gates then: none runs.

    Where the model is deployed on this machine, that version gets all the traffic first. In the journal this is a promotion with
    one step. The version that it replaces becomes the one before.

    Raises
    ------
    NotFoundError
        There is no such model, or no version before.
    ConflictError
        A promotion of the model is active.
    EnvironmentLackError
        The registry or the database does not answer; calling again goes on.
    """
    options = options or PromoteOptions()
    journal, uri, user = _opened(options)
    registry = registry_key(uri)
    active = journal.active(registry, model)
    if active is not None:
        state = fold(journal.entries(active))
        if not state.is_way_back:
            raise ConflictError(
                f"Version {state.version} of {model} is on its way into production (promotion {state.id}, {state.status}). "
                f"End that first: `jupyter mlops reject {state.id}`."
            )
        return _go_on(journal, state, uri, user, options, listen)
    mended = reconcile(journal, uri, model, options.database, user)
    previous = find_version(uri, model).aliases.get(PREVIOUS)
    if previous is None:
        raise NotFoundError(f"No version of {model} was in production before the one that is, so there is nothing to go back to.")
    facts = find_version(uri, model, previous)
    try:
        entry = journal.start(
            registry, model, previous, user, _first(facts, [[LIFECYCLE, "Back into production"]], options.comment, mended)
        )
    except Active as other:
        raise ConflictError(f"A promotion of {model} was begun in the same moment ({other}). Look at it first.") from None
    return _go_on(journal, fold([entry]), uri, user, options, listen)


def _opened(options: PromoteOptions) -> tuple[Journal, str, str]:
    """Journal, registry and user; the registry answers."""
    uri = tracking_uri(options.tracking_uri, options.folder)
    check_reachable(uri)
    return Journal(database_url(options.database)), uri, options.user or current_user()


def _go_on(
    journal: Journal, state: PromotionState, uri: str, user: str, options: PromoteOptions, listen: Listener
) -> PromoteResult:
    if not state.active or state.status == "waiting":
        return _result(journal, state.id, user, uri)
    with _alone(state), tempfile.TemporaryDirectory(prefix="jupyter-mlops-") as scratch:
        work = _Promotion(journal, state, uri, user, options, Progress(listen), Path(scratch))
        work.run()
    return _result(journal, state.id, user, uri)


def _result(journal: Journal, promotion: str, user: str, uri: str) -> PromoteResult:
    shape = view(journal.entries(promotion), user)
    return PromoteResult(promotion, shape["status"], shape, uri)


def _begin_or_find(
    journal: Journal, uri: str, model: str, version: str | None, user: str, options: PromoteOptions
) -> PromotionState:
    """The active promotion of the model, else a new one."""
    registry = registry_key(uri)
    for _ in range(3):
        active = journal.active(registry, model)
        if active is not None:
            state = fold(journal.entries(active))
            if version is not None and state.version != version:
                raise ConflictError(
                    f"Version {state.version} of {model} is on its way already (promotion {state.id}, {state.status}, begun by "
                    f"{state.started_by}). Let it end, or cancel it: `jupyter mlops reject {state.id}`. Then promote version {version}."
                )
            return state
        mended = reconcile(journal, uri, model, options.database, user)
        facts = find_version(uri, model, version)
        if facts.champion == facts.version:
            raise ConflictError(f"Version {facts.version} of {model} is in production already. Nothing is to be done.")
        steps = [[gate.name, gate.title] for gate in GATES] + _LAST
        try:
            return fold([journal.start(registry, model, facts.version, user, _first(facts, steps, options.comment, mended))])
        except Active:
            continue  # somebody else was faster: go on with theirs, or say so
    raise ConflictError(f"Several promotions of {model} were begun at once. Try again.")


def _first(facts: VersionFacts, steps: list[list[str]], comment: str, mended: list[str]) -> dict[str, Any]:
    """What the first entry of a promotion says."""
    return {
        "digest": facts.digest, "author": facts.tags.get(AUTHOR, ""), "champion": facts.champion, "run": facts.run_id,
        "steps": steps, "comment": comment.strip(), "runner": _runner(), "reconciled": mended,
    }  # fmt: skip


@contextmanager
def _alone(state: PromotionState) -> Iterator[None]:
    """One process, and one thread of it, works on a promotion."""
    with _lock:
        if state.id in _here or _is_alive(state):
            where = str((state.runner or {}).get("machine", machine())).partition(" ")[0]
            raise ConflictError(
                f"The promotion {state.id} of {state.model} version {state.version} is being worked on already (on {where}). "
                "Wait for it, or stop that process first."
            )
        _here.add(state.id)
    try:
        yield
    finally:
        with _lock:
            _here.discard(state.id)


def _is_alive(state: PromotionState) -> bool:
    """Whether the process that the journal names still works on it."""
    runner = state.runner
    if not runner:
        return False
    if runner.get("machine") != machine():
        return now() - state.last.at < _ELSEWHERE * 1000
    return runner["pid"] != os.getpid() and is_alive(runner["pid"], runner["created"])  # ours would be in `_here`


def _runner() -> dict[str, Any]:
    return {"machine": machine(), "pid": os.getpid(), "created": created(os.getpid())}


class _Over(Exception):
    """The promotion was ended from outside, or taken over."""


class _No(Exception):
    """A gate said no: the promotion has failed, for the reason in the argument."""


class _Promotion:
    """The work on one promotion."""

    def __init__(
        self,
        journal: Journal,
        state: PromotionState,
        uri: str,
        user: str,
        options: PromoteOptions,
        progress: Progress,
        scratch: Path,
    ) -> None:
        self.journal, self.state, self.uri, self.user = journal, state, uri, user
        self.options, self.progress = options, progress
        self.artifact = Artifact(uri, state.model, state.version, state.digest, state.run, scratch)
        self._scratch = scratch
        self._looked: dict[str, Any] = {}  # at the last look at a canary
        self._asked = time.monotonic()

    def run(self) -> None:
        """All open steps; afterwards the journal says how it stands."""
        if self.state.moved_on not in (None, machine()):
            raise ConflictError(
                f"The traffic of {self.state.model} is being moved on {self.state.moved_on}. Go on with the promotion there."
            )
        try:
            if self.state.last.number > 1 or self.state.runner != _runner():
                self._write("resumed", runner=_runner())
            self._steps()
        except _Over:
            self._over()
        except _No as reason:
            self._write("failed", message=str(reason))
        except KeyboardInterrupt:
            self._interrupted("Stopped. Promote again to go on.")
            raise
        except MlopsError as error:
            if self._is_over():  # whoever ended it has taken the traffic back, too
                self._over()
                return
            self._interrupted(f"{error} Promote again to go on.")
            raise

    def _over(self) -> None:
        """It was ended from outside, or taken over."""
        self.state = fold(self.journal.entries(self.state.id))
        if self.state.active:
            raise ConflictError(f"Another process goes on with the promotion {self.state.id}. This one stops.")
        self._give_back()
        self.progress.failed(f"The promotion was ended by {self.state.last.who}: {self.state.status}.")

    def _is_over(self) -> bool:
        with suppress(MlopsError):
            return not fold(self.journal.entries(self.state.id)).active
        return False

    def _steps(self) -> None:
        for name in [one.name for one in self.state.steps]:
            if self.state.is_done(name):
                step = self.state.step(name)
                (self.progress.skipped if step.status == "skipped" else self.progress.done)(name, step.message)
            elif name == APPROVAL:
                if self._wait_for_approval():
                    return
            elif name == CANARY:
                self._take_over()
            elif name == LIFECYCLE:
                self._into_production()
            else:
                self._gate(name)
        self._write("promoted", message=self.state.step(LIFECYCLE).message)

    # -- steps --------------------------------------------------------------------------------------------------------

    def _gate(self, name: str) -> None:
        gate = next((one for one in GATES if one.name == name), None)
        if gate is None:
            raise UsageError(
                f"This version of jupyter-mlops has no gate {name!r}. Use the one that the promotion was begun with."
            )
        self._write("step-started", step=name)
        started = time.perf_counter()
        with self.progress.step(name, gate.title):
            result = self._judged(gate)
        seconds = round(time.perf_counter() - started, 2)
        asks = result.status == "inconclusive" and result.ask and self.artifact.policy().approval.required
        self._write(
            f"step-{result.status}", step=name, message=result.message, seconds=seconds, figures=dict(result.figures), log=result.log,
            model=self.artifact.model_digest() if self.artifact.model_fetched else None, ask=asks or None,
        )  # fmt: skip
        if result.status == "passed" or asks:
            self.progress.done(name, f"inconclusive: {result.message}" if asks else result.message, figures=dict(result.figures))
            return
        self._say_failed(name, result.message, seconds, dict(result.figures))
        raise _No(f"{gate.title}: {result.message}")

    def _judged(self, gate: Gate) -> GateResult:
        try:
            if not self.artifact.fetched:
                self.progress.say("fetching the project of this version")
            project = self.artifact.project()
            subject = subject_of(
                self.state.model, self.state.version, project, self.artifact.model_folder, self.artifact.policy(),
                tags=self.artifact.tags, champion=self._champion,
            )  # fmt: skip
            return gate.run(subject, self._tell)
        except (ArtifactError, UsageError) as error:  # UsageError: promotion.yaml says something that is not allowed
            return GateResult("failed", str(error))

    @cached_property
    def _champion(self) -> Champion | None:
        """The version in production: no other promotion can change it meanwhile."""
        return champion_of(self.uri, self.state.model, self._scratch, challenger=self.state.version)

    def _wait_for_approval(self) -> bool:
        """Whether it has to wait."""
        self.progress.listen(Event(APPROVAL, "started"))
        try:
            rule = self.artifact.policy().approval
            pinned = self.state.model_digest or self.artifact.model_digest()
        except (ArtifactError, UsageError) as error:
            self._write("step-failed", step=APPROVAL, message=str(error))
            self._say_failed(APPROVAL, str(error))
            raise _No(str(error)) from None
        if not rule.required:
            message = "promotion.yaml asks for none"
            self._write("step-skipped", step=APPROVAL, message=message, model=pinned)
            self.progress.skipped(APPROVAL, message)
            return False
        message = _who_may(rule, self.state.author)
        self._write("waiting", message=message, rule=rule.as_dict(), digest=self.state.digest, model=pinned)
        self.progress.listen(Event(APPROVAL, "progress", f"waits: {message}"))
        return True

    def _take_over(self) -> None:
        """The traffic goes over in steps; the alias `canary` says so meanwhile."""
        started = time.perf_counter()
        if self.state.step(CANARY).status == "failed":  # it was cut off between that and its end
            raise _No(f"Traffic: {self.state.step(CANARY).message}")
        with self.progress.step(CANARY):
            self._write("step-started", step=CANARY)
            try:
                self._still_approved()
                policy = self.artifact.policy()
                if is_moved(self.state.model, policy, self.uri, self.options.database):
                    self._before_traffic()
                    mark_canary(self.uri, self.state.model, self.state.version)
                done = take_over(self.state.model, self.state.version, policy, self.uri, self.options.database, self._traffic)
            except ArtifactError as error:
                done = TookOver("failed", f"The approval is void: {error}" if self.state.approval else str(error))
                self._give_back()
            except NotFoundError as error:
                done = TookOver("failed", str(error))
                self._give_back()
        seconds = round(time.perf_counter() - started, 2)
        figures = {**self.state.step(CANARY).figures, **self._looked, **done.figures} if done.status != "skipped" else {}
        self._write(f"step-{done.status}", step=CANARY, message=done.message, seconds=seconds, figures=figures)
        if done.status != "passed":
            with suppress(MlopsError):  # after the traffic; where the registry is away, the next promotion does it
                mark_canary(self.uri, self.state.model, None)
        if done.status == "failed":
            self._say_failed(CANARY, done.message, seconds, figures)
            raise _No(f"Traffic: {done.message}")
        (self.progress.skipped if done.status == "skipped" else self.progress.done)(CANARY, done.message)

    def _before_traffic(self) -> None:
        """Written before anything moves, so that whoever ends this promotion knows what to go back to."""
        if self.state.moved_on is None:
            former = serving(self.state.model, self.uri, self.options.database)
            said = f"version {former} serves" if former else f"nothing serves {self.state.model} yet"
            self._write("traffic-moved", message=said, figures={"share": 0, "machine": machine(), "former": former})

    def _traffic(self, event: Event) -> None:
        """A look at the canary; the journal keeps where the traffic went, not each look."""
        step, _, share = event.step.partition(" ")
        self._tell("", None)
        if step != CANARY:
            self._while_serving(event)
            return
        self._looked = {**self._looked, **event.data}
        known = {name: self.state.step(CANARY).figures.get(name) for name in ("machine", "former")}
        figures = {"share": 0 if share == "shadow" else float(share.removesuffix("%")), **known, **self._looked}
        said = f"{share}: {event.message}" if event.message else share
        if event.status == "started":
            where = "copies of the requests" if share == "shadow" else f"{share} of the traffic"
            said = f"version {self.state.version} gets {where}"
            self._write("traffic-moved", message=said, figures=figures)
        # Without a fraction it is a line that stays.
        fraction = event.fraction if event.status == "progress" else None
        self.progress.listen(Event(CANARY, "progress", said, fraction, data={"figures": figures}))

    def _while_serving(self, event: Event) -> None:
        self.progress.say(event.message, event.fraction)

    def _give_back(self) -> None:
        """What this promotion moved goes back; then the alias."""
        said = traffic_back(self.journal, self.state.id, self.uri, self.options.database, self.user)
        self.state = fold(self.journal.entries(self.state.id))
        if said:
            self.progress.say(said)

    def _into_production(self) -> None:
        state, started = self.state, time.perf_counter()
        with self.progress.step(LIFECYCLE):
            try:
                if state.lifecycle is None:  # else it is decided, and only has to be carried out
                    self._write("step-started", step=LIFECYCLE)
                    self._still_approved()
                    if state.is_way_back:
                        serve_instead(state.model, state.version, self.uri, self.options.database, self._while_serving)
                    facts = find_version(self.uri, state.model, state.version)
                    former = facts.champion if facts.champion != state.version else facts.aliases.get(PREVIOUS)
                    self._write("lifecycle-changed", production=state.version, previous=former)
                decided = self.state.lifecycle or {}
                changed = apply_lifecycle(self.uri, state.model, decided["production"], decided.get("previous"))
            except (ArtifactError, NotFoundError, NotReadyError) as error:
                void = state.approval and isinstance(error, ArtifactError)
                reason = f"The approval is void: {error}" if void else str(error)
                self._give_back()
                self._write("step-failed", step=LIFECYCLE, message=reason)
                self._say_failed(LIFECYCLE, reason, round(time.perf_counter() - started, 2))
                raise _No(reason) from None
        former = f"; version {decided['previous']} is archived" if decided.get("previous") else ""
        message = f"version {state.version} of {state.model} is in production{former}"
        figures = {"production": state.version, "previous": decided.get("previous"), "registry": shown(self.uri)}
        self._write(
            "step-passed", step=LIFECYCLE, message=message, seconds=self.progress.seconds.get(LIFECYCLE), figures=figures,
            log="\n".join(changed) or None,
        )  # fmt: skip
        self.progress.done(LIFECYCLE, message, figures=figures)

    def _still_approved(self) -> None:
        """The approval was given to the artifact with one digest; it has to be there, and the same."""
        if self.state.approval and self.state.approval.digest != self.state.digest:
            raise ArtifactError("it was given to another artifact than the one that the gates looked at. Promote again.")
        self.progress.say("comparing the artifact with the one that was looked at")
        self.artifact.check(self.state.model_digest)

    # -- the journal --------------------------------------------------------------------------------------------------

    def _write(self, what: str, **data: Any) -> Entry:
        try:
            entry = self.journal.append(self.state.last, self.user, what, {k: v for k, v in data.items() if v is not None})
        except Moved:
            raise _Over from None
        self.state = fold(self.journal.entries(self.state.id))
        return entry

    def _interrupted(self, message: str) -> None:
        with suppress(MlopsError, _Over):  # it is known without it that the step has not ended
            self._write("interrupted", message=message)
        self.progress.failed(message)

    def _tell(self, message: str, fraction: float | None) -> None:
        if message:
            self.progress.say(message, fraction)
        if time.monotonic() - self._asked >= _ASK_EVERY:
            self._asked = time.monotonic()
            entries = self.journal.entries(self.state.id)
            if entries[-1].number != self.state.last.number:
                raise _Over
            if now() - self.state.last.at > _WORD * 1000:
                self._write("at-work")

    def _say_failed(
        self, step: str, message: str, seconds: float | None = None, figures: Mapping[str, Any] | None = None
    ) -> None:
        data = {"figures": dict(figures)} if figures else {}
        self.progress.listen(Event(step, "failed", message, seconds=seconds, data=data))


def _who_may(rule: ApprovalRule, author: str) -> str:
    if rule.approvers:
        return f"one of {', '.join(rule.approvers)} has to approve"
    return "somebody has to approve" if rule.self or not author else f"somebody other than its author {author} has to approve"
