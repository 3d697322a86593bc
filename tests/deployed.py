"""A model that is deployed on this machine, and clients that ask it all the time."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

import httpx
import psutil

from jupyter_mlops.jobs.statuses import ENDED
from tests.conftest import Converted
from tests.messages import check_message
from tests.promotable import MODEL, model_folder, quick_project
from tests.server import as_json
from tests.unit.promotion.registry import add_version

__all__ = ["Clients", "Load", "a_row", "add_broken_version", "ask", "larger", "supervisors", "wait_for_job"]


class Clients:
    """Clients that ask all the time, each in a thread; what each is given goes to `_ask`, which ends when it is `over`."""

    def __init__(self, url: str, each: Iterable[Any]) -> None:
        self.url = f"{url}/predict"
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(one,)) for one in each]

    @property
    def over(self) -> bool:
        """Whether it is time to stop."""
        return self._over.is_set()

    def __enter__(self) -> Self:
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for one in self._threads:
            one.join()

    def _ask(self, given: Any) -> None:
        raise NotImplementedError


class Load(Clients):
    """Four that ask about one row; their answers are counted by version."""

    def __init__(self, url: str, row: dict[str, Any]) -> None:
        super().__init__(url, [row] * 4)
        self.answers: Counter[str] = Counter()
        self.failed: list[str] = []

    def _ask(self, given: Any) -> None:
        with httpx.Client(timeout=10) as client:
            while not self.over:
                try:
                    answer = client.post(self.url, json=given)
                    if answer.status_code == 200:
                        self.answers[answer.json()["model_version"]] += 1
                    else:
                        self.failed.append(f"{answer.status_code} {answer.text[:100]}")
                except httpx.TransportError as error:
                    self.failed.append(repr(error))
                time.sleep(0.01)

    def phase(self, seconds: float = 1.5, requests: int = 0) -> Counter[str]:
        """What is answered in this time, and until there are so many answers."""
        before, began = self.answers.copy(), time.monotonic()
        while time.monotonic() < began + seconds or (self.answers - before).total() < requests:
            assert time.monotonic() < began + 60
            time.sleep(0.05)
        return self.answers - before


def supervisors(folder: Path) -> list[psutil.Process]:
    """Of the deployment in a folder: other tests have some at the same time."""
    return [
        one
        for one in psutil.process_iter(["cmdline", "cwd"])
        if "jupyter_mlops.workflows.supervising" in (one.info["cmdline"] or []) and one.info["cwd"] == str(folder)
    ]


def a_row(converted: Callable[[str], Converted]) -> dict[str, Any]:
    """One that the model is known to predict."""
    row: dict[str, Any] = json.loads((converted(MODEL).folder / "model" / "golden.json").read_text())["rows"][0]
    return row


def ask(url: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ask about some rows, one after the other, and wait until they are in the log; the answers."""
    with httpx.Client(base_url=url, timeout=30) as client:
        answers = [client.post("/predict", json=row) for row in rows]
    assert {one.status_code for one in answers} == {200}
    time.sleep(1)  # the log is written a few times a second
    return [one.json() for one in answers]


def larger(rows: list[dict[str, Any]], by: float = 1.3) -> list[dict[str, Any]]:
    """The same rows with larger numbers."""
    return [{name: by * value if isinstance(value, float) else value for name, value in row.items()} for row in rows]


def wait_for_job(client: httpx.Client, job: str) -> dict[str, Any]:
    """A job of a server, when it is over."""
    deadline = time.monotonic() + 300
    while True:
        found: dict[str, Any] = as_json(client.get(f"jobs/{job}"))["job"]
        if found["status"] in ENDED:
            check_message("jobs", "Job", found)
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.3)


def add_broken_version(uri: str, folder: Path, policy: str | None = None, *, deployed_only: bool = False) -> str:
    """Register a version a third of whose answers fails; where it is deployed only, the gates see nothing of it."""
    condition = 'os.environ["SERVICE_GRACE_SECONDS"] == "30" and ' if deployed_only else ""
    project = quick_project(uri, folder, policy)
    endpoint = project / "service" / "endpoint.py"
    code = endpoint.read_text(encoding="utf-8")
    broken = code.replace(
        "                answer = await self._handle(scope, body)\n",
        f"                import os, random\n                if {condition}random.random() < 0.33:\n"
        "                    raise RuntimeError('broken')\n"
        "                answer = await self._handle(scope, body)\n",
    )
    assert broken != code
    endpoint.write_text(broken, encoding="utf-8")
    return add_version(uri, MODEL, project, folder / "scratch", author="ada", source=model_folder(uri, "1"))
