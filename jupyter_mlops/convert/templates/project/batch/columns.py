"""Columns of a table against what the model takes: their values, and why a row cannot be scored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

TYPES = {
    "float": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "string": pa.string(),
}
LARGEST = {"float32": 3.4028234663852886e38, "float16": 65504.0}
# What pandas reads as a truth value from a CSV file.
TRUTHS = pa.array(["True", "TRUE", "true", "False", "FALSE", "false"])
TRUE = pa.array([True] * 3 + [False] * 3)


class Wrong(NamedTuple):
    """Rows of a column that cannot be scored, all for one reason."""

    column: str
    why: str
    rows: NDArray[np.bool_]
    given: pa.Array | None  # shown with the reason

    def value(self, row: int) -> str:
        """The value of a row, as it is shown."""
        if self.given is None:
            return ""
        value = self.given[row].as_py()
        text = ascii(value) if isinstance(value, str) else str(value)
        return f": {text if len(text) <= 60 else text[:60] + '...'}"


class Column:
    """One input column of the model, as ``model/signature.json`` describes it."""

    def __init__(self, described: Mapping[str, Any]) -> None:
        self.name: str = described["name"]
        self.kind: str = described["kind"]
        self.dtype: str = described["dtype"]
        self.nullable: bool = described["nullable"]
        self.zoned = self.kind == "datetime" and "," in self.dtype
        stamp = pa.timestamp("us", tz="UTC" if self.zoned else None)
        self.type = TYPES.get(self.kind, stamp)
        closed = described["closed"] and described["categories"] and self.kind != "boolean"
        self.levels = frozenset(described["categories"]) if closed else None
        self.low, self.high = _bounds(self.kind, self.dtype.lower())

    def accepts(self, given: pa.DataType) -> bool:
        """Whether values of an Arrow type can be values of this column at all."""
        if pa.types.is_dictionary(given):
            given = given.value_type
        number = pa.types.is_integer(given) or pa.types.is_floating(given)
        if pa.types.is_null(given):
            return True
        if self.kind in ("float", "integer"):
            return bool(number or pa.types.is_decimal(given))
        if self.kind == "boolean":
            return bool(pa.types.is_boolean(given))
        if self.kind == "datetime":
            if pa.types.is_timestamp(given):
                return (given.tz is not None) == self.zoned
            return bool(pa.types.is_date(given)) and not self.zoned
        texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
        return any(one(given) for one in texts)

    def read(self, given: pa.Array, *, text: bool = False) -> tuple[pa.Array, list[Wrong]]:
        """Values in the column's own type, null where there is none, and what is wrong with rows.

        Parameters
        ----------
        text
            The values are the text of a CSV file.

        Returns
        -------
        tuple
            Strings come dictionary-encoded: a batch holds each level once.
        """
        array = given
        if pa.types.is_null(array.type):
            array = given = pa.nulls(len(array), self.type)
        if self.kind == "string":
            array = values = _encoded(array)
        else:
            if pa.types.is_dictionary(array.type):
                array = given = array.dictionary_decode()
            if pa.types.is_floating(array.type):
                array = _without_nan(array)
            values = self._converted(array, text=text and pa.types.is_string(array.type))
        wrong: list[Wrong] = []

        def note(why: str, rows: Any, shown: pa.Array | None = given) -> None:
            mask = _mask(rows)
            if mask.any():
                wrong.append(Wrong(self.name, why, mask, shown))

        if not self.nullable and array.null_count:
            note("is missing and has to be there", array.is_null(), None)
        if values.null_count > array.null_count:
            note(f"does not fit {self.dtype}", pc.and_(array.is_valid(), values.is_null()))
        if self.high is not None and len(values) > values.null_count:
            outside = pc.or_(pc.less(values, self.low), pc.greater(values, self.high))
            note(f"does not fit {self.dtype}", outside)
        if self.levels is not None:
            note("is none of the known categories", self._unknown(values))
        return values, wrong

    def _converted(self, array: pa.Array, *, text: bool) -> pa.Array:
        if text:
            array = pc.utf8_trim_whitespace(array)
            if self.kind == "boolean":
                return TRUE.take(pc.index_in(array, value_set=TRUTHS))
        if self.kind == "float":
            return _without_nan(_cast(array, self.type, safe=False))
        if self.kind == "integer":
            whole = _cast(array, self.type)
            if text and whole.null_count > array.null_count:  # "3.0", as pandas writes it
                whole = pc.coalesce(whole, _cast(_cast(array, pa.float64()), self.type))
            return whole
        return _cast(array, self.type, safe=False)

    def _unknown(self, values: pa.Array) -> NDArray[np.bool_]:
        assert self.levels is not None
        encoded = _encoded(values)
        known = np.array([one in self.levels for one in encoded.dictionary.to_pylist()] + [True])
        unknown: NDArray[np.bool_] = ~known[codes(encoded)]
        return unknown


def codes(encoded: pa.DictionaryArray) -> NDArray[np.int32]:
    """Positions in the dictionary; missing values have the one behind its end."""
    indices = encoded.indices
    if indices.null_count:
        indices = indices.fill_null(len(encoded.dictionary))
    found: NDArray[np.int32] = indices.to_numpy(zero_copy_only=False)
    return found


def _bounds(kind: str, dtype: str) -> tuple[float, float | None]:
    """What the dtype can hold beyond what the Arrow type checks; the upper one None for anything."""
    if kind == "float":
        largest = LARGEST.get(dtype, np.finfo(np.float64).max)  # no infinity
        return -largest, largest
    if kind == "integer":
        digits = dtype.removeprefix("u").removeprefix("int")
        bits = int(digits) if digits.isdigit() else 64
        if dtype.startswith("u"):
            return 0, min(2**bits, 2**63) - 1
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return 0, None


def _encoded(array: pa.Array) -> pa.DictionaryArray:
    if pa.types.is_dictionary(array.type):
        if not array.dictionary.null_count and pa.types.is_int32(array.type.index_type):
            return array
        array = array.dictionary_decode()
    return array.dictionary_encode()


def _without_nan(array: pa.Array) -> pa.Array:
    """NaN is a missing value, as in pandas."""
    nan = pc.is_nan(array)
    if pc.any(nan).as_py():
        return pc.if_else(nan, pa.scalar(None, array.type), array)
    return array


def _cast(array: pa.Array, kind: pa.DataType, *, safe: bool = True) -> pa.Array:
    """The values as another type, null where that is not possible: such rows are found by halving."""
    try:
        return array.cast(kind, safe=safe)
    except pa.ArrowInvalid:
        if len(array) == 1:
            return pa.nulls(1, kind)
        middle = len(array) // 2
        parts = (array.slice(0, middle), array.slice(middle))
        return pa.concat_arrays([_cast(part, kind, safe=safe) for part in parts])


def _mask(rows: Any) -> NDArray[np.bool_]:
    if isinstance(rows, np.ndarray):
        return rows
    mask: NDArray[np.bool_] = rows.fill_null(False).to_numpy(zero_copy_only=False)
    return mask
