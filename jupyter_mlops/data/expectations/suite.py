"""Suites: named lists of expectations, as files that a person reads and edits and Great Expectations reads too.

A file ``expectations/<name>.json`` holds ``{"name", "expectations": [{"type", "kwargs", "severity", "meta"}], "meta"}``. Its
`meta` has the checksum of what was written last, so that a change made by hand is noticed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_mlops.errors import OutputError, UsageError

__all__ = ["SEVERITIES", "Expectation", "Suite", "edited_by_hand", "read_suite", "suite_path", "write_suite"]

SEVERITIES = ("critical", "warning", "info")
FOLDER = "expectations"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\- ]{0,99}")


@dataclass(frozen=True)
class Expectation:
    """One expectation: its snake_case type, plain JSON arguments, and how much a failure matters."""

    type: str
    kwargs: Mapping[str, Any]
    severity: str = "critical"
    meta: Mapping[str, Any] = field(default_factory=dict)
    line: int | None = None  # of the cell that it was written in

    @property
    def key(self) -> str:
        """What two expectations that say the same share."""
        return json.dumps([self.type, self.kwargs, self.severity], sort_keys=True)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that it is about; none for the table as a whole."""
        kwargs = self.kwargs
        named = [kwargs[name] for name in ("column", "column_A", "column_B") if name in kwargs]
        many = kwargs.get("column_list") if self.type.startswith(("expect_multi", "expect_compound", "expect_select")) else None
        return tuple(map(str, [*named, *(many or ())]))

    def call(self) -> str:
        """The call as it stands in a cell."""
        given = dict(self.kwargs)
        first = [repr(given.pop(name)) for name in ("column",) if name in given]
        parts = first + [f"{name}={value!r}" for name, value in given.items()]
        if self.severity != "critical":
            parts.append(f"severity={self.severity!r}")
        return f"{self.type}({', '.join(parts)})"

    def as_dict(self) -> dict[str, Any]:
        """Great Expectations' own form."""
        return {"type": self.type, "kwargs": dict(self.kwargs), "severity": self.severity, "meta": dict(self.meta)}


@dataclass(frozen=True)
class Suite:
    """Expectations in the order in which they were written."""

    name: str
    expectations: tuple[Expectation, ...]
    meta: Mapping[str, Any] = field(default_factory=dict)

    def same_as(self, other: Suite) -> bool:
        """Whether both say the same, whatever their order."""
        return {one.key for one in self.expectations} == {one.key for one in other.expectations}

    def calls(self) -> str:
        """All calls, one a line, to be pasted into a cell."""
        return "\n".join(one.call() for one in self.expectations)

    def text(self) -> str:
        """The file: stable, one value a line where it is long, one line where it is short."""
        meta = {**{k: v for k, v in self.meta.items() if k != "jupyter_mlops"}, "jupyter_mlops": _checksum(self.expectations)}
        blocks = []
        for one in self.expectations:
            lines = [
                f'      "type": {_json(one.type)}',
                f'      "kwargs": {_wrapped(dict(one.kwargs), 6)}',
                f'      "severity": {_json(one.severity)}',
            ]
            if one.meta:
                lines.append(f'      "meta": {_wrapped(dict(one.meta), 6)}')
            blocks.append("    {\n" + ",\n".join(lines) + "\n    }")
        body = "[\n" + ",\n".join(blocks) + "\n  ]" if blocks else "[]"
        return f'{{\n  "name": {_json(self.name)},\n  "expectations": {body},\n  "meta": {_wrapped(meta, 2)}\n}}\n'


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _wrapped(value: Any, indent: int) -> str:
    """JSON in one line where that is short, else one member a line."""
    line = _json(value)
    if len(line) + indent <= 110 or not isinstance(value, (dict, list)) or not value:
        return line
    pad = " " * (indent + 2)
    if isinstance(value, dict):
        parts = [f"{pad}{_json(k)}: {_wrapped(v, indent + 2)}" for k, v in value.items()]
        return "{\n" + ",\n".join(parts) + "\n" + " " * indent + "}"
    return "[\n" + ",\n".join(pad + _wrapped(one, indent + 2) for one in value) + "\n" + " " * indent + "]"


def _checksum(expectations: Iterable[Expectation]) -> str:
    return hashlib.sha256("\n".join(one.key for one in expectations).encode()).hexdigest()[:16]


def suite_path(folder: Path, name: str) -> Path:
    """Where a suite's file is.

    Raises
    ------
    UsageError
        The name cannot be that of a file.
    """
    if not _NAME.fullmatch(name) or name.endswith("."):
        raise UsageError(
            f"{name!r} cannot name a suite: its file would be {FOLDER}/{name}.json. Use letters, digits, '-', '_' and '.'."
        )
    return folder / FOLDER / f"{name}.json"


def read_suite(path: Path) -> Suite:
    """Read a suite, of this package or of Great Expectations.

    Raises
    ------
    UsageError
        It is not there, no JSON, or no suite; the message says what is wrong where.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        known = sorted(p.stem for p in path.parent.glob("*.json")) if path.parent.is_dir() else []
        there = f" There are: {', '.join(known[:20])}." if known else ""
        raise UsageError(f"{path} does not exist.{there} Write expectations into the cell, or learn some with --infer.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}).") from error
    except ValueError as error:
        where = f" (line {error.lineno}: {error.msg})" if isinstance(error, json.JSONDecodeError) else ""
        raise UsageError(f"{path} is not JSON{where}. Mend the file.") from None
    listed = data.get("expectations") if isinstance(data, dict) else None
    if not isinstance(listed, list):
        raise UsageError(f"{path} is no suite: it has no list of 'expectations'. Mend the file, or write it anew from a cell.")
    return Suite(
        str(data.get("name") or data.get("expectation_suite_name") or path.stem),
        tuple(_expectation(one, at, path) for at, one in enumerate(listed, start=1)),
        data.get("meta") if isinstance(data.get("meta"), dict) else {},
    )


def _expectation(data: Any, at: int, path: Path) -> Expectation:
    where = f"{path}: expectation {at}"
    if not isinstance(data, dict):
        raise UsageError(f"{where} is no object with 'type' and 'kwargs'. Mend the file.")
    # `expectation_type` is what suites of Great Expectations before 1.0 say.
    kind, kwargs = data.get("type", data.get("expectation_type")), data.get("kwargs", {})
    if not isinstance(kind, str) or not isinstance(kwargs, dict):
        raise UsageError(f"{where} needs a 'type' (text) and 'kwargs' (an object). Mend the file.")
    severity = data.get("severity") or "critical"
    if severity not in SEVERITIES:
        raise UsageError(f"{where} ({kind}) has the severity {severity!r}; it is one of {', '.join(SEVERITIES)}. Mend the file.")
    kwargs = {name: value for name, value in kwargs.items() if name != "batch_id"}
    meta = data.get("meta")
    return Expectation(kind, kwargs, severity, meta if isinstance(meta, dict) else {})


def edited_by_hand(suite: Suite) -> bool:
    """Whether a file's expectations are not those that were written into it last."""
    return suite.meta.get("jupyter_mlops") != _checksum(suite.expectations)


def write_suite(suite: Suite, path: Path) -> None:
    """Write a suite in one step: readers see the former file or the new one.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(suite.text(), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise OutputError(
            f"{path} cannot be written ({error.strerror}). Make its folder writable and run the cell again."
        ) from error
