"""Progress on a terminal, and where what looks like one is not."""

from __future__ import annotations

import sys

import pytest

from jupyter_mlops.commands.console import Console
from jupyter_mlops.workflows.events import Event

EVENTS = [Event("run", "started", "the notebook"), Event("run", "progress", "cell 3", 0.3), Event("run", "done", "all cells")]


@pytest.mark.parametrize(("kernel", "renewed"), [(None, True), ("17", False)])
def test_a_line_is_renewed_where_somebody_sees_the_terminal(
    kernel: str | None, renewed: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a notebook's ``!`` runs has a terminal, whose control characters would stay in the output of the cell."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)
    if kernel is not None:
        monkeypatch.setenv("JPY_PARENT_PID", kernel)  # as Jupyter starts kernels
    console = Console()
    for event in EVENTS:
        console(event)
    said = capsys.readouterr().out
    assert ("\r" in said, "\x1b" in said) == (renewed, renewed)
    assert "✓ run" in said and "all cells" in said
