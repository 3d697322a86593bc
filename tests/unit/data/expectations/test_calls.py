"""What a `%%validate` cell may say, and what it is told when it says something else."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_mlops.data.expectations.calls import expectations_of
from jupyter_mlops.errors import UsageError


def test_arguments_are_read_in_the_order_of_great_expectations() -> None:
    body = """
    # how old passengers are
LIMIT = 600
expect_column_values_to_not_be_null("age")
expect_column_values_to_be_between("fare", 0, LIMIT, mostly=0.99, severity="warning")
expect_column_value_z_scores_to_be_less_than("fare", 3, True)
expect_column_pair_values_a_to_be_greater_than_b("fare", "age", True)
expect_table_columns_to_match_set({"fare", "age"}, False)
""".replace("    #", "#")
    found = expectations_of(body, {})
    assert [(one.type, dict(one.kwargs), one.severity, one.line) for one in found] == [
        ("expect_column_values_to_not_be_null", {"column": "age"}, "critical", 5),
        ("expect_column_values_to_be_between", {"column": "fare", "min_value": 0, "max_value": 600, "mostly": 0.99}, "warning", 6),
        ("expect_column_value_z_scores_to_be_less_than", {"column": "fare", "threshold": 3, "double_sided": True}, "critical", 7),
        ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "fare", "column_B": "age", "or_equal": True}, "critical", 8),
        ("expect_table_columns_to_match_set", {"column_set": ["age", "fare"], "exact_match": False}, "critical", 9),
    ]  # fmt: skip


def test_values_of_the_notebook_become_plain_ones_and_the_namespace_stays() -> None:
    namespace: dict[str, Any] = {"levels": pd.Series(["a", "b"]), "top": np.float32(2.5), "day": dt.date(2020, 1, 2)}
    body = """
shown = {level for level in levels}
expect_column_values_to_be_in_set("x", shown)
expect_column_values_to_be_between("y", -top, float("inf"))
expect_column_values_to_be_between("z", day, pd.Timestamp("2021-05-06 07:00", tz="UTC"))
"""
    found = expectations_of(body, {**namespace, "pd": pd})
    assert [dict(one.kwargs) for one in found] == [
        {"column": "x", "value_set": ["a", "b"]},
        {"column": "y", "min_value": -2.5, "max_value": None},
        {"column": "z", "min_value": "2020-01-02", "max_value": "2021-05-06T07:00:00+00:00"},
    ]
    expectations_of(body, held := {**namespace, "pd": pd})
    assert held.keys() == {*namespace, "pd"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("expect_column_value_to_be_between('a', 1)", r"line 2 of the cell.*Did you mean expect_column_values_to_be_between\?"),
        ("x = 1\nprint(x)", r"line 3 of the cell is no call of an expectation: print\(x\)"),
        ("for i in []: pass", "line 2 of the cell is no call"),
        ("df.dropna()", r"line 2 of the cell is no call of an expectation: df\.dropna"),
        ("expect_column_values_to_be_between(1, 2, 3, 4, 5, 6)", r"5 arguments by position, 6 are given.*called as expect_.*\(column, min_value=None"),
        ("expect_column_values_to_be_between('a', min_val=3)", r"it has no argument min_val\. It is called as"),
        ("expect_column_values_to_be_in_set('a')", r"the argument value_set is missing\. It is called as"),
        ("expect_column_values_to_be_in_set('a', value_set=[1], column='b')", "is given column twice"),
        ("expect_column_values_to_be_between('a', 1, mostly=3)", "mostly: ensure this value is less than or equal"),
        ("expect_column_values_to_be_between('a', NOPE)", "'NOPE' is not defined. Run the cell that binds it first"),
        ("expect_column_values_to_be_between('a', 1 / 0)", "ZeroDivisionError"),
        ("expect_column_values_to_be_between('a', 1, severity='fatal')", "severity is one of 'critical', 'warning', 'info'"),
        ("expect_column_values_to_be_in_set('a', [object()])", "of type object, which a suite's file cannot hold"),
        ("expect_column_values_to_be_between('a', float('nan'))", "not a number"),
        ("expect_column_values_to_be_between('a'", "line 2 of the cell is not valid Python"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(body: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        expectations_of(body, {})
    assert "validation error" not in str(raised.value)
    assert "pydantic" not in str(raised.value)
