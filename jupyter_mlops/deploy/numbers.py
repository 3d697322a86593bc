"""What the replicas of a version count themselves (`/metrics`), added up."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Numbers", "read_numbers", "total"]

_TIMEOUT = 2.0
# A refused row is the caller's fault; that the service is overloaded or breaks is the version's.
_ERRORS = ("500", "502", "503", "504")


@dataclass(frozen=True)
class Numbers:
    """Counted since a replica's start.

    Attributes
    ----------
    latency
        Requests by upper bound of their bucket in seconds, not cumulative; the last bound is infinite.
    predictions
        Count of each answer, where the model has classes.
    """

    requests: int = 0
    errors: int = 0
    refused: int = 0
    latency: Mapping[float, int] = field(default_factory=dict)
    predictions: Mapping[str, int] = field(default_factory=dict)

    def since(self, before: Numbers) -> Numbers:
        """What was counted since; a replica that has started anew counts from nothing."""
        if self.requests < before.requests:
            return self
        return Numbers(
            self.requests - before.requests, self.errors - before.errors, self.refused - before.refused,
            {bound: count - before.latency.get(bound, 0) for bound, count in self.latency.items()},
            {name: count - before.predictions.get(name, 0) for name, count in self.predictions.items()},
        )  # fmt: skip


def total(many: Iterable[Numbers]) -> Numbers:
    """The sum of several replicas."""
    requests = errors = refused = 0
    latency: dict[float, int] = {}
    predictions: dict[str, int] = {}
    for one in many:
        requests, errors, refused = requests + one.requests, errors + one.errors, refused + one.refused
        for bound, count in one.latency.items():
            latency[bound] = latency.get(bound, 0) + count
        for name, count in one.predictions.items():
            predictions[name] = predictions.get(name, 0) + count
    return Numbers(requests, errors, refused, dict(sorted(latency.items())), predictions)


def read_numbers(port: int) -> Numbers | None:
    """Of the replica on a port of loopback; None where it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=_TIMEOUT) as answer:
            return _parsed(answer.read().decode("utf-8"))
    except (OSError, ValueError):
        return None


def _parsed(text: str) -> Numbers:
    from prometheus_client.parser import text_string_to_metric_families

    statuses: dict[str, int] = {}
    cumulative: dict[float, int] = {}
    predictions: dict[str, int] = {}
    for sample in _samples(text_string_to_metric_families(text)):
        if sample.name == "service_requests_total":
            status = sample.labels["status"]
            statuses[status] = statuses.get(status, 0) + int(sample.value)
        elif sample.name == "service_request_seconds_bucket":
            bound = float(sample.labels["le"])
            cumulative[bound] = cumulative.get(bound, 0) + int(sample.value)
        elif sample.name == "service_predictions_total":
            predictions[sample.labels["prediction"]] = int(sample.value)
    below, latency = 0, {}
    for bound, count in sorted(cumulative.items()):
        latency[bound] = count - below
        below = count
    errors = sum(count for status, count in statuses.items() if status in _ERRORS)
    refused = sum(count for status, count in statuses.items() if status.startswith("4"))
    return Numbers(sum(statuses.values()), errors, refused, latency, predictions)


def _samples(families: Iterable[Any]) -> Iterable[Any]:
    for family in families:
        yield from family.samples
