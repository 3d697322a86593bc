"""Edge rows: real rows with one value moved, in the frame's own dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from jupyter_mlops.export.edges import TEXTS, accepted, edge_rows
from jupyter_mlops.export.parity import Predictions, predict_estimator
from tests.unit.export.matrix import Data, load, signature_of


def _edges(rows: Any, layout: str = "frame", **options: Any) -> Any:
    return edge_rows(rows, signature_of(Data(rows, [0], layout), "regression"), **options)


def _frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "real": [1.0, 2.0, 4.0, 8.0],
            "whole": [1, 2, 3, 4],
            "byte": np.array([1, 2, 3, 250], dtype="uint8"),
            "flag": [True, False, True, True],
            "text": ["a", "b", None, "b"],
            "level": pd.Categorical(["x", "y", "x", "y"]),
            "maybe": pd.array([1, None, 3, 4], dtype="Int64"),
        }
    )


def test_each_row_is_a_real_row_with_at_most_one_value_changed() -> None:
    frame = _frame()
    edges = _edges(frame)
    known = {tuple(map(repr, row)) for row in frame.astype(object).itertuples(index=False)}
    for row in edges.astype(object).itertuples(index=False):
        shown = tuple(map(repr, row))
        assert min(sum(a != b for a, b in zip(shown, real, strict=True)) for real in known) <= 1, shown


def test_dtypes_are_kept_and_rows_are_numbered() -> None:
    frame = _frame().set_axis([7, 7, 3, 1])
    edges = _edges(frame)
    assert edges.dtypes.to_dict() == frame.dtypes.to_dict()
    assert list(edges.columns) == list(frame.columns)
    assert edges.index.tolist() == list(range(len(edges)))


def test_each_column_gets_what_it_can_hold() -> None:
    edges = _edges(_frame(), limit=1000)
    assert edges["real"].isna().any()
    assert {10 * 8.0, float(2**24 + 1), float(-(2**24) - 1), 0.0} <= set(edges["real"])
    assert not edges["whole"].isna().any()
    assert {0, 5, 2**24 + 1, -(2**24) - 1} <= set(edges["whole"])
    assert {0, 251} <= set(edges["byte"])  # 2**24 does not fit
    assert set(edges["flag"]) == {True, False}
    assert set(TEXTS) <= set(edges["text"])
    assert set(edges["level"].dropna()) == {"x", "y"}  # a frame of this dtype holds no other
    assert edges["level"].isna().any()
    assert edges["maybe"].isna().any()


def test_the_neighbours_of_a_threshold_are_among_them() -> None:
    edges = _edges(pd.DataFrame({"x": [1.0, 2.0, 4.0, 8.0]}), limit=1000)["x"].tolist()
    half = 6.0  # where a tree splits between 4 and 8
    assert {half, float(np.nextafter(half, np.inf)), float(np.nextafter(half, -np.inf))} <= set(edges)
    assert {float(np.nextafter(4.0, np.inf)), float(np.nextafter(4.0, -np.inf))} <= set(edges)


def test_a_missing_text_is_what_the_column_uses() -> None:
    nones = _edges(pd.DataFrame({"t": ["a", None, "b"]}))["t"]
    nans = _edges(pd.DataFrame({"t": ["a", np.nan, "b"]}))["t"]
    assert any(value is None for value in nones)
    assert not any(value is None for value in nans)
    assert nans.isna().any()


def test_columns_take_turns_within_the_limit() -> None:
    edges = _edges(pd.DataFrame({"a": [1.0, 2.0], "b": [5.0, 6.0]}), limit=6)
    assert len(edges) == 6
    moved_a = ~edges["a"].isin([1.0, 2.0])
    moved_b = ~edges["b"].isin([5.0, 6.0])
    assert moved_a.sum() >= 1
    assert moved_b.sum() >= 1


def test_the_seed_decides() -> None:
    frame = load("penguins").rows
    pd.testing.assert_frame_equal(_edges(frame, seed=3), _edges(frame, seed=3))
    assert not _edges(frame, seed=3).equals(_edges(frame, seed=4))


def test_arrays_series_and_lists_come_back_as_such() -> None:
    array = _edges(np.arange(12, dtype=np.float32).reshape(4, 3), "array")
    assert isinstance(array, np.ndarray)
    assert array.dtype == np.float32
    assert array.shape[1] == 3
    series = _edges(pd.Series(["a", "b"], name="text"), "series")
    assert isinstance(series, pd.Series)
    assert series.name == "text"
    listed = edge_rows(["a", "b"], signature_of(Data(pd.Series(["a", "b"]), [0], "series"), "regression"))
    assert isinstance(listed, list)
    assert set(TEXTS) <= set(listed)


def test_dates_move_beyond_the_last_one() -> None:
    frame = pd.DataFrame({"d": pd.to_datetime(["2024-01-01", "2024-06-01"])})
    from jupyter_mlops.signature import Column, Output, Signature

    edges = edge_rows(frame, Signature((Column("d", "datetime64[ns]", "datetime"),), Output("regression", "float64")))
    assert edges["d"].max() > pd.Timestamp("2030-01-01")
    assert edges["d"].isna().any()


@pytest.mark.parametrize("frame", [pd.DataFrame({"a": []}), pd.DataFrame({"a": [np.nan, np.nan]})])
def test_no_rows_and_no_values_are_no_error(frame: pd.DataFrame) -> None:
    edges = _edges(frame)
    assert len(edges) == 0 or edges["a"].notna().any()


def test_accepted_finds_every_row_that_raises() -> None:
    rows = np.arange(23.0).reshape(-1, 1)
    bad = {3, 4, 11, 22}
    calls = 0

    def predict(part: Any) -> Predictions:
        nonlocal calls
        calls += 1
        if bad & set(part[:, 0].astype(int)):
            raise RuntimeError("no")
        return Predictions(part[:, 0])

    assert set(np.flatnonzero(~accepted(predict, rows))) == bad
    assert calls < 46
    calls = 0
    assert accepted(predict, rows[5:10]).all()
    assert calls == 1


def test_accepted_keeps_what_the_estimator_takes() -> None:
    diabetes = load("diabetes")
    model = LinearRegression().fit(diabetes.rows, diabetes.target)
    edges = edge_rows(diabetes.rows, signature_of(diabetes, "regression"))
    keep = accepted(lambda rows: predict_estimator(model, rows), edges)
    assert (keep == edges.notna().all(axis=1).to_numpy()).all()
    assert 0 < keep.sum() < len(edges)
