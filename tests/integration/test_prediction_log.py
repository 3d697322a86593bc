"""A deployed service killed in the middle of its work: what it has answered more than a second before is in the log."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_mlops.deploy.files import prediction_log
from jupyter_mlops.deploy.members import Member, read_members
from jupyter_mlops.monitor.log import PredictionLog, Window
from jupyter_mlops.workflows.deploying import DeployOptions, deploy
from tests.conftest import Converted
from tests.deployed import Clients
from tests.promotable import MODEL

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("envoy")]

LOST = 1.0  # seconds before a kill whose answers may be lost
KILLS = 5


class _Clients(Clients):
    """Some ask for single rows and some for several, without a pause; each notes what it was answered, and when."""

    def __init__(self, url: str, rows: list[dict[str, Any]]) -> None:
        super().__init__(url, (1, 1, 1, 20))
        self.rows = rows
        self.answered: dict[str, tuple[float, int]] = {}  # when, and how many rows, by id
        self.refused = 0

    def _ask(self, given: Any) -> None:
        size: int = given
        body = json.dumps(self.rows[:size] if size > 1 else self.rows[0])
        with httpx.Client(timeout=10, headers={"content-type": "application/json"}) as client:
            while not self.over:
                try:
                    answer = client.post(self.url, content=body)
                except httpx.TransportError:
                    self.refused += 1
                    continue
                if answer.status_code == 200:
                    self.answered[answer.headers["x-request-id"]] = time.monotonic(), size
                else:
                    self.refused += 1
                    time.sleep(0.01)


def _replica(folder: Path, killed: set[int]) -> Member:
    """One that serves, and was not killed before."""
    deadline = time.monotonic() + 30
    while True:
        for one in read_members(folder).values():
            if one.version == "1" and one.ready and one.alive and one.pid not in killed:
                return one
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_was_answered_a_second_before_a_kill_is_in_the_log(
    deployable: str, port: int, converted: Callable[[str], Converted]
) -> None:
    rows = json.loads((converted(MODEL).folder / "model" / "golden.json").read_text())["rows"]
    found = deploy(MODEL, "1", DeployOptions(port=port, replicas=2))
    kills: list[float] = []
    killed: set[int] = set()
    with _Clients(found.url, rows) as clients:
        for _ in range(KILLS):
            time.sleep(random.uniform(1.0, 2.0))  # a log that writes every so often must not be met at the same place each time
            one = _replica(found.folder, killed)
            os.kill(one.pid, signal.SIGKILL)
            kills.append(time.monotonic())
            killed.add(one.pid)
        _replica(found.folder, killed)
        time.sleep(1.0)
    time.sleep(LOST + 0.5)
    now = datetime.now(UTC)
    logged = PredictionLog(prediction_log(found.folder)).read(
        "1", Window(now - timedelta(hours=1), now), sample=sum(size for _, size in clients.answered.values()) + 1000
    )
    counted = logged.meta.groupby("id")["row"].nunique()
    assert len(kills) == KILLS and len(clients.answered) > 1000, (len(clients.answered), clients.refused)
    missing = {one: when for one, (when, size) in clients.answered.items() if counted.get(one, 0) != size}
    late = [when for when in missing.values() if not any(0 <= kill - when + 0.05 <= LOST + 0.05 for kill in kills)]
    assert late == [], f"{len(late)} of {len(clients.answered)} answers are not in the log; killed at {kills}"
