"""A real Envoy under load: shares change, replicas and an Envoy are killed, and no request is lost that need not be."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from jupyter_mlops.deploy.envoy import bootstrap, write_backends, write_traffic
from jupyter_mlops.deploy.supervisor import ask_envoy
from jupyter_mlops.deploy.traffic import STICKY_HEADER, Backend, Traffic
from jupyter_mlops.environment import free_port
from jupyter_mlops.errors import UsageError

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("envoy")]

ENVOY = Path(sys.executable).parent / "envoy"
# A service that says which version it is, and counts.
APP = """
import os
asked = 0

async def app(scope, receive, send):
    global asked
    if scope["type"] != "http":
        return
    await receive()
    asked += scope["path"] == "/predict"
    body = str(asked).encode() if scope["path"] == "/asked" else os.environ["VERSION"].encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
"""


@dataclass
class Replica:
    """A process of a version."""

    version: str
    port: int
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, version: str, folder: Path) -> Replica:
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", "answering:app", "--port", str(port), "--log-level", "error"]
        made = cls(version, port, subprocess.Popen(command, cwd=folder, env={**os.environ, "VERSION": version}))
        made.wait()
        return made

    def ask(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return str(answer.read().decode())

    def wait(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                self.ask("/health/ready")
                return
            except OSError:
                assert time.monotonic() < deadline and self.process.poll() is None
                time.sleep(0.05)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@dataclass
class Front:
    """Two Envoys on one port, and replicas behind them."""

    folder: Path
    port: int
    replicas: list[Replica] = field(default_factory=list)
    envoys: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def add(self, version: str) -> Replica:
        self.replicas.append(Replica.start(version, self.folder))
        return self.replicas[-1]

    def publish(self) -> None:
        """Replicas that live."""
        living = [one for one in self.replicas if one.process.poll() is None]
        versions = sorted({one.version for one in self.replicas})
        backends = [Backend(version, tuple(one.port for one in living if one.version == version)) for version in versions]
        write_backends(self.folder, backends, "1")

    def share(self, share: float, shadow: str | None = None) -> None:
        """Of version 2; waits until both Envoys follow."""
        write_traffic(self.folder, Traffic("1", {"2": share}, shadow))
        time.sleep(0.5)

    def start_envoys(self) -> None:
        for name in ("a", "b"):
            file = self.folder / f"bootstrap-{name}.json"
            file.write_text(json.dumps(bootstrap(self.folder, "127.0.0.1", self.port, name=name)), encoding="utf-8")
            command = [str(ENVOY), "-c", str(file), "--disable-hot-restart", "--concurrency", "1", "--log-level", "error"]
            self.envoys.append(subprocess.Popen(command, cwd=self.folder))
        deadline = time.monotonic() + 30
        for name in ("a", "b"):
            while ask_envoy(self.folder, name, "/ready") is None:
                assert time.monotonic() < deadline
                time.sleep(0.05)


@pytest.fixture
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("front")
    (folder / "answering.py").write_text(APP, encoding="utf-8")
    made = Front(folder, free_port())
    try:
        for version in ("1", "1", "2"):
            made.add(version)
        made.publish()
        made.share(0.0)
        made.start_envoys()
        yield made
    finally:
        for process in [*made.envoys, *(one.process for one in made.replicas)]:
            process.kill()
            process.wait()


class Load:
    """Clients that ask all the time; what they got, by phase."""

    def __init__(self, port: int, clients: int = 8) -> None:
        self.url, self.clients = f"http://127.0.0.1:{port}/predict", clients
        self.answers: Counter[str] = Counter()
        self.failed: list[str] = []
        self._over = False

    async def __aenter__(self) -> Load:
        self._tasks = [asyncio.create_task(self._client()) for _ in range(self.clients)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over = True
        await asyncio.gather(*self._tasks)

    async def _client(self) -> None:
        async with httpx.AsyncClient(timeout=10) as client:
            while not self._over:
                try:
                    answer = await client.post(self.url, content=b"{}")
                    self.answers[answer.text] += 1
                    if answer.status_code != 200:
                        self.failed.append(f"{answer.status_code} {answer.text[:80]}")
                except httpx.TransportError as error:
                    self.failed.append(repr(error))
                await asyncio.sleep(0.005)

    async def phase(self, seconds: float = 1.5, requests: int = 0) -> Counter[str]:
        """What is answered in this time, and until there are so many answers."""
        before, began = self.answers.copy(), time.monotonic()
        while time.monotonic() < began + seconds or (self.answers - before).total() < requests:
            assert time.monotonic() < began + 60
            await asyncio.sleep(0.05)
        return self.answers - before


def test_no_request_is_lost(front: Front) -> None:
    async def main() -> None:
        async with Load(front.port) as load:
            assert set(await load.phase()) == {"1"}
            for share in (0.1, 0.5, 1.0, 0.25):
                await asyncio.to_thread(front.share, share)
                found = await load.phase(requests=800)
                assert found["2"] / found.total() == pytest.approx(share, abs=0.08)

            canary = next(one for one in front.replicas if one.version == "2")
            canary.kill()
            found = await load.phase()  # nobody has told the Envoys
            assert found["1"] and found["2"] <= load.clients  # what was answered in the same moment
            front.publish()
            await load.phase(0.5)

            await asyncio.to_thread(front.add, "2")
            front.publish()
            await asyncio.sleep(1.5)
            assert (await load.phase())["2"]

            front.replicas[0].kill()
            assert (await load.phase())["1"]
            front.publish()
            await load.phase(0.5)
            assert load.failed == []

            # What is on its way through an Envoy that dies is lost, at most one request of each client; nothing after it.
            front.envoys[0].send_signal(signal.SIGKILL)
            await load.phase(0.5)
            assert len(load.failed) <= load.clients
            lost = len(load.failed)
            assert (await load.phase()).total()
            assert len(load.failed) == lost

    asyncio.run(main())


def test_a_user_meets_the_same_version_again(front: Front) -> None:
    def versions(client: httpx.Client) -> dict[str, str]:
        users = [f"user-{number}" for number in range(300)]
        return {user: client.post(f"http://127.0.0.1:{front.port}/predict", headers={STICKY_HEADER: user}).text for user in users}

    with httpx.Client(timeout=10) as client:
        front.share(0.1)
        first = versions(client)
        assert versions(client) == first
        chosen = {user for user, version in first.items() if version == "2"}
        assert 10 <= len(chosen) <= 55
        front.share(0.5)
        later = versions(client)
        assert chosen <= {user for user, version in later.items() if version == "2"}
        assert 110 <= sum(version == "2" for version in later.values()) <= 190


def test_a_shadow_is_asked_and_not_heard(front: Front) -> None:
    shadow = front.add("3")
    front.publish()
    front.share(0.0, shadow="3")
    with httpx.Client(timeout=10) as client:
        answers = Counter(client.post(f"http://127.0.0.1:{front.port}/predict").text for _ in range(200))
        assert answers == {"1": 200}
        deadline = time.monotonic() + 10
        while int(shadow.ask("/asked")) < 200:
            assert time.monotonic() < deadline, shadow.ask("/asked")
            time.sleep(0.1)
        shadow.kill()
        assert Counter(client.post(f"http://127.0.0.1:{front.port}/predict").text for _ in range(50)) == {"1": 50}


@pytest.mark.parametrize(
    ("stable", "shares", "wrong"),
    [("1", {"1": 0.1}, "the stable one"), ("1", {"2": 1.2}, "between 0 and 1"), ("1", {"2": 0.6, "3": 0.6}, "more than the whole")],
)  # fmt: skip
def test_shares_make_sense(stable: str, shares: dict[str, float], wrong: str) -> None:
    with pytest.raises(UsageError, match=wrong):
        Traffic(stable, shares)


def test_the_stable_version_gets_the_rest() -> None:
    assert Traffic("1", {"2": 0.05, "3": 0.0001}).weights == {"1": 9499, "2": 500, "3": 1}
    assert Traffic("1", {"2": 1}).weights == {"1": 0, "2": 10_000}
