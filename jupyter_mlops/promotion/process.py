"""Someone else's code in a process of its own: heard line by line, stopped in time, and nothing of it left over."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_mlops.environment import PRIVATE, inherited
from jupyter_mlops.notebook.checks.secrets import redacted

__all__ = ["OURS", "Finished", "clean_environment", "descendants", "end_process", "run_module", "run_process"]

_LINES, _CHARACTERS = 200, 12_000  # kept of what is printed
OURS = ("PYTHONPATH", "PYTHONHOME", "MLFLOW_", "PYTEST_", *PRIVATE)
"""Beginnings of variables that would change how other code runs, or that are none of its business."""


@dataclass(frozen=True)
class Finished:
    """How it ended; `code` is None when it took too long. `log` is the end of what it printed, without secrets."""

    code: int | None
    log: str
    seconds: float

    @property
    def last_line(self) -> str:
        """The last that it printed."""
        return next((line for line in reversed(self.log.splitlines()) if line.strip()), "it said nothing")


def clean_environment(**more: str) -> dict[str, str]:
    """This process' environment without what would change how other code runs."""
    return {**inherited(*OURS), "PYTHONUNBUFFERED": "1", "MPLBACKEND": "agg", **more}


def run_process(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str], seconds: float, hear: Callable[[str], None],
    ask: Callable[[], None] = lambda: None,
) -> Finished:  # fmt: skip
    """Run a command.

    Parameters
    ----------
    seconds
        When it takes longer, it is stopped with all its descendants.
    hear
        Called with each line that it prints.
    ask
        Called about twice a second; what it (or `hear`) raises stops the command.
    """
    started = time.monotonic()
    process = subprocess.Popen(
        command, cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, encoding="utf-8", errors="replace", start_new_session=True,
    )  # fmt: skip
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    tail: deque[str] = deque(maxlen=_LINES)

    def read() -> None:
        assert process.stdout is not None
        with suppress(ValueError):  # closed under it
            for line in process.stdout:
                lines.put(line.rstrip("\n"))
        lines.put(None)

    reader = threading.Thread(target=read, name="jupyter-mlops-output", daemon=True)
    reader.start()
    late = over = False
    try:
        while not over and not late:
            try:
                line = lines.get(timeout=0.5)
            except queue.Empty:
                over = process.poll() is not None  # something that it left behind may keep its output open
            else:
                over = line is None
                if line is not None:
                    tail.append(line)
                    hear(line)
            ask()
            late = not over and time.monotonic() - started > seconds
        if not late:
            process.wait(timeout=10)
    finally:
        end_process(process)
        reader.join(timeout=5)
        if process.stdout is not None and not reader.is_alive():
            process.stdout.close()
    while not lines.empty():  # it ended faster than its last lines were heard
        line = lines.get()
        if line is not None:
            tail.append(line)
            hear(line)
    log = redacted("\n".join(tail))
    return Finished(None if late else process.returncode, log[-_CHARACTERS:], time.monotonic() - started)


def run_module(
    module: str, arguments: Sequence[str], *, python: str, folder: Path, seconds: float, ask: Callable[[], None] = lambda: None,
    **more: str,
) -> tuple[Finished, dict[str, Any] | None]:  # fmt: skip
    """Run a module that writes what it finds as JSON into the file that is its last argument.

    Parameters
    ----------
    more
        Variables of its environment.

    Returns
    -------
    tuple
        How it ended, and what it found; None where it did not come to an end.
    """
    result = folder / "result.json"
    done = run_process(
        [python, "-m", module, *arguments, str(result)], folder=folder, environment=clean_environment(**more), seconds=seconds,
        hear=lambda line: None, ask=ask,
    )  # fmt: skip
    if done.code != 0 or not result.is_file():
        return done, None
    return done, json.loads(result.read_text(encoding="utf-8"))


def descendants(process: subprocess.Popen[Any]) -> list[Any]:
    """Processes (of psutil) that it started, and those that they started; it has to live."""
    import psutil

    with suppress(psutil.Error):
        return list(psutil.Process(process.pid).children(recursive=True))
    return []


def end_process(process: subprocess.Popen[Any], family: Sequence[Any] = ()) -> None:
    """Stop the process, its group, and descendants that left the group.

    Parameters
    ----------
    family
        `descendants` that it had when it still lived.
    """
    import psutil

    family = [*family, *descendants(process)]
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for one in family:
        with suppress(psutil.Error):
            one.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
