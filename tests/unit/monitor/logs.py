"""A prediction log as the generated service writes it: by its own code."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

__all__ = ["Written"]

TEMPLATE = Path(__file__).parents[3] / "jupyter_mlops/convert/templates/project/service"
KINDS = {"f": "float", "i": "integer", "b": "boolean", "M": "datetime"}


def _journal() -> Any:
    spec = importlib.util.spec_from_file_location("journal_of_the_service", TEMPLATE / "journal.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Written:
    """Writes journals into the log of a folder; `compact` makes Parquet of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = _journal()
        self._count = 0

    def predictions(
        self, frame: pd.DataFrame, labels: Iterable[Any], times: Iterable[datetime], *, version: str = "1", arm: str = "stable",
        name: str = "r", probabilities: list[list[float]] | None = None, close: bool = True, kind: str = "integer",
        hashed: Iterable[str] = (),
    ) -> Any:  # fmt: skip
        """One request a row, named ``r-0``, ``r-1``, ..."""
        columns = [self.journal.Column(one, KINDS.get(frame[one].dtype.kind, "string"), one in set(hashed)) for one in frame]
        opened = self._opened("predictions", version, kind, columns)
        rows = [tuple(map(_plain, row)) for row in frame.astype(object).itertuples(index=False)]
        records = self.journal.Records()
        for at, (row, label, when) in enumerate(zip(rows, labels, times, strict=True)):
            chances = probabilities and [probabilities[at]]
            records.add((int(when.timestamp() * 1e9), f"{name}-{at}", arm, [row], [label], chances))
        opened.append(records)
        if close:
            opened.close()
        return opened

    def feedback(self, told: Iterable[tuple[str, int, Any, datetime]]) -> None:
        """Labels: id, row, label and when it was told."""
        opened = self._opened("feedback", "1", "integer", [])
        records = self.journal.Records()
        for one, row, label, when in told:
            records.add((int(when.timestamp() * 1e9), one, row, label))
        opened.append(records)
        opened.close()

    def compact(self) -> None:
        """As the service does, in a process of its own."""
        package = TEMPLATE.parent
        subprocess.run([sys.executable, "-m", "service.segments", str(self.folder)], cwd=package, check=True)

    def _opened(self, kind: str, version: str, prediction: str, columns: list[Any]) -> Any:
        self._count += 1
        path = self.folder / "open" / f"{kind}-test-{self._count}.journal"
        return self.journal.Journal(path, self.journal.Header(kind, "m", version, prediction, columns))


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    return None if value != value else value
