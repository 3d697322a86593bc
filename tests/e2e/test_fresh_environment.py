"""A generated project in an environment of its own: locked install, tests, service, same predictions."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_mlops.environment import free_port, inherited
from tests.conftest import Converted

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("penguins")]


@pytest.fixture(scope="module")
def python(converted: Callable[[str], Converted], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has nothing but the project's lock."""
    place = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    lock = converted("penguins").folder / "requirements.lock"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "-r", lock], check=True, timeout=800)
    return python


def test_the_lock_is_complete(python: Path) -> None:
    checked = subprocess.run([python, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    listed = subprocess.run([python, "-m", "pip", "list"], capture_output=True, text=True, check=True).stdout
    assert "jupyter" not in listed
    assert "mlflow" not in listed


def test_its_tests_pass_there(python: Path, converted: Callable[[str], Converted]) -> None:
    done = converted("penguins")
    env = inherited("PYTHONPATH", "VIRTUAL_ENV", "PYTEST_")
    tests = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=done.folder, env=env, capture_output=True, text=True, check=False, timeout=800,
    )  # fmt: skip
    assert tests.returncode == 0, tests.stdout[-5000:]
    assert "test_service" not in tests.stdout  # no failure or error is listed


def test_its_service_predicts_what_the_notebook_predicted(python: Path, converted: Callable[[str], Converted]) -> None:
    done = converted("penguins")
    golden = json.loads((done.folder / "model" / "golden.json").read_text(encoding="utf-8"))
    port = free_port()
    env = {**os.environ, "PYTHONPATH": "src", "SERVICE_HOST": "127.0.0.1", "SERVICE_PORT": str(port)}
    process = subprocess.Popen([python, "-m", "service"], cwd=done.folder, env=env, stdout=subprocess.DEVNULL)
    try:
        base = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{base}/health/ready", timeout=2).close()
                break
            except (urllib.error.URLError, OSError):
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.1)
        request = urllib.request.Request(
            f"{base}/predict", data=json.dumps(golden["rows"]).encode(), headers={"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            got = [one["prediction"] for one in json.loads(answer.read())]
        assert got == golden["predictions"]
        assert len(got) >= 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) in (0, -signal.SIGTERM)  # uvicorn stops, then raises the signal again
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_the_bundle_runs_on_numpy_and_onnxruntime_alone(
    converted: Callable[[str], Converted], tmp_path_factory: pytest.TempPathFactory
) -> None:
    done = converted("penguins")
    place = tmp_path_factory.mktemp("edge") / "venv"
    venv.create(place, with_pip=True)
    locked = (done.folder / "requirements.lock").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in locked if line.split("==")[0] in ("numpy", "onnxruntime")]
    assert len(wanted) == 2
    python = place / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", *wanted], check=True, timeout=600)
    checked = subprocess.run([python, done.folder / "edge" / "runner.py", "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
