"""The reports of a deployment in their folder: ``<place>/monitoring/version=N/<end of the window>/``."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

__all__ = ["PAGES", "REPORT", "Page", "Reports", "monitoring_folder"]

Page = Literal["report", "drift"]
PAGES: tuple[Page, ...] = ("report", "drift")  # ours, and Evidently's
REPORT = "report.json"
_END = "%Y%m%dT%H%M%S"
_ID = re.compile(r"[0-9]{8}T[0-9]{6}")
_VERSION = re.compile(r"[0-9]{1,18}")


def monitoring_folder(log: Path) -> Path:
    """Where the reports about a prediction log go unless another folder is named: beside it."""
    return log.parent / "monitoring"


@dataclass(frozen=True)
class Reports:
    """The reports of one version; a window is named by its end, in UTC: ``20261130T120000``.

    Attributes
    ----------
    output
        Folder of all versions.
    """

    output: Path
    version: str

    @property
    def folder(self) -> Path:
        """Of this version."""
        return self.output / f"version={self.version}"

    def place(self, until: datetime) -> Path:
        """Folder of the report about a window."""
        return self.folder / until.strftime(_END)

    def windows(self) -> list[str]:
        """What there are reports of, the oldest first."""
        return sorted(path.parent.name for path in self.folder.glob(f"*/{REPORT}") if _ID.fullmatch(path.parent.name))

    def read(self, window: str) -> dict[str, Any] | None:
        """A report as ``monitor.schema.json`` says; None where it cannot be read: it is not worth losing the others."""
        try:
            found = json.loads((self.folder / window / REPORT).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def page(self, window: str, page: str) -> Path | None:
        """A page of a report; None where there is none.

        Whatever the names are, and wherever links lead, it is a page of this version and lies in its folder.
        """
        if not (_VERSION.fullmatch(self.version) and _ID.fullmatch(window) and page in PAGES):
            return None
        found, home = (self.folder / window / f"{page}.html").resolve(), self.output.resolve() / f"version={self.version}"
        return found if found.is_file() and found.is_relative_to(home) else None
