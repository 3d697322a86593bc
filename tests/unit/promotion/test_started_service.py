"""The service of a project as a process: real ones, which start, hang, end, and lose their port to others."""

from __future__ import annotations

import http.server
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from jupyter_mlops.environment import free_port
from jupyter_mlops.promotion.gates import service as module
from jupyter_mlops.promotion.gates.service import ServiceError, started_service
from tests.unit.promotion.small_service import service_project


def no_tell(message: str, fraction: float | None) -> None:
    pass


def living() -> set[int]:
    return {one.pid for one in psutil.Process().children(recursive=True) if one.status() != psutil.STATUS_ZOMBIE}


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    before = living()
    yield
    assert living() <= before


@pytest.fixture
def other_server() -> Iterator[int]:
    """Another process' server, as far as the service is concerned; it says that it is ready."""

    class Ready(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ready) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_it_runs_for_as_long_as_it_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SERVICE_MAX_ROWS", "MLFLOW_TRACKING_URI", "JUPYTER_TOKEN", "PYTHONHOME", "PYTEST_ADDOPTS"):
        monkeypatch.setenv(name, "elsewhere")
    changed = "def on_start(): print([name for name, value in os.environ.items() if value == 'elsewhere'])"
    with started_service(service_project(tmp_path, changed), sys.executable, no_tell) as service:
        assert not service.has_ended()
        with urllib.request.urlopen(f"{service.url}/model") as answer:
            assert b"small" in answer.read()
        ended = service.stop()
        assert service.stop() is ended
        assert (ended.code, ended.left, service.has_ended()) == (-15, 0, True)
    assert service.log.startswith("[]\n")
    assert "Tr0ub4dor" not in service.log
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", service.port)) != 0


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ("def on_start(): sys.exit('no model here')", "ended with code 1 before"),
        ("def on_start(): print('here'); time.sleep(60)", "not ready within 2 s"),
    ],
)
def test_one_that_does_not_start_says_why(tmp_path: Path, changed: str, words: str) -> None:
    service = started_service(service_project(tmp_path, changed), sys.executable, no_tell, seconds=2.0)
    with pytest.raises(ServiceError, match=words) as caught, service:
        raise AssertionError
    assert "here" in caught.value.log


def test_one_whose_port_is_taken_gets_another(tmp_path: Path, other_server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [other_server, other_server, free_port()]
    wanted = ports[-1]
    monkeypatch.setattr(module, "free_port", lambda: ports.pop(0))
    with started_service(service_project(tmp_path), sys.executable, no_tell) as service:
        assert (service.port, ports) == (wanted, [])
        with urllib.request.urlopen(f"{service.url}/model") as answer:
            assert b"small" in answer.read()


def test_ports_that_are_always_taken_are_given_up(tmp_path: Path, other_server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "free_port", lambda: other_server)
    service = started_service(service_project(tmp_path), sys.executable, no_tell)
    with pytest.raises(ServiceError, match="taken by other processes"), service:
        raise AssertionError


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_what_tell_raises_stops_it(tmp_path: Path, error: type[BaseException]) -> None:
    told = []

    def tell(message: str, fraction: float | None) -> None:
        told.append(message)
        if len(told) > 3:
            raise error

    with pytest.raises(error), started_service(service_project(tmp_path, "def on_start(): time.sleep(60)"), sys.executable, tell):
        raise AssertionError


def test_it_goes_with_all_that_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GRACE", 1.0)
    changed = """
def on_start():
    import subprocess
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
"""
    before = living()
    with (
        pytest.raises(KeyboardInterrupt) as caught,
        started_service(service_project(tmp_path, changed), sys.executable, no_tell) as service,
    ):
        raise KeyboardInterrupt(len(living() - before))
    assert caught.value.args == (2,)
    assert service.stop().code is None
    assert service.has_ended()


def test_what_it_prints_is_bounded(tmp_path: Path) -> None:
    changed = "def on_start():\n    for _ in range(100): sys.stdout.write('x' * 100_000)\n    print('the end')"
    started = time.monotonic()
    with started_service(service_project(tmp_path, changed), sys.executable, no_tell) as service:
        service.stop()
    assert time.monotonic() - started < 60
    assert "the end" in service.log
    assert len(service.log) <= 12_000
