"""Time and memory of a drift report on many logged rows.

    python benchmarks/monitor.py --project DIR [--rows 1000000] [--json FILE]

The log is made of the project's own holdout rows, drawn with repetition, as the service writes it. Limits: 30 s and 2 GB.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

SECONDS, GIGABYTES = 30.0, 2.0
_WRITE = """
import json, random, sys
from pathlib import Path
from service.journal import Column, Header, Journal, Records
project, folder, rows, begin = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
holdout = json.loads((project / "holdout/holdout.json").read_text())
signature = json.loads((project / "model/signature.json").read_text())["raw"]
columns = [Column(one["name"], one["kind"]) for one in signature["inputs"]]
drawn = random.Random(0)
kinds = {int: "integer", str: "string", float: "float", bool: "boolean"}
kind = kinds[type(holdout["predictions"][0])]
for part in range(0, rows, 100_000):
    name = folder / "open" / f"predictions-benchmark-{part}.journal"
    journal = Journal(name, Header("predictions", "m", "1", kind, columns, signature["output"]["classes"]))
    for start in range(part, min(part + 100_000, rows), 1000):
        records = Records()
        for number in range(start, min(start + 1000, rows)):
            at = drawn.randrange(len(holdout["rows"]))
            values = tuple(holdout["rows"][at].get(one.name) for one in columns)
            chances = holdout["probabilities"]
            records.add((
                begin + number * 100_000, f"r-{number}", "stable", [values], [holdout["predictions"][at]],
                None if chances is None else [chances[at]],
            ))
        journal.append(records)
    journal.close()
"""


def main() -> int:
    """Measure and print. Returns 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, required=True, help="a converted project with a holdout")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path, help="write the numbers here as well")
    arguments = parser.parse_args()
    project = arguments.project.resolve()
    with tempfile.TemporaryDirectory() as folder:
        begin = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1e9)
        write = [sys.executable, "-c", _WRITE, str(project), folder, str(arguments.rows), str(begin)]
        subprocess.run(write, cwd=project, check=True)
        subprocess.run([sys.executable, "-m", "service.segments", folder], cwd=project, check=True)
        size = sum(one.stat().st_size for one in Path(folder).rglob("*.parquet"))
        command = [
            sys.executable, "-m", "jupyter_mlops", "monitor", "m@1", "--log", folder, "--project", str(project), "--json",
        ]  # fmt: skip
        started = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""})
        seconds = time.monotonic() - started
        report = json.loads(done.stdout)
        # Of all children so far; the one that is measured holds more than those that wrote the log.
        gigabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    assert report["rows"] == arguments.rows, report
    print("| rows | in Parquet | compared | seconds | limit | peak memory | limit |\n|---|---|---|---|---|---|---|")
    print(f"| {report['rows']:,} | {size / 1e6:.0f} MB | {report['sampled']:,} | {seconds:.1f} | {SECONDS:g} "
          f"| {gigabytes:.2f} GB | {GIGABYTES:g} GB |")  # fmt: skip
    if arguments.json:
        arguments.json.write_text(json.dumps({"rows": report["rows"], "seconds": seconds, "gigabytes": gigabytes}) + "\n")
    return 0 if seconds < SECONDS and gigabytes < GIGABYTES else 1


if __name__ == "__main__":
    sys.exit(main())
