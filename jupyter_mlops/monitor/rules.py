"""`monitoring.yaml`: how a version is watched in production. Its sections, with what each key is, its default, and what it may be.

To add a key: a field with its default and its check in the dataclass of its section, and its line with a comment in
`convert/templates/project/monitoring.yaml.j2`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from jupyter_mlops.errors import UsageError
from jupyter_mlops.sections import is_number, key, list_of, number, read_sections

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = [
    "FILE",
    "REASONS",
    "AlertKind",
    "DriftRule",
    "LogRule",
    "QualityRule",
    "RetrainRule",
    "Rules",
    "WindowRule",
    "length",
    "overridden",
    "read_rules",
]

FILE = "monitoring.yaml"
AlertKind = Literal["data-drift", "prediction-drift", "missing-values", "concept-drift"]
REASONS: tuple[str, ...] = get_args(AlertKind)
"""Kinds of alerts, each of which may be a reason to train again."""

_WEEK = timedelta(days=7)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
Section = TypeVar("Section", bound="DataclassInstance")


def length(text: str) -> timedelta:
    """A length of time as people write it: 90m, 24h, 7d, 2w.

    Raises
    ------
    UsageError
        It is none.
    """
    try:
        return _length(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is not {error}.") from None


def _length(value: Any) -> timedelta:
    if isinstance(value, timedelta) and value > timedelta(0):
        return value
    found = re.fullmatch(r"(\d{1,6}(?:\.\d+)?)([mhdw])", value.strip()) if isinstance(value, str) else None
    if found is None or not float(found[1]):
        raise ValueError("a length of time, a number and m, h, d or w: 90m, 24h, 7d")
    return timedelta(**{_UNITS[found[2]]: float(found[1])})


def _limits(value: Any) -> Mapping[str, float]:
    good = isinstance(value, dict) and all(isinstance(n, str) and is_number(one) and one > 0 for n, one in value.items())
    if not good:
        raise ValueError("columns with their limits above 0, such as {distance: 0.3}; quote names that are numbers")
    return {name: float(one) for name, one in value.items()}


@dataclass(frozen=True)
class WindowRule:
    """What is looked at.

    Attributes
    ----------
    length
        Of the window, up to the last logged row.
    rows
        That window and reference need to be compared.
    sample
        Rows that are compared at most.
    """

    length: timedelta = field(default=_WEEK, metadata={"check": _length})
    rows: int = key(200, number(2, 1_000_000, whole=True))
    sample: int = key(20_000, number(2, 10_000_000, "rows", whole=True))


@dataclass(frozen=True)
class DriftRule:
    """What counts as drift.

    Attributes
    ----------
    numeric
        Wasserstein distance in standard deviations of the reference.
    categorical
        Jensen-Shannon distance, 0 to 1; of labels and classes, too.
    text
        Of texts of their own (reviews, names): how well a classifier tells the window from the reference, as its area under the curve.
    columns
        Other limits of single columns.
    ignore
        Columns that are not compared: they change as a matter of course, such as dates.
    share
        Of the columns, that have to drift for the data to be called drifted.
    missing
        By how much the share of missing values of a column may rise.
    """

    numeric: float = key(0.1, number(1e-6, 1e6))
    categorical: float = key(0.1, number(1e-6, 1))
    text: float = key(0.6, number(0.5, 1))
    columns: Mapping[str, float] = field(default_factory=dict, metadata={"check": _limits})
    ignore: tuple[str, ...] = key((), list_of("columns", "[month, day]"))
    share: float = key(0.5, number(0.001, 1))
    missing: float = key(0.05, number(0, 1))


@dataclass(frozen=True)
class QualityRule:
    """How right it has to be where labels are known.

    Attributes
    ----------
    margin
        By how much the score may be worse than on the reference; of errors (rmse, ...) this part of the reference's.
    confidence
        Of the interval of the difference.
    """

    margin: float = key(0.02, number(0, 1))
    confidence: float = key(0.95, number(0.5, 0.999))


@dataclass(frozen=True)
class LogRule:
    """What the service keeps of a request.

    Attributes
    ----------
    omit
        Columns that are not logged.
    hash
        Columns of which an HMAC is logged.
    days
        For which the log is kept; 0 is for ever.
    """

    omit: tuple[str, ...] = key((), list_of("columns", "[name, address]"))
    hash: tuple[str, ...] = key((), list_of("columns", "[customer]"))
    days: int = key(0, number(0, 36_500, whole=True))


@dataclass(frozen=True)
class RetrainRule:
    """When the model is trained again.

    Attributes
    ----------
    reasons
        Kinds of alerts that are a reason, see `REASONS`.
    again_after
        How long a version is not trained again.
    """

    reasons: tuple[str, ...] = key(REASONS, list_of("alerts", "[concept-drift]", among=REASONS))
    again_after: timedelta = field(default=_WEEK, metadata={"check": _length})


@dataclass(frozen=True)
class Rules:
    """A whole `monitoring.yaml`."""

    window: WindowRule = field(default_factory=WindowRule)
    drift: DriftRule = field(default_factory=DriftRule)
    quality: QualityRule = field(default_factory=QualityRule)
    log: LogRule = field(default_factory=LogRule)
    retrain: RetrainRule = field(default_factory=RetrainRule)

    def problem(self, columns: list[str]) -> str | None:
        """What does not fit a model with these input columns, as a sentence."""
        named = {
            "drift.columns": self.drift.columns, "drift.ignore": self.drift.ignore, "log.omit": self.log.omit, "log.hash": self.log.hash,
        }  # fmt: skip
        for word, names in named.items():
            for name in names:
                if name not in columns:
                    return f"{word} names {name!r}, which is none of the model's columns: {', '.join(columns)}."
        return None


def read_rules(project: Path) -> Rules:
    """The rules of a project; the defaults where it has no file, as those of earlier conversions.

    Raises
    ------
    UsageError
        The file says something that is not allowed.
    """
    path = project / FILE
    if not path.is_file():
        return Rules()
    return read_sections(Rules, path.read_text(encoding="utf-8"), str(path))


def overridden(section: Section, **given: Any) -> Section:
    """A section with other values, as options of the command line give them; None keeps what is there.

    Raises
    ------
    UsageError
        A value is not allowed.
    """
    values = {name: value for name, value in given.items() if value is not None}
    for one in fields(section):
        if one.name in values:
            try:
                values[one.name] = one.metadata["check"](values[one.name])
            except ValueError as error:
                raise UsageError(f"--{one.name.replace('_', '-')} is {values[one.name]!r}, but must be {error}.") from None
    return replace(section, **values)
