"""Worker processes: real ones, that are killed, late, idle and overtaken."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_mlops.server import workers
from jupyter_mlops.server.errors import ApiError
from jupyter_mlops.server.workers import Worker

SMALL = [{"id": "a", "type": "code", "source": "x = 1", "tags": []}]
# Takes a second or more.
LARGE = [
    {
        "id": f"c{n}",
        "type": "code",
        "source": f"a{n} = a{n - 1} + 1\nb{n} = [a{n} for _ in range(3)]\nprint(a{n}, b{n})",
        "tags": [],
    }
    for n in range(1, 1500)
]


def worker_processes() -> list[psutil.Process]:
    """Those of this process; other tests of it may have left a server of multiprocessing."""
    return [one for one in psutil.Process().children() if _is_worker(one)]


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "jupyter_mlops.server.worker" in process.cmdline()
    except psutil.Error:  # only its remains
        return False


def asked(do: Callable[[Worker], Awaitable[Any]], **settings: Any) -> Any:
    """Do something with a worker, and end it."""

    async def main() -> Any:
        worker = Worker("analysis", **{"threads": 1, "limit": 60.0, **settings})
        try:
            return await do(worker)
        finally:
            await worker.close()
            assert not worker_processes()

    return asyncio.run(main())


def view(worker: Worker, cells: list[dict[str, Any]], folder: Path, **more: Any) -> Awaitable[Any]:
    """Ask what is known of a notebook."""
    return worker.call("notebook_view", path=str(folder / "a.ipynb"), language="python", cells=cells, **more)


def test_it_answers_in_another_process_that_is_kept(tmp_path: Path) -> None:
    async def do(worker: Worker) -> None:
        assert not worker_processes()  # nobody needed it yet
        answer = await view(worker, SMALL, tmp_path)
        assert answer["tagged"] is False
        pid = worker.pid
        assert pid is not None and psutil.Process(pid).ppid() == os.getpid()
        await view(worker, SMALL, tmp_path)
        assert worker.pid == pid

    asked(do)


def test_one_that_is_killed_is_an_error_once_and_replaced(tmp_path: Path) -> None:
    async def do(worker: Worker) -> None:
        await view(worker, SMALL, tmp_path)
        pid = worker.pid
        assert pid is not None
        running = asyncio.ensure_future(view(worker, LARGE, tmp_path))
        await asyncio.sleep(0.2)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(ApiError) as died:
            await running
        assert (died.value.code, died.value.status_code) == ("worker", 503)
        assert (await view(worker, SMALL, tmp_path))["tagged"] is False
        assert worker.pid not in (None, pid)

    asked(do)


def test_one_that_is_late_is_stopped_and_replaced(tmp_path: Path) -> None:
    async def do(worker: Worker) -> None:
        await view(worker, SMALL, tmp_path)
        pid = worker.pid
        assert pid is not None
        worker.limit = 0.1
        with pytest.raises(ApiError) as late:
            await view(worker, LARGE, tmp_path)
        assert (late.value.code, late.value.status_code) == ("time-limit", 504)
        assert not psutil.pid_exists(pid)
        worker.limit = 60.0
        await view(worker, SMALL, tmp_path)

    asked(do)


def test_the_newest_of_those_that_wait_wins(tmp_path: Path) -> None:
    async def do(worker: Worker) -> None:
        await view(worker, SMALL, tmp_path)
        first = asyncio.ensure_future(view(worker, LARGE, tmp_path, newest="a"))
        await asyncio.sleep(0.05)
        others = [asyncio.ensure_future(view(worker, SMALL, tmp_path, newest="a")) for _ in range(3)]
        another = asyncio.ensure_future(view(worker, SMALL, tmp_path, newest="b"))
        answers = await asyncio.gather(first, *others, another, return_exceptions=True)
        dropped = [getattr(one, "code", None) for one in answers]
        assert dropped == [None, "superseded", "superseded", None, None]
        assert not worker._newest

    asked(do)


def test_one_that_is_refused_takes_the_place_of_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_WAITING", 2)

    async def do(worker: Worker) -> None:
        await view(worker, SMALL, tmp_path)
        asking = [asyncio.ensure_future(view(worker, LARGE, tmp_path))]
        await asyncio.sleep(0.05)
        asking += [asyncio.ensure_future(view(worker, SMALL, tmp_path, newest="a")) for _ in range(2)]
        answers = await asyncio.gather(*asking, return_exceptions=True)
        assert [getattr(one, "code", None) for one in answers] == [None, None, "busy"]
        assert not worker._newest

    asked(do)


def test_it_ends_when_nobody_needs_it(tmp_path: Path) -> None:
    async def do(worker: Worker) -> None:
        await view(worker, SMALL, tmp_path)
        pid = worker.pid
        assert pid is not None
        deadline = time.monotonic() + 10
        while psutil.pid_exists(pid):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        await view(worker, SMALL, tmp_path)  # and begins anew

    asked(do, idle=0.5)


def test_what_a_function_refuses_keeps_its_kind(tmp_path: Path) -> None:
    async def do(worker: Worker) -> None:
        uri = f"sqlite:///{tmp_path / 'nowhere' / 'x' / 'mlflow.db'}"
        (tmp_path / "nowhere").write_text("a file")
        with pytest.raises(ApiError) as refused:
            await worker.call("runs_page", uri=uri, experiment="e")
        assert (refused.value.code, refused.value.status_code) == ("tracking", 503)
        with pytest.raises(ApiError) as unknown:
            await worker.call("runs_page", no_such_argument=1)
        assert (unknown.value.code, unknown.value.status_code) == ("internal", 500)

    asked(do)


def test_it_ends_with_its_server(tmp_path: Path) -> None:
    """Even when that is killed: its standard input is closed then."""
    import subprocess
    import sys

    script = (
        "import asyncio, sys, time\n"
        "from jupyter_mlops.server.workers import Worker\n"
        "async def main():\n"
        "    worker = Worker('analysis', threads=1, limit=60.0)\n"
        f"    await worker.call('notebook_view', path={str(tmp_path / 'a.ipynb')!r}, language='python', cells=[])\n"
        "    print(worker.pid, flush=True)\n"
        "    time.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        pid = int(server.stdout.readline())
        assert psutil.pid_exists(pid)
        server.kill()
    deadline = time.monotonic() + 15
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_it_is_warmed_without_a_call_and_ended_while_it_starts(tmp_path: Path) -> None:
    async def do(worker: Worker) -> None:
        worker.warm("notebook_view", path="a.ipynb", language="python", cells=SMALL)
        while worker.pid is None:
            await asyncio.sleep(0.05)
        pid = worker.pid
        await view(worker, SMALL, tmp_path)
        assert worker.pid == pid

    asked(do)

    async def stop_early(worker: Worker) -> None:
        worker.warm("notebook_view", path="a.ipynb", language="python", cells=SMALL)
        while not worker_processes():
            await asyncio.sleep(0.01)

    began = time.monotonic()
    asked(stop_early)  # it looks whether a process is left
    assert time.monotonic() - began < 20
