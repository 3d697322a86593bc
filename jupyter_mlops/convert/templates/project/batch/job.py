"""A batch from its plan to its manifest: what is done already is kept, what is half done is done again.

OUT holds ``part-00000.parquet`` and so on in the order of the rows, ``_bad/`` with the rows that could not be scored, and
at the end ``_SUCCESS``, a JSON file that says what was scored by what. Until then ``_job.json`` and ``_done/`` say how far it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from batch.errors import BatchError, TooManyBadError
from batch.parts import part_name, score_chunk, write_json
from batch.reading import Chunk, Source, Table
from batch.scoring import ROOT, Scorer

JOB, DONE, SUCCESS, BAD, LOCK = "_job.json", "_done", "_SUCCESS", "_bad", ".lock"
FORMAT = 1
Listen = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class Options:
    """How to score.

    Attributes
    ----------
    format
        Of the parts: "parquet" or "csv".
    prefix
        Goes before the names of the columns that are added.
    part_rows
        A part has row groups of so many rows together, or a single larger one.
    workers
        Threads (local) of the model; None: one for each core where the model allows it.
    max_bad
        Share of bad rows (0 to 1) beyond which the batch fails.
    about
        What the manifest says of the model instead of what ``model/metadata.json`` says.
    """

    engine: str = "local"
    master: str | None = None
    format: str = "parquet"
    prefix: str = ""
    batch_rows: int = 16_384
    part_rows: int = 1_000_000
    workers: int | None = None
    max_bad: float = 1.0
    resume: bool = False
    force: bool = False
    about: Mapping[str, Any] = field(default_factory=dict)


class Job:
    """A planned batch, as ``_job.json`` keeps it.

    Parameters
    ----------
    plan
        "in", "format", "prefix", "batch_rows", "sources", "chunks", "model".
    """

    def __init__(self, out: Path, plan: Mapping[str, Any]) -> None:
        self.out, self.plan = out, plan
        self.sources = [Source(**one) for one in plan["sources"]]
        # A file that came or went meanwhile would shift the others.
        self.table = Table(Path(plan["in"]), [one.name for one in self.sources])
        self.chunks = [Chunk(**one) for one in plan["chunks"]]
        self._reports: dict[int, dict[str, Any]] = {}

    @classmethod
    def read(cls, out: Path) -> Job:
        """The job of a folder."""
        return cls(out, json.loads((out / JOB).read_text(encoding="utf-8")))

    @property
    def rows(self) -> int | None:
        """Of all files, where they say it."""
        known = [one.rows for one in self.sources]
        return None if None in known else sum(one for one in known if one is not None)

    def scorer(self, threads: int) -> Scorer:
        """What scores its batches."""
        return Scorer(prefix=self.plan["prefix"], text=self.table.format == "csv", threads=threads)

    def score(self, chunk: Chunk, scorer: Scorer, workers: int = 1, tell: Callable[[int], None] = lambda rows: None) -> dict[str, Any]:
        """Make the part of a chunk, see `score_chunk`."""
        return score_chunk(
            self.table, self.sources[chunk.source], chunk, scorer, self.out, kind=self.plan["format"],
            batch_rows=self.plan["batch_rows"], workers=workers, tell=tell,
        )  # fmt: skip

    def reports(self) -> dict[int, dict[str, Any]]:
        """Of the parts that are whole, by number."""
        for path in (self.out / DONE).glob("*.json"):
            number = path.stem
            if path.name.startswith(".") or int(number) in self._reports:
                continue
            report = json.loads(path.read_text(encoding="utf-8"))
            part = self.out / report["part"]
            if part.is_file() and part.stat().st_size == report["bytes"]:
                self._reports[int(number)] = report
        return self._reports


class Progress:
    """Tells how far a batch is, at most twice a second.

    Parameters
    ----------
    before
        Rows that an earlier run scored: they do not count for the speed.
    """

    def __init__(self, listen: Listen, total: int | None, before: int) -> None:
        self._listen, self._total = listen, total
        self._before = self.rows = before
        self.start()

    def start(self) -> None:
        """Count the time from here."""
        self._started = self._told = time.monotonic()
        self._stopped: float | None = None

    def stop(self) -> None:
        """Count it to here."""
        self._stopped = time.monotonic()

    def say(self, step: str, message: str, seconds: float) -> None:
        """Something beside the rows is done."""
        self._listen({"step": step, "status": "done", "message": message, "seconds": round(seconds, 1)})

    @property
    def seconds(self) -> float:
        """From `start` to `stop`, or until now."""
        return (self._stopped or time.monotonic()) - self._started

    def add(self, rows: int) -> None:
        """Rows were scored."""
        self.set(self.rows + rows)

    def set(self, rows: int) -> None:
        """So many rows are scored by now, those of earlier runs too."""
        self.rows = rows
        now = time.monotonic()
        if now - self._told < 0.5:
            return
        self._told = now
        speed = (rows - self._before) / (now - self._started)
        text = f"{rows:,} rows, {speed:,.0f} rows/s"
        fraction = None
        if self._total:
            fraction = min(rows / self._total, 1.0)
            text = f"{rows:,} of {self._total:,} rows, {speed:,.0f} rows/s"
            if speed > 0:
                text += f", {(self._total - rows) / speed:,.0f} s left"
        data = {"rows": rows, "rows_per_second": round(speed)}
        self._listen({"step": "score", "status": "progress", "message": text, "fraction": fraction, "data": data})


def run(given: Path, out: Path, options: Options, listen: Listen) -> dict[str, Any]:
    """Score a table into a folder.

    Returns
    -------
    dict
        The manifest, as ``_SUCCESS`` holds it.

    Raises
    ------
    BatchError
        IN or OUT is not what it has to be, or something is missing. Parts that are done stay.
    TooManyBadError
        Beyond `max_bad`. Parts that are done stay.
    """
    started = time.monotonic()
    given, out = given.absolute(), out.absolute()
    listen({"step": "plan", "status": "started", "message": str(given)})
    table = Table(given)
    if out == given or out.is_relative_to(given) or given.is_relative_to(out):
        raise BatchError(f"OUT ({out}) and IN ({given}) must not lie within each other. Choose another OUT.")
    check_out(out, options)
    scorer = Scorer(prefix=options.prefix, text=table.format == "csv")
    for file in table.files:
        if wrong := scorer.problems(table.schema(file)):
            raise BatchError(f"{file} cannot be scored: {'; '.join(wrong)}.")
    model = about_model(options.about)
    plan = {
        "batch": FORMAT, "in": str(given), "format": options.format, "prefix": options.prefix, "batch_rows": options.batch_rows,
        "part_rows": options.part_rows, "model": model, "sources": [asdict(one) for one in table.sources()],
        "chunks": [asdict(one) for one in table.chunks(options.part_rows)],
    }  # fmt: skip
    with held(out, options):
        if (finished := _finished(out, plan)) is not None:
            listen({"step": "plan", "status": "skipped", "message": "all of it was done before"})
            return finished
        job = _begin(out, plan)
        reports = job.reports()
        before = sum(one["rows"] for one in reports.values())
        pending = [chunk for chunk in job.chunks if chunk.number not in reports]
        rows = "" if job.rows is None else f", {job.rows:,} rows"
        kept = f", {len(reports)} of {len(job.chunks)} parts done before" if reports else ""
        listen({"step": "plan", "status": "done", "message": f"{len(job.sources)} files{rows}, {len(job.chunks)} parts{kept}"})
        progress = Progress(listen, job.rows, before)
        if options.engine == "spark":
            from batch.spark import run_spark

            run_spark(job, pending, options, progress, lambda: _judge(job, options.max_bad))
        else:
            _run_local(job, pending, options, progress)
        seconds = progress.seconds
        manifest = _finish(job, options, time.monotonic() - started)
    speed = (manifest["rows"] - before) / max(seconds, 1e-9)
    progress.say("score", f"{manifest['scored']:,} rows, {manifest['bad']:,} bad, {speed:,.0f} rows/s", seconds)
    return manifest


def _run_local(job: Job, pending: list[Chunk], options: Options, progress: Progress) -> None:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # Several batches at a time, each in one thread, beat one batch in several threads: reading and writing go on meanwhile.
    scorer = job.scorer(1)
    workers = (options.workers or cores) if scorer.parallel else 1
    progress.start()
    for chunk in pending:
        job.score(chunk, scorer, workers, progress.add)
        _judge(job, options.max_bad)


def _judge(job: Job, max_bad: float) -> None:
    """Stop as soon as it is certain that too many rows are bad."""
    reports = job.reports().values()
    bad, rows = (sum(one[name] for one in reports) for name in ("bad", "rows"))
    whole = len(reports) == len(job.chunks)
    total = rows if whole else job.rows
    nothing = whole and rows and bad == rows
    if (total and bad > max_bad * total) or nothing:
        share = f"{bad:,} of {rows:,} rows cannot be scored"
        limit = "so nothing was predicted" if nothing else f"and --max-bad allows {max_bad:.4g} of {total:,}"
        often = _most(_counted(reports, "reasons"))
        raise TooManyBadError(f"{share}, {limit}. Most often: {often}. {job.out / BAD} names them.")


def _counted(reports: Any, what: str) -> Counter[str]:
    counted: Counter[str] = Counter()
    for report in reports:
        counted.update(report[what])
    return counted


def _most(reasons: Counter[str]) -> str:
    return "; ".join(f"{why} ({count:,})" for why, count in reasons.most_common(3)) or "no reason"


def check_out(out: Path, options: Options) -> None:
    """Refuse a folder that must not be written to.

    Raises
    ------
    BatchError
        It is a file, holds something else, or an earlier batch that nobody said should be gone on with.
    """
    if out.exists() and not out.is_dir():
        raise BatchError(f"OUT {out} is a file. Choose a folder.")
    if not out.is_dir() or not any(one.name != LOCK for one in out.iterdir()) or options.force:
        return
    if not (out / JOB).is_file() and not _is_manifest(out / SUCCESS):
        raise BatchError(f"OUT {out} holds other files. Choose an empty or new folder, or --force: it is then kept beside the new one.")
    if not options.resume:
        what = "a finished batch" if (out / SUCCESS).is_file() else "a batch that was stopped"
        raise BatchError(f"OUT {out} holds {what}. Go on with it (--resume), replace it (--force), or choose another folder.")


def _is_manifest(path: Path) -> bool:
    try:
        return "batch" in json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


@contextmanager
def held(out: Path, options: Options) -> Iterator[None]:
    """OUT for this process alone; a former one is taken away where that was asked for.

    Raises
    ------
    BatchError
        Another process writes to it, or it cannot be written to.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        file = (out / LOCK).open("a")
    except OSError as error:
        raise BatchError(f"OUT {out} cannot be written to: {error.strerror}. Choose another folder.") from None
    with file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:
            pass  # no such locks on Windows
        except OSError:
            raise BatchError(f"Another process writes to {out}. Wait for it, or end it and go on with --resume.") from None
        if options.force:
            _clear(out)
        try:
            yield
        finally:
            (out / LOCK).unlink(missing_ok=True)


def _clear(out: Path) -> None:
    """Take what an earlier batch made away; anything else is kept in a folder beside."""
    ours = (out / JOB).is_file() or _is_manifest(out / SUCCESS)
    if ours:
        for path in [*out.glob("part-*"), *out.glob(".*.partial"), out / JOB, out / SUCCESS]:
            path.unlink(missing_ok=True)
        for name in (DONE, BAD):
            shutil.rmtree(out / name, ignore_errors=True)
    others = [one for one in out.iterdir() if one.name != LOCK]
    if others:
        beside = out.with_name(f"{out.name}.{time.strftime('%Y%m%d-%H%M%S')}.former")
        beside.mkdir()
        for one in others:
            one.rename(beside / one.name)


def _finished(out: Path, plan: Mapping[str, Any]) -> dict[str, Any] | None:
    if not (out / SUCCESS).is_file():
        return None
    manifest: dict[str, Any] = json.loads((out / SUCCESS).read_text(encoding="utf-8"))
    _same(out, manifest, plan)
    _tidy(out)
    return manifest


def _begin(out: Path, plan: Mapping[str, Any]) -> Job:
    path = out / JOB
    if path.is_file():
        former = json.loads(path.read_text(encoding="utf-8"))
        _same(out, former, plan)
        for left in [*out.glob(".*.partial"), *(out / DONE).glob(".*.partial")]:  # of a process that was killed
            left.unlink(missing_ok=True)
        return Job(out, former)
    write_json(path, plan)
    return Job(out, plan)


def _same(out: Path, former: Mapping[str, Any], plan: Mapping[str, Any]) -> None:
    """An earlier batch must have been the same one.

    Raises
    ------
    BatchError
        It was not; the message says in what.
    """
    names = {"in": "IN", "sources": "the files in IN", "format": "--format", "prefix": "--prefix", "part_rows": "--part-rows"}
    other = [text for name, text in names.items() if former[name] != plan[name]]
    if former["model"]["digest"] != plan["model"]["digest"]:
        other.append("the model")
    if other:
        raise BatchError(f"OUT {out} holds another batch: {', '.join(other)} differed. Replace it (--force), or choose another folder.")


def _finish(job: Job, options: Options, seconds: float) -> dict[str, Any]:
    reports = job.reports()
    if missing := [chunk.number for chunk in job.chunks if chunk.number not in reports]:
        raise BatchError(f"{len(missing)} parts are missing in {job.out} (the first is {part_name(missing[0], job.plan['format'])}). Go on with --resume.")
    _judge(job, options.max_bad)
    ordered = [reports[chunk.number] for chunk in job.chunks]
    rows, scored, bad = (sum(one[name] for one in ordered) for name in ("rows", "scored", "bad"))
    assert rows == scored + bad, "rows in are rows out and bad rows"
    assert job.rows in (None, rows), "all rows of the files were read"
    manifest = {
        **{name: job.plan[name] for name in ("batch", "model", "in", "format", "prefix", "part_rows", "sources")},
        "rows": rows, "scored": scored, "bad": bad, "reasons": dict(_counted(ordered, "reasons").most_common(50)),
        "doubts": dict(_counted(ordered, "doubts")),
        "added": job.scorer(1).added.names, "engine": options.engine, "seconds": round(seconds, 3),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "parts": [{name: one[name] for name in ("part", "file", "first_row", "rows", "scored", "bad", "bytes")} for one in ordered],
    }  # fmt: skip
    write_json(job.out / SUCCESS, manifest)
    _tidy(job.out)
    return manifest


def _tidy(out: Path) -> None:
    """The manifest says it all."""
    (out / JOB).unlink(missing_ok=True)
    with suppress(OSError):
        shutil.rmtree(out / DONE)


def about_model(about: Mapping[str, Any]) -> dict[str, Any]:
    """Name, version and digest of the model. The digest is of all files that decide a prediction."""
    known = json.loads((ROOT / "model" / "metadata.json").read_text(encoding="utf-8"))
    sums = hashlib.sha256()
    folders = [ROOT / "src", ROOT / "batch", ROOT / "expectations"]
    files = [one for folder in folders for one in folder.rglob("*") if one.suffix in (".py", ".json")]
    files += [one for one in (ROOT / "model").glob("model.*") if one.suffix in (".onnx", ".skops")]
    files += [ROOT / "model" / "signature.json", *(one for one in (ROOT / "model" / "state").rglob("*") if one.is_file())]
    for file in sorted(files):
        sums.update(f"{file.relative_to(ROOT).as_posix()} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return {
        "name": known["name"], "version": str(known.get("model_version") or known["version"]), "run_id": known.get("run_id"),
        **about, "digest": sums.hexdigest(),
    }  # fmt: skip
