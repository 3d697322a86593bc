"""How much faster a sweep of eight is on two workers than one after the other.

    python benchmarks/sweep.py [--runs 2] [--json]

The notebook fits a gradient boosting model for some seconds, in one thread. The sides are timed as whole processes, in
turn (A B C A B C ...): the sweep on two workers, the sweep on one, and papermill called in a loop in one process, which
records nothing. Medians of the runs; ratios are within a round. Where wall time is far above processor time for one
worker, something else had the machine, and the ratio says nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GRID = {"max_depth": [3, 4], "learning_rate": [0.05, 0.1, 0.2, 0.3]}
TREES = 100  # for each of ten digits
LOOP = """
import itertools, json, sys
import papermill
notebook, grid, trees = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
for number, point in enumerate(itertools.product(*grid.values())):
    given = dict(zip(grid, point)) | {"n_estimators": trees}
    papermill.execute_notebook(notebook, f"out-{number}.ipynb", given, progress_bar=False)
"""


def timed(command: list[str], folder: Path) -> tuple[float, float]:
    """Wall and processor seconds of one process in a folder; it must end well. Each kernel has one thread, whoever starts it."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "MLFLOW_TRACKING_URI")}
    env |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "JUPYTER_MLOPS_SPOOL": str(folder / "spool")}
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"{command[:4]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(runs: int, trees: int) -> list[dict[str, float | str]]:
    """Medians of each side, and of the ratio to two workers."""
    rounds: list[dict[str, tuple[float, float]]] = []
    for _ in range(runs):
        seconds = {}
        for side in ("two workers", "one worker", "papermill in a loop"):
            with tempfile.TemporaryDirectory() as scratch:
                folder = Path(scratch)
                notebook = str(shutil.copy(ROOT / "example_notebooks" / "sweep_digits.ipynb", folder))
                if side == "papermill in a loop":
                    command = [sys.executable, "-c", LOOP, notebook, json.dumps(GRID), str(trees)]
                else:
                    (folder / "grid.json").write_text(json.dumps(GRID | {"n_estimators": [trees]}), encoding="utf-8")
                    workers = "2" if side == "two workers" else "1"
                    command = [
                        sys.executable,
                        "-m",
                        "jupyter_mlops",
                        "sweep",
                        notebook,
                        "--grid",
                        "grid.json",
                        "--workers",
                        workers,
                    ]
                seconds[side] = timed(command, folder)
        rounds.append(seconds)
    return [
        {
            "what": side,
            "seconds": statistics.median(one[side][0] for one in rounds),
            "processor": statistics.median(one[side][1] for one in rounds),
            "ratio": statistics.median(one[side][0] / one["two workers"][0] for one in rounds),
        }
        for side in rounds[0]
    ]


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--trees", type=int, default=TREES, help="more of them: longer fits")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = compare(arguments.runs, arguments.trees)
    if arguments.json:
        print(json.dumps(rows))
        return
    print("| eight notebooks | seconds | processor seconds | times as long as two workers |\n|---|---|---|---|")
    for row in rows:
        print(f"| {row['what']} | {row['seconds']:.1f} | {row['processor']:.1f} | {row['ratio']:.2f} |")


if __name__ == "__main__":
    main()
