"""The generated `batch/columns.py`: what fits a column is taken as it is, and each row that does not is told apart."""

from __future__ import annotations

import datetime as dt
import importlib.util
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jupyter_mlops.convert

PLACE = Path(jupyter_mlops.convert.__file__).parent / "templates" / "project" / "batch" / "columns.py"
NAN = float("nan")


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("batch_columns", PLACE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


columns = _load()


def column(kind: str, dtype: str, **more: Any) -> Any:
    return columns.Column(
        {"name": "x", "kind": kind, "dtype": dtype, "nullable": True, "categories": None, "closed": False, **more}
    )


def read(one: Any, array: pa.Array, *, text: bool = False) -> tuple[list[Any], set[int]]:
    """Values, and rows that cannot be scored."""
    values, wrong = one.read(array, text=text)
    assert len(values) == len(array)
    return values.to_pylist(), {int(row) for found in wrong for row in np.flatnonzero(found.rows)}


STAMP = dt.datetime(2026, 1, 2, 3, 4, 5, 678901)
TAKEN = [
    ("float", "float64", pa.array([1, None, 2], pa.int8()), [1.0, None, 2.0]),
    ("float", "float64", pa.array([1.5, NAN, None], pa.float32()), [1.5, None, None]),
    ("float", "float64", pa.array([2**63], pa.uint64()), [float(2**63)]),
    ("float", "float64", pa.array([Decimal("1.25"), None]), [1.25, None]),
    ("float", "object", pa.array([None, None], pa.null()), [None, None]),
    ("integer", "int64", pa.array([3.0, NAN, None]), [3, None, None]),  # as pandas writes integers with missing values
    ("integer", "int64", pa.array([Decimal("7"), None]), [7, None]),
    ("integer", "uint8", pa.array([0, 255], pa.uint16()), [0, 255]),
    ("boolean", "bool", pa.array([True, None]), [True, None]),
    ("string", "object", pa.array(["a", None, "a"]), ["a", None, "a"]),
    ("string", "object", pa.array(["a", None], pa.large_string()), ["a", None]),
    ("string", "object", pa.array(["a", None, "b"]).dictionary_encode(), ["a", None, "b"]),
    ("string", "object", pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int8()), pa.array(["a", None])), ["a", None]),
    ("datetime", "datetime64[ns]", pa.array([STAMP, None], pa.timestamp("ns")), [STAMP, None]),
    ("datetime", "datetime64[ns]", pa.array([dt.date(2026, 1, 2)]), [dt.datetime(2026, 1, 2)]),
    ("datetime", "datetime64[ns, UTC]", pa.array([STAMP], pa.timestamp("us", "Europe/Rome")), [STAMP.replace(tzinfo=dt.UTC)]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "dtype", "array", "values"), TAKEN)
def test_what_fits_is_taken(kind: str, dtype: str, array: pa.Array, values: list[Any]) -> None:
    one = column(kind, dtype)
    assert one.accepts(array.type)
    assert read(one, array) == (values, set())


WRONG = [
    ("float", "float64", pa.array([1.0, float("inf"), -float("inf")]), {1, 2}),
    ("float", "float32", pa.array([3.4e38, 3.5e38, -3.5e38]), {1, 2}),
    ("integer", "int64", pa.array([1.0, 1.5, 1e300]), {1, 2}),
    ("integer", "int64", pa.array([1, 2**63], pa.uint64()), {1}),
    ("integer", "int8", pa.array([127, 128, -129]), {1, 2}),
    ("integer", "uint8", pa.array([0, -1, 256]), {1, 2}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "dtype", "array", "rows"), WRONG)
def test_what_does_not_fit_is_a_bad_row(kind: str, dtype: str, array: pa.Array, rows: set[int]) -> None:
    assert read(column(kind, dtype), array)[1] == rows


@pytest.mark.parametrize(
    ("kind", "dtype", "given_type"),
    [
        ("float", "float64", pa.string()), ("float", "float64", pa.bool_()), ("integer", "int64", pa.timestamp("us")),
        ("boolean", "bool", pa.int8()), ("string", "object", pa.int64()), ("string", "object", pa.binary()),
        ("datetime", "datetime64[ns]", pa.timestamp("us", "UTC")), ("datetime", "datetime64[ns, UTC]", pa.timestamp("us")),
        ("datetime", "datetime64[ns, UTC]", pa.date32()), ("float", "float64", pa.list_(pa.float64())),
        ("integer", "int64", pa.dictionary(pa.int32(), pa.string())),
    ],
)  # fmt: skip
def test_a_type_that_can_never_fit_is_known_before_any_row(kind: str, dtype: str, given_type: pa.DataType) -> None:
    assert not column(kind, dtype).accepts(given_type)


TEXTS = [
    ("float", "float64", ["1.5", " 2 ", "-1e3", "x", None, "inf"], [1.5, 2.0, -1000.0, None, None], {3, 5}),
    ("integer", "int64", ["1", "-2 ", "3.0", "3.5", "9223372036854775808", ""], [1, -2, 3], {3, 4, 5}),
    ("boolean", "bool", ["True", "false", "TRUE", "yes", "1", None], [True, False, True], {3, 4}),
    ("datetime", "datetime64[ns]", ["2026-01-02", "2026-01-02 03:04:05", "2026-13-01", "2026-01-02T03:04:05Z"],
     [dt.datetime(2026, 1, 2), dt.datetime(2026, 1, 2, 3, 4, 5)], {2, 3}),
    ("datetime", "datetime64[ns, UTC]", ["2026-01-02T03:04:05+01:00", "now"], [dt.datetime(2026, 1, 2, 2, 4, 5, tzinfo=dt.UTC)], {1}),
    ("string", "object", [" a ", "1", None], [" a ", "1", None], set()),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "dtype", "texts", "values", "rows"), TEXTS)
def test_the_text_of_a_csv_file(kind: str, dtype: str, texts: list[str], values: list[Any], rows: set[int]) -> None:
    got, wrong = read(column(kind, dtype), pa.array(texts, pa.string()), text=True)
    assert got[: len(values)] == values
    assert wrong == rows


def test_missing_values_and_unknown_categories() -> None:
    required = column("float", "float64", nullable=False)
    assert read(required, pa.array([1.0, None, NAN]))[1] == {1, 2}
    closed = column("string", "object", closed=True, categories=["a", "b"])
    assert read(closed, pa.array(["a", "c", None, "b"]))[1] == {1}
    assert read(column("integer", "int64", closed=True, categories=[1, 2]), pa.array([1, 3]))[1] == {1}
    assert read(column("float", "category", closed=True, categories=[0.5, 2]), pa.array([0.5, 2.0, 3.0]))[1] == {2}
    assert read(column("string", "object", categories=["a"]), pa.array(["z"]))[1] == set()  # an open one


def test_the_value_is_shown() -> None:
    found = column("integer", "int64").read(pa.array([1.5]))[1][0]
    assert (found.why, found.value(0)) == ("does not fit int64", ": 1.5")
    long = column("string", "object", closed=True, categories=["a"]).read(pa.array(["x" * 100]))[1][0]
    assert len(long.value(0)) < 70


@given(st.lists(st.one_of(st.none(), st.floats(width=64), st.integers(-(2**53), 2**53).map(float)), min_size=1, max_size=50))
def test_each_row_is_judged_by_itself(values: list[float | None]) -> None:
    """Among others as alone: a batch says the same of a row wherever it is cut."""
    one = column("integer", "int32", nullable=False)
    array = pa.array(values, pa.float64())
    together = read(one, array)
    alone = [read(one, array.slice(at, 1)) for at in range(len(array))]
    assert together[1] == {at for at, (_, wrong) in enumerate(alone) if wrong}
    assert together[0] == [got[0] for got, _ in alone]
