"""Progress of a workflow on the terminal, as lines or as JSON."""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_mlops.workflows.events import Event

__all__ = ["Console", "print_event"]


class Console:
    """Progress as lines; on a terminal that somebody looks at, the line of a running step is renewed in place."""

    def __init__(self) -> None:
        # What a notebook's `!` runs has a terminal that nobody sees: there the lines would pile up, with their control characters.
        self.live = sys.stdout.isatty() and "JPY_PARENT_PID" not in os.environ
        self.open = False

    def __call__(self, event: Event) -> None:
        if event.status == "progress":
            if self.live:
                print(f"\r\x1b[K{self._fitting(f'  {event.step:<9} {event.message}')}", end="", flush=True)
                self.open = True
            elif event.fraction is None and event.message:
                print(f"  {event.step:<9} {event.message}", flush=True)
            return
        if self.open:
            print("\r\x1b[K", end="")
            self.open = False
        mark = {"started": "·", "done": "✓", "failed": "✗", "skipped": "-"}[event.status]
        if event.status == "started":
            if self.live:
                print(self._fitting(f"  {event.step:<9} {event.message}"), end="", flush=True)
                self.open = True
            return
        seconds = f"{event.seconds:6.1f} s" if event.seconds is not None else " " * 8
        message = event.message.split("\n")[0] if event.status == "failed" else event.message
        print(f"{mark} {event.step:<9}{seconds}  {message}", flush=True)

    def _fitting(self, text: str) -> str:
        """One line of the terminal: what is longer could not be taken back."""
        width = shutil.get_terminal_size().columns - 1
        return text if len(text) <= width else text[: width - 1] + "…"


def print_event(event: Event) -> None:
    """One JSON object a line; nobody who listens is no reason to stop."""
    with suppress(BrokenPipeError):
        print(json.dumps(event.as_dict(), ensure_ascii=False, default=repr), flush=True)
