"""A model that is deployed on this machine, and clients that ask it all the time."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx

from tests.conftest import Converted
from tests.promotable import MODEL

__all__ = ["Load", "a_row"]


class Load:
    """Clients that ask all the time."""

    def __init__(self, url: str, row: dict[str, Any]) -> None:
        self.url, self.row = f"{url}/predict", row
        self.answers: Counter[str] = Counter()
        self.failed: list[str] = []
        self._over = threading.Event()

    def __enter__(self) -> Load:
        self._threads = [threading.Thread(target=self._ask) for _ in range(4)]
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for one in self._threads:
            one.join()

    def _ask(self) -> None:
        with httpx.Client(timeout=10) as client:
            while not self._over.is_set():
                try:
                    answer = client.post(self.url, json=self.row)
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


def a_row(converted: Callable[[str], Converted]) -> dict[str, Any]:
    """One that the model is known to predict."""
    row: dict[str, Any] = json.loads((converted(MODEL).folder / "model" / "golden.json").read_text())["rows"][0]
    return row
