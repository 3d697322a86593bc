"""What was seen of the watched expressions, as plain facts; the values themselves stay where pandas is loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

__all__ = ["TABLE", "Note", "Observed"]

TABLE = "<table>"  # key of a pass of a loop over tables, with the table's identity, see `observer`

_TABLES = ("pandas.core.frame.DataFrame", "pandas.core.series.Series", "numpy.ndarray")


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value


@dataclass(frozen=True)
class Note:
    """One pass through a watched expression.

    `stack` are the calls of the notebook's functions around it, `key` the loop variables. Notes with the same number in
    `same` have equal values. `index` finds the value.
    """

    index: int
    stack: tuple[Any, ...]
    key: tuple[Any, ...]
    same: int
    kept: bool
    facts: Mapping[str, Any]

    def as_plain(self) -> Note:
        """The note of an operator's call with the value that it gave, not with what it learned."""
        if self.facts.get("fitted") is False:
            return self
        index = self.facts.get("plain")
        return replace(self, kept=index is not None, index=self.index if index is None else index)


@dataclass
class Observed:
    """Notes by site."""

    notes: dict[int, list[Note]] = field(default_factory=dict)
    lengths: frozenset[int] = frozenset()  # of the raw tables

    @classmethod
    def load(cls, folder: Path) -> Observed:
        """Read what `observer.Observer.finish` wrote; nothing where nothing was watched."""
        path = folder / "observed.json"
        if not path.is_file():
            return cls()
        data = json.loads(path.read_text(encoding="utf-8"))
        out = cls(lengths=frozenset(data["lengths"]))
        for index, one in enumerate(data["notes"]):
            note = Note(index, _frozen(one["stack"]), _frozen(one["key"]), one["same"], one["kept"], one)
            out.notes.setdefault(one["site"], []).append(note)
        return out

    def facts(self, site: int) -> Mapping[str, Any] | None:
        """Facts of the last pass."""
        notes = self.notes.get(site)
        return notes[-1].facts if notes else None

    def lengths_of(self, site: int) -> set[int]:
        """Lengths that the value had."""
        return {n.facts["n"] for n in self.notes.get(site, ()) if n.facts["n"] is not None}
