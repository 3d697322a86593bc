"""``POST /invocations``: requests as MLflow's scoring server takes them."""

from __future__ import annotations

import csv
import io
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.types import Scope

from service.endpoint import Endpoint
from service.errors import Problem, Problems, RequestError
from service.openapi import operation, ref
from service.rows import convert_rows, parse_json
from service.schemas import COLUMNS
from service.state import State

# What pandas.read_csv, and so MLflow, reads as a missing value.
MISSING = frozenset(
    "|#N/A|#N/A N/A|#NA|-1.#IND|-1.#QNAN|-NaN|-nan|1.#IND|1.#QNAN|<NA>|N/A|NA|NULL|NaN|None|n/a|nan|null".split(
        "|"
    )
)
BOOLEANS = {"true": True, "false": False}


class Split(Struct):
    """A table as columns and rows of values."""

    columns: list[str]
    data: list[list[Any]]
    index: list[Any] | None = None


class Invocation(Struct, forbid_unknown_fields=True):
    """Rows in one of MLflow's four forms."""

    dataframe_split: Split | UnsetType = UNSET
    dataframe_records: list[dict[str, Any]] | UnsetType = UNSET
    instances: list[Any] | dict[str, list[Any]] | UnsetType = UNSET
    inputs: list[Any] | dict[str, list[Any]] | UnsetType = UNSET
    params: Annotated[dict[str, Any] | None, Meta(description="not used")] = None


class Predictions(Struct):
    """Predictions in the order of the rows."""

    predictions: list[Any]


def invocations_endpoint(state: State) -> Endpoint:
    """The endpoint."""
    kinds = {one["name"]: one["kind"] for one in state.artifacts.signature["raw"]["inputs"]}

    async def handle(scope: Scope, body: bytes) -> bytes:
        media = next((v for k, v in scope["headers"] if k == b"content-type"), b"application/json")
        match media.split(b";")[0].strip().lower():
            case b"application/json":
                rows, prefix = _json_rows(body)
            case b"text/csv":
                rows, prefix = _csv_rows(body, kinds), "csv"
            case other:
                why = f"send application/json or text/csv, not {other.decode('latin-1')}"
                raise RequestError(415, Problem(("header", "content-type"), why, "media_type"))
        try:
            outputs, name = await state.predict(scope, convert_rows(rows))
        except RequestError as error:
            raise error.below("body", prefix) from None
        if name is not UNSET:
            scope["request_id"] = name  # MLflow's answer has no place for it
        return msgspec.json.encode(Predictions(outputs.labels))

    rows = state.artifacts.example(2)
    names = list(COLUMNS)
    data = [[row.get(name) for name in names] for row in rows]
    examples = {
        "dataframe_split": {"dataframe_split": {"columns": names, "data": data}},
        "dataframe_records": {"dataframe_records": rows},
        "inputs": {"inputs": {name: [row.get(name) for row in rows] for name in names}},
    }
    described = operation(
        "Predict, as MLflow's scoring server does",
        "JSON in one of MLflow's four forms, or CSV with a header line.",
        request={
            "application/json": (ref(Invocation), examples),
            "text/csv": ({"type": "string"}, {"csv": _csv_text(names, data)}),
        },
        response=ref(Predictions),
        error=ref(Problems),
        tag="mlflow",
    )
    return Endpoint(state, "invocations", handle, described)


def _json_rows(body: bytes) -> tuple[list[dict[str, Any]], str]:
    """The rows of a JSON body, and the name of the form that it uses."""
    data = parse_json(body)
    try:
        request = msgspec.convert(data, Invocation)
    except (msgspec.ValidationError, RecursionError) as error:
        raise RequestError(422, Problem(("body",), str(error), "value_error")) from None
    forms = ("dataframe_split", "dataframe_records", "instances", "inputs")
    given = [name for name in forms if getattr(request, name) is not UNSET]
    if len(given) != 1:
        why = f"give exactly one of {', '.join(forms)}"
        raise RequestError(422, Problem(("body",), why, "value_error"))
    form = given[0]
    try:
        return _table(getattr(request, form)), form
    except ValueError as error:
        raise RequestError(422, Problem(("body", form), str(error), "value_error")) from None


def _table(value: Any) -> list[dict[str, Any]]:
    match value:
        case Split(columns=names, data=data):
            if len(set(names)) != len(names):
                raise ValueError("a column is given twice")
            for number, values in enumerate(data):
                if len(values) != len(names):
                    raise ValueError(
                        f"row {number} has {len(values)} values for {len(names)} columns"
                    )
            return [dict(zip(names, values, strict=True)) for values in data]
        case dict():
            lengths = {len(values) for values in value.values()}
            if len(lengths) > 1:
                raise ValueError("the columns differ in length")
            count = lengths.pop() if lengths else 0
            return [{name: values[n] for name, values in value.items()} for n in range(count)]
        case _:
            return [_by_position(row) if isinstance(row, list) else row for row in value]


def _by_position(values: list[Any]) -> dict[str, Any]:
    if len(values) != len(COLUMNS):
        raise ValueError(f"a row without names must have {len(COLUMNS)} values, not {len(values)}")
    return dict(zip(COLUMNS, values, strict=True))


def _csv_rows(body: bytes, kinds: dict[str, str]) -> list[dict[str, Any]]:
    """Rows of CSV with a header line; the types are those of the columns."""
    try:
        lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise RequestError(400, Problem(("body",), f"no CSV: {error}", "csv_invalid")) from None
    lines = [line for line in lines if line]
    if not lines:
        raise RequestError(
            400, Problem(("body",), "no CSV: there is no header line", "csv_invalid")
        )
    names, *data = lines
    try:
        table = _table(Split(names, data))
    except ValueError as error:
        raise RequestError(422, Problem(("body", "csv"), str(error), "value_error")) from None
    return [
        {name: _typed(text, kinds.get(name, "string")) for name, text in row.items()}
        for row in table
    ]


def _typed(text: str, kind: str) -> Any:
    """A field of CSV as the column's type; text that does not fit stays text and is refused later."""
    if text in MISSING:
        return None
    try:
        match kind:
            case "float":
                return float(text)
            case "integer":
                return int(text)
            case "boolean":
                return BOOLEANS.get(text.lower(), text)
    except ValueError:
        pass
    return text


def _csv_text(names: list[str], data: list[list[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(data)
    return out.getvalue()
