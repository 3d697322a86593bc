"""Decisions on the value of a row: the function is run once for each way through it.

Each run follows the decisions of the run before up to the last one that is still to be taken the other way. What the
runs return is merged with `Where`, each under the conditions of its way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jupyter_mlops.export.graph import Graph, Unsupported

__all__ = ["Paths", "explore"]

_MOST = 400


class Paths:
    """The decisions of the run that is going on: boolean tensors, and which way was taken."""

    def __init__(self, graph: Graph, planned: list[bool]) -> None:
        self.graph = graph
        self.planned = planned
        self.taken: list[tuple[str, bool]] = []
        self.failed = False

    def decide(self, condition: str) -> bool:
        """Which way to take."""
        for known, way in self.taken:
            if known == condition:
                return way
        at = len(self.taken)
        way = self.planned[at] if at < len(self.planned) else True
        self.taken.append((condition, way))
        return way

    def fails(self) -> None:
        """This way ends with an error."""
        self.failed = True
        raise _Dead

    def here(self) -> str | None:
        """The condition of this way, a boolean tensor; None when nothing was decided."""
        out: str | None = None
        for condition, way in self.taken:
            one = condition if way else self.graph.op("Not", condition)
            out = one if out is None else self.graph.op("And", out, one)
        return out


class _Dead(Exception):
    """A way that ends with an error."""


def explore(graph: Graph, run: Callable[[Paths], Any]) -> list[tuple[str | None, Any, bool]]:
    """All ways: (condition, what was returned, whether it ended with an error)."""
    out: list[tuple[str | None, Any, bool]] = []
    planned: list[bool] = []
    while True:
        paths = Paths(graph, planned)
        try:
            result = run(paths)
        except _Dead:
            result = None
        out.append((paths.here(), result, paths.failed))
        if len(out) > _MOST:
            raise Unsupported("a function with too many ways through it")
        ways = [way for _, way in paths.taken]
        while ways and not ways[-1]:
            ways.pop()
        if not ways:
            return out
        planned = [*ways[:-1], False]
