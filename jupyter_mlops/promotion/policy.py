"""`promotion.yaml`: what a promotion asks for, and who may approve it. Its sections are in `rules`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from jupyter_mlops.errors import UsageError
from jupyter_mlops.promotion.rules import (
    AbortRule,
    ApprovalRule,
    CanaryRule,
    DeployRule,
    LatencyRule,
    MetricsRule,
    ProjectTestsRule,
)

__all__ = ["FILE", "Policy", "policy_beside", "read_policy", "why_not"]

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
    """The policy in a file's text; what it leaves out has its default.

    Parameters
    ----------
    where
        The file, for messages.

    Raises
    ------
    UsageError
        It is no YAML, has an unknown key, or a value that is not allowed.
    """
    import yaml

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise UsageError(f"{where}{line} is no YAML: {getattr(error, 'problem', None) or error}. Mend it there.") from None
    except (ValueError, RecursionError) as error:  # a date that there is not, or thousands of brackets
        raise UsageError(f"{where} cannot be read: {error}. Mend it there.") from None
    sections: dict[str, Any] = {section.name: section.default_factory for section in fields(Policy)}
    made = {}
    for name, section in _mapping(data, where, "").items():
        _known(name, sections, where, "")
        kind = sections[name]
        checks = {key.name: key.metadata["check"] for key in fields(kind)}
        values = {}
        for key, value in _mapping(section, where, name).items():
            _known(key, checks, where, f"{name}.")
            try:
                values[key] = checks[key](value)
            except ValueError as error:
                raise UsageError(f"{where}: {name}.{key} is {value!r}, but must be {error}.") from None
        made[name] = kind(**values)
    return Policy(**made)


def policy_beside(notebook: Path) -> str:
    """Text of the policy beside a notebook, which its project takes over; empty where there is none.

    Raises
    ------
    UsageError
        It cannot be read, or says something that is not allowed.
    """
    path = notebook.absolute().with_name(FILE)
    if not path.exists():
        return ""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}. Mend or remove it.") from None
    read_policy(text, str(path))
    return text if text.endswith("\n") else f"{text}\n"


def _mapping(data: Any, where: str, name: str) -> Mapping[Any, Any]:
    if data is None:
        return {}
    if not isinstance(data, dict):
        what = f"{name} must hold keys" if name else "it must hold sections, such as approval,"
        raise UsageError(f"{where}: {what} with a colon behind each, not {str(data)[:60]!r}.")
    return data


def _known(key: Any, known: Mapping[str, Any], where: str, prefix: str) -> None:
    if key in known:
        return
    near = get_close_matches(str(key), known, 1)
    meant = f" Did you mean {prefix}{near[0]}?" if near else ""
    raise UsageError(f"{where}: {prefix}{key} is no known key; known are {', '.join(prefix + one for one in known)}.{meant}")


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
