"""Listing runs: `latest_runs` and `best_runs` against the client's own `search_runs`, on SQLite and through a server.

    python benchmarks/runs_listing.py [--runs 10000] [--repeat 5] [--panel] [--json]

The store is made by MLflow and filled by bulk inserts into its tables: 8 parameters, 6 metrics and 12 tags each. Both sides
run in turn in the same process. Cold is the first call of a process, without importing MLflow: it opens the database, or is the
server's first request too. On SQLite all work is in this process, so its CPU time is what a machine with nothing else to do needs.

The rows of the panel are those of the sidebar's list: a page of 100 runs, sorted and filtered over all of them. While its index is
still being filled by a thread, a page shares the processor with that thread.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

EXPERIMENT = "bench"


def build_store(folder: Path, count: int, *, values: Mapping[str, Sequence[float]] | None = None) -> str:
    """An SQLite store with that many runs, a minute apart; returns its URI. `values` are the metrics, by default random."""
    from mlflow import MlflowClient

    uri = f"sqlite:///{folder / 'mlflow.db'}"
    experiment = int(
        MlflowClient(tracking_uri=uri).create_experiment(EXPERIMENT, artifact_location=(folder / "artifacts").as_uri())
    )
    rnd = random.Random(1)
    now = int(time.time() * 1000)
    metrics = values or {f"metric_{n}": [rnd.random() for _ in range(count)] for n in range(6)}
    rows: dict[str, list[tuple[Any, ...]]] = {"runs": [], "params": [], "tags": [], "metrics": [], "latest_metrics": []}
    for n in range(count):
        run, start = uuid.UUID(int=rnd.getrandbits(128)).hex, now - (count - n) * 60_000
        artifacts = (folder / "artifacts" / run / "artifacts").as_uri()
        rows["runs"].append((run, f"run-{n}", "UNKNOWN", "me", "FINISHED", start, start + 5000, "active", artifacts, experiment))
        rows["params"] += [(f"param_{k}", f"{rnd.random():.6f}", run) for k in range(8)]
        rows["tags"] += [(f"tag_{k}", uuid.UUID(int=rnd.getrandbits(128)).hex, run) for k in range(10)]
        rows["tags"] += [("mlflow.runName", f"run-{n}", run), ("mlops.kind", "cell" if n % 3 else "rerun", run)]
        for name, series in metrics.items():
            rows["metrics"].append((name, series[n], start, 0, 0, run))
            rows["latest_metrics"].append((name, series[n], start, 0, 0, run))
    columns = {
        "runs": "run_uuid,name,source_type,user_id,status,start_time,end_time,lifecycle_stage,artifact_uri,experiment_id",
        "params": "key,value,run_uuid", "tags": "key,value,run_uuid",
        "metrics": "key,value,timestamp,step,is_nan,run_uuid", "latest_metrics": "key,value,timestamp,step,is_nan,run_uuid",
    }  # fmt: skip
    database = sqlite3.connect(folder / "mlflow.db")
    with database:
        for table, names in columns.items():
            places = ",".join("?" * (names.count(",") + 1))
            database.executemany(f"insert into {table} ({names}) values ({places})", rows[table])
    database.close()
    return uri


@contextmanager
def server(uri: str, log: Path) -> Iterator[str]:
    """A real MLflow server on loopback; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri, "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    env = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # seven more processes, for what is not asked here
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=log.parent, env=env, start_new_session=True)
        try:
            address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 90
            while True:
                try:
                    urllib.request.urlopen(f"{address}/health", timeout=2).close()
                    break
                except (urllib.error.URLError, OSError):
                    assert process.poll() is None and time.monotonic() < deadline, log.read_text()
                    time.sleep(0.3)
            yield address
        finally:
            os.killpg(process.pid, 15)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()


def measure(uri: str, repeat: int) -> list[dict[str, Any]]:
    """Seconds of both sides in this process, which has asked nothing so far."""
    from mlflow import MlflowClient

    from jupyter_mlops.tracking.listing import best_runs, latest_runs

    metric = "metric_0"
    cold, _, cold_cpu = timed(lambda: latest_runs(uri, EXPERIMENT))
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    ids = [experiment.experiment_id]
    rows: list[dict[str, Any]] = [
        {"what": "newest 100, cold", "ours": cold, "client": None, "slowest": cold, "cpu": cold_cpu, "client_cpu": None}
    ]
    cases: list[tuple[str, Callable[[], Any], Callable[[], Any], int]] = [
        ("newest 100", lambda: latest_runs(uri, EXPERIMENT), lambda: client.search_runs(ids, max_results=100), repeat),
        ("best 100 by a metric", lambda: best_runs(uri, EXPERIMENT, metric, maximize=True),
         lambda: client.search_runs(ids, max_results=100, order_by=[f"metrics.{metric} DESC"]), max(1, repeat // 2)),
        ("best run by a metric", lambda: best_runs(uri, EXPERIMENT, metric, maximize=True, limit=1),
         lambda: client.search_runs(ids, max_results=1, order_by=[f"metrics.{metric} DESC"]), max(1, repeat // 2)),
    ]  # fmt: skip
    for what, ours, theirs, times in cases:
        pairs = [(timed(ours), timed(theirs)) for _ in range(times)]
        for (_, mine, _), (_, other, _) in pairs:
            assert [row.run_id for row in mine] == [run.info.run_id for run in other], f"{what}: not the same runs"
        times_ours = [one[0] for one, _ in pairs]
        rows.append({
            "what": what, "ours": statistics.median(times_ours), "slowest": max(times_ours),
            "client": statistics.median(other[0] for _, other in pairs), "cpu": statistics.median(one[2] for one, _ in pairs),
            "client_cpu": statistics.median(other[2] for _, other in pairs),
        })  # fmt: skip
    return rows


def measure_panel(uri: str, repeat: int) -> list[dict[str, Any]]:
    """Seconds of the sidebar's pages in this process, which has asked nothing so far."""
    from jupyter_mlops.tracking.imports import import_mlflow
    from jupyter_mlops.workflows.runs_pages import runs_page

    import_mlflow()
    rows: list[dict[str, Any]] = []

    def case(what: str, times: int, pause: float = 0.0, **options: Any) -> None:
        measured = []
        for _ in range(times):
            time.sleep(pause)
            measured.append(timed(lambda: runs_page(uri, EXPERIMENT, **options)))
        seconds, cpu = ([one[place] for one in measured] for place in (0, 2))
        rows.append({
            "what": f"panel: {what}", "ours": statistics.median(seconds), "slowest": max(seconds), "client": None,
            "cpu": statistics.median(cpu), "client_cpu": None,
        })  # fmt: skip

    started = time.perf_counter()
    case("first page, nothing known", 1)
    case("sort by a metric, still reading", 1, sort="metric:metric_0")
    while not runs_page(uri, EXPERIMENT)["complete"]:
        time.sleep(0.5)
    took = time.perf_counter() - started
    rows.append(
        {"what": "panel: until all are known", "ours": took, "slowest": took, "client": None, "cpu": None, "client_cpu": None}
    )
    new = 0.3  # seconds after which a page asks the store what is new
    case("first page", repeat, new)
    case("sort by a metric", repeat, new, sort="metric:metric_0")
    case("sort by a parameter", repeat, new, sort="param:param_0", descending=False)
    case("filter", repeat, new, filter_text="metric_0>0.5 cell")
    case("page at 9,900 of 10,000", repeat, new, offset=9900)
    case("next page at once", repeat, 0.0, offset=200)
    return rows


def timed(call: Callable[[], Any]) -> tuple[float, Any, float]:
    """Wall seconds, the result, and CPU seconds of this process."""
    started, used = time.perf_counter(), time.process_time()
    found = call()
    return time.perf_counter() - started, found, time.process_time() - used


def _in_a_new_process(uri: str, repeat: int, *, panel: bool = False) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, str(Path(__file__)), "--measure", uri, "--repeat", str(repeat), *(["--panel"] if panel else [])],
        check=True,
        capture_output=True,
        text=True,
    )
    rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--measure", metavar="URI", help=argparse.SUPPRESS)
    parser.add_argument("--panel", action="store_true", help="only the pages of the sidebar's list")
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps((measure_panel if arguments.panel else measure)(arguments.measure, arguments.repeat)))
        return
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        uri = build_store(folder, arguments.runs)
        for panel in (True,) if arguments.panel else (False, True):
            rows += [{"store": "SQLite", **row} for row in _in_a_new_process(uri, arguments.repeat, panel=panel)]
            with server(uri, folder / "server.log") as address:
                rows += [{"store": "server", **row} for row in _in_a_new_process(address, arguments.repeat, panel=panel)]
    if arguments.json:
        print(json.dumps(rows))
        return
    print(f"| of {arguments.runs:,} runs | store | seconds | slowest | CPU | `search_runs` | CPU | ratio |\n" + "|---" * 8 + "|")
    for row in rows:
        other, ratio = (f"{row['client']:.2f}", f"{row['client'] / row['ours']:.1f}") if row["client"] else ("", "")
        local = row["store"] == "SQLite"
        cpu = [f"{row[one]:.2f}" if local and row[one] else "" for one in ("cpu", "client_cpu")]
        print(
            f"| {row['what']} | {row['store']} | {row['ours']:.2f} | {row['slowest']:.2f} | {cpu[0]} | {other} | {cpu[1]} | {ratio} |"
        )


if __name__ == "__main__":
    main()
