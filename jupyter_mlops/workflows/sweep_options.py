"""What a sweep is asked for, and what it gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jupyter_mlops.workflows.sweep_journal import Entry
from jupyter_mlops.workflows.sweep_table import Ranking

__all__ = ["SweepOptions", "SweepResult"]


@dataclass(frozen=True)
class SweepOptions:
    """How to sweep; the defaults are those of the command line."""

    parameters: Sequence[tuple[str, str]] = ()  # name and values as text: ("depth", "3,5,7")
    workers: int | None = None
    engine: str = "local"
    resume: str | None = None  # the sweep's id, or "" for the notebook's last one
    metric: str | None = None
    maximize: bool | None = None
    limit: int | None = None
    random: int | None = None
    seed: int = 0
    experiment: str | None = None
    name: str | None = None
    kernel: str | None = None
    cell_timeout: float | None = None
    tracking_uri: str | None = None
    output: Path | None = None  # folder for sweeps; default: runs/ beside the notebook


@dataclass(frozen=True)
class SweepResult:
    """How a sweep ended, and where everything is."""

    sweep: str
    folder: Path
    entries: list[Entry]  # ranked
    by: Ranking | None
    skipped: int  # done before
    run_id: str
    experiment: str
    tracking_uri: str
    delivered: bool
    seconds: float
    interrupted: bool = False

    @property
    def best(self) -> Entry | None:
        """The first of the ranking."""
        first = self.entries[0] if self.entries else None
        return first if self.by and first and first.status == "FINISHED" and self.by.metric in first.metrics else None

    @property
    def failed(self) -> list[Entry]:
        """Runs that did not finish."""
        return [entry for entry in self.entries if entry.status != "FINISHED"]

    @property
    def exit_code(self) -> int:
        """0 all runs finished, 1 some did not, 130 interrupted."""
        return 130 if self.interrupted else int(bool(self.failed))

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        from jupyter_mlops.tracking.store import shown

        return {
            "sweep": self.sweep, "folder": str(self.folder), "run_id": self.run_id, "experiment": self.experiment,
            "tracking_uri": shown(self.tracking_uri), "delivered": self.delivered, "seconds": self.seconds, "skipped": self.skipped,
            "interrupted": self.interrupted, "metric": self.by.metric if self.by else None,
            "maximize": self.by.maximize if self.by else None, "best": asdict(self.best) if self.best else None,
            "runs": [asdict(entry) for entry in self.entries],
        }  # fmt: skip
