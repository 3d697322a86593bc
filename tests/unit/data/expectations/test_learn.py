"""Suites learned from tables: the table passes, another sample of its kind passes, a shifted one does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.pandas import column, data_frames, range_indexes

from jupyter_mlops.data.expectations.calls import expectations_of
from jupyter_mlops.data.expectations.judge import judge, named_by_text
from jupyter_mlops.data.expectations.learn import learn_suite
from jupyter_mlops.data.expectations.suite import Suite
from jupyter_mlops.workflows.validate import validate_cell


def messy(rows: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Every kind of column that notebooks have."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2020-01-01")
    hours = pd.to_timedelta(rng.integers(0, 1000, rows), unit="h")
    frame = pd.DataFrame(
        {
            "id": np.arange(rows), "age": rng.normal(40, 10, rows), "fare": rng.exponential(30, rows), "sex": rng.choice(["m", "f"], rows),
            "town": rng.choice([*"abcdefgh", "rare"], rows, p=[0.124] * 8 + [0.008]), "ok": rng.random(rows) < 0.3, "empty": np.nan,
            "when": start + hours, "there": (start + hours).tz_localize("Europe/Berlin"), "level": pd.Categorical(rng.choice(["x", "y"], rows)),
            "count": pd.array(rng.integers(0, 5, rows), dtype="Int64"), "flag": pd.array(rng.random(rows) < 0.5, dtype="boolean"),
            "lists": [[1, 2]] * rows, "mixed": ([1, "a"] * rows)[:rows], "text": [f"row {n} of many" for n in range(rows)],
            "infinite": np.r_[np.inf, rng.normal(size=rows - 1)], "said": pd.array(rng.choice(["q", "r"], rows), dtype="string"),
            "took": pd.to_timedelta(rng.integers(0, 100, rows), unit="s"), "same": 1.0, 7: 1, "complex": 1 + 2j,
            "small": rng.integers(0, 100, rows).astype("int8"), "objects": np.array([True, False] * rows, dtype=object)[:rows],
        }
    )  # fmt: skip
    frame.loc[rng.random(rows) < 0.2, "age"] = np.nan
    frame.loc[:5, ["sex", "count", "flag"]] = None
    return frame


def learned(frame: pd.DataFrame, folder: Path) -> Any:
    return validate_cell("", frame, frame_name="df", namespace={}, suite=None, infer=True, warn=False, folder=folder)


def test_what_was_learned_is_written_shown_and_read_back(tmp_path: Path) -> None:
    frame = messy()
    found = learned(frame, tmp_path)
    assert found.success
    assert not found.failures
    assert not found.notes, "nothing had to be left out"
    again = validate_cell(found.calls, frame, frame_name="df", namespace={}, suite=None, infer=False, warn=False, folder=tmp_path)
    assert not again.failures
    assert not again.notes, "the calls say what the file says"
    assert again.checked == found.checked
    kinds = {(one.type, one.kwargs.get("column")) for one in expectations_of(found.calls, {})}
    assert ("expect_table_columns_to_match_set", None) in kinds
    for name, kind in (
        ("age", "expect_column_values_to_be_between"), ("age", "expect_column_quantile_values_to_be_between"),
        ("age", "expect_column_kl_divergence_to_be_less_than"), ("town", "expect_column_values_to_be_in_set"),
        ("town", "expect_column_kl_divergence_to_be_less_than"), ("id", "expect_column_values_to_be_unique"),
        ("there", "expect_column_values_to_be_between"), ("flag", "expect_column_values_to_be_of_type"), ("empty", "expect_column_values_to_be_null"),
    ):  # fmt: skip
        assert (kind, name) in kinds
    assert ("expect_column_values_to_be_between", "id") not in kinds, "new rows have new names"


@pytest.mark.parametrize("rows", [60, 1000])
def test_another_sample_passes_and_a_shifted_one_does_not(rows: int) -> None:
    frame = named_by_text(messy(rows))
    suite = learn_suite(frame, "s")
    for seed in range(3):
        found = judge(suite, frame.sample(rows, replace=True, random_state=seed))
        assert found.success, found.text()
        others = {one.expectation.split("(")[0] for one in found.failures}
        assert others <= {"values_to_be_unique"}, found.text()
    for name, shifted in {
        "age": frame["age"] + 100,
        "town": frame["town"] + "!",
        "sex": None,
        "small": frame["small"].astype(float),
    }.items():
        found = judge(suite, frame.assign(**{name: shifted}))
        assert not found.success, name
        assert name in {one.column for one in found.failures if one.severity == "critical"}
    drifted = judge(suite, frame.assign(fare=frame["fare"] * 0.3))
    if rows > 100:
        assert {"fare"} == {one.column for one in drifted.failures}, "a drift within the range is a warning"
    assert drifted.success
    assert not judge(suite, frame.drop(columns="age")).success


def test_rare_new_categories_warn_and_many_stop() -> None:
    frame = pd.DataFrame({"town": list("abcd") * 100})
    suite = learn_suite(frame, "s")
    few, many = frame.copy(), frame.copy()
    few.loc[:3, "town"] = "new"
    many.loc[:60, "town"] = "new"
    assert judge(suite, few).success
    assert judge(suite, few).failures
    assert not judge(suite, many).success


@pytest.mark.parametrize("rows", [0, 1, 10, 30])
def test_small_tables_say_little(rows: int, tmp_path: Path) -> None:
    frame = messy(40).head(rows)
    found = learned(frame, tmp_path)
    assert found.success
    assert not found.failures


def test_wide_tables_and_tables_without_columns(tmp_path: Path) -> None:
    wide = pd.DataFrame(np.random.default_rng(0).integers(0, 9, size=(20, 300)))
    assert not learned(wide, tmp_path).failures
    assert not learned(pd.DataFrame(index=range(3)), tmp_path).failures


numbers = st.one_of(st.floats(allow_nan=True, allow_infinity=True, width=32), st.just(0.0))
things = st.one_of(st.none(), st.text(max_size=3), st.integers(-5, 5), st.booleans(), st.just(float("nan")))


@settings(max_examples=25, deadline=None)
@given(
    data_frames(
        [
            column("x", elements=numbers, dtype=float),
            column("t", elements=things, dtype=object),
            column("i", elements=st.integers(-(2**53), 2**53), dtype="int64"),
        ],
        index=range_indexes(max_size=40),
    )
)
def test_any_table_passes_what_was_learned_from_it(frame: pd.DataFrame) -> None:
    suite = learn_suite(frame, "s")
    found = judge(suite, frame)
    assert not found.failures, found.text()
    assert Suite("s", expectations_of(suite.calls(), {})).same_as(suite)
