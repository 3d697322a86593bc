"""The checks of a generated project mean what Great Expectations means: on whole tables, and row by row."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlops.data.expectations.judge import judge
from jupyter_mlops.data.expectations.suite import Expectation, Suite, write_suite
from tests.unit.data.expectations.generated import checking_modules

_FOLDER = Path(tempfile.mkdtemp(prefix="agreement-"))
_MODULES = checking_modules(_FOLDER)

COLUMNS = [
    {"name": "whole", "kind": "integer", "dtype": "int64"},
    {"name": "real", "kind": "float", "dtype": "float64"},
    {"name": "text", "kind": "string", "dtype": "object"},
    {"name": "other", "kind": "string", "dtype": "object"},
    {"name": "flag", "kind": "boolean", "dtype": "bool"},
    {"name": "when", "kind": "datetime", "dtype": "datetime64[ns]"},
    {"name": "there", "kind": "datetime", "dtype": "datetime64[ns, Europe/Berlin]"},
]

numbers = st.integers(-3, 3)
reals = st.one_of(st.none(), st.sampled_from([-2.5, -1.0, 0.0, 1.0, 1.5, 2.0]))
texts = st.one_of(st.none(), st.sampled_from(["", "a", "ab", "b1", "2020-01-02", "[1]", "Zürich"]))
days = st.one_of(st.none(), st.sampled_from(["2020-01-01", "2020-01-02T10:00:00", "2020-06-01"]))


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Small tables with missing values."""
    rows = draw(st.lists(st.tuples(numbers, reals, texts, texts, st.booleans(), days), min_size=1, max_size=6))
    whole, real, text, other, flag, when = (list(column) for column in zip(*rows, strict=True))
    dates = pd.to_datetime(pd.Series(when, dtype=object), format="ISO8601").astype("datetime64[ns]")
    return pd.DataFrame(
        {
            "whole": pd.Series(whole, dtype="int64"),
            "real": pd.Series(real, dtype="float64"),
            "text": pd.Series(text, dtype=object),
            "other": pd.Series(other, dtype=object),
            "flag": pd.Series(flag, dtype=bool),
            "when": dates,
            "there": dates.dt.tz_localize("Europe/Berlin"),
        }
    )


names = st.sampled_from([str(column["name"]) for column in COLUMNS])
numeric = st.sampled_from(["whole", "real"])
textual = st.sampled_from(["text", "other"])
limits = st.one_of(st.none(), st.integers(-3, 3), st.sampled_from([0.5, 1.0]))
patterns = st.sampled_from(["a", "^b", "[0-9]", "1$", ".", "(?i)Z", "^$"])


def call(kind: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Expectation]:
    """Expectations of a kind."""
    return st.fixed_dictionaries(arguments).map(lambda kwargs: Expectation(kind, kwargs))


def bounded(kind: str, column: st.SearchStrategy[str], bounds: st.SearchStrategy[Any]) -> st.SearchStrategy[Expectation]:
    """Expectations with one or two bounds."""
    return call(
        kind, column=column, min_value=bounds, max_value=bounds, strict_min=st.booleans(), strict_max=st.booleans()
    ).filter(lambda one: _ordered(one.kwargs["min_value"], one.kwargs["max_value"]))


def _ordered(low: Any, high: Any) -> bool:
    if low is None or high is None:
        return low is not high
    return bool(low <= high)


dates = st.one_of(st.none(), st.sampled_from(["2020-01-01", "2020-01-02T10:00:00", "2020-05-05"]))
row_wise = st.one_of(
    call("expect_column_values_to_not_be_null", column=names),
    call("expect_column_values_to_be_null", column=names),
    bounded("expect_column_values_to_be_between", numeric, limits),
    bounded("expect_column_values_to_be_between", st.just("flag"), st.one_of(st.none(), st.integers(0, 1))),
    bounded("expect_column_values_to_be_between", textual, limits),  # does not compare: fails
    bounded("expect_column_values_to_be_between", st.sampled_from(["when", "there"]), dates),
    call("expect_column_values_to_be_in_set", column=numeric, value_set=st.lists(st.sampled_from([-1, 0, 1, 1.5, 2]), min_size=1)),
    call("expect_column_values_to_be_in_set", column=textual, value_set=st.lists(st.sampled_from(["", "a", "ab", "x"]), min_size=1)),
    call("expect_column_values_to_be_in_set", column=st.sampled_from(["when", "there"]), value_set=st.lists(st.sampled_from(["2020-01-01", "2020-06-01"]), min_size=1)),
    call("expect_column_values_to_be_in_set", column=st.just("flag"), value_set=st.lists(st.booleans(), min_size=1)),
    call("expect_column_values_to_not_be_in_set", column=numeric, value_set=st.lists(st.sampled_from([-1, 0, 1, 1.5, 2]), min_size=1)),
    call("expect_column_values_to_not_be_in_set", column=textual, value_set=st.lists(st.sampled_from(["", "a", "ab", "x"]), min_size=1)),
    bounded("expect_column_value_lengths_to_be_between", st.sampled_from(["text", "whole", "real", "flag"]), st.one_of(st.none(), st.integers(0, 4))),
    call("expect_column_value_lengths_to_equal", column=st.sampled_from(["text", "whole", "real", "flag"]), value=st.integers(0, 4)),
    call("expect_column_values_to_match_regex", column=st.sampled_from(["text", "whole", "real"]), regex=patterns),
    call("expect_column_values_to_not_match_regex", column=st.sampled_from(["text", "whole", "real"]), regex=patterns),
    call("expect_column_values_to_match_regex_list", column=textual, regex_list=st.lists(patterns, min_size=1, max_size=3), match_on=st.sampled_from(["any", "all"])),
    call("expect_column_values_to_not_match_regex_list", column=textual, regex_list=st.lists(patterns, min_size=1, max_size=3)),
    call("expect_column_values_to_match_strftime_format", column=textual, strftime_format=st.just("%Y-%m-%d")),
    call("expect_column_values_to_be_json_parseable", column=textual),
    call("expect_column_pair_values_a_to_be_greater_than_b", column_A=numeric, column_B=numeric, or_equal=st.booleans(), ignore_row_if=st.sampled_from(["both_values_are_missing", "either_value_is_missing", "neither"])),
    call("expect_column_pair_values_to_be_equal", column_A=numeric, column_B=numeric, ignore_row_if=st.sampled_from(["both_values_are_missing", "either_value_is_missing", "neither"])),
    call("expect_column_pair_values_to_be_equal", column_A=textual, column_B=textual, ignore_row_if=st.sampled_from(["both_values_are_missing", "either_value_is_missing"])),
    call("expect_column_pair_values_to_be_in_set", column_A=textual, column_B=numeric, value_pairs_set=st.lists(st.tuples(st.sampled_from(["a", "ab", None]), st.sampled_from([0, 1, None])).map(list), min_size=1)),
    call("expect_multicolumn_sum_to_equal", column_list=st.just(["whole", "real"]), sum_total=st.integers(-2, 2), ignore_row_if=st.sampled_from(["all_values_are_missing", "any_value_is_missing", "never"])),
    call("expect_multicolumn_values_to_be_equal", column_list=st.just(["whole", "real"]), ignore_row_if=st.sampled_from(["all_values_are_missing", "any_value_is_missing", "never"])),
    call("expect_select_column_values_to_be_unique_within_record", column_list=st.just(["text", "other"]), ignore_row_if=st.sampled_from(["all_values_are_missing", "any_value_is_missing", "never"])),
)  # fmt: skip


def _values(frame: pd.DataFrame) -> list[list[Any]]:
    """Rows as a service sees them: Python's values, None for missing."""
    columns = []
    for name in frame.columns:
        column = frame[name].astype(object).where(frame[name].notna(), None)
        columns.append([value.to_pydatetime() if isinstance(value, pd.Timestamp) else value for value in column])
    return [list(row) for row in zip(*columns, strict=True)]


@settings(max_examples=150, deadline=None)
@given(frames(), row_wise)
def test_rows_and_tables_are_judged_as_by_great_expectations(frame: pd.DataFrame, expectation: Expectation) -> None:
    suite = Suite("some", (expectation,))
    expected = judge(suite, frame).success
    rules = _MODULES["expectations"].row_rules({"name": "some", "expectations": [expectation.as_dict()]}, COLUMNS)
    assert len(rules) == 1, "the expectation is about single rows"
    checks = _MODULES["expectations"].RowChecks(rules, [str(column["name"]) for column in COLUMNS])
    assert all(not checks(row) for row in _values(frame)) == expected
    assert _passes(suite, frame) == expected


def _passes(suite: Suite, frame: pd.DataFrame) -> bool:
    write_suite(suite, _FOLDER / "expectations" / "some.json")
    validation = _MODULES["validation"]
    assert all(validation.supported(one.type, one.kwargs) for one in suite.expectations)
    try:
        validation.check_expectations(frame, "some")
    except validation.ExpectationsFailed:
        return False
    return True


def bounds_of(kind: str, low: float, high: float) -> st.SearchStrategy[Expectation]:
    """Expectations about one number of a column."""
    return bounded(kind, numeric, st.one_of(st.none(), st.floats(low, high).map(lambda value: round(value, 2))))


whole_columns = st.one_of(
    call("expect_column_values_to_be_unique", column=names),
    call("expect_column_values_to_be_increasing", column=numeric, strictly=st.booleans()),
    call("expect_column_values_to_be_decreasing", column=numeric, strictly=st.booleans()),
    call("expect_column_value_z_scores_to_be_less_than", column=numeric, threshold=st.sampled_from([0.5, 1, 2]), double_sided=st.booleans()),
    call("expect_compound_columns_to_be_unique", column_list=st.just(["text", "whole"])),
    call("expect_column_values_to_be_of_type", column=names, type_=st.sampled_from(["int64", "float64", "str", "bool", "datetime64[ns]", "Timestamp"])),
    call("expect_column_values_to_be_in_set", column=numeric, value_set=st.just([-1, 0, 1]), mostly=st.sampled_from([0.2, 0.5, 0.75])),
    call("expect_column_values_to_not_be_null", column=names, mostly=st.sampled_from([0.2, 0.5, 0.75])),
    bounds_of("expect_column_mean_to_be_between", -2, 2),
    bounds_of("expect_column_median_to_be_between", -2, 2),
    bounds_of("expect_column_stdev_to_be_between", 0, 2),
    bounds_of("expect_column_min_to_be_between", -2, 2),
    bounds_of("expect_column_max_to_be_between", -2, 2),
    bounds_of("expect_column_sum_to_be_between", -4, 4),
    bounded("expect_column_min_to_be_between", st.just("when"), dates),
    bounds_of("expect_column_unique_value_count_to_be_between", 0, 4),
    bounds_of("expect_column_proportion_of_unique_values_to_be_between", 0, 1),
    bounds_of("expect_column_proportion_of_non_null_values_to_be_between", 0, 1),
    call("expect_column_distinct_values_to_be_in_set", column=numeric, value_set=st.just([-2, -1, 0, 1, 2])),
    call("expect_column_distinct_values_to_contain_set", column=textual, value_set=st.just(["a"])),
    call("expect_column_distinct_values_to_equal_set", column=st.just("flag"), value_set=st.sampled_from([[True], [True, False]])),
    call("expect_column_most_common_value_to_be_in_set", column=numeric, value_set=st.just([-1, 0, 1]), ties_okay=st.booleans()),
    call("expect_column_quantile_values_to_be_between", column=numeric, quantile_ranges=st.just({"quantiles": [0.25, 0.75], "value_ranges": [[-1, 1], [None, 2]]})),
    call("expect_table_columns_to_match_set", column_set=st.sampled_from([["whole"], [str(c["name"]) for c in COLUMNS], ["no"]]), exact_match=st.booleans()),
    call("expect_table_columns_to_match_ordered_list", column_list=st.just([str(c["name"]) for c in COLUMNS])),
    call("expect_table_row_count_to_be_between", min_value=st.integers(0, 3), max_value=st.integers(3, 6)),
    call("expect_table_row_count_to_equal", value=st.integers(1, 4)),
    call("expect_table_column_count_to_equal", value=st.integers(6, 8)),
    call("expect_column_to_exist", column=st.sampled_from(["whole", "no"])),
    call("expect_column_values_to_be_unique", column=st.just("no such column")),
    call("expect_column_kl_divergence_to_be_less_than", column=textual, partition_object=st.just({"values": ["a", "ab"], "weights": [0.5, 0.5]}), threshold=st.sampled_from([0.1, 0.5, 2.0]), tail_weight_holdout=st.sampled_from([0, 0.1])),
    call("expect_column_kl_divergence_to_be_less_than", column=numeric, partition_object=st.just({"bins": [-2, 0, 1, 2], "weights": [0.4, 0.3, 0.2], "tail_weights": [0.05, 0.05]}), threshold=st.sampled_from([0.1, 0.5, 2.0])),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(frames(), whole_columns)
def test_columns_and_tables_are_judged_as_by_great_expectations(frame: pd.DataFrame, expectation: Expectation) -> None:
    suite = Suite("some", (expectation,))
    assert _passes(suite, frame) == judge(suite, frame).success


@pytest.mark.parametrize("mostly", [0.9, 1])
def test_what_holds_for_most_rows_is_a_warning_for_one(mostly: float) -> None:
    suite = {
        "name": "s",
        "expectations": [Expectation("expect_column_values_to_not_be_null", {"column": "text", "mostly": mostly}).as_dict()],
    }
    (rule,) = _MODULES["expectations"].row_rules(suite, COLUMNS)
    assert rule.severity == ("critical" if mostly == 1 else "warning")
