"""What the form of a service is made from: the JSON Schema of a row, and a golden row to begin with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["golden_row", "row_schema"]

_PLACE = "#/components/schemas/"


def row_schema(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """The schema of one row in a service's OpenAPI document, complete in itself; None where there is none."""
    try:
        body = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        schemas = document["components"]["schemas"]
        row = next(one["$ref"].removeprefix(_PLACE) for one in body.get("anyOf", [body]) if "$ref" in one)
        wanted = [row]
        for name in wanted:  # grows
            wanted += [one for one in dict.fromkeys(_references(schemas[name])) if one not in wanted]
        form: dict[str, Any] = _moved(schemas[row])
        if wanted[1:]:
            form["$defs"] = {name: _moved(schemas[name]) for name in wanted[1:]}
    except (KeyError, TypeError, AttributeError, StopIteration):
        return None
    return form


def golden_row(project: Path) -> dict[str, Any] | None:
    """The first of the rows that the notebook's predictions are kept of."""
    try:
        row = json.loads((project / "model" / "golden.json").read_text(encoding="utf-8"))["rows"][0]
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None
    return row if isinstance(row, dict) else None


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(found := value.get("$ref"), str):
            yield found.removeprefix(_PLACE)
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _references(one)


def _moved(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: f"#/$defs/{v.removeprefix(_PLACE)}" if k == "$ref" and isinstance(v, str) else _moved(v) for k, v in value.items()
        }
    return [_moved(one) for one in value] if isinstance(value, list) else value
