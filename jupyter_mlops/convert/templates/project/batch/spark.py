"""The same parts, made by the executors of a Spark cluster.

Spark hands out chunks, not rows: each task opens its chunk itself and writes its part with the very code of the local engine,
so that no row goes through the Java process. IN and OUT are folders that every executor sees under the same path.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from batch.errors import BatchError
from batch.job import Job, Options, Progress
from batch.reading import Chunk
from batch.scoring import ROOT

SHIPPED = ("batch", "src", "model", "expectations")
ARCHIVE = "batch-project.zip"
EVERY = 0.5  # seconds between two looks at what is done


def run_spark(job: Job, pending: list[Chunk], options: Options, progress: Progress, judge: Callable[[], None]) -> None:
    """Make the parts of some chunks, one task each.

    Parameters
    ----------
    judge
        Raises when too many rows are bad.

    Raises
    ------
    BatchError
        Spark or Java is missing, or a task failed for good.
    """
    if not pending:
        return
    started = time.monotonic()
    session = _session(options.master)
    try:
        with tempfile.TemporaryDirectory(prefix="batch-") as folder:
            archive = _packed(Path(folder))
            session.sparkContext.addArchive(str(archive))
            # An executor that lacks something says so before any part is made.
            _followed(session, _made(session, job, [None]), job, progress, judge)
            progress.say("spark", f"session at {session.sparkContext.master}, the model is loaded there", time.monotonic() - started)
            progress.start()
            _followed(session, _made(session, job, [chunk.number for chunk in pending]), job, progress, judge)
            progress.stop()  # ending the session takes a second
    finally:
        session.stop()


def _made(session: Any, job: Job, numbers: Sequence[int | None]) -> Any:
    """A table that is made by scoring chunks, each in a task of its own."""
    table = session.range(0, len(numbers), 1, len(numbers))
    return table.mapInArrow(_task(str(job.out), job.plan["in"], numbers, ARCHIVE), "number long, rows long")


def _task(out: str, given: str, numbers: Sequence[int | None], archive: str) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What an executor runs. It is sent as it stands here, so it imports what it needs over there."""

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import sys
        from pathlib import Path

        import pyarrow as pa
        from pyspark import SparkFiles

        root = SparkFiles.get(archive)
        if root not in sys.path:
            sys.path[:0] = [root, f"{root}/src"]
        from batch.executor import prepare, score_number

        prepare(Path(given), Path(out))
        for batch in batches:
            for at in batch.column(0).to_pylist():
                number = numbers[at]
                rows = 0 if number is None else score_number(Path(out), number)["rows"]
                yield pa.RecordBatch.from_pydict({"number": [number], "rows": [rows]})

    return score


def _followed(session: Any, made: Any, job: Job, progress: Progress, judge: Callable[[], None]) -> None:
    """Wait for the tasks, tell how far they are, and stop them when there is no use in going on."""
    failed: list[BaseException] = []

    def collect() -> None:
        try:
            made.collect()
        except BaseException as error:
            failed.append(error)

    waiter = threading.Thread(target=collect, name="spark", daemon=True)
    waiter.start()
    try:
        while waiter.is_alive():
            waiter.join(EVERY)
            progress.set(sum(one["rows"] for one in job.reports().values()))
            judge()
    except BaseException:
        session.sparkContext.cancelAllJobs()
        waiter.join(30)
        raise
    if failed:
        raise BatchError(f"Spark gave up: {_cause(failed[0])} What is done stays: go on with --resume.") from failed[0]


def _cause(error: BaseException) -> str:
    """The line of a long message that says what went wrong in a task."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if "BatchError:" in line or line.startswith(("ModuleNotFoundError:", "MemoryError"))]
    text = told[-1].partition("BatchError:")[2].strip() or told[-1] if told else " ".join(lines)[:500]
    return text if text.endswith(".") else f"{text}."


def _packed(folder: Path) -> Path:
    """What an executor needs of the project, as an archive that Spark unpacks there."""
    target = folder / ARCHIVE
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in SHIPPED:
            for file in sorted((ROOT / name).rglob("*")):
                if file.is_file() and "__pycache__" not in file.parts:
                    packed.write(file, file.relative_to(ROOT).as_posix())
    return target


def _session(master: str | None) -> Any:
    """A Spark session of this process' own."""
    try:
        from pyspark import SparkConf
        from pyspark.sql import SparkSession
    except ImportError:
        raise BatchError("Spark is not installed. Install it: python -m pip install 'pyspark>=4'.") from None
    _need_java()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("batch")
    chosen = master or SparkConf().get("spark.master") or "local[*]"
    # There is one column of numbers: nothing to compile or to plan anew.
    for name in ("spark.sql.codegen.wholeStage", "spark.sql.adaptive.enabled"):
        builder = builder.config(name, "false")
    if chosen.startswith("local"):
        # Nobody looks at the pages of a session that ends with this process, and nobody else talks to it.
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        builder = builder.config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
    try:
        return builder.master(chosen).getOrCreate()
    except Exception as error:  # of the Java process, in many classes
        text = " ".join(str(error).split())[:500]
        raise BatchError(f"No Spark session at {chosen}: {text}. Look at --master, and whether Java 17 or 21 is installed.") from error


def _need_java() -> None:
    home = os.environ.get("JAVA_HOME")
    if not (Path(home) / "bin" / "java").exists() if home else shutil.which("java") is None:
        raise BatchError(
            f"Spark needs Java, and {'JAVA_HOME' if home else 'PATH'} leads to none. Install Java 17 or 21 "
            "(Debian and Ubuntu: sudo apt install openjdk-17-jre-headless), or set JAVA_HOME."
        )
