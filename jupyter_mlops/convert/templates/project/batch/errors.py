"""What stops a batch. Rows that cannot be scored never do: they go to ``_bad/``."""

from __future__ import annotations


class BatchError(Exception):
    """The call is wrong, or something is missing; the message says what to do (exit code 2)."""


class TooManyBadError(Exception):
    """More rows are bad than ``--max-bad`` allows (exit code 1)."""
