"""A suite on a frame: Great Expectations decides, and what it says becomes plain failures."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jupyter_mlops.data.expectations.calls import instance
from jupyter_mlops.data.expectations.library import run_suite
from jupyter_mlops.data.expectations.outcome import Failure, Validation
from jupyter_mlops.data.expectations.suite import Expectation, Suite
from jupyter_mlops.data.expectations.values import shown
from jupyter_mlops.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["judge", "named_by_text"]

_EXAMPLES = 5
_ORDER = {"critical": 0, "warning": 1, "info": 2}
_BOUNDS = frozenset({"min_value", "max_value", "value_set"})


def named_by_text(frame: pd.DataFrame, name: str = "The table") -> pd.DataFrame:
    """The frame with columns named by text, as expectations name them; the data are shared with the given one.

    Raises
    ------
    UsageError
        Two columns have the same name.
    """
    texts = [str(column) for column in frame.columns]
    if len(set(texts)) != len(texts):
        twice = sorted({text for text in texts if texts.count(text) > 1})
        raise UsageError(
            f"{name} has several columns of the same name ({', '.join(map(repr, twice[:5]))}), so an expectation cannot say which. Rename them."
        )
    if all(isinstance(column, str) for column in frame.columns):
        return frame
    view = frame.copy(deep=False)
    view.columns = texts
    return view


def judge(suite: Suite, frame: pd.DataFrame, *, frame_name: str = "The table") -> Validation:
    """Validate a frame.

    An exception inside of an expectation (a column that is missing, types that do not compare) is a failure with its reason.

    Raises
    ------
    UsageError
        The suite names an expectation that is unknown, or the frame cannot be validated at all.
    """
    started = time.perf_counter()
    table = named_by_text(frame, frame_name)
    objects = [instance(one, at, _adapter(one, table)) for at, one in enumerate(suite.expectations)]
    results = run_suite(table, objects, suite.name) if objects else []
    rows = len(table)
    failures = [
        _failure(one, result, table, rows)
        for one, result in zip(suite.expectations, results, strict=True)
        if result is None or result.success is None or not bool(result.success)
    ]
    failures.sort(key=lambda one: _ORDER.get(one.severity, 0))
    success = not any(one.severity == "critical" for one in failures)
    return Validation(suite.name, success, rows, len(objects), tuple(failures), time.perf_counter() - started)


def _adapter(expectation: Expectation, table: pd.DataFrame) -> Callable[[str, Any], Any] | None:
    """Dates are text in a suite's file: for a column of dates they become what it compares with."""
    column = expectation.kwargs.get("column")
    if not isinstance(column, str) or column not in table.columns or not _BOUNDS & expectation.kwargs.keys():
        return None
    dtype = table[column].dtype
    if not str(dtype).startswith("datetime64"):
        return None
    import pandas as pd

    zone = getattr(dtype, "tz", None)

    def date(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            stamp = pd.Timestamp(value)
        except ValueError:
            return value  # the library says what is wrong with it
        if zone is not None and stamp.tz is None:
            return stamp.tz_localize(zone)
        return stamp if zone is not None or stamp.tz is None else stamp.tz_convert(None)

    def adapt(name: str, value: Any) -> Any:
        if name not in _BOUNDS:
            return value
        return [date(one) for one in value] if isinstance(value, list) else date(value)

    return adapt


def _failure(expectation: Expectation, result: Any, table: pd.DataFrame, rows: int) -> Failure:
    found: Mapping[str, Any] = (result.result if result is not None else None) or {}
    blank = Failure(_column(expectation), _brief(expectation), expectation.severity, None, None, (), "")
    if result is None:
        return replace(blank, reason="Great Expectations gave no result")
    if error := _exception(result.exception_info):
        missing = [name for name in expectation.columns if name not in table.columns]
        return replace(
            blank, reason=f"there is no column {missing[0]}" if missing else f"could not be judged: {shown(error, 160)}"
        )
    if (count := found.get("unexpected_count")) is not None and "element_count" in found:
        judged = int(found["element_count"]) - int(found.get("missing_count") or 0)
        listed = [] if expectation.type == "expect_column_values_to_not_be_null" else found.get("partial_unexpected_list") or []
        return replace(
            blank, unexpected=int(count), share=int(count) / judged if judged else None, examples=_examples(listed),
            reason="" if judged else "no value to judge",
        )  # fmt: skip
    return replace(blank, reason=_observed(found, rows, expectation.type))


def _column(expectation: Expectation) -> str:
    return ", ".join(expectation.columns)


def _brief(expectation: Expectation) -> str:
    """The expectation with its arguments, without the column, in bounded length."""
    given = [
        f"{name}={shown(value, 40)}"
        for name, value in expectation.kwargs.items()
        if not name.startswith("column") and value is not None
    ]
    if "column_set" in expectation.kwargs:
        given.insert(0, shown(expectation.kwargs["column_set"], 40))
    text = f"{expectation.type.removeprefix('expect_column_').removeprefix('expect_')}({', '.join(given)})"
    return text if len(text) <= 160 else text[:159] + "…"


def _examples(values: Sequence[Any]) -> tuple[str, ...]:
    seen: dict[str, None] = {}
    for value in values:
        if isinstance(value, dict):
            text = "; ".join(f"{name}={shown(one, 24)}" for name, one in value.items())
        else:
            text = f"({', '.join(shown(one, 24) for one in value)})" if isinstance(value, tuple) else shown(value, 40)
        seen.setdefault(text)
        if len(seen) == _EXAMPLES:
            break
    return tuple(seen)


def _observed(found: Mapping[str, Any], rows: int, kind: str) -> str:
    """What was observed of the column or table."""
    details = found.get("details") or {}
    if (mismatched := details.get("mismatched")) is not None:
        return (
            "; ".join(f"{kind}: {shown(value, 100)}" for kind, value in mismatched.items())
            if isinstance(mismatched, dict)
            else shown(mismatched, 160)
        )
    value = found.get("observed_value")
    if value is None:
        unseen = rows and "kl_divergence" in kind
        return "a value that the expected distribution does not have" if unseen else "no value to judge"
    if isinstance(value, dict) and "quantiles" in value:
        return "observed " + ", ".join(f"q{q:g}={v:.6g}" for q, v in zip(value["quantiles"], value["values"], strict=False))
    if isinstance(value, float):
        return f"observed {value:.6g}"
    return f"observed {shown(value, 140)}"


def _exception(info: Any) -> str:
    """The first exception that the library reports, "" when there was none."""
    if not isinstance(info, dict):
        return ""
    for one in (info, *info.values()):
        if isinstance(one, dict) and one.get("raised_exception"):
            return str(one.get("exception_message") or "an exception").split("\n")[0]
    return ""
