"""What processes that are started here get of this process' environment."""

from __future__ import annotations

import os

__all__ = ["inherited"]


def inherited(*without: str) -> dict[str, str]:
    """The environment without variables that begin with one of these, and without what makes every import compile again."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHONDONTWRITEBYTECODE", *without))}
