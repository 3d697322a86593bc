"""Expectations about single rows, compiled once from the suites in `expectations/`.

They mean what they mean in Great Expectations, which is not needed here: a missing value is judged by
the expectations about missing values only, and by those that compare columns.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

EXPECTATIONS_DIR = Path(__file__).resolve().parents[2] / "expectations"
Test = Callable[[Any], bool]


@dataclass(frozen=True)
class Rule:
    """One expectation that a row by itself can break.

    `test` takes the column's value, or the values of several columns. `missing` says what a missing
    value of a single column means: "skip", "break" or "keep" (then any other value breaks it).
    """

    suite: str
    type: str
    severity: str
    columns: tuple[str, ...]
    test: Test
    missing: str = "skip"
    given: Mapping[str, Any] = field(default_factory=dict)

    def says(self, values: Sequence[Any]) -> str:
        """What is wrong with these values of its columns."""
        arguments = ", ".join(f"{name}={_shown(value)}" for name, value in self.given.items())
        return f"{', '.join(map(_shown, values))} breaks {self.type}({arguments})"


def read_suite(name: str) -> dict[str, Any]:
    """A suite of the project."""
    data: dict[str, Any] = json.loads(
        (EXPECTATIONS_DIR / f"{name}.json").read_text(encoding="utf-8")
    )
    return {**data, "name": name}


def row_rules(suite: Mapping[str, Any], columns: Iterable[Mapping[str, Any]]) -> list[Rule]:
    """The expectations of a suite that can be judged on one row of these columns.

    Parameters
    ----------
    columns
        Of a row: "name", "kind" and "dtype" of each, as in ``model/signature.json``.

    Returns
    -------
    list
        What holds for most rows only cannot be judged on one: its severity is "warning".
    """
    known = {str(column["name"]): column for column in columns}
    rules = []
    for one in suite["expectations"]:
        kind, kwargs = one["type"], one["kwargs"]
        names = columns_of(kwargs)
        if not names or kwargs.get("row_condition") or not all(name in known for name in names):
            continue
        made = row_test(kind, kwargs, [known[name] for name in names])
        if made is None:
            continue
        mostly = kwargs.get("mostly", 1)
        severity = one.get("severity") or "critical"
        if mostly < 1 and severity == "critical":
            severity = "warning"
        missing = {"not_be_null": "break", "be_null": "keep"}.get(_short(kind), "skip")
        given = {k: v for k, v in kwargs.items() if not k.startswith("column") and v is not None}
        rules.append(Rule(suite["name"], kind, severity, names, made, missing, given))
    return rules


def columns_of(kwargs: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that an expectation is about."""
    if "column" in kwargs:
        return (str(kwargs["column"]),)
    if "column_A" in kwargs:
        return (str(kwargs["column_A"]), str(kwargs["column_B"]))
    return tuple(map(str, kwargs.get("column_list") or ()))


class RowChecks:
    """All rules over rows, which are tuples of values in the order of `columns`."""

    def __init__(self, rules: Sequence[Rule], columns: Sequence[str]) -> None:
        place = {name: at for at, name in enumerate(columns)}
        self.rules = rules
        self.places = [tuple(place[name] for name in rule.columns) for rule in rules]
        singles = [(self.places[n][0], rule, n) for n, rule in enumerate(rules) if len(rule.columns) == 1]
        self._skip = [(at, rule.test, n) for at, rule, n in singles if rule.missing == "skip"]
        self._break = [(at, n) for at, rule, n in singles if rule.missing == "break"]
        self._keep = [(at, n) for at, rule, n in singles if rule.missing == "keep"]
        self._several = [
            (self.places[n], rule.test, n) for n, rule in enumerate(rules) if len(rule.columns) > 1
        ]

    def __call__(self, values: Sequence[Any]) -> list[int]:
        """Positions of the rules that a row breaks."""
        found: list[int] = []
        for at, test, number in self._skip:
            value = values[at]
            if value is not None:
                try:
                    if not test(value):
                        found.append(number)
                except Exception:  # what cannot be compared does not hold
                    found.append(number)
        for at, number in self._break:
            if values[at] is None:
                found.append(number)
        for at, number in self._keep:
            if values[at] is not None:
                found.append(number)
        for places, test, number in self._several:
            try:
                if not test([values[at] for at in places]):
                    found.append(number)
            except Exception:
                found.append(number)
        return found


def row_test(kind: str, kwargs: Mapping[str, Any], columns: Sequence[Mapping[str, Any]]) -> Test | None:
    """The test of an expectation about single rows; None when it is not one."""
    if (single := _SINGLE.get(_short(kind))) is not None and len(columns) == 1:
        return single(kwargs, columns[0])
    if (several := _SEVERAL.get(kind)) is not None:
        return several(kwargs)
    return None


def _short(kind: str) -> str:
    return kind.removeprefix("expect_column_values_to_").removeprefix("expect_column_")


def _any(kwargs: Mapping[str, Any], column: Mapping[str, Any]) -> Test:
    return lambda value: True


def _between(kwargs: Mapping[str, Any], column: Mapping[str, Any]) -> Test:
    bound = _dates(column)
    low, high = bound(kwargs.get("min_value")), bound(kwargs.get("max_value"))
    return within(low, high, bool(kwargs.get("strict_min")), bool(kwargs.get("strict_max")))


def within(low: Any, high: Any, above: bool = False, below: bool = False) -> Test:
    """Whether a value lies between two bounds; None is none, `above` and `below` leave the bound out."""
    text = isinstance(low if low is not None else high, str)

    def test(value: Any) -> bool:
        if isinstance(value, str) is not text:
            raise TypeError(f"{type(value).__name__} does not compare with the bounds")
        if low is not None and not (value > low if above else value >= low):
            return False
        return high is None or bool(value < high if below else value <= high)

    if above or below or text or low is None or high is None:
        return test

    def closed(value: Any) -> bool:
        return bool(low <= value <= high)

    return closed


def _in_set(kwargs: Mapping[str, Any], column: Mapping[str, Any]) -> Test:
    bound = _dates(column)
    return frozenset(bound(value) for value in kwargs["value_set"]).__contains__


def _not_in_set(kwargs: Mapping[str, Any], column: Mapping[str, Any]) -> Test:
    bound = _dates(column)
    values = frozenset(bound(value) for value in kwargs["value_set"])
    return lambda value: value not in values


def _lengths(kwargs: Mapping[str, Any], column: Mapping[str, Any]) -> Test | None:
    if column["kind"] == "datetime":  # its text depends on the whole column
        return None
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    test = within(low, high, bool(kwargs.get("strict_min")), bool(kwargs.get("strict_max")))
    return lambda value: test(len(str(value)))


def _length(kwargs: Mapping[str, Any], column: Mapping[str, Any]) -> Test | None:
    if column["kind"] == "datetime":
        return None
    wanted = kwargs["value"]
    return lambda value: bool(len(str(value)) == wanted)


def _patterns(kwargs: Mapping[str, Any], column: Mapping[str, Any]) -> list[Test] | None:
    if column["kind"] == "datetime":
        return None
    listed = kwargs["regex_list"] if "regex_list" in kwargs else [kwargs.get("regex", "(?s).*")]
    compiled = [re.compile(pattern).search for pattern in listed]
    if column["kind"] == "string":
        return [partial(_is_found, search) for search in compiled]
    return [partial(_is_found_in_text, search) for search in compiled]


def _is_found(search: Callable[[str], object], value: Any) -> bool:
    return search(value) is not None


def _is_found_in_text(search: Callable[[str], object], value: Any) -> bool:
    return search(str(value)) is not None


def _matches(kwargs: Mapping[str, Any], column: Mapping[str, Any]) -> Test | None:
    tests = _patterns(kwargs, column)
    if tests is None:
        return None
    if len(tests) == 1:
        return tests[0]
    if kwargs.get("match_on") == "all":
        return lambda value: all(test(value) for test in tests)
    return lambda value: any(test(value) for test in tests)


def _not_matches(kwargs: Mapping[str, Any], column: Mapping[str, Any]) -> Test | None:
    tests = _patterns(kwargs, column)
    return None if tests is None else lambda value: not any(test(value) for test in tests)


def _strftime(kwargs: Mapping[str, Any], column: Mapping[str, Any]) -> Test:
    layout = kwargs["strftime_format"]

    def test(value: Any) -> bool:
        try:
            datetime.strptime(value, layout)
        except ValueError:
            return False
        return True

    return test


def _json(kwargs: Mapping[str, Any], column: Mapping[str, Any]) -> Test:
    def test(value: Any) -> bool:
        try:
            json.loads(value)
        except (TypeError, ValueError, RecursionError):
            return False
        return True

    return test


_SINGLE: dict[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Test | None]] = {
    "not_be_null": _any,
    "be_null": _any,
    "be_between": _between,
    "be_in_set": _in_set,
    "not_be_in_set": _not_in_set,
    "value_lengths_to_be_between": _lengths,
    "value_lengths_to_equal": _length,
    "match_regex": _matches,
    "match_regex_list": _matches,
    "not_match_regex": _not_matches,
    "not_match_regex_list": _not_matches,
    "match_strftime_format": _strftime,
    "be_json_parseable": _json,
}


def _ignored(kwargs: Mapping[str, Any], default: str) -> Callable[[Sequence[Any]], bool]:
    """Whether a row is left out for its missing values."""
    rule = kwargs.get("ignore_row_if") or default
    if rule in ("both_values_are_missing", "all_values_are_missing"):
        return lambda values: all(value is None for value in values)
    if rule in ("either_value_is_missing", "any_value_is_missing"):
        return lambda values: any(value is None for value in values)
    return lambda values: False


def _greater(kwargs: Mapping[str, Any]) -> Test:
    ignored = _ignored(kwargs, "both_values_are_missing")
    equal = bool(kwargs.get("or_equal"))

    def test(values: Any) -> bool:
        a, b = values
        if a is None or b is None:
            return ignored(values)
        return bool(a >= b if equal else a > b)

    return test


def _equal(kwargs: Mapping[str, Any]) -> Test:
    ignored = _ignored(kwargs, "both_values_are_missing")
    return lambda values: ignored(values) or bool(values[0] is not None and values[0] == values[1])


def _pairs(kwargs: Mapping[str, Any]) -> Test:
    ignored = _ignored(kwargs, "both_values_are_missing")
    pairs = frozenset((a, b) for a, b in kwargs["value_pairs_set"])
    return lambda values: ignored(values) or tuple(values) in pairs


def _sum(kwargs: Mapping[str, Any]) -> Test:
    ignored = _ignored(kwargs, "all_values_are_missing")
    total = kwargs["sum_total"]

    def test(values: Any) -> bool:
        return ignored(values) or (None not in values and bool(sum(values) == total))

    return test


def _all_equal(kwargs: Mapping[str, Any]) -> Test:
    ignored = _ignored(kwargs, "all_values_are_missing")
    return lambda values: ignored(values) or all(value == values[0] for value in values)


def _distinct(kwargs: Mapping[str, Any]) -> Test:
    ignored = _ignored(kwargs, "all_values_are_missing")
    return lambda values: ignored(values) or len(set(values)) == len(values)


_SEVERAL: dict[str, Callable[[Mapping[str, Any]], Test]] = {
    "expect_column_pair_values_a_to_be_greater_than_b": _greater,
    "expect_column_pair_values_to_be_equal": _equal,
    "expect_column_pair_values_to_be_in_set": _pairs,
    "expect_multicolumn_sum_to_equal": _sum,
    "expect_multicolumn_values_to_be_equal": _all_equal,
    "expect_select_column_values_to_be_unique_within_record": _distinct,
}


def _dates(column: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Makes of a bound what the column's values compare with: dates are text in a suite's file."""
    if column["kind"] != "datetime":
        return lambda value: value
    zone = str(column["dtype"]).partition(", ")[2].rstrip("]")

    def date(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        made = datetime.fromisoformat(value)
        if zone and made.tzinfo is None:
            return made.replace(tzinfo=_zone(zone))
        return made if zone or made.tzinfo is None else made.astimezone(UTC).replace(tzinfo=None)

    return date


def _zone(name: str) -> Any:
    if name.startswith("UTC"):
        return datetime.fromisoformat(f"2000-01-01T00:00:00{name[3:] or '+00:00'}").tzinfo
    return ZoneInfo(name)


def _shown(value: Any) -> str:
    text = "null" if value is None else ascii(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:60] + "..."
