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

_LARGEST = 2**31 - 1  # position


def add_feedback(log: Path, file: Path, *, identity: str = "id", label: str = "label", row: str | None = None) -> int:
    """Add the labels of a table to a prediction log.

    Parameters
    ----------
    log
        Folder of the log.
    file
        CSV, Parquet or JSON lines, with a row for each label.
    identity, label, row
        Its columns: the `id` of the answer, what was true, and the row's position in the request (None: the column
        `row` where there is one, else each had one row).

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

    table = _read(file, identity)
    if row is None and "row" in table.columns:
        row = "row"
    for name in (identity, label, *([row] if row is not None else [])):
        if name not in table.columns:
            raise UsageError(
                f"{file} has no column {name!r}; it has {', '.join(map(str, table.columns[:20]))}. Name it: --id, --label, --row."
            )
    given = table[table[label].notna()]
    if given[identity].isna().any():
        raise UsageError(f"{file} has {int(given[identity].isna().sum()):,} labels without {identity}. Nothing was added.")
    positions = [0] * len(given) if row is None else _positions(file, given[row])
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


def _read(file: Path, identity: str) -> pd.DataFrame:
    """The table; what looks like a number in the column of ids stays what is written there."""
    import pandas as pd

    text = {identity: str}
    readers: dict[str, tuple[str, dict[str, Any]]] = {
        ".csv": ("read_csv", {"dtype": text}),
        ".jsonl": ("read_json", {"lines": True, "dtype": text, "convert_dates": False}),
        ".parquet": ("read_parquet", {}),
    }
    if file.suffix.lower() not in readers:
        raise UsageError(f"{file} is of no known kind. Give CSV, Parquet or JSON lines (.jsonl).")
    reader, options = readers[file.suffix.lower()]
    try:
        made: pd.DataFrame = getattr(pd, reader)(file, **options)
    except (OSError, ValueError, ImportError) as error:
        raise UsageError(f"{file} cannot be read: {error}.") from None
    return made


def _positions(file: Path, given: pd.Series) -> list[int]:
    import pandas as pd

    numbers = pd.to_numeric(given, errors="coerce")
    wrong = given[~((numbers >= 0) & (numbers <= _LARGEST) & (numbers % 1 == 0))]
    if len(wrong):
        raise UsageError(
            f"{file} has {str(wrong.iloc[0])!r} as the position of a row, which has to be a whole number from 0 on. Nothing was added."
        )
    return [int(one) for one in numbers]


def _json(label: Any) -> str:
    """As the service writes it; a whole number that a column of fractions holds is one."""
    plain = label.item() if hasattr(label, "item") else label
    if isinstance(plain, float) and plain.is_integer():
        plain = int(plain)
    return json.dumps(plain, ensure_ascii=False)
