"""Progress of a long workflow as values: what the command line prints, `--json` emits and the sidebar shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import Any, Literal

__all__ = ["STEPS", "Event", "Listener", "Progress"]

STEPS = ("read", "analyse", "lift", "plan", "render", "run", "export", "verify", "register")


@dataclass(frozen=True)
class Event:
    """One thing that happened. `fraction` is of the step, from 0 to 1, where it is known."""

    step: str
    status: Literal["started", "progress", "done", "failed", "skipped"]
    message: str = ""
    fraction: float | None = None
    seconds: float | None = None
    data: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; what is not known is left out."""
        return {key: value for key, value in asdict(self).items() if value not in (None, "", {})}


Listener = Callable[[Event], None]


class Progress:
    """Times the steps of a workflow and tells a listener about them."""

    def __init__(self, listen: Listener = lambda event: None) -> None:
        self.listen = listen
        self.seconds: dict[str, float] = {}
        self.current = STEPS[0]

    @contextmanager
    def step(self, name: str, message: str = "") -> Iterator[None]:
        """Run a block as (a further part of) a step."""
        self.current = name
        started = perf_counter()
        if name not in self.seconds:
            self.listen(Event(name, "started", message))
        else:
            self.listen(Event(name, "progress", message))
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + perf_counter() - started, 3)

    def say(self, message: str, fraction: float | None = None) -> None:
        """Something inside of the current step."""
        self.listen(Event(self.current, "progress", message, fraction))

    def done(self, name: str, message: str = "", **data: Any) -> None:
        """The step has ended well."""
        self.listen(Event(name, "done", message, seconds=self.seconds.get(name), data=data))

    def skipped(self, name: str, message: str) -> None:
        """The step was not needed."""
        self.listen(Event(name, "skipped", message))

    def failed(self, message: str) -> str:
        """The current step has failed; returns its name."""
        self.listen(Event(self.current, "failed", message, seconds=self.seconds.get(self.current)))
        return self.current
