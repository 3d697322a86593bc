"""How long values may be that MLflow takes."""

from __future__ import annotations

__all__ = ["PARAM_LENGTH", "TAG_LENGTH", "cut"]

PARAM_LENGTH = 6000  # characters of a parameter
TAG_LENGTH = 8000  # and of a tag


def cut(value: str, limit: int) -> str:
    """The value, or as much of it as fits, with its whole length said."""
    if len(value) <= limit:
        return value
    said = f"... ({len(value)} characters)"
    return value[: limit - len(said)] + said
