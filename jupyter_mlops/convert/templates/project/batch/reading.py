"""The files of a table, cut into chunks that are scored one by one, and their rows in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from batch.errors import BatchError
from batch.partitions import Partitions

FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".csv.gz": "csv",
}
# What pandas takes for a missing value in a CSV file.
MISSING = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
]  # fmt: skip
BLOCK = 4 << 20  # bytes of a CSV file that are parsed at a time


@dataclass(frozen=True)
class Source:
    """A file, as it was when the batch began. `modified` is in nanoseconds, `rows` None for CSV."""

    name: str  # below IN
    bytes: int
    modified: int
    rows: int | None


@dataclass(frozen=True)
class Chunk:
    """What becomes one part: row groups `first` to `last` (not included) of a Parquet file, or a CSV file."""

    number: int
    source: int  # position of its file
    row: int  # of the file that it begins with
    rows: int | None
    first: int = 0
    last: int = 0


class Piece(NamedTuple):
    """A batch, the place of each of its rows in the file, and lines beside them that are no rows."""

    batch: pa.RecordBatch
    rows: NDArray[np.int64]
    broken: list[tuple[int, str]]


class Table:
    """Files of one format.

    Parameters
    ----------
    path
        A file, or a folder: then all files below it that end in .parquet, .pq, .csv or .csv.gz, by name. Names that
        begin with ``_`` or a dot are left out. Folders such as ``month=5`` give a column, see `Partitions`.
    names
        The files below it, as they were when the batch began; None: those that are there.

    Raises
    ------
    BatchError
        There is no such file, or files of both formats.
    """

    def __init__(self, path: Path, names: Sequence[str] | None = None) -> None:
        self.path = path
        self.base = path if path.is_dir() else path.parent
        if names is not None:
            self.files = [self.base / name for name in names]
        elif path.is_dir():
            found = sorted(one for one in path.rglob("*") if one.is_file() and not _hidden(one, path))
            self.files = [one for one in found if format_of(one)]
        else:
            self.files = [path] if path.is_file() else []
        if not path.exists():
            raise BatchError(f"There is no {path}. Name a Parquet or CSV file, or a folder of them.")
        formats = {format_of(one) for one in self.files} - {None}
        if len(formats) != 1:
            what = "files of both formats" if formats else "no Parquet or CSV file"
            raise BatchError(f"{path} holds {what}. Name a file, or a folder of files, that end in one of {', '.join(FORMATS)}.")
        self.format = str(formats.pop())
        self._partitions = Partitions((self._below(file) for file in self.files), text=self.format == "csv")

    def _below(self, file: Path) -> Path:
        return file.relative_to(self.base)

    def schema(self, file: Path) -> pa.Schema:
        """The columns of a file.

        Raises
        ------
        BatchError
            It cannot be read.
        """
        with reading(file):
            if self.format == "parquet":
                return self._partitions.schema(pq.read_schema(file))
            with _csv(file, []) as reader:
                return self._partitions.schema(reader.schema)

    def sources(self) -> list[Source]:
        """The files with what tells whether one was changed."""
        made = []
        for file in self.files:
            stat = file.stat()
            rows = None
            if self.format == "parquet":
                with reading(file):
                    rows = int(pq.read_metadata(file).num_rows)
            name = self._below(file).as_posix()
            made.append(Source(name, stat.st_size, stat.st_mtime_ns, rows))
        return made

    def chunks(self, part_rows: int) -> list[Chunk]:
        """Parts to be made, in the order of files and rows.

        Row groups are gathered until they have `part_rows` rows. A CSV file can only be read from its beginning, so that it
        is one chunk.
        """
        made: list[Chunk] = []
        for source, file in enumerate(self.files):
            if self.format == "csv":
                made.append(Chunk(len(made), source, 0, None))
                continue
            about = pq.read_metadata(file)
            first = row = rows = 0
            for group in range(about.num_row_groups):
                rows += about.row_group(group).num_rows
                if rows >= part_rows:
                    made.append(Chunk(len(made), source, row, rows, first, group + 1))
                    first, row, rows = group + 1, row + rows, 0
            if rows or not about.num_rows:
                made.append(Chunk(len(made), source, row, rows, first, about.num_row_groups))
        return made

    def pieces(self, chunk: Chunk, batch_rows: int, *, threads: bool) -> Iterator[Piece]:
        """The rows of a chunk in their order, at most `batch_rows` at a time.

        Raises
        ------
        BatchError
            The file cannot be read.
        """
        file = self.files[chunk.source]
        for piece in self._own_pieces(file, chunk, batch_rows, threads=threads):
            yield piece._replace(batch=self._partitions.added(self._below(file), piece.batch))

    def _own_pieces(self, file: Path, chunk: Chunk, batch_rows: int, *, threads: bool) -> Iterator[Piece]:
        with reading(file):
            if self.format == "csv":
                yield from _csv_pieces(file, batch_rows)
                return
            row = chunk.row
            # Without it, all that will be read of the chunk would be held from the beginning.
            with pq.ParquetFile(file, pre_buffer=False) as table:
                groups = range(chunk.first, chunk.last)
                for batch in table.iter_batches(batch_rows, row_groups=groups, use_threads=threads):
                    yield Piece(batch, np.arange(row, row + batch.num_rows), [])
                    row += batch.num_rows


def format_of(file: Path) -> str | None:
    """The format that a file's name says."""
    name = file.name.lower()
    return next((kind for end, kind in FORMATS.items() if name.endswith(end)), None)


class reading:  # noqa: N801 - a context, like `open`
    """Turns what Arrow says about a file into an error that names it."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (pa.ArrowException, OSError, UnicodeDecodeError)) and not isinstance(error, BrokenPipeError):
            raise BatchError(f"{self.file} cannot be read: {' '.join(str(error).split())[:500]}. Mend or remove it.") from error


def _hidden(file: Path, base: Path) -> bool:
    return any(part.startswith(("_", ".")) for part in file.relative_to(base).parts)


def _csv(file: Path, broken: list[tuple[int, str]]) -> csv.CSVStreamingReader:
    """A reader that gives every column as text, and puts lines with too few or too many fields aside."""

    def refuse(line: csv.InvalidRow) -> str:
        # The header is line 1.
        broken.append((line.number - 2, f"the line has {line.actual_columns} fields, not {line.expected_columns}"))
        return "skip"

    # One thread, else lines have no numbers.
    read = csv.ReadOptions(use_threads=False, block_size=BLOCK)
    parse = csv.ParseOptions(newlines_in_values=True, invalid_row_handler=refuse)
    with csv.open_csv(file, read, parse) as probe:
        names = probe.schema.names
    broken.clear()
    convert = csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=MISSING
    )
    return csv.open_csv(file, read, parse, convert)


def _csv_pieces(file: Path, batch_rows: int) -> Iterator[Piece]:
    broken: list[tuple[int, str]] = []
    row, told = 0, 0
    with _csv(file, broken) as reader:
        for block in reader:
            # Lines that were put aside so far; those behind this block come with the next one.
            numbers = np.array(sorted(number for number, _ in broken), dtype=np.int64)
            places = np.arange(row, row + block.num_rows + len(numbers))
            places = places[~np.isin(places, numbers)][: block.num_rows]
            for start in range(0, block.num_rows, batch_rows):
                part = block.slice(start, batch_rows)
                yield Piece(part, places[start : start + batch_rows], broken[told:])
                told = len(broken)
            row = int(places[-1]) + 1 if len(places) else row
        if told < len(broken):
            yield Piece(block_of_none(reader.schema), np.empty(0, np.int64), broken[told:])


def block_of_none(schema: pa.Schema) -> pa.RecordBatch:
    """A batch without rows."""
    return pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)
