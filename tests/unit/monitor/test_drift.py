"""Drift by Evidently: found where a column moved, and not where it did not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_mlops.monitor.drift import PREDICTION, measure_drift
from jupyter_mlops.monitor.rules import DriftRule
from jupyter_mlops.signature import Column, Output, Signature

SIGNATURE = Signature(
    (
        Column("size", "float64", "float"), Column("rooms", "int64", "integer"), Column("city", "object", "string"),
        Column("sold", "datetime64[ns]", "datetime"), Column("new", "bool", "boolean"),
    ),
    Output("classification", "int64", (0, 1)),
)  # fmt: skip


def _table(rows: int, seed: int, **changes: Any) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    made = pd.DataFrame(
        {
            "size": random.normal(100, 20, rows), "rooms": random.integers(1, 6, rows),
            "city": random.choice(["a", "b", "c"], rows, p=[0.6, 0.3, 0.1]),
            "sold": pd.Timestamp("2026-01-01") + pd.to_timedelta(random.integers(0, 90, rows), unit="D"),
            "new": random.random(rows) < 0.3, PREDICTION: random.choice(["0", "1"], rows, p=[0.8, 0.2]),
        }
    )  # fmt: skip
    return made.assign(**changes)


def _moved(report: Any) -> set[str]:
    found = {one.column for one in report.drifted}
    return found | ({PREDICTION} if report.prediction is not None and report.prediction.drifted else set())


def test_the_same_distribution_has_not_drifted() -> None:
    for seed in range(3):
        report = measure_drift(_table(2000, seed), _table(2000, seed + 100), SIGNATURE, DriftRule())
        assert _moved(report) == set()
        assert len(report.columns) == 5 and report.prediction is not None


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("size", lambda t: t["size"] + 15), ("rooms", lambda t: t["rooms"].clip(3)), ("city", lambda t: t["city"].replace("a", "b")),
        ("sold", lambda t: t["sold"] + pd.Timedelta(days=60)), ("new", lambda t: ~t["new"]),
        (PREDICTION, lambda t: t[PREDICTION].replace("0", "1")),
    ],
)  # fmt: skip
def test_the_column_that_moved_is_named(column: str, change: Any) -> None:
    table = _table(2000, 1)
    table[column] = change(table)
    report = measure_drift(table, _table(2000, 2), SIGNATURE, DriftRule())
    assert _moved(report) == {column}
    assert "Drift" in report.html and "<html" in report.html.lower()


def test_missing_values_and_new_levels_are_told() -> None:
    table = _table(1000, 1)
    table.loc[:299, "city"] = "z"
    table.loc[:99, "size"] = np.nan
    report = measure_drift(table, _table(1000, 2), SIGNATURE, DriftRule(), missing={"size": 0.2})
    by_name = {one.column: one for one in report.columns}
    assert by_name["city"].new_levels == pytest.approx(0.3)
    assert (by_name["size"].missing, by_name["size"].missing_before) == (0.2, 0.0)  # of all rows, where that is given
    empty = measure_drift(table.assign(size=np.nan), _table(1000, 2), SIGNATURE, DriftRule())
    assert {one.column: one.missing for one in empty.columns}["size"] == 1.0


def test_numbers_that_are_predicted_are_compared_as_numbers() -> None:
    signature = Signature(SIGNATURE.inputs, Output("regression", "float64"))
    random = np.random.default_rng(0)
    now, before = (_table(1000, seed, **{PREDICTION: random.normal(mean, 1, 1000)}) for seed, mean in ((1, 0.5), (2, 0.0)))
    report = measure_drift(now, before, signature, DriftRule())
    assert report.prediction is not None and report.prediction.method == "wasserstein"
    assert 0.3 < report.prediction.distance < 0.7


def test_limits_of_single_columns_and_columns_that_do_not_count() -> None:
    table, other = _table(2000, 1), _table(2000, 2)
    moved = table.assign(size=table["size"] + 0.5 * table["size"].std())
    found = measure_drift(moved, other, SIGNATURE, DriftRule())
    assert [one.column for one in found.drifted] == ["size"]
    wide = measure_drift(moved, other, SIGNATURE, DriftRule(columns={"size": 0.9}))
    assert not wide.drifted
    assert next(one.threshold for one in wide.columns if one.column == "size") == 0.9
    assert "size" not in {one.column for one in measure_drift(moved, other, SIGNATURE, DriftRule(ignore=("size",))).columns}


def test_texts_of_their_own_are_told_apart_by_their_words() -> None:
    """A level that occurs once says nothing, so that reviews are compared by their words."""
    random = np.random.default_rng(0)
    words = np.array(["coffee", "strong", "roast", "cup", "bean", "aroma", "milk", "morning", "bitter", "smooth"])
    others = np.array(["dog", "bowl", "chew", "treat", "puppy", "bone", "kibble", "smooth", "morning", "fur"])

    def reviews(of: Any, seed: int) -> pd.DataFrame:
        drawn = np.random.default_rng(seed)
        return pd.DataFrame({"review": [f"{' '.join(drawn.choice(of, 6))} {seed}{n}" for n in range(600)]})

    signature = Signature((Column("review", "object", "string"),), SIGNATURE.output)
    same = measure_drift(reviews(words, 1), reviews(words, 2), signature, DriftRule())
    assert [(one.method, one.drifted, one.new_levels) for one in same.columns] == [("abs_text_content_drift", False, None)]
    changed = measure_drift(reviews(others, 1), reviews(words, 2), signature, DriftRule())
    assert changed.drifted and changed.columns[0].distance > 0.9
    # Codes without words: levels, as before.
    codes = [pd.DataFrame({"review": [f"{one}-{n % 10}" for n, one in enumerate(random.integers(0, 99, 600))]}) for _ in range(2)]
    assert measure_drift(codes[0], codes[1], signature, DriftRule()).columns[0].method == "jensenshannon"
