"""The sections of a `promotion.yaml`: what each key is, its default, and what it may be.

To add a key: a field with its default and its check in the dataclass of its section, and its line with a comment in
`convert/templates/project/promotion.yaml.j2`. A section is a dataclass here and a field of `jupyter_mlops.promotion.policy.Policy`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any

from jupyter_mlops.promotion.verdicts.canary import Limits
from jupyter_mlops.promotion.verdicts.scores import KINDS
from jupyter_mlops.sections import Check, boolean, is_number, key, list_of, number, one_of

__all__ = [
    "SCORES",
    "AbortRule",
    "ApprovalRule",
    "CanaryRule",
    "DeployRule",
    "LatencyRule",
    "MetricsRule",
    "ProjectTestsRule",
]

# What a metric gate can score by; "auto" is what the notebook measures, where it is one of these.
SCORES = tuple(KINDS)


def _folder(value: Any) -> str | None:
    """An absolute path, since a policy goes with the version; or null."""
    if value is not None and not (isinstance(value, str) and PurePath(value).is_absolute()):
        raise ValueError("the absolute path of a folder, or null")
    return value


def _limit(unit: str) -> Check:
    """A number above 0, or null for no limit."""

    def check(value: Any) -> float | None:
        if value is not None and not (is_number(value) and 0 < value < float("inf")):
            raise ValueError(f"a number of {unit} above 0, or null for no limit")
        return None if value is None else float(value)

    return check


def _percentages(value: Any) -> tuple[float, ...]:
    good = isinstance(value, list) and value and all(is_number(one) for one in value)
    if not good or list(value) != sorted(set(value)) or not 0.01 <= value[0] <= value[-1] < 100:
        raise ValueError(
            "a list of growing percentages from 0.01 to below 100, such as [1, 5, 25, 50]; all of it comes by itself"
        )
    return tuple(float(one) for one in value)


_SECONDS = number(0, 30 * 86_400, "seconds")


@dataclass(frozen=True)
class ApprovalRule:
    """Who has to agree.

    Attributes
    ----------
    required
        Whether somebody has to.
    approvers
        User names; nobody named means anyone.
    self
        Whether the author of a version may approve it.
    """

    required: bool = key(True, boolean)
    approvers: tuple[str, ...] = key((), list_of("user names", "[anna, ben]"))
    self: bool = key(False, boolean)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "approvers": list(self.approvers)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ApprovalRule:
        """The reverse of `as_dict`."""
        return cls(bool(data.get("required", True)), tuple(data.get("approvers", ())), bool(data.get("self", False)))


@dataclass(frozen=True)
class ProjectTestsRule:
    """How long the project's tests may take, in seconds."""

    seconds: float = key(900.0, number(1, 86_400, "seconds"))


@dataclass(frozen=True)
class MetricsRule:
    """How the challenger is compared with the champion, on the challenger's holdout.

    Attributes
    ----------
    score
        One of `SCORES`, or ``auto``: what the notebook measures.
    rule
        ``better``: the whole interval above the champion; ``not worse``: above the champion less `margin`.
    margin
        In the score's own unit; for errors (mae, rmse, log_loss, ...) as a part of the champion's.
    confidence
        Of the interval of the paired bootstrap.
    segments
        Columns; within each of their values (with at least `segment_rows` rows) it must not be worse by `segment_margin`.
    inconclusive
        What an interval on both sides of the line does: ``ask`` whoever approves, or ``stop``.
    """

    score: str = key("auto", one_of("auto", *SCORES))
    rule: str = key("not worse", one_of("better", "not worse"))
    margin: float = key(0.01, number(0, 1))
    confidence: float = key(0.9, number(0.5, 0.999))
    segments: tuple[str, ...] = key((), list_of("columns", "[region, plan]"))
    segment_margin: float = key(0.05, number(0, 1))
    segment_rows: int = key(100, number(10, 1_000_000, whole=True))
    inconclusive: str = key("ask", one_of("ask", "stop"))


@dataclass(frozen=True)
class LatencyRule:
    """What the service has to reach here, with so many clients for so long, and beside the one in production.

    Attributes
    ----------
    p50_ms, p99_ms
        Milliseconds of one request at most; None: no limit.
    throughput
        Requests a second at least; None: no limit.
    ratio
        The challenger's p99, and the inverse of its throughput, as a multiple of the champion's at most; None: no limit.
    """

    p50_ms: float | None = key(50.0, _limit("milliseconds"))
    p99_ms: float | None = key(250.0, _limit("milliseconds"))
    throughput: float | None = key(20.0, _limit("requests a second"))
    ratio: float | None = key(2.0, _limit("times"))
    clients: int = key(4, number(1, 64, whole=True))
    seconds: float = key(4.0, number(0.5, 600, "seconds"))


@dataclass(frozen=True)
class DeployRule:
    """Where a promoted version serves.

    Attributes
    ----------
    target
        ``none``: where the model is deployed on this machine already, the canary takes place there; ``local``: it is deployed here
        by its first promotion.
    port, replicas
        Of that deployment.
    feature_store
        Folder of the feature repository that the services of this version read; None: that of the version before.
    """

    target: str = key("none", one_of("none", "local"))
    port: int = key(8080, number(1, 65_535, whole=True))
    replicas: int = key(2, number(1, 64, whole=True))
    feature_store: str | None = key(None, _folder)


@dataclass(frozen=True)
class CanaryRule:
    """How traffic goes over to the version.

    Attributes
    ----------
    shadow
        Seconds for which it is sent copies of requests before it answers any; 0: none.
    steps
        Percentages of the traffic, one after the other; 100 comes by itself.
    seconds, requests
        That each step lasts at least; requests are the canary's.
    bake
        Seconds for which the champion's replicas are kept warm after the last step.
    """

    shadow: float = key(0.0, _SECONDS)
    steps: tuple[float, ...] = key((1.0, 5.0, 25.0, 50.0), _percentages)
    seconds: float = key(60.0, _SECONDS)
    requests: int = key(100, number(0, 10_000_000, whole=True))
    bake: float = key(300.0, _SECONDS)


@dataclass(frozen=True)
class AbortRule:
    """When a canary is taken off: those of `jupyter_mlops.promotion.verdicts.canary.Limits` that are for a policy to say."""

    evidence: float = key(Limits.evidence, number(2, 1e9))
    failing: float = key(Limits.failing, number(0.01, 1))
    latency_ratio: float = key(Limits.latency_ratio, number(1, 1000))
    latency_looks: int = key(Limits.latency_looks, number(1, 100, whole=True))
    shift: float = key(Limits.shift, number(0.01, 100))
