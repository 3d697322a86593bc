"""Columns that stand in the names of folders, as Spark and Hive write them: ``month=5/day=2013-05-01/part-0.parquet``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import PurePath
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

NULL = "__HIVE_DEFAULT_PARTITION__"


class Partitions:
    """The columns that all files have in the names of their folders; of whole numbers or dates if all values are, else text.

    Parameters
    ----------
    files
        Paths below the folder of the table.
    text
        All columns are text, as those of CSV files.
    """

    def __init__(self, files: Iterable[PurePath], *, text: bool) -> None:
        self._of = {file: _named(file) for file in files}
        common = set.intersection(*(set(one) for one in self._of.values()))
        first = next(iter(self._of.values()))
        self._types = {
            name: pa.string() if text else _type(one[name] for one in self._of.values()) for name in first if name in common
        }

    def schema(self, schema: pa.Schema) -> pa.Schema:
        """The columns of a file, and those of its folders that it does not hold itself."""
        for name, kind in self._types.items():
            if name not in schema.names:
                schema = schema.append(pa.field(name, kind))
        return schema

    def added(self, file: PurePath, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Rows of a file with these columns."""
        schema = self.schema(batch.schema)
        own = len(batch.schema)
        if len(schema) == own:
            return batch
        values = self._of[file]
        more = [
            pa.repeat(pa.scalar(_value(values[field.name], field.type), field.type), batch.num_rows) for field in list(schema)[own:]
        ]
        return pa.RecordBatch.from_arrays([*batch.columns, *more], schema=schema)


def _named(file: PurePath) -> dict[str, str | None]:
    pairs = [part.partition("=") for part in file.parts[:-1]]
    return {unquote(name): None if value == NULL else unquote(value) for name, sign, value in pairs if sign and name}


def _type(values: Iterable[str | None]) -> pa.DataType:
    given = [one for one in values if one is not None]
    for kind in (pa.int64(), pa.date32()):
        try:
            # Only what is written as numbers and dates are: 007 and 20130501T0 stay text.
            if all(str(_value(one, kind)) == one for one in given):
                return kind
        except ValueError:
            continue
    return pa.string()


def _value(text: str | None, kind: pa.DataType) -> Any:
    if text is None or pa.types.is_string(kind):
        return text
    return int(text) if pa.types.is_integer(kind) else date.fromisoformat(text)
