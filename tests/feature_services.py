"""A converted notebook in a real Feast repository, and its service with that repository's online store."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_mlops.environment import free_port, service_environment
from jupyter_mlops.workflows.features import PublishOptions, PublishResult, publish_features
from tests.conftest import ROOT

__all__ = ["Published", "publish_and_read", "redis_server", "serving"]


@dataclass(frozen=True)
class Published:
    """A repository with all columns, and what training reads from it."""

    project: Path
    repository: Path
    result: PublishResult
    reads: dict[str, Any]


def publish_and_read(project: Path, folder: Path) -> Published:
    """Entity and time are named by the notebook's parameters, the source is its own raw table."""
    result = publish_features(project, PublishOptions(repository=folder / "repo"))
    source = str(project / "src")
    subprocess.run(
        [sys.executable, str(ROOT / "tests" / "integration" / "feature_reads.py"), str(folder / "repo"), str(folder / "reads.json")],
        check=True, env=service_environment(project, 1) | {"PYTHONPATH": source}, cwd=folder,
    )  # fmt: skip
    return Published(project, folder / "repo", result, json.loads((folder / "reads.json").read_text(encoding="utf-8")))


@contextmanager
def serving(project: Path, repository: Path) -> Iterator[httpx.Client]:
    """The project's service with the repository's online store."""
    port = free_port()
    log = repository.parent / f"service-{port}.log"
    environment = service_environment(project, port) | {"SERVICE_FEATURE_STORE": str(repository)}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "service"], cwd=project, env=environment, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            deadline = time.monotonic() + 90
            while True:
                assert process.poll() is None and time.monotonic() < deadline, log.read_text(encoding="utf-8")
                try:
                    if client.get("/health/ready").status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield client
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def redis_server(folder: Path, port: int, password: str) -> Iterator[None]:
    """A real Redis on loopback, which keeps nothing."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed (Debian: apt install redis-server)")
    settings = f'bind 127.0.0.1\nport {port}\nsave ""\ndir {folder}\nrequirepass {json.dumps(password)}\n'
    process = subprocess.Popen([binary, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        with process.stdin:
            process.stdin.write(settings)
        assert any("Ready to accept connections" in line for line in process.stdout)
        yield
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()
