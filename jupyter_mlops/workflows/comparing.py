"""A run beside those before it: the previous one and the best ones of the same name in its experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Thread

from jupyter_mlops.errors import MlopsError, UsageError
from jupyter_mlops.tracking.directions import lower_is_better
from jupyter_mlops.tracking.listing import RunRow, best_run, latest_runs, quoted

__all__ = ["MEASURES", "Best", "History", "Past", "lower_is_better"]

MEASURES = ("duration_seconds", "peak_memory_mib")  # of every run: compared with the previous one only
_COMPARED = 12  # metrics for which the best run is looked for


@dataclass(frozen=True)
class Best:
    """The best earlier run by one metric."""

    value: float
    run_id: str
    name: str


@dataclass(frozen=True)
class Past:
    """What there is to compare with.

    Parameters
    ----------
    previous
        The run before, if there was one.
    best
        The best earlier run by each metric.
    """

    previous: RunRow | None = None
    best: Mapping[str, Best] = field(default_factory=dict)


class History:
    """Looks for earlier runs in the background, when a run is over: nobody waits for it, and an empty run needs none.

    Parameters
    ----------
    name, run_id
        Of the run that is compared: earlier finished runs of the same name count.
    away
        The store is known not to answer.
    """

    def __init__(self, uri: str, experiment: str, name: str, run_id: str, *, away: bool = False) -> None:
        self.uri, self.experiment, self.run_id, self.away = uri, experiment, run_id, away
        try:
            self.filter = f"attributes.status = 'FINISHED' and attributes.run_name = {quoted(name)}"
        except UsageError:  # a name that MLflow cannot search for
            self.filter, self.away = "", True

    def _previous(self) -> RunRow | None:
        if self.away:
            return None
        try:
            rows = latest_runs(self.uri, self.experiment, limit=2, filter_string=self.filter)
        except (MlopsError, OSError):
            self.away = True
            return None
        return next((one for one in rows if one.run_id != self.run_id), None)

    def find(self, metrics: Mapping[str, float], then: Callable[[Past], None]) -> Thread:
        """Look for the best runs by these metrics and call `then`, in a thread of its own."""
        thread = Thread(target=lambda: then(self._find(metrics)), daemon=True)
        thread.start()
        return thread

    def _find(self, metrics: Mapping[str, float]) -> Past:
        previous = self._previous()
        best: dict[str, Best] = {}
        if previous is None or self.away:
            return Past(previous)
        for name in [one for one in metrics if one not in MEASURES][:_COMPARED]:
            try:
                row = best_run(
                    self.uri, self.experiment, name, maximize=not lower_is_better(name),
                    filter_string=f"{self.filter} and attributes.run_id != '{self.run_id}'",
                )  # fmt: skip
            except (MlopsError, OSError):
                break
            if row is not None and name in row.metrics:
                best[name] = Best(row.metrics[name], row.run_id, row.name)
        return Past(previous, best)
