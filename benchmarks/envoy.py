"""What the Envoy of a local deployment adds to a request.

    python benchmarks/envoy.py [--rounds 9] [--seconds 2] [--json FILE]

One replica of a small converted notebook is asked with one row by one client, in turn at its own port and through the deployment's
address, so that a busy machine slows both. The table gives medians over the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.load import Load, generator, measure
from jupyter_mlops.deploy.members import read_members
from jupyter_mlops.environment import free_port
from jupyter_mlops.workflows.deploying import DeployOptions, deploy, undeploy
from tests.conftest import converted_once
from tests.promotable import MODEL

MOST = 1.0  # milliseconds at p50


def main() -> int:
    """Measure and print; 1 when the limit is not kept."""
    parser = argparse.ArgumentParser(description="What Envoy adds to a request.")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="envoy-") as folder:
        place = Path(folder)
        (place / "converted").mkdir()
        made = converted_once(MODEL, place / "converted")
        os.environ |= {
            "JUPYTER_DATA_DIR": str(place / "data"), "JUPYTER_MLOPS_DATABASE": f"sqlite:///{place / 'mlops.db'}",
            "MLFLOW_TRACKING_URI": made.tracking_uri,
        }  # fmt: skip
        row = json.loads((made.folder / "model" / "golden.json").read_text(encoding="utf-8"))["rows"][0]
        found = deploy(MODEL, "1", DeployOptions(port=free_port(), replicas=1))
        try:
            replica = next(one.port for one in read_members(found.folder).values() if one.version == "1")
            sides = {"service": f"http://127.0.0.1:{replica}/predict", "through Envoy": f"{found.url}/predict"}
            measured: dict[str, list[Load]] = {name: [] for name in sides}
            for number in range(arguments.rounds):
                for name in sides if number % 2 else reversed(sides):
                    load = measure(sides[name], json.dumps(row).encode(), clients=1, seconds=arguments.seconds)
                    assert not load.errors, load
                    measured[name].append(load)
        finally:
            undeploy(MODEL)
    print(f"one client, {generator()}, medians of {arguments.rounds}")
    figures = {}
    for name, loads in measured.items():
        p50, p99, rate = (
            statistics.median(getattr(one, what) for one in loads) for what in ("p50", "p99", "requests_per_second")
        )
        figures[name] = {"p50": p50, "p99": p99, "requests_per_second": rate}
        print(f"{name:<14}p50 {p50:6.3f} ms   p99 {p99:6.3f} ms   {rate:8,.0f} requests/s")
    direct, proxied = measured["service"], measured["through Envoy"]
    added = statistics.median(b.p50 - a.p50 for a, b in zip(direct, proxied, strict=True))
    print(f"added at p50  {added:.3f} ms (limit {MOST:g})")
    if arguments.json:
        arguments.json.write_text(json.dumps({"sides": figures, "added_p50_ms": added}, indent=1) + "\n", encoding="utf-8")
    return 0 if added < MOST else 1


if __name__ == "__main__":
    sys.exit(main())
