"""Journals of the prediction log that are not Parquet yet, as tables.

The format is the one that the generated service writes; its `service/journal.py` describes it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FOLDER", "SUFFIX", "journal_header", "journal_table"]

FOLDER, SUFFIX = "open", ".journal"
_MAGIC = b"jupyter-mlops log 1\n"
_FRAME = struct.Struct("<II")  # length and CRC-32 of the MessagePack behind it


def journal_header(path: Path) -> dict[str, Any] | None:
    """What the records of a journal are: "kind", "model", "version", "columns", ...; None where that is not written yet.

    Raises
    ------
    FileNotFoundError
        It became Parquet meanwhile.
    """
    first = next(_frames(path), None)
    return None if first is None else first


def journal_table(path: Path, schema: pa.Schema) -> pa.Table:
    """The records of a journal up to the last whole one, with the columns of a schema that they have.

    Raises
    ------
    FileNotFoundError
        It became Parquet meanwhile.
    """
    import pyarrow as pa

    frames = _frames(path)
    header = next(frames, None)
    rows: dict[str, list[Any]] = {name: [] for name in schema.names}
    if header is None:
        return schema.empty_table()
    for record in (one for many in frames for one in many):
        for name, values in _columns(header, record):
            if name in rows:
                rows[name] += values
    length = max(map(len, rows.values()), default=0)
    arrays = [pa.array(rows[field.name] or [None] * length, field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _columns(header: dict[str, Any], record: list[Any]) -> Iterator[tuple[str, list[Any]]]:
    """Column and values of each row of a record."""
    time, name = record[0] // 1000, record[1]
    if header["kind"] == "feedback":
        import json

        yield from (("id", [name]), ("row", [record[2]]), ("time", [time]), ("label", [json.dumps(record[3])]))
        return
    arm, rows, labels, probabilities = record[2:6]
    count = len(rows)
    yield from (("id", [name] * count), ("row", list(range(count))), ("time", [time] * count), ("arm", [arm] * count))
    for at, column in enumerate(header["columns"]):
        values = [row[at] for row in rows]
        yield f"input.{column['name']}", list(map(_time, values)) if column["kind"] == "datetime" else values
    yield "prediction", labels
    yield "probabilities", probabilities or [None] * count


def _time(value: Any) -> Any:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return value


def _frames(path: Path) -> Iterator[Any]:
    import msgspec

    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            return
        while len(start := file.read(_FRAME.size)) == _FRAME.size:
            length, check = _FRAME.unpack(start)
            payload = file.read(length)
            if len(payload) < length or zlib.crc32(payload) != check:
                return  # it is being written, or its writer was killed
            yield msgspec.msgpack.decode(payload)
