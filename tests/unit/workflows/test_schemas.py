"""What the notebook's fitted objects accept of a column: found by asking them."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
from sklearn.preprocessing import OneHotEncoder

from jupyter_mlops.workflows.schemas import describe_frame, json_rows, probe


def test_levels_are_those_of_the_whole_table_that_are_predicted() -> None:
    """A rare one that is in no row of the sample too; not one that training never saw, which makes others of its batch fail."""
    levels = [f"city {number:02}" for number in range(40)]
    table = pd.DataFrame({"city": levels, "size": range(40)})
    unknown = {"city 07", "city 08", "city 31"}
    encoder = OneHotEncoder(handle_unknown="error").fit(table[~table["city"].isin(unknown)][["city"]])

    def predict(rows: pd.DataFrame) -> Any:
        return pd.concat([rows, pd.DataFrame(encoder.transform(rows[["city"]]).toarray())], axis=1).astype({0: int})

    city, size = probe(describe_frame(table, ["city", "size"]), table.head(3), predict, table)
    assert city.closed and city.categories == tuple(level for level in levels if level not in unknown)
    assert not size.closed and size.categories is None


def test_nullable_types_of_pandas_are_json() -> None:
    frame = pd.DataFrame(
        {"a": [1, None], "b": [0.5, None], "c": [True, None], "d": ["x", None], "e": pd.to_datetime(["2026-01-01", None])}
    )
    expected = [
        {"a": 1, "b": 0.5, "c": True, "d": "x", "e": "2026-01-01T00:00:00"}, dict.fromkeys("abcde"),
    ]  # fmt: skip
    assert json_rows(frame, list("abcde")) == json_rows(frame.convert_dtypes(), list("abcde")) == expected
    json.dumps(expected)
