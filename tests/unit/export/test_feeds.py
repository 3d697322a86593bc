"""Rows of model input as ONNX feeds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from jupyter_mlops.errors import ExportError
from jupyter_mlops.export.feeds import feeds, numbers, strings
from jupyter_mlops.export.onnx import OnnxInput


def test_whatever_is_missing_is_nan_or_the_sentinel() -> None:
    np.testing.assert_array_equal(numbers(pd.Series([1, None, 3])), [1.0, np.nan, 3.0])
    np.testing.assert_array_equal(numbers(pd.array([1, pd.NA], dtype="Int64")), [1.0, np.nan])
    np.testing.assert_array_equal(numbers(pd.Series([True, None], dtype="boolean")), [1.0, np.nan])
    np.testing.assert_array_equal(numbers([True, None, 2]), [1.0, np.nan, 2.0])
    np.testing.assert_array_equal(numbers(pd.Series(pd.Categorical([3, 1, None]))), [3.0, 1.0, np.nan])
    assert strings(pd.Series(["a", None, np.nan, pd.NA, "nan"]), "?").tolist() == ["a", "?", "?", "?", "nan"]


def test_numbers_keep_every_bit_of_a_double() -> None:
    values = np.array([2.0**53 + 2, np.nextafter(0.1, 1), -0.0, np.inf])
    assert numbers(values).tobytes() == values.tobytes()
    assert numbers(np.array([2**24 + 1])).tolist() == [16777217.0]


def test_columns_go_by_name() -> None:
    inputs = (OnnxInput("x", "a", "double"), OnnxInput("t", "b", "string"))
    made = feeds(pd.DataFrame({"b": ["u", None], "other": [0, 0], "a": [1, 2]}), inputs, "?")
    assert made["x"].tolist() == [[1.0], [2.0]]
    assert made["x"].dtype == np.float64
    assert made["t"].tolist() == [["u"], ["?"]]
    with pytest.raises(ExportError, match="no column 'a'"):
        feeds(pd.DataFrame({"b": ["u"]}), inputs, "?")


def test_arrays_series_and_lists() -> None:
    whole = (OnnxInput("features", None, "double"),)
    assert feeds(np.arange(6).reshape(2, 3), whole, "?")["features"].shape == (2, 3)
    assert feeds(pd.DataFrame(np.arange(6).reshape(2, 3)), whole, "?")["features"].shape == (2, 3)
    one = (OnnxInput("text", "text", "string"),)
    for rows in (pd.Series(["a", None], name="other"), ["a", None]):
        assert feeds(rows, one, "?")["text"].tolist() == [["a"], ["?"]]


def test_a_text_where_a_number_belongs_is_an_error() -> None:
    with pytest.raises(ValueError):
        feeds(pd.DataFrame({"a": ["1x"]}), (OnnxInput("a", "a", "double"),), "?")
