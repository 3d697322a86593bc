"""A chunk to its part in OUT: written aside, and put into its place when it is whole."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

from batch.errors import BatchError
from batch.reading import Chunk, Piece, Source, Table
from batch.scoring import Scored, Scorer

BAD = pa.schema([("file", pa.string()), ("row", pa.int64()), ("reason", pa.string())])
GROUP = 131_072  # rows of a row group of a part
SHOWN = 200  # different reasons that a report counts
Tell = Callable[[int], None]  # how many rows were scored just now


def part_name(number: int, kind: str) -> str:
    """The file of a chunk."""
    return f"part-{number:05}.{kind}"


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Turns what the disk says into an error that says what to do."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        text = " ".join(str(error).split())[:300]
        raise BatchError(f"{out} cannot be written to: {text}. Make room there, and go on with --resume.") from error


class Part:
    """The files of a part; they appear when the block ends well, and leave nothing behind when it does not."""

    def __init__(self, out: Path, number: int, kind: str, schema: pa.Schema) -> None:
        self._out, self._kind = out, kind
        self.name = part_name(number, kind)
        self._bad_name = part_name(number, "parquet")
        self._own = uuid.uuid4().hex[:8]  # another try of Spark may write the same part
        self._schema = schema
        self._bad: Any = None
        self._waiting: list[pa.RecordBatch] = []

    def _partial(self, name: str) -> Path:
        return self._out / f".{name}.{self._own}.partial"

    def __enter__(self) -> Part:
        path = self._partial(self.name)
        # A dictionary of numbers with a fraction costs time and saves no space.
        levels = [field.name for field in self._schema if not pa.types.is_floating(field.type)]
        try:
            if self._kind == "parquet":
                self._writer = pq.ParquetWriter(path, self._schema, use_dictionary=levels)
            else:
                self._writer = csv.CSVWriter(path, self._schema)
        except pa.ArrowException as error:
            path.unlink(missing_ok=True)
            raise BatchError(f"The columns cannot be written as {self._kind}: {error}. Choose another --format.") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        partials = {self._partial(self.name): self._out / self.name}
        if self._bad is not None:  # first: a part that is there has its bad rows beside it
            partials = {self._partial(f"bad-{self._bad_name}"): self._out / "_bad" / self._bad_name, **partials}
        try:
            with writing(self._out):
                if kind is None:
                    self._flush()
                self._writer.close()
                if self._bad is not None:
                    self._bad.close()
                if kind is None:
                    for partial, place in partials.items():
                        place.parent.mkdir(exist_ok=True)
                        partial.replace(place)
        finally:
            for partial in partials:
                partial.unlink(missing_ok=True)

    def write(self, table: pa.RecordBatch) -> None:
        """Add scored rows."""
        if table.num_rows:
            self._waiting.append(table)
            if sum(one.num_rows for one in self._waiting) >= GROUP:
                with writing(self._out):
                    self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting))
            self._waiting = []

    def write_bad(self, file: str, rows: list[int], reasons: list[str]) -> None:
        """Add rows that could not be scored."""
        if not rows:
            return
        arrays = [pa.array([file] * len(rows)), pa.array(rows, pa.int64()), pa.array(reasons)]
        with writing(self._out):
            if self._bad is None:
                self._bad = pq.ParquetWriter(self._partial(f"bad-{self._bad_name}"), BAD)
            self._bad.write_batch(pa.RecordBatch.from_arrays(arrays, schema=BAD))


def score_chunk(
    table: Table, source: Source, chunk: Chunk, scorer: Scorer, out: Path, *, kind: str, batch_rows: int, workers: int = 1,
    tell: Tell = lambda rows: None,
) -> dict[str, Any]:  # fmt: skip
    """Score a chunk, write its part and note that it is done.

    Parameters
    ----------
    kind
        Format of the part: "parquet" or "csv".
    workers
        Threads that score batches at the same time; their order stays.

    Returns
    -------
    dict
        The report: "rows" (of the chunk), "scored", "bad", "reasons" with their numbers, "doubts" (of scored rows), "part", "bytes".

    Raises
    ------
    BatchError
        The file was changed meanwhile, cannot be read, or holds fewer rows than it says.
    """
    file = table.files[chunk.source]
    stat = file.stat()
    if (stat.st_size, stat.st_mtime_ns) != (source.bytes, source.modified):
        raise BatchError(f"{file} was changed since the batch began. Begin anew with --force.")
    started = time.monotonic()
    rows = scored = bad = 0
    reasons: Counter[str] = Counter()
    doubts: Counter[str] = Counter()
    pieces = table.pieces(chunk, batch_rows, threads=workers > 1)
    with Part(out, chunk.number, kind, scorer.schema(table.schema(file))) as part:
        for piece, found in in_order(scorer, pieces, workers):
            part.write(found.table)
            wrong = [(int(piece.rows[one.row]), one.why, one.value) for one in found.bad]
            wrong = sorted([*wrong, *((row, why, "") for row, why in piece.broken)])
            part.write_bad(source.name, [one[0] for one in wrong], [one[1] + one[2] for one in wrong])
            reasons.update(one[1] for one in wrong)
            doubts.update(found.doubts)
            scored, bad = scored + found.table.num_rows, bad + len(wrong)
            rows += piece.batch.num_rows + len(piece.broken)
            tell(piece.batch.num_rows + len(piece.broken))
        if chunk.rows is not None and rows != chunk.rows:
            raise BatchError(f"{file} says that it has {chunk.rows} rows here, and has {rows}. Write it anew.")
        assert rows == scored + bad, "rows in are rows out and bad rows"
    report = {
        "number": chunk.number, "file": source.name, "first_row": chunk.row, "rows": rows, "scored": scored, "bad": bad,
        "reasons": dict(reasons.most_common(SHOWN)), "doubts": dict(doubts), "part": part.name, "bytes": (out / part.name).stat().st_size,
        "seconds": round(time.monotonic() - started, 3),
    }  # fmt: skip
    write_json(out / "_done" / f"{chunk.number:05}.json", report)
    return report


def in_order(scorer: Scorer, pieces: Iterable[Piece], workers: int) -> Iterator[tuple[Piece, Scored]]:
    """Pieces with what came of them, a few ahead at most, so that memory does not grow with the table."""
    if workers == 1:
        for piece in pieces:
            yield piece, scorer(piece.batch)
        return
    waiting: deque[tuple[Piece, Future[Scored]]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="score") as pool:
        for piece in pieces:
            waiting.append((piece, pool.submit(scorer, piece.batch)))
            if len(waiting) > workers + 1:
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()


def write_json(path: Path, data: Any) -> None:
    """Replace a file in one step."""
    path.parent.mkdir(exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    partial.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)
