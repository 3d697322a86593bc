"""OpenAPI objects made from the types that decode the requests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

TEMPLATE = "#/components/schemas/{name}"

REFUSALS = {
    "400": "the body is no JSON",
    "413": "the body is too large, or has too many rows",
    "422": "a row is not what the model takes; the field is named",
    "503": "the model is not loaded",
}


def ref(kind: type) -> dict[str, str]:
    """A reference to the schema of a type."""
    return {"$ref": TEMPLATE.format(name=kind.__name__)}


def components(types: Iterable[Any]) -> dict[str, Any]:
    """Schemas of types and of all that they use, by name."""
    return msgspec.json.schema_components(list(types), ref_template=TEMPLATE)[1]


def operation(
    summary: str,
    description: str,
    *,
    request: dict[str, tuple[dict[str, Any], dict[str, Any]]],
    response: dict[str, Any],
    error: dict[str, Any],
    tag: str = "predictions",
    parameters: Iterable[dict[str, Any]] = (),
) -> dict[str, Any]:
    """An operation object.

    Parameters
    ----------
    request
        By media type: the schema, and examples by name.
    """
    return {
        "summary": summary,
        "description": description,
        "tags": [tag],
        "parameters": list(parameters),
        "requestBody": {
            "required": True,
            "content": {
                media: {
                    "schema": schema,
                    "examples": {name: {"value": value} for name, value in examples.items()},
                }
                for media, (schema, examples) in request.items()
            },
        },
        "responses": {
            "200": {"description": "predictions", "content": _json(response)},
            **{
                status: {"description": text, "content": _json(error)}
                for status, text in REFUSALS.items()
            },
        },
    }


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
