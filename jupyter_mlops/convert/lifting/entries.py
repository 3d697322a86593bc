"""What the state holds, before there are values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["StateEntry"]


@dataclass(frozen=True)
class StateEntry:
    """One value of the state and where it comes from.

    `indexes` are the notes that hold it; with `keys`, one for each key of a dictionary.
    """

    name: str
    scope: str  # call of a function that it belongs to, "" for the program itself
    cell: int
    line: int
    code: str
    indexes: tuple[int, ...]
    keys: tuple[object, ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)
