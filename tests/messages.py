"""Answers of workflows and of the server against the schemas of the messages."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema
import yaml

from tests.conftest import ROOT

__all__ = ["check_message"]


@cache
def _schema(topic: str) -> dict[str, Any]:
    text = (ROOT / "jupyter_mlops" / "schema" / "api" / f"{topic}.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def check_message(topic: str, name: str, message: Any) -> None:
    """Assert that a message is what ``schema/api/TOPIC.yaml`` says of it, also as JSON."""
    schema = _schema(topic)
    plain = json.loads(json.dumps(message, allow_nan=False))
    jsonschema.validate(plain, {"$schema": schema["$schema"], "$defs": schema["$defs"], "$ref": f"#/$defs/{name}"})
