"""The prediction log, read: how much was asked in a window of time, and a sample of it.

The log of a deployment is a folder, ``predictions/day=D/version=V/*.parquet``, ``feedback/day=D/*.parquet`` and the journals
that are yet to become Parquet in ``open/``. Everything is read in batches: a window may hold many millions of rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.monitor.journals import FOLDER, SUFFIX, journal_header, journal_table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

__all__ = ["INPUT", "Logged", "PredictionLog", "Window"]

INPUT = "input."
_SHADOW = "shadow"
_BATCH = 65_536  # rows that are looked at at a time
_META = ("id", "row", "time", "arm", "prediction", "probabilities")


@dataclass(frozen=True)
class Window:
    """A span of time: from `since` to before `until`, both in UTC."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if self.since >= self.until:
            raise ValueError(f"the window ends ({self.until:%Y-%m-%d %H:%M}) before it begins ({self.since:%Y-%m-%d %H:%M})")

    @property
    def days(self) -> list[str]:
        """The days that it touches, as the folders of the log are named."""
        first, last = self.since.date(), (self.until - timedelta(microseconds=1)).date()
        return [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]

    def as_dict(self) -> dict[str, str]:
        """Plain data for JSON."""
        return {"since": self.since.isoformat(), "until": self.until.isoformat()}


@dataclass(frozen=True)
class Logged:
    """What was logged of a version in a window.

    Attributes
    ----------
    rows
        That were predicted; `frame` and `meta` hold a random part of them, row by row.
    frame
        Columns of the input by their own names. Shape (sampled rows, columns).
    meta
        Columns ``id``, ``row``, ``time``, ``arm``, ``prediction`` and ``probabilities``.
    missing
        By column of the input: rows without a value, of all.
    """

    version: str
    rows: int
    frame: pd.DataFrame
    meta: pd.DataFrame
    missing: Mapping[str, int]


class PredictionLog:
    """The log in a folder.

    Parameters
    ----------
    folder
        Where the services write it (``SERVICE_LOG_DIR``).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def last(self, version: str) -> datetime | None:
        """When the last row of a version was predicted; None where there is none."""
        import pyarrow.compute as pc

        # Newest day first: the rest need not be looked at.
        for day in sorted(self._days(version), reverse=True):
            found = [pc.max(batch.column("time")).as_py() for batch in self._batches(version, [day], ("time",), None)]
            if found:
                newest: datetime = max(found)
                return newest
        return None

    def versions(self, window: Window) -> list[str]:
        """Versions that were asked in the days of a window, by number."""
        found = {
            path.name.removeprefix("version=")
            for day in window.days
            for path in self.folder.glob(f"predictions/day={day}/version=*")
        }
        found |= {header["version"] for _, header in self._journals("predictions", None)}
        return sorted(found, key=lambda one: (not one.isdecimal(), int(one) if one.isdecimal() else 0, one))

    def read(self, version: str, window: Window, *, sample: int, seed: int = 0) -> Logged:
        """All rows of a version in a window are counted, and a random sample is kept.

        The sample is uniform and depends on the seed and the number of rows only. Shadow requests are left out: nobody
        was given their answers.

        Parameters
        ----------
        sample
            Rows that are kept at most.
        """
        import numpy as np
        import pandas as pd
        import pyarrow as pa

        columns = self._columns(version, window.days)
        random = np.random.default_rng(seed)
        rows, missing, parts, keys = 0, dict.fromkeys(columns, 0), [], np.empty(0)
        names = [*_META, *(f"{INPUT}{name}" for name in columns)]
        for batch in self._batches(version, window.days, names, window):
            rows += batch.num_rows
            for name in columns:
                missing[name] += (
                    batch.column(f"{INPUT}{name}").null_count if f"{INPUT}{name}" in batch.schema.names else batch.num_rows
                )
            # The rows with the smallest of random keys are a uniform sample, whatever the batches are.
            drawn = random.random(batch.num_rows)
            keep = np.flatnonzero(drawn < _threshold(keys, sample))
            if len(keep):
                parts.append(batch.take(pa.array(keep)))
                keys = np.concatenate([keys, drawn[keep]])
                if len(keys) > 4 * sample:
                    parts, keys = _smallest(parts, keys, sample)
        parts, keys = _smallest(parts, keys, sample)
        table = pa.Table.from_batches(parts[0].to_batches()) if parts else None
        if table is None:
            return Logged(version, 0, pd.DataFrame(columns=columns), pd.DataFrame(columns=list(_META)), missing)
        made = table.to_pandas()
        frame = pd.DataFrame({name: made.get(f"{INPUT}{name}") for name in columns}, index=made.index)
        return Logged(version, rows, frame, made[[name for name in _META if name in made.columns]], missing)

    def labels(self, since: datetime) -> pd.DataFrame:
        """Labels that were told since: columns ``id``, ``row`` and ``label``; of several about one row, the last."""
        import pandas as pd

        parts = [batch.to_pandas() for batch in self._feedback(since)]
        if not parts:
            return pd.DataFrame({"id": [], "row": [], "label": []})
        told = pd.concat(parts, ignore_index=True).sort_values("time", kind="stable").drop_duplicates(["id", "row"], keep="last")
        told["label"] = told["label"].map(json.loads)
        return told[["id", "row", "label"]].reset_index(drop=True)

    # -- files ----------------------------------------------------------------------------------------------------------

    def _days(self, version: str) -> set[str]:
        days = {path.parent.name.removeprefix("day=") for path in self.folder.glob(f"predictions/day=*/version={version}")}
        if any(True for _ in self._journals("predictions", version)):
            days.add(datetime.now(UTC).date().isoformat())
        return days

    def _files(self, version: str, days: Sequence[str]) -> list[Path]:
        return sorted(path for day in days for path in self.folder.glob(f"predictions/day={day}/version={version}/*.parquet"))

    def _journals(self, kind: str, version: str | None) -> Iterator[tuple[Path, dict[str, Any]]]:
        for path in sorted((self.folder / FOLDER).glob(f"{kind}-*{SUFFIX}")):
            try:
                header = journal_header(path)
            except FileNotFoundError:
                continue
            if header is not None and version in (None, header["version"]):
                yield path, header

    def _columns(self, version: str, days: Sequence[str]) -> list[str]:
        """Names of the input's columns in any of the files, in order; a hash says nothing of how values are distributed."""
        import pyarrow.parquet as pq

        names: dict[str, None] = {}
        hashed: set[str] = set()
        for path in self._files(version, days)[-50:]:
            schema = pq.read_schema(path)
            names |= dict.fromkeys(name.removeprefix(INPUT) for name in schema.names if name.startswith(INPUT))
            hashed.update(json.loads((schema.metadata or {}).get(b"hashed", b"[]")))
        for _, header in self._journals("predictions", version):
            names |= dict.fromkeys(one["name"] for one in header["columns"])
            hashed.update(one["name"] for one in header["columns"] if one["hashed"])
        return [name for name in names if name not in hashed]

    def _batches(
        self, version: str, days: Sequence[str], columns: Sequence[str], window: Window | None
    ) -> Iterator[pa.RecordBatch]:
        """Rows of a version, without those of the shadow. A journal that becomes Parquet meanwhile is read once."""
        import pyarrow.dataset as ds

        wanted = (ds.field("arm") != _SHADOW) & (
            ds.scalar(True) if window is None else (ds.field("time") >= window.since) & (ds.field("time") < window.until)
        )
        seen = set()
        for path, header in self._journals("predictions", version):
            schema = _schema(header)
            try:
                table = journal_table(path, schema)
            except FileNotFoundError:
                continue
            seen.add(path.stem)
            found = ds.dataset(table).scanner(columns=[n for n in columns if n in schema.names], filter=wanted)
            yield from (batch for batch in found.to_batches() if batch.num_rows)
        for path in self._files(version, days):
            if path.stem in seen:
                continue
            data = ds.dataset(path, format="parquet")
            found = data.scanner(columns=[n for n in columns if n in data.schema.names], filter=wanted, batch_size=_BATCH)
            yield from (batch for batch in found.to_batches() if batch.num_rows)

    def _feedback(self, since: datetime) -> Iterator[Any]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = pa.schema(
            [("id", pa.string()), ("row", pa.int32()), ("time", pa.timestamp("us", "UTC")), ("label", pa.string())]
        )
        seen = set()
        for path, _ in self._journals("feedback", None):
            try:
                yield journal_table(path, schema)
            except FileNotFoundError:
                continue
            seen.add(path.stem)
        first = since.date().isoformat()
        for path in sorted(self.folder.glob("feedback/day=*/*.parquet")):
            if path.parent.name.removeprefix("day=") >= first and path.stem not in seen:
                yield pq.read_table(path, schema=schema, partitioning=None)


def _schema(header: dict[str, Any]) -> pa.Schema:
    """Of the Parquet that a journal will become."""
    import pyarrow as pa

    types = {"float": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_(), "datetime": pa.timestamp("us")}
    fields = [("id", pa.string()), ("row", pa.int32()), ("time", pa.timestamp("us", "UTC")), ("arm", pa.string())]
    for one in header["columns"]:
        fields.append((f"{INPUT}{one['name']}", pa.string() if one["hashed"] else types.get(one["kind"], pa.string())))
    fields += [("prediction", types.get(header["prediction"], pa.string())), ("probabilities", pa.list_(pa.float64()))]
    return pa.schema(fields)


def _threshold(keys: np.ndarray, sample: int) -> float:
    import numpy as np

    return 1.0 if len(keys) < sample else float(np.partition(keys, sample - 1)[sample - 1])


def _smallest(parts: list[Any], keys: np.ndarray, sample: int) -> tuple[list[Any], np.ndarray]:
    """The rows with the smallest keys, as one table."""
    import numpy as np
    import pyarrow as pa

    if not parts:
        return [], keys
    tables = [pa.Table.from_batches([one]) if isinstance(one, pa.RecordBatch) else one for one in parts]
    table = pa.concat_tables(tables, promote_options="permissive")
    order = np.sort(np.argpartition(keys, sample - 1)[:sample]) if len(keys) > sample else np.arange(len(keys))
    return [table.take(pa.array(order))], keys[order]
