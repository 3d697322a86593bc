"""What `%%track` costs: `%load_ext` in a fresh kernel, and an empty cell beside the same run with MLflow alone.

    python benchmarks/tracking.py [--rounds N]

Both sides write the same parameters, metrics and tags to the same store, one after the other in one kernel, in turns. The
time of a cell is that of the kernel, from the request to its reply, as the user waits for it. Once more on a real server.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.kernel import running_kernel
from tests.mlflow_server import MlflowServer

_BARE = """
import mlflow, time
from mlflow.entities import Metric, Param, RunTag
_client = mlflow.MlflowClient()
_run = mlflow.start_run(run_name="bare", tags={"mlops.kind": "cell", "mlops.name": "bare"})
_now = int(time.time() * 1000)
_client.log_batch(
    _run.info.run_id, metrics=[Metric("duration_seconds", 1.0, _now, 0), Metric("peak_memory_mib", 1.0, _now, 0)],
    params=[], tags=[RunTag(f"t{n}", "x" * 40) for n in range(5)],
)
mlflow.end_run()
"""
_TRACKED = "%%track tracked\n"


def _measure(uri: str | None, place: Path, rounds: int) -> tuple[list[float], list[float]]:
    env = {"JUPYTER_MLOPS_SPOOL": str(place / "spool"), "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true"}
    if uri:
        env["MLFLOW_TRACKING_URI"] = uri
    bare: list[float] = []
    tracked: list[float] = []
    with running_kernel(place, env) as kernel:

        def timed(code: str) -> float:
            started = time.perf_counter()
            reply: Any = kernel.run(code)
            assert reply.error is None, reply.error
            return time.perf_counter() - started

        for _ in range(2):  # the first ones import and set up
            timed(_TRACKED)
            timed(_BARE)
        for number in range(rounds):
            sides = [(_BARE, bare), (_TRACKED, tracked)]
            for code, times in sides if number % 2 else reversed(sides):
                kernel.run("from jupyter_mlops.tracking.recording import flush\nflush(30)")  # what goes on behind is over
                times.append(timed(code))
    return bare, tracked


def _load(place: Path) -> float:
    """Seconds of ``%load_ext`` in a fresh kernel."""
    with running_kernel(place) as kernel:
        kernel.run("%unload_ext jupyter_mlops")
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(cwd=str(place))
    try:
        client.execute_interactive("1", timeout=60)
        started = time.perf_counter()
        client.execute_interactive("%load_ext jupyter_mlops", timeout=60)
        return time.perf_counter() - started
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        print(f"%load_ext jupyter_mlops in a fresh kernel: {statistics.median(_load(place) for _ in range(3)):.3f} s")
        (place / "local").mkdir()
        _print("SQLite file", *_measure(None, place / "local", rounds))
        (place / "server").mkdir()
        server = MlflowServer(place / "server")
        try:
            _print("server", *_measure(server.start().uri, place / "server", rounds))
        finally:
            server.kill()


def _print(store: str, bare: list[float], tracked: list[float]) -> None:
    a, b = statistics.median(bare), statistics.median(tracked)
    print(f"{store:<12} bare MLflow {a * 1000:6.0f} ms   %%track {b * 1000:6.0f} ms   ratio {b / a:.2f}")


if __name__ == "__main__":
    main()
