"""`promotion.yaml`: what a promotion asks for, and who may approve it. Its sections are in `rules`."""

from __future__ import annotations

from dataclasses import dataclass, field

from jupyter_mlops.promotion.rules import (
    AbortRule,
    ApprovalRule,
    CanaryRule,
    DeployRule,
    LatencyRule,
    MetricsRule,
    ProjectTestsRule,
)
from jupyter_mlops.sections import read_sections

__all__ = ["FILE", "Policy", "read_policy", "why_not"]

FILE = "promotion.yaml"


@dataclass(frozen=True)
class Policy:
    """A whole `promotion.yaml`."""

    approval: ApprovalRule = field(default_factory=ApprovalRule)
    tests: ProjectTestsRule = field(default_factory=ProjectTestsRule)
    metrics: MetricsRule = field(default_factory=MetricsRule)
    latency: LatencyRule = field(default_factory=LatencyRule)
    deploy: DeployRule = field(default_factory=DeployRule)
    canary: CanaryRule = field(default_factory=CanaryRule)
    abort: AbortRule = field(default_factory=AbortRule)


def read_policy(text: str, where: str = FILE) -> Policy:
    """The policy in a file's text, see `read_sections`; `where` is the file, for messages."""
    return read_sections(Policy, text, where)


def why_not(rule: ApprovalRule, author: str, user: str) -> str | None:
    """Why this user may not approve or reject, and what to do; None when they may."""
    if rule.approvers and user not in rule.approvers:
        who = " or ".join(rule.approvers) if len(rule.approvers) < 4 else f"one of {', '.join(rule.approvers)}"
        return f"{FILE} has {who} decide, and you are {user}: ask them. A change of {FILE} takes effect with the next conversion."
    if user == author and not rule.self:
        others = (
            f"ask {' or '.join(one for one in rule.approvers if one != user)}"
            if set(rule.approvers) - {user}
            else "ask a colleague"
        )
        return (
            f"You ({user}) made this version, and {FILE} does not let its author approve it: {others}, "
            f"or set approval.self to true in the {FILE} beside the notebook and convert again."
        )
    return None
