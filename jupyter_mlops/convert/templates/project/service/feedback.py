"""``POST /feedback``: what turned out to be true of rows that were predicted before."""

from __future__ import annotations

import time
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from starlette.types import Scope

from service.endpoint import Endpoint
from service.errors import Problem, Problems, RequestError
from service.journal import Label
from service.openapi import operation, ref
from service.prediction_log import kind_of
from service.rows import parse_json
from service.state import State

KINDS: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "integer": (int,),
    "float": (int, float),
    "string": (str,),
}


class Feedback(Struct, forbid_unknown_fields=True):
    """The truth about one row of a request."""

    id: Annotated[
        str, Meta(min_length=1, max_length=200, description="`id` of the answer, or x-request-id")
    ]
    label: Annotated[Any, Meta(description="what is predicted, as it turned out to be")]
    row: Annotated[int, Meta(ge=0, le=2**31 - 1, description="position of the row in the request")] = 0


class Accepted(Struct):
    """How many labels were taken."""

    accepted: int


def feedback_endpoint(state: State) -> Endpoint:
    """The endpoint."""
    kind = kind_of(state.artifacts.output)

    async def handle(scope: Scope, body: bytes) -> bytes:
        if state.log is None:
            why = "no prediction log is kept; SERVICE_LOG_DIR names a folder for it"
            raise RequestError(503, Problem((), why, "no_log"))
        data = parse_json(body)
        try:
            given = msgspec.convert(data if isinstance(data, list) else [data], list[Feedback])
        except (msgspec.ValidationError, RecursionError) as error:
            raise RequestError(422, Problem(("body",), str(error), "value_error")) from None
        wrong = [at for at, one in enumerate(given) if not _fits(one.label, kind)]
        if wrong:
            raise RequestError(
                422, *(Problem(("body", at, "label"), f"is no {kind}", "type_error") for at in wrong[:100])
            )
        now = time.time_ns()
        if not state.log.feedback([Label(now, one.id, one.row, one.label) for one in given]):
            raise RequestError(503, Problem((), "too many labels wait; try again", "busy"))
        return msgspec.json.encode(Accepted(len(given)))

    output = state.artifacts.output
    example = (output["classes"] or [{"integer": 1, "boolean": True, "string": "a"}.get(kind, 1.5)])[0]
    body = {"anyOf": [ref(Feedback), {"type": "array", "items": ref(Feedback)}]}
    one = {"id": "0f8fad5b-d9cb-469f-a165-70867728950e", "label": example}
    described = operation(
        "Tell what was true",
        "The label of a row that was predicted, by the `id` of the answer; one, or an array.",
        request={"application/json": (body, {"one label": one, "a row of many": [{**one, "row": 3}]})},
        response=ref(Accepted),
        error=ref(Problems),
    )
    return Endpoint(state, None, handle, described)


def _fits(label: Any, kind: str) -> bool:
    if isinstance(label, bool):
        return kind == "boolean"
    return isinstance(label, KINDS[kind])
