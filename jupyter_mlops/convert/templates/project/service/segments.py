"""From journals to Parquet: ``python -m service.segments FOLDER [DAYS]``.

``FOLDER/predictions/day=2026-11-30/version=3/<name>.parquet`` has a row for each row that was predicted:
``id``, ``row``, ``time``, ``arm``, ``input.<column>``, ``prediction`` and ``probabilities``; the file's
metadata has ``model``, ``version`` and ``classes``. ``FOLDER/feedback/day=.../`` has ``id``, ``row``,
``time`` and ``label``, as JSON. Days older than DAYS are removed; 0 keeps all.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from service.journal import FOLDER, SUFFIX, Answered, Header, Label, as_time, is_abandoned, read_journal

try:
    import fcntl
except ImportError:  # Windows: two of them at a time do the same work twice, and no harm
    fcntl = None  # type: ignore[assignment]

TYPES = {
    "float": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "datetime": pa.timestamp("us"),
}
TIME = pa.timestamp("us", "UTC")
ROWS = 50_000  # of one part of a segment


def main(argv: Sequence[str]) -> int:
    """Compact a folder; returns the exit code."""
    if not 1 <= len(argv) <= 2:
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(argv[0])
    with _alone(folder) as alone:
        if alone:
            compact(folder)
            if len(argv) > 1 and int(argv[1]):
                prune(folder, int(argv[1]))
    return 0


def compact(folder: Path) -> list[Path]:
    """Make Parquet of the journals that nobody writes any more; returns the new files."""
    made: list[Path] = []
    for journal in sorted((folder / FOLDER).glob(f"*{SUFFIX}")):
        if is_abandoned(journal):
            made += write_segments(journal, folder)
            journal.unlink()
    return made


def write_segments(journal: Path, folder: Path) -> list[Path]:
    """The Parquet files of a journal, one for each day. Done twice, it gives the same files."""
    found = read_journal(journal)
    if found is None:
        return []
    header, lists = found
    writers: dict[Path, pq.ParquetWriter] = {}
    try:
        for day, table in tables(header, lists):
            place = folder / header.kind / f"day={day}"
            if header.kind == "predictions":
                place /= f"version={header.version}"
            path = place / f"{journal.stem}.parquet"
            if path not in writers:
                place.mkdir(parents=True, exist_ok=True)
                writers[path] = pq.ParquetWriter(_aside(path), table.schema, compression="zstd")
            writers[path].write_table(table)
    finally:
        for writer in writers.values():
            writer.close()
    for path in writers:
        os.replace(_aside(path), path)
    return list(writers)


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def tables(header: Header, lists: Iterator[list[Any]]) -> Iterator[tuple[str, pa.Table]]:
    """A journal's records as tables of one day each."""
    schema = schema_of(header)
    waiting: dict[str, list[Any]] = {}
    for records in lists:
        for one in records:
            day = datetime.fromtimestamp(one.time / 1e9, UTC).date().isoformat()
            waiting.setdefault(day, []).append(one)
        for day in [day for day, many in waiting.items() if len(many) >= ROWS]:
            yield day, _table(header, schema, waiting.pop(day))
    for day, many in waiting.items():
        yield day, _table(header, schema, many)


def schema_of(header: Header) -> pa.Schema:
    """Columns of the table, and what is known of all its rows."""
    fields = [pa.field("id", pa.string()), pa.field("row", pa.int32()), pa.field("time", TIME)]
    if header.kind == "feedback":
        return pa.schema([*fields, pa.field("label", pa.string())])
    fields.append(pa.field("arm", pa.string()))
    for one in header.columns:
        kind = pa.string() if one.hashed else TYPES.get(one.kind, pa.string())
        fields.append(pa.field(f"input.{one.name}", kind))
    fields.append(pa.field("prediction", TYPES.get(header.prediction, pa.string())))
    fields.append(pa.field("probabilities", pa.list_(pa.float64())))
    about = {
        "model": header.model,
        "version": header.version,
        "classes": json.dumps(header.classes),
        "hashed": json.dumps([one.name for one in header.columns if one.hashed]),
    }
    return pa.schema(fields, metadata=about)


def _table(header: Header, schema: pa.Schema, records: list[Any]) -> pa.Table:
    if header.kind == "feedback":
        labels: list[Label] = records
        columns: list[list[Any]] = [
            [one.id for one in labels],
            [one.row for one in labels],
            [one.time // 1000 for one in labels],
            [json.dumps(one.label, ensure_ascii=False) for one in labels],
        ]
    else:
        asked: list[Answered] = records
        columns = [
            [one.id for one in asked for _ in one.rows],
            [number for one in asked for number in range(len(one.rows))],
            [one.time // 1000 for one in asked for _ in one.rows],
            [one.arm for one in asked for _ in one.rows],
        ]
        for at, column in enumerate(header.columns):
            values = [row[at] for one in asked for row in one.rows]
            columns.append(list(map(as_time, values)) if column.kind == "datetime" else values)
        columns.append([label for one in asked for label in one.labels])
        none: list[Any] = [None]
        columns.append([row for one in asked for row in one.probabilities or none * len(one.rows)])
    arrays = [pa.array(one, field.type) for one, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def prune(folder: Path, days: int) -> None:
    """Remove the days that are older than so many."""
    last = (datetime.now(UTC) - timedelta(days=days)).date().isoformat()
    for place in [*folder.glob("predictions/day=*"), *folder.glob("feedback/day=*")]:
        if place.name.removeprefix("day=") < last:
            shutil.rmtree(place, ignore_errors=True)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether no other process compacts this folder."""
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    with (folder / FOLDER / ".compacting").open("w") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
                return
        yield True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
