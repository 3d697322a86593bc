"""Room for expressions that are nested deeper than Python's own limit lets a recursive walk go."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["deep_recursion"]

# The compiler bounds how deep code can be nested: a walk that takes a few calls per level needs some times that.
_LIMIT = 20_000


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Raise the limit for a block, such as ``1 + 1 + ... + 1`` with hundreds of terms."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
