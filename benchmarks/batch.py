"""Rows a second of `python -m batch`, here and on Spark, beside other ways to score a file; and its memory.

    python benchmarks/batch.py --project DIR [--rows 10000000] [--repeats 3] [--json FILE]

DIR is the converted flagship. Its holdout is drawn from, with noise on the numbers, for two files: one of `--rows` rows, and a tenth
of it. All sides score the large one in turn, each in processes of its own with two cores; the table gives medians and ratios. Spark's
sides are timed from when a session is there and a first task has run. `mlflow.pyfunc.spark_udf` runs once with the model as it is
registered, which gives the same columns, and once with the bare scikit-learn model, for the label alone.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.serving import mlflow_model
from jupyter_mlops.signature import Signature
from jupyter_mlops.tracking.registry import save_as_model

APPS = Path(__file__).resolve().parent / "apps"
MASTER = "local[2]"
GROUP = 100_000  # rows
BARE = 131_072  # rows of a call: the best of 8,192 to 131,072 for the bare loop
TYPES = {"float": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_(), "string": pa.string()}
TARGETS = {"local / bare loop": 0.9, "spark / local": 0.8, "spark / spark_udf": 5.0}
FLAT = 1.25  # times the memory of a tenth of the rows


@dataclass(frozen=True)
class Run:
    """Seconds, and the peak memory of the process in MB (of a side that is one process)."""

    seconds: float
    megabytes: float


def main() -> int:
    """Measure and print. Returns 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, required=True, help="a converted project")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the numbers here as well")
    arguments = parser.parse_args()
    project = arguments.project.resolve()
    with tempfile.TemporaryDirectory(prefix="batch-") as folder:
        place = Path(folder)
        large, small = place / "large.parquet", place / "small.parquet"
        make(project, arguments.rows, large)
        make(project, arguments.rows // 10, small)
        bare_model = mlflow_model(project, place)
        registered = place / "registered"
        package = json.loads((project / "model" / "metadata.json").read_text(encoding="utf-8"))["package"]
        signature = json.loads((project / "model" / "signature.json").read_text(encoding="utf-8"))["raw"]
        save_as_model(registered, project, package, Signature.from_dict(signature), requirements=["scikit-learn"])
        runs: dict[str, list[Run]] = {"bare loop": [], "local": [], "spark": [], "spark_udf": [], "spark_udf, label only": []}
        for number in range(arguments.repeats):
            runs["bare loop"].append(bare(project, large, place / "out"))
            runs["local"].append(batch(project, large, place / "out", "local"))
            runs["spark"].append(batch(project, large, place / "out", "spark"))
            if not number:
                runs["spark_udf"].append(udf(registered, large, place / "out"))
                runs["spark_udf, label only"].append(udf(bare_model, large, place / "out"))
        few = batch(project, small, place / "out", "local")
        bare_few = bare(project, small, place / "out")
    seconds = {name: statistics.median(one.seconds for one in found) for name, found in runs.items()}
    speed = {name: arguments.rows / one for name, one in seconds.items()}
    memory = {name: statistics.median(one.megabytes for one in runs[name]) for name in ("bare loop", "local")}
    ratios = {name: speed[name.split(" / ")[0]] / speed[name.split(" / ")[1]] for name in TARGETS}
    print(f"| {arguments.rows:,} rows | seconds | rows/s |\n|---|---|---|")
    for name, rate in speed.items():
        print(f"| {name} | {seconds[name]:.1f} | {rate:,.0f} |")
    for name, ratio in ratios.items():
        print(f"{name}: {ratio:.2f} (at least {TARGETS[name]:g})")
    print(f"\n| peak memory, MB | {arguments.rows // 10:,} rows | {arguments.rows:,} rows |\n|---|---|---|")
    print(f"| local | {few.megabytes:,.0f} | {memory['local']:,.0f} |")
    print(f"| bare loop | {bare_few.megabytes:,.0f} | {memory['bare loop']:,.0f} |")
    if arguments.json:
        data = {
            "rows": arguments.rows, "runs": {name: [asdict(one) for one in found] for name, found in runs.items()},
            "small": asdict(few), "ratios": ratios,
        }  # fmt: skip
        arguments.json.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    return 0 if all(ratios[n] >= least for n, least in TARGETS.items()) and memory["local"] <= FLAT * few.megabytes else 1


def make(project: Path, rows: int, target: Path) -> None:
    """Write a file of rows like those of the holdout, in row groups of `GROUP`."""
    known = json.loads((project / "holdout" / "holdout.json").read_text(encoding="utf-8"))["rows"]
    columns = json.loads((project / "model" / "signature.json").read_text(encoding="utf-8"))["raw"]["inputs"]
    base = pa.table({c["name"]: pa.array([row[c["name"]] for row in known], TYPES[c["kind"]]) for c in columns})
    random = np.random.default_rng(0)
    schema = pa.schema([pa.field("id", pa.int64()), *base.schema])
    with pq.ParquetWriter(target, schema) as writer:
        for start in range(0, rows, GROUP):
            count = min(GROUP, rows - start)
            drawn = base.take(random.integers(0, len(known), count))
            arrays = [pa.array(np.arange(start, start + count))]
            for one in drawn.columns:
                array = one.combine_chunks()
                if pa.types.is_floating(array.type):
                    array = pa.array(array.to_numpy(zero_copy_only=False) + random.normal(0, 1, count), from_pandas=True)
                arrays.append(array)
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def bare(project: Path, given: Path, out: Path) -> Run:
    """The loop that anybody would write."""
    printed, megabytes, _ = _run([APPS / "bare_batch.py", project, given, out, BARE], out)
    return Run(float(printed.splitlines()[-1]), megabytes)


def batch(project: Path, given: Path, out: Path, engine: str) -> Run:
    """`python -m batch`; on Spark without the session's start."""
    command = ["-m", "batch", given, out, "--engine", engine, "--master", MASTER, "--json"]
    printed, megabytes, seconds = _run(command, out, folder=project)
    events = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    assert events[-1]["result"]["scored"] == pq.read_metadata(given).num_rows
    if engine == "spark":
        seconds = next(one["seconds"] for one in events if one.get("step") == "score" and one["status"] == "done")
    return Run(seconds, megabytes)


def udf(model: Path, given: Path, out: Path) -> Run:
    """`mlflow.pyfunc.spark_udf`."""
    printed, megabytes, _ = _run([APPS / "spark_udf.py", model, given, out, MASTER], out)
    return Run(float(printed.splitlines()[-1]), megabytes)


def _run(arguments: list[object], out: Path, folder: Path | None = None) -> tuple[str, float, float]:
    """What a process printed, its own peak memory in MB, and the seconds that it took."""
    for old in (out, out.with_suffix(".partial")):
        shutil.rmtree(old, ignore_errors=True)
        old.unlink(missing_ok=True)
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen([sys.executable, *map(str, arguments)], cwd=folder, env=environment, stdout=said, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - started
        said.seek(0)
        log.seek(0)
        printed = said.read()
        if process.returncode != 0:
            raise RuntimeError(f"{arguments[0]} ended with {process.returncode}:\n{printed[-1000:]}\n{log.read()[-3000:]}")
    print(f"  {Path(str(arguments[0])).name:<16} {seconds:6.1f} s, {usage.ru_maxrss / 1024:6.0f} MB", file=sys.stderr)
    return printed, usage.ru_maxrss / 1024, seconds


if __name__ == "__main__":
    sys.exit(main())
