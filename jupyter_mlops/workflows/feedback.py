"""Labels that arrive as a file: put into the prediction log, as ``POST /feedback`` does (`jupyter mlops feedback`)."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["add_feedback"]

_READERS = {".csv": "read_csv", ".parquet": "read_parquet", ".jsonl": "read_json"}


def add_feedback(log: Path, file: Path, *, identity: str = "id", label: str = "label", row: str | None = None) -> int:
    """Add the labels of a table to a prediction log.

    Parameters
    ----------
    log
        Folder of the log.
    file
        CSV, Parquet or JSON lines, with a row for each label.
    identity, label, row
        Its columns: the `id` of the answer, what was true, and the row's position in the request (None: each had one row).

    Returns
    -------
    int
        How many labels were added; rows without one are left out.

    Raises
    ------
    UsageError
        The file cannot be read, lacks a column, has rows without an id, or says two things of one row.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = _read(file)
    for name in (identity, label, *([row] if row is not None else [])):
        if name not in table.columns:
            raise UsageError(
                f"{file} has no column {name!r}; it has {', '.join(map(str, table.columns[:20]))}. Name it: --id, --label, --row."
            )
    given = table[table[label].notna()]
    if given[identity].isna().any():
        raise UsageError(f"{file} has {int(given[identity].isna().sum()):,} labels without {identity}. Nothing was added.")
    positions = [0] * len(given) if row is None else given[row].astype(int).tolist()
    keys = list(zip(given[identity].astype(str), positions, strict=True))
    if (twice := next((key for key, count in Counter(keys).items() if count > 1), None)) is not None:
        raise UsageError(
            f"{file} has several labels of {twice[0]}, row {twice[1]}. Give each once"
            + ("; --row names the position." if row is None else ".")
        )
    if not keys:
        return 0
    now = datetime.now(UTC)
    made = pa.table(
        {
            "id": pa.array([name for name, _ in keys], pa.string()), "row": pa.array([at for _, at in keys], pa.int32()),
            "time": pa.array([now] * len(keys), pa.timestamp("us", "UTC")),
            "label": pa.array(list(map(_json, given[label])), pa.string()),
        }
    )  # fmt: skip
    place = log / "feedback" / f"day={now.date().isoformat()}"
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"feedback-file-{uuid.uuid4().hex[:12]}.parquet"
    aside = path.with_name(f".{path.name}.part")
    pq.write_table(made, aside, compression="zstd")
    aside.replace(path)
    return len(keys)


def _read(file: Path) -> pd.DataFrame:
    import pandas as pd

    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise UsageError(f"{file} is of no known kind. Give CSV, Parquet or JSON lines (.jsonl).")
    try:
        made: pd.DataFrame = getattr(pd, reader)(file, **({"lines": True} if reader == "read_json" else {}))
    except (OSError, ValueError, ImportError) as error:
        raise UsageError(f"{file} cannot be read: {error}.") from None
    return made


def _json(label: Any) -> str:
    """As the service writes it; a whole number that a column of fractions holds is one."""
    plain = label.item() if hasattr(label, "item") else label
    if isinstance(plain, float) and plain.is_integer():
        plain = int(plain)
    return json.dumps(plain, ensure_ascii=False)
