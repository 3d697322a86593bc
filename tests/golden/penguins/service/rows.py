"""Rows of a request: decoded by their type, and what is wrong with them said by field."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin

import msgspec

from service.errors import Problem, RequestError
from service.schemas import FIELDS, Row

MAX_PROBLEMS = 100

_decode = msgspec.json.Decoder(Row | list[Row]).decode


def decode_rows(body: bytes) -> Row | list[Row]:
    """One row, or rows, of a JSON body.

    Raises
    ------
    RequestError
        400 for what is no JSON, 422 for what is no row of the model.
    """
    try:
        rows: Row | list[Row] = _decode(body)
        return rows
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        data = parse_json(body)
        many = isinstance(data, list)
        found = explain(data if many else [data])
        if not found:
            found = [Problem((), str(error), "value_error")]
        if not many:
            found = [Problem(one.loc[1:], one.msg, one.type) for one in found]
        raise RequestError(422, *found) from None


def convert_rows(rows: Sequence[dict[str, Any]]) -> list[Row]:
    """Rows that another protocol has already parsed, checked like all others.

    Raises
    ------
    RequestError
        422, with every location as (row, column).
    """
    try:
        converted = msgspec.convert(rows, list[Row])
    except msgspec.ValidationError as error:
        raise RequestError(
            422, *explain(rows) or [Problem((), str(error), "value_error")]
        ) from None
    # A float made from text can be what no JSON number can be.
    if any(isinstance(v, float) and not math.isfinite(v) for row in rows for v in row.values()):
        raise RequestError(422, *explain(rows))
    return converted


def parse_json(body: bytes) -> Any:
    """JSON of any shape; NaN and infinities are read as well, so that their field can be named.

    Raises
    ------
    RequestError
        400, the body is no JSON.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        why = str(error)
    try:
        data = json.loads(body)
        json.dumps(data, ensure_ascii=False).encode()  # refuses half a surrogate pair
        return data
    except RecursionError:
        why = "the JSON is nested too deeply"
    except ValueError:
        pass
    raise RequestError(400, Problem((), why, "json_invalid"))


def explain(rows: Sequence[Any]) -> list[Problem]:
    """Everything that is wrong with rows, by row and column; at most `MAX_PROBLEMS`."""
    found: list[Problem] = []
    for position, row in enumerate(rows):
        if not isinstance(row, dict):
            msg = f"expected an object with the model's columns, got {_shown(row)}"
            found.append(Problem((position,), msg, "model_type"))
        else:
            found += _explain_row(position, row)
        if len(found) >= MAX_PROBLEMS:
            break
    return found[:MAX_PROBLEMS]


def _explain_row(position: int, row: dict[str, Any]) -> list[Problem]:
    found = []
    for name, field in FIELDS.items():
        if name not in row:
            if field.required:
                found.append(Problem((position, name), "field required", "missing"))
        elif (wrong := _wrong(row[name], field.type)) is not None:
            found.append(Problem((position, name), *wrong))
    for name in row.keys() - FIELDS.keys():
        found.append(Problem((position, name), "the model has no such column", "extra_forbidden"))
    if not found:
        try:
            msgspec.convert(row, Row)
        except msgspec.ValidationError as error:
            found.append(Problem((position,), str(error), "value_error"))
    return found


def _wrong(value: Any, kind: Any) -> tuple[str, str] | None:
    """Message and type of what is wrong with a value, None when nothing is."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value} is no JSON number or too large; a missing value is null", "finite_number"
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        if choices := _choices(kind):
            return (
                f"expected one of {', '.join(map(repr, choices))}; got {_shown(value)}",
                "literal_error",
            )
        return str(error), "type_error" if str(error).startswith("Expected `") else "value_error"
    except (OverflowError, RecursionError):
        return "the value is too large", "value_error"
    return None


def _choices(kind: Any) -> tuple[Any, ...]:
    """The values of a Literal anywhere in a type."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    return next((found for one in get_args(kind) if (found := _choices(one))), ())


def _shown(value: Any) -> str:
    text = (
        "null"
        if value is None
        else ascii(value)
        if isinstance(value, str)
        else type(value).__name__
    )
    return text if len(text) <= 60 else text[:60] + "..."
