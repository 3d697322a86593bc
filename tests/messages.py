"""Answers of workflows against the schemas of the messages."""

from __future__ import annotations

from typing import Any

import jsonschema
import yaml

from tests.conftest import ROOT

__all__ = ["check_message"]


def check_message(topic: str, name: str, message: Any) -> None:
    """Assert that a message is what ``schema/api/TOPIC.yaml`` says of it."""
    schema = yaml.safe_load((ROOT / "jupyter_mlops" / "schema" / "api" / f"{topic}.yaml").read_text(encoding="utf-8"))
    jsonschema.validate(message, {"$schema": schema["$schema"], "$defs": schema["$defs"], "$ref": f"#/$defs/{name}"})
