"""Where the values of a JSON text begin and end, so that one of them can be changed and all other bytes stay."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

__all__ = ["Member", "elements_of", "members_of", "skip", "value_end"]

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Member:
    """A member of an object in the text: where its key begins, and where its value does and ends."""

    key_at: int
    begin: int
    end: int


def skip(text: str, at: int) -> int:
    """The next place that is no white space."""
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()


def value_end(text: str, at: int) -> int:
    """Where the value that begins at `at` ends."""
    return _DECODER.raw_decode(text, at)[1]


def members_of(text: str, at: int) -> dict[str, Member]:
    """Members of the object that begins at `at`."""
    found: dict[str, Member] = {}
    at = skip(text, at + 1)
    while text[at] != "}":
        key_at = at
        key, at = _DECODER.raw_decode(text, at)
        begin = skip(text, skip(text, at) + 1)
        end = value_end(text, begin)
        found[key] = Member(key_at, begin, end)
        at = skip(text, end)
        if text[at] == ",":
            at = skip(text, at + 1)
    return found


def elements_of(text: str, at: int) -> list[tuple[int, int]]:
    """Begin and end of each element of the array that begins at `at`."""
    found = []
    at = skip(text, at + 1)
    while text[at] != "]":
        end = value_end(text, at)
        found.append((at, end))
        at = skip(text, end)
        if text[at] == ",":
            at = skip(text, at + 1)
    return found
