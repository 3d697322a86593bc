"""Numbers for Prometheus: counted as plain floats, collected when somebody asks.

All worker processes count in one shared file, each in a part of its own, so that a scrape sees the
whole service whichever worker answers it.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
from bisect import bisect_left
from collections.abc import Iterable, Iterator, MutableSequence, Sequence
from pathlib import Path
from typing import Any, Literal, cast

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

try:
    import fcntl
except ImportError:  # Windows: every worker counts for itself
    fcntl = None  # type: ignore[assignment]

ROUTES = ("predict", "invocations", "infer", "entity")
STATUSES = (200, 400, 413, 415, 422, 500, 503)
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096)
LOG = ("rows", "labels", "queue", "disk", "waiting")  # what is counted of the prediction log
FILE = "SERVICE_METRICS_FILE"
SIZE = 4096  # numbers of one worker
MAX_LABELS = 1000  # classes that are counted one by one


@contextlib.contextmanager
def shared_numbers(workers: int) -> Iterator[None]:
    """A file for the numbers of several workers, for as long as they run."""
    if workers < 2 or fcntl is None:
        yield
        return
    with tempfile.NamedTemporaryFile(prefix="service-metrics-") as file:
        file.truncate(workers * SIZE * 8)
        os.environ[FILE] = file.name
        yield


class Metrics:
    """The numbers of this worker, and the sums of all of them."""

    def __init__(self, labels: Sequence[Any] | None, info: dict[str, str]) -> None:
        self._info = info
        self._labels = {label: n for n, label in enumerate((labels or ())[:MAX_LABELS])}
        self._used = 0
        self._in_flight = self._take(1)
        self._queue = self._take(1)
        self._requests = self._take(len(ROUTES) * len(STATUSES))
        self._seconds = self._take(len(ROUTES) * (len(SECONDS) + 2))
        self._batches = self._take(len(BATCHES) + 2)
        self._rows = self._take(1)
        self._log = self._take(len(LOG))
        self._predictions = self._take(len(self._labels))
        self._all, self._mine = _open_numbers(SIZE)
        for gauge in (self._in_flight, self._queue, self._log + LOG.index("waiting")):
            self._mine[gauge] = 0.0
        self._registry = CollectorRegistry()
        self._registry.register(_Families(self))

    def _take(self, count: int) -> int:
        start = self._used
        self._used += count
        return start

    def started(self) -> None:
        """A request came."""
        self._mine[self._in_flight] += 1

    def finished(self, route: int, status: int, seconds: float) -> None:
        """A request to ``ROUTES[route]`` was answered."""
        numbers = self._mine
        numbers[self._in_flight] -= 1
        at = STATUSES.index(status) if status in STATUSES else STATUSES.index(500)
        numbers[self._requests + route * len(STATUSES) + at] += 1
        base = self._seconds + route * (len(SECONDS) + 2)
        numbers[base + bisect_left(SECONDS, seconds)] += 1
        numbers[base + len(SECONDS) + 1] += seconds

    def waits(self, requests: int) -> None:
        """So many requests wait for the model now."""
        self._mine[self._queue] = requests

    def log_written(self, labels: bool, number: int) -> None:
        """So many rows, or labels, are in the prediction log."""
        self._mine[self._log + LOG.index("labels" if labels else "rows")] += number

    def log_lost(self, reason: Literal["queue", "disk"], number: int) -> None:
        """So many are not. Each reason is counted by one thread."""
        self._mine[self._log + LOG.index(reason)] += number

    def log_waits(self, rows: int) -> None:
        """So many rows wait to be written."""
        self._mine[self._log + LOG.index("waiting")] = rows

    def predicted(self, labels: Sequence[Any]) -> None:
        """The model was called once and gave these predictions."""
        numbers = self._mine
        rows = len(labels)
        numbers[self._rows] += rows
        numbers[self._batches + bisect_left(BATCHES, rows)] += 1
        numbers[self._batches + len(BATCHES) + 1] += rows
        if known := self._labels:
            for label in labels:
                if (at := known.get(label)) is not None:
                    numbers[self._predictions + at] += 1

    def text(self) -> bytes:
        """All numbers in Prometheus' text format."""
        return generate_latest(self._registry)

    def families(self) -> Iterable[Metric]:
        """The sums over all workers as metric families."""
        version = self._info["model_version"]
        total = [sum(part) for part in zip(*self._all, strict=True)]
        requests = CounterMetricFamily(
            "service_requests",
            "Requests for predictions, by route and HTTP status",
            labels=("route", "status", "model_version"),
        )
        seconds = HistogramMetricFamily(
            "service_request_seconds",
            "Time from a request's arrival to its answer",
            labels=("route", "model_version"),
        )
        for number, route in enumerate(ROUTES):
            for at, status in enumerate(STATUSES):
                count = total[self._requests + number * len(STATUSES) + at]
                requests.add_metric((route, str(status), version), count)
            start = self._seconds + number * (len(SECONDS) + 2)
            buckets, amount = _buckets(SECONDS, total[start : start + len(SECONDS) + 2])
            seconds.add_metric((route, version), buckets, amount)
        in_flight = GaugeMetricFamily(
            "service_requests_in_flight", "Requests being answered", labels=("model_version",)
        )
        in_flight.add_metric((version,), total[self._in_flight])
        queue = GaugeMetricFamily(
            "service_queue_depth", "Requests that wait for the model", labels=("model_version",)
        )
        queue.add_metric((version,), total[self._queue])
        batches = HistogramMetricFamily(
            "service_batch_rows", "Rows of one model call", labels=("model_version",)
        )
        start = self._batches
        batches.add_metric((version,), *_buckets(BATCHES, total[start : start + len(BATCHES) + 2]))
        rows = CounterMetricFamily("service_rows", "Rows predicted", labels=("model_version",))
        rows.add_metric((version,), total[self._rows])
        predictions = CounterMetricFamily(
            "service_predictions",
            "Predictions by class",
            labels=("prediction", "model_version"),
        )
        for label, at in self._labels.items():
            predictions.add_metric((str(label), version), total[self._predictions + at])
        logged = {name: total[self._log + at] for at, name in enumerate(LOG)}
        for_rows = ("model_version",)
        written = CounterMetricFamily(
            "service_log_rows", "Rows in the prediction log", labels=for_rows
        )
        written.add_metric((version,), logged["rows"])
        truths = CounterMetricFamily(
            "service_log_labels", "Labels in the prediction log", labels=for_rows
        )
        truths.add_metric((version,), logged["labels"])
        lost = CounterMetricFamily(
            "service_log_lost",
            "Rows and labels that could not be logged",
            labels=("reason", "model_version"),
        )
        for reason in ("queue", "disk"):
            lost.add_metric((reason, version), logged[reason])
        waiting = GaugeMetricFamily(
            "service_log_waiting_rows", "Rows that wait to be logged", labels=for_rows
        )
        waiting.add_metric((version,), logged["waiting"])
        log = (written, truths, lost, waiting)
        info = GaugeMetricFamily("service_model_info", "The model served", labels=tuple(self._info))
        info.add_metric(tuple(self._info.values()), 1)
        return requests, seconds, in_flight, queue, batches, rows, predictions, *log, info


class _Families(Collector):
    """What the registry asks."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics.families()


def _buckets(
    bounds: Sequence[float], numbers: Sequence[float]
) -> tuple[list[tuple[str, float]], float]:
    """Cumulative buckets and the sum, from counts per bucket (the last one open) and the sum."""
    names = [*map(str, bounds), "+Inf"]
    counts: list[tuple[str, float]] = []
    running = 0.0
    for name, count in zip(names, numbers, strict=False):
        running += count
        counts.append((name, running))
    return counts, numbers[len(bounds) + 1]


def _open_numbers(size: int) -> tuple[list[MutableSequence[float]], MutableSequence[float]]:
    """The numbers of all workers, and this worker's own among them."""
    path = os.environ.get(FILE)
    if path is None or fcntl is None:
        own: MutableSequence[float] = [0.0] * size
        return [own], own
    file = os.open(Path(path), os.O_RDWR)  # stays open: the lock lives as long as the process
    view = memoryview(mmap.mmap(file, 0)).cast("d")
    parts: list[MutableSequence[float]] = [
        cast(MutableSequence[float], view[start : start + size])
        for start in range(0, len(view), size)
    ]
    for number, part in enumerate(parts):
        # A worker that replaces a dead one goes on counting where that one stopped.
        with contextlib.suppress(OSError):
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
            return parts, part
    raise RuntimeError(f"more workers than {path} has room for")
