"""How soon the server looks what jobs do."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

import pytest

from jupyter_mlops.server.jobs import JobRunner
from jupyter_mlops.server.paths import Root


def test_a_job_that_starts_during_a_look_is_looked_at_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = JobRunner("sqlite://", tmp_path, Root(tmp_path), 1, logger=None, log=logging.getLogger(__name__))
    looks: list[float] = []

    def look() -> list[dict[str, object]]:
        looks.append(time.monotonic())
        time.sleep(0.3)
        return []

    monkeypatch.setattr(runner, "_look", look)

    async def main() -> None:
        runner.watch()
        await asyncio.sleep(0.1)
        runner._wake.set()  # as `start` does
        await asyncio.sleep(1.0)
        await runner.close()

    asyncio.run(main())
    assert len(looks) == 2
