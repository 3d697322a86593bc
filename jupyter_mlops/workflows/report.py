"""The machine-readable result of a conversion (`report.json`)."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_mlops.notebook.problems import Problem

__all__ = ["Report"]


@dataclass
class Report:
    """What a conversion did; `as_dict` follows `jupyter_mlops/schema/report.schema.json`."""

    status: str = "failed"
    failed_step: str | None = None
    boundary: str | None = None
    model: dict[str, Any] | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    parity: dict[str, Any] | None = None
    problems: list[Problem] = field(default_factory=list)
    state: list[dict[str, Any]] = field(default_factory=list)  # what the features learned: name, value, cell, line, code
    tags: list[dict[str, Any]] = field(default_factory=list)  # suggested for the cells of an untagged notebook
    seconds: dict[str, float] = field(default_factory=dict)
    run_id: str | None = None
    model_version: str | None = None
    mismatch_allowed: bool = False
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; numbers that JSON cannot hold become null."""
        return {
            "status": self.status,
            "failed_step": self.failed_step,
            "boundary": self.boundary,
            "model": self.model,
            "metrics": {k: v if math.isfinite(v) else None for k, v in self.metrics.items()},
            "parity": self.parity,
            "problems": [p.as_dict() for p in self.problems],
            "state": self.state,
            "tags": self.tags,
            "seconds": self.seconds,
            "run_id": self.run_id,
            "model_version": self.model_version,
            "mismatch_allowed": self.mismatch_allowed,
            "error": self.error,
        }

    def write(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(self.as_dict(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    @property
    def mismatches(self) -> int:
        """Rows in which any of package, service and bundle differ from the notebook."""
        if self.parity is None:
            return 0
        sides = (self.parity.get(side) for side in ("package", "service", "bundle"))
        return sum(int(side["mismatches"]) for side in sides if side)
