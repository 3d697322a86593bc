"""`%%validate` and ``jupyter mlops validate``: a table against a suite, and what becomes of the suite's file.

The body of a cell is the truth about its suite: it is written to ``expectations/<suite>.json`` when it says something else than
the file. An empty body runs the file as it stands, so that a suite can be edited there. Expectations that somebody wrote into the
file by hand are never lost: where a cell replaces them, the former file is kept beside the new one, and that is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlops.data.expectations.calls import expectations_of
from jupyter_mlops.data.expectations.judge import judge, named_by_text
from jupyter_mlops.data.expectations.learn import learn_suite
from jupyter_mlops.data.expectations.outcome import Failure, Validation
from jupyter_mlops.data.expectations.suite import Suite, edited_by_hand, read_suite, suite_path, write_suite
from jupyter_mlops.errors import OutputError, UsageError, ValidationFailed

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Failure", "Validation", "ValidationFailed", "read_table", "validate_cell", "validate_file"]

_READERS = {
    ".csv": "read_csv", ".tsv": "read_table", ".txt": "read_csv", ".parquet": "read_parquet", ".pq": "read_parquet",
    ".feather": "read_feather", ".xlsx": "read_excel", ".xls": "read_excel", ".json": "read_json", ".jsonl": "read_json", ".ndjson": "read_json",
}  # fmt: skip


def validate_cell(
    body: str, frame: pd.DataFrame, *, frame_name: str, namespace: Mapping[str, Any], suite: str | None, infer: bool, warn: bool,
    folder: Path,
) -> Validation:  # fmt: skip
    """Validate a table with the expectations of a cell.

    Parameters
    ----------
    body
        Calls of expectations, comments, assignments of values; empty to run the suite's file or with `infer`.
    frame, frame_name
        The table, and what the notebook calls it.
    namespace
        Variables of the notebook, for the arguments of the calls.
    suite
        Name of the suite; None is `frame_name`.
    infer
        Learn the suite from the table instead of reading it from `body`.
    warn
        Failures are shown and stop nothing: `Validation.raise_if_critical` does not raise.
    folder
        The notebook's folder; the suite is ``expectations/<suite>.json`` in it.

    Raises
    ------
    UsageError
        `frame` is no DataFrame, the body holds something else than expectations, or there is no suite to run.
    OutputError
        What was learned cannot be written. (The suite of a cell is then only noted: the table is validated all the same.)
    """
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise UsageError(
            f"{frame_name} is a {type(frame).__name__}, not a pandas DataFrame: %%validate takes the name of a table."
        )
    name = suite or frame_name
    path = suite_path(folder, name)
    table = named_by_text(frame, frame_name)
    expectations = expectations_of(body, namespace)
    if infer:
        if expectations:
            raise UsageError(
                "--infer learns a suite and takes an empty cell. Remove --infer to run the calls in the cell, or the calls to learn anew."
            )
        learned, validation = _learned(table, name)
        notes = _store(learned, path)
        return replace(validation, path=path, warn=warn, notes=(*validation.notes, *notes), calls=learned.calls())
    if not expectations:
        held = read_suite(path)
        return replace(judge(replace(held, name=name), table, frame_name=frame_name), path=path, warn=warn)
    given = Suite(name, expectations)
    try:
        notes = _store(given, path)
    except OutputError as error:  # the data is guarded all the same
        notes = (f"The suite was not stored: {error}",)
    return replace(judge(given, table, frame_name=frame_name), path=path, warn=warn, notes=notes)


def _learned(table: pd.DataFrame, name: str) -> tuple[Suite, Validation]:
    """A suite that the table passes: what does not even hold there (a type that the library names otherwise) is left out."""
    suite = learn_suite(table, name)
    validation = judge(suite, table)
    if not validation.failures:
        return suite, validation
    kept = []
    for one in suite.expectations:
        if not judge(Suite(name, (one,)), table).failures:
            kept.append(one)
    again = Suite(name, tuple(kept))
    return again, replace(
        judge(again, table),
        notes=(f"{len(suite.expectations) - len(kept)} expectations could not be learned and were left out.",),
    )


def _store(suite: Suite, path: Path) -> tuple[str, ...]:
    """Write the suite where it says something else than its file. Returns what is to be said."""
    try:
        held = read_suite(path) if path.exists() else None
    except UsageError:
        kept = _keep(path)
        write_suite(suite, path)
        return (
            f"{path.parent.name}/{path.name} was no suite that can be read; it was kept as {kept.name}, and this cell's suite written.",
        )
    if held is not None and [one.key for one in held.expectations] == [one.key for one in suite.expectations]:
        return ()
    notes: list[str] = []
    if held is not None and edited_by_hand(held) and not held.same_as(suite):
        kept = _keep(path)
        mine, theirs = ({one.key: one.call() for one in s.expectations} for s in (suite, held))
        gone = [call for key, call in theirs.items() if key not in mine]
        shown = "; ".join(gone[:3]) + (f"; and {len(gone) - 3} more" if len(gone) > 3 else "")
        notes.append(
            f"{path.parent.name}/{path.name} was edited by hand. The cell's expectations replace it; the edited file was kept as {kept.name}"
            + (f" (not in the cell: {shown})." if gone else ".")
        )
    # What other tools noted in the file stays.
    meta = {} if held is None else {key: value for key, value in held.meta.items() if key != "jupyter_mlops"}
    write_suite(replace(suite, meta=meta), path)
    return tuple(notes)


def _keep(path: Path) -> Path:
    """Put a file aside under a name of its own."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    kept, number = path.with_name(f"{path.stem}.{stamp}.kept"), 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.stem}.{stamp}-{number}.kept")
    try:
        path.rename(kept)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be kept as {kept.name} ({error.strerror}). Make its folder writable and run the cell again."
        ) from error
    return kept


def read_table(path: Path) -> pd.DataFrame:
    """A data file as a table, by its suffix (also ``.csv.gz`` and the like).

    Raises
    ------
    UsageError
        It is not there, of an unknown kind, or cannot be read.
    """
    import pandas as pd

    suffixes = [one.lower() for one in path.suffixes]
    packed = suffixes and suffixes[-1] in {".gz", ".bz2", ".zip", ".xz", ".zst"}
    suffix = suffixes[-2] if packed and len(suffixes) > 1 else suffixes[-1] if suffixes else ""
    reader = _READERS.get(suffix)
    if not path.exists():
        raise UsageError(f"{path} does not exist. Give the path of a data file.")
    if reader is None:
        raise UsageError(f"{path} is of a kind that is not read here. Give one of {', '.join(sorted(_READERS))}.")
    options = {"lines": True} if suffix in (".jsonl", ".ndjson") else {}
    try:
        table: pd.DataFrame = getattr(pd, reader)(path, **options)
    except Exception as error:
        raise UsageError(
            f"{path} cannot be read as {suffix[1:]}: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
        ) from error
    return table


def validate_file(data: Path, suite: Path) -> Validation:
    """Validate a data file with a suite's file.

    Raises
    ------
    UsageError
        One of them cannot be read.
    """
    held = read_suite(suite)
    return replace(judge(held, read_table(data), frame_name=str(data)), path=suite)
