"""One model's promotions: in a real registry and journal, with gates that answer at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_mlops.promotion.gates.kinds import GateResult, Subject, Tell
from jupyter_mlops.promotion.journal import Journal
from jupyter_mlops.workflows.promote import PromoteOptions, PromoteResult, promote, restore_previous
from jupyter_mlops.workflows.promotions import decide
from tests.unit.promotion.registry import add_version, small_project

__all__ = ["Gate", "Place"]


@dataclass
class Gate:
    """A gate that counts how often it is asked."""

    name: str
    title: str
    answer: GateResult = field(default_factory=lambda: GateResult("passed", "fine", {"tests": 3}))
    asked: int = 0
    during: Callable[[Tell], None] | None = None

    def run(self, subject: Subject, tell: Tell) -> GateResult:
        self.asked += 1
        assert (subject.project / "promotion.yaml").is_file()
        if self.during is not None:
            self.during(tell)
        return self.answer


@dataclass
class Place:
    """One model in the registry, a journal of its own, two gates."""

    uri: str
    model: str
    folder: Path
    gates: tuple[Gate, Gate]

    @property
    def database(self) -> str:
        return f"sqlite:///{self.folder / 'mlops.db'}"

    def version(self, policy: str | None = None, **how: Any) -> str:
        project = small_project(self.folder / "project") if policy is None else small_project(self.folder / "project", policy)
        return add_version(self.uri, self.model, project, self.folder / "scratch", **how)

    def promote(self, version: str | None = None, user: str = "ada", listen: Any = lambda event: None) -> PromoteResult:
        return promote(self.model, version, PromoteOptions(tracking_uri=self.uri, database=self.database, user=user), listen)

    def back(self) -> PromoteResult:
        options = PromoteOptions(tracking_uri=self.uri, database=self.database, user="eve", comment="it misbehaves")
        return restore_previous(self.model, options)

    def decide(self, result: PromoteResult, decision: Any, user: str = "ben", digest: str | None = None) -> dict[str, Any]:
        return decide(self.database, result.promotion, decision, user=user, comment="seen", digest=digest)

    def to_production(self, version: str | None = None) -> PromoteResult:
        waiting = self.promote(version)
        assert waiting.status == "waiting"
        self.decide(waiting, "approve")
        return self.promote()

    def whats(self, result: PromoteResult) -> list[str]:
        return [one.what for one in Journal(self.database).entries(result.promotion)]
