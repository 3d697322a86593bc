"""What the state holds, before there are values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from jupyter_mlops.convert.edits import Edit

__all__ = ["Lesson", "StateEntry"]


@dataclass(frozen=True)
class StateEntry:
    """One value of the state and where it comes from.

    `indexes` are the notes that hold it; with `keys`, one for each key of a dictionary. With `passes`, the call that it
    belongs to is made in a loop: one value for each pass.
    """

    name: str
    scope: str  # call of a function that it belongs to, "" for the program itself
    cell: int
    line: int
    code: str
    indexes: tuple[int, ...]
    keys: tuple[object, ...] | None = None
    passes: tuple[object, ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Lesson:
    """An edit of the training code that keeps what is learned.

    It belongs to an `entry` of the state, or to a call of a `function` that learns.
    """

    cell: int
    edit: Edit
    entry: str = ""
    function: str = ""
