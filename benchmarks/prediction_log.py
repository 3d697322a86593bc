"""What the prediction log costs the generated service: requests per second with it on and off.

    python benchmarks/prediction_log.py --project DIR [--repeats 10] [--seconds 2] [--json FILE]

Two services of the same project run at the same time, one with a log, and are measured in turn (on, off, off, on), so that
a busy machine slows both. The ratio is the median over the pairs. Journals become Parquet meanwhile, as they do in production.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.load import measure
from benchmarks.serving import CLIENTS, Server, running
from jupyter_mlops.environment import free_port

LEAST = 0.95


def main() -> int:
    """Measure and print. Returns 1 when the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, required=True, help="a converted project")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--json", type=Path, help="write the numbers here as well")
    arguments = parser.parse_args()
    project = arguments.project.resolve()
    row = json.loads((project / "model" / "golden.json").read_text(encoding="utf-8"))["rows"][0]
    ratios: dict[int, list[float]] = {clients: [] for clients in CLIENTS}
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        on, off = (_server(project, json.dumps(row).encode(), log) for log in (Path(folder), None))
        for server in (on, off):
            stack.enter_context(running(server))
            measure(server.url, server.body, clients=4, seconds=1)
        for repeat in range(arguments.repeats):
            for clients in CLIENTS:
                order = (on, off) if repeat % 2 else (off, on)
                rate = {
                    one.name: measure(one.url, one.body, clients=clients, seconds=arguments.seconds).requests_per_second
                    for one in order
                }
                ratios[clients].append(rate["on"] / rate["off"])
                print(
                    f"  {repeat + 1}/{arguments.repeats} {clients:3} clients {rate['on']:9.0f} {rate['off']:9.0f}",
                    file=sys.stderr,
                )
    middle = {clients: statistics.median(many) for clients, many in ratios.items()}
    print("| clients | requests/s with the log, of those without | target |\n|---|---|---|")
    for clients, ratio in middle.items():
        print(f"| {clients} | {ratio:.3f} | at least {LEAST} {'met' if ratio >= LEAST else 'MISSED'} |")
    if arguments.json:
        arguments.json.write_text(json.dumps({str(c): many for c, many in ratios.items()}, indent=2) + "\n", encoding="utf-8")
    return 0 if min(middle.values()) >= LEAST else 1


def _server(project: Path, body: bytes, log: Path | None) -> Server:
    port = free_port()
    environment = {"SERVICE_PORT": str(port), "SERVICE_LOG_LEVEL": "warning", "SERVICE_LOG_DIR": str(log or "")}
    name = "off" if log is None else "on"
    return Server(name, [sys.executable, "-m", "service"], environment, f"http://127.0.0.1:{port}/predict", body, project)


if __name__ == "__main__":
    sys.exit(main())
