"""What the edge bundle's runner costs beside a bare `InferenceSession.run`: one row, cold start, memory.

    python benchmarks/bundle.py --project DIR [--rows 4000]

Both run in one process and in turn, on the same rows; each figure is a median over the rows.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

COLD = """
import json, resource, sys, time
started = time.perf_counter()
sys.path.insert(0, {folder!r})
import runner
bundle = runner.Bundle()
bundle.predict([json.loads({row!r})])
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def main() -> int:
    """Print the table; the exit code is 1 when the runner costs more than 1.2 times the bare call."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, required=True, help="a converted project with a bundle")
    parser.add_argument("--rows", type=int, default=4000, help="predictions that are timed")
    arguments = parser.parse_args()
    edge = (arguments.project / "edge").resolve()
    golden = json.loads((edge / "golden.json").read_text(encoding="utf-8"))["rows"]
    spec = importlib.util.spec_from_file_location("runner", edge / "runner.py")
    assert spec is not None and spec.loader is not None
    runner: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(runner)
    bundle = runner.Bundle(edge)

    bare, ours = [], []
    for at in range(arguments.rows):
        row = golden[at % len(golden)]
        bundle.predict_one(row)  # fills the arrays that the bare call takes
        started = time.perf_counter()
        bundle._run(bundle._outputs, bundle._one)
        bare.append(time.perf_counter() - started)
        started = time.perf_counter()
        bundle.predict_one(row)
        ours.append(time.perf_counter() - started)
    ratio = statistics.median(ours) / statistics.median(bare)

    cold = []
    for _ in range(5):
        code = COLD.format(folder=str(edge), row=json.dumps(golden[0]))
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        seconds, kilobytes = done.stdout.split()
        cold.append((float(seconds), int(kilobytes) / 1024))
    print("| one row | median, µs | p99, µs |\n|---|---|---|")
    for name, values in (("bare InferenceSession.run", bare), ("the bundle's runner", ours)):
        print(f"| {name} | {statistics.median(values) * 1e6:.1f} | {statistics.quantiles(values, n=100)[98] * 1e6:.1f} |")
    print(f"\nratio {ratio:.2f} (target: at most 1.2)")
    print(f"cold start to the first prediction {statistics.median(s for s, _ in cold):.2f} s, ", end="")
    print(f"memory {statistics.median(m for _, m in cold):.0f} MB")
    return 0 if ratio <= 1.2 else 1


if __name__ == "__main__":
    sys.exit(main())
