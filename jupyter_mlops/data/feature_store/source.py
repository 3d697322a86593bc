"""The file that a feature repository reads: what its columns are, and what of it Feast cannot hold as it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SourceFacts", "look_at", "write_source"]


@dataclass(frozen=True)
class SourceFacts:
    """A source file.

    Attributes
    ----------
    kinds
        Column to "float", "integer", "boolean", "string", "datetime", or Arrow's name of a type that Feast cannot hold here.
    rows, entities, repeated
        How many rows and entities, and how many rows have entity and time of an earlier one: Feast takes one of those.
    first, last
        Earliest and latest time, ISO 8601.
    """

    kinds: Mapping[str, str]
    rows: int
    entities: int
    repeated: int
    first: str
    last: str

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "rows": self.rows, "entities": self.entities, "repeated": self.repeated, "first": self.first, "last": self.last,
        }  # fmt: skip


def look_at(path: Path, entity: str, timestamp: str, wanted: Sequence[str] = (), *, shown: str = "") -> SourceFacts:
    """Read types, ids and times of a Parquet file.

    Parameters
    ----------
    wanted
        Columns that are to be stored; those that it does not have are no concern of it.
    shown
        What messages call it, where it is not its path.

    Raises
    ------
    UsageError
        It is no Parquet file, has no such columns, has rows without id or time, ids that are neither whole numbers nor texts,
        times finer than a second in a column to be stored, or rows with id and time in common and other values.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    named = shown or str(path)
    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        raise UsageError(
            f"The source {named} is no Parquet file that can be read: {error}. Name another one: --source FILE."
        ) from None
    kinds = {field.name: _kind(field.type) for field in schema}
    if lacking := [name for name in (entity, timestamp) if name not in kinds]:
        raise UsageError(
            f"The source {named} has no column {' and no '.join(map(repr, lacking))}; it has {', '.join(kinds)}. "
            "Name others: --entity COLUMN --timestamp COLUMN."
            + (" An entity is one column: make one of several, in the notebook and in the source." if "," in entity else "")
        )
    if kinds[entity] not in ("integer", "string"):
        raise UsageError(
            f"The entity {entity!r} in {named} is a column of type {kinds[entity]}. Ids are whole numbers or texts: "
            f'table["{entity}"].astype("int64"), once no id is missing.'
        )
    if kinds[timestamp] != "datetime":
        raise UsageError(
            f"The timestamp {timestamp!r} in {named} is a column of type {kinds[timestamp]}. Store it as a time: pd.to_datetime."
        )
    keys = pq.read_table(path, columns=[entity, timestamp])
    if not len(keys):
        raise UsageError(f"The source {named} holds no rows.")
    for name in (entity, timestamp):
        if missing := keys[name].null_count:
            raise UsageError(f"{missing} rows of {named} have no {name}. Remove them from the source.")
    for name in wanted:
        if kinds.get(name) == "datetime" and _fine(pq.read_table(path, columns=[name])[name]):
            raise UsageError(
                f"The column {name!r} of {named} has times finer than a second, which Feast's online store loses. "
                "Round them, in the notebook and in the source: .dt.floor('s')."
            )
    bounds = pc.min_max(keys[timestamp]).as_py()
    different = keys.group_by([entity, timestamp]).aggregate([]).num_rows
    if different < len(keys):
        _check_repeated(path, entity, timestamp, [name for name in wanted if name in kinds], named)
    return SourceFacts(
        kinds,
        len(keys),
        len(pc.unique(keys[entity])),
        len(keys) - different,
        bounds["min"].isoformat(),
        bounds["max"].isoformat(),
    )


def _check_repeated(path: Path, entity: str, timestamp: str, columns: Sequence[str], named: str) -> None:
    """Training and the service may each take another one of rows with entity and time in common: they must say the same."""
    import pandas as pd

    keys = [entity, timestamp]
    table = pd.read_parquet(path, columns=[*keys, *(name for name in columns if name not in keys)])
    different = table[table.duplicated(keys, keep=False)].drop_duplicates()
    contrary = different[different.duplicated(keys, keep=False)]
    if len(contrary):
        key, time = contrary.iloc[0][keys]
        raise UsageError(
            f"{len(contrary)} rows of {named} have {entity} and {timestamp} in common with another one, and other values (such as "
            f"{entity} {key} at {time}): which of them is right? Keep one of each: "
            f'table.drop_duplicates(["{entity}", "{timestamp}"], keep="last"), and name that file: --source FILE.'
        )


def write_source(path: Path, target: Path, times: Collection[str]) -> None:
    """A CSV file as Parquet.

    Parameters
    ----------
    times
        Columns of times, as far as it has them.

    Raises
    ------
    UsageError
        It is no CSV that can be read, or a column of times holds something else.
    """
    import pandas as pd

    try:
        table = pd.read_csv(path, low_memory=False)
        for name in table.columns.intersection(list(times)):
            # What comes first in 01/02/2025, the notebook may have read otherwise.
            table[name] = pd.to_datetime(table[name], format="ISO8601")
        table.to_parquet(target, index=False)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"The source {path} cannot be read as CSV: {error}. Name another one: --source FILE.") from None


def _fine(column: pa.ChunkedArray) -> bool:
    import pyarrow.compute as pc

    return bool(pc.any(pc.not_equal(pc.floor_temporal(column, unit="second"), column)).as_py())


def _kind(type_: pa.DataType) -> str:
    from pyarrow import types

    if types.is_dictionary(type_):
        return _kind(type_.value_type)
    for kind, of_kind in (
        ("boolean", types.is_boolean), ("integer", types.is_integer), ("float", types.is_floating), ("datetime", types.is_timestamp),
        ("string", types.is_string), ("string", types.is_large_string),
    ):  # fmt: skip
        if of_kind(type_):
            return kind
    return str(type_)
