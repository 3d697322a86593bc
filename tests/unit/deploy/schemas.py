"""Manifests against the schemas of Kubernetes and of the controllers' custom resources, made strict: no unknown field passes."""

from __future__ import annotations

import json
import lzma
from functools import cache
from typing import Any

import kubernetes_validate
from jsonschema import Draft202012Validator

from tests.conftest import ROOT

__all__ = ["KUBERNETES", "check"]

KUBERNETES = "1.37"
_INT32 = {"minimum": -(2**31), "maximum": 2**31 - 1}


def check(manifest: dict[str, Any]) -> list[str]:
    """What is wrong with a manifest, by the path of each fault."""
    kind = f"{manifest['apiVersion']}/{manifest['kind']}"
    if kind not in _schemas():
        return _core(manifest)
    # Every kind has the metadata of the core ones; a custom resource's own schema says nothing about them.
    faults = _core({"apiVersion": "v1", "kind": "ConfigMap", "metadata": manifest["metadata"]})
    return faults + [f"{error.json_path}: {error.message}" for error in _validator(kind).iter_errors(manifest)]


def _core(manifest: dict[str, Any]) -> list[str]:
    try:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{'.'.join(map(str, error.path))}: {error.message}"]
    return []


@cache
def _schemas() -> dict[str, Any]:
    with lzma.open(ROOT / "tests" / "data" / "crds.json.xz") as file:
        schemas: dict[str, Any] = json.load(file)
    return schemas


@cache
def _validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(_strict(_schemas()[kind]))


def _strict(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    made = dict(schema)
    if "properties" in schema:
        made["properties"] = {name: _strict(one) for name, one in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields") and "additionalProperties" not in schema:
            made["additionalProperties"] = False
    for name in ("items", "additionalProperties"):
        if name in schema:
            made[name] = _strict(schema[name])
    if schema.get("format") == "int32":
        made = {**_INT32, **made}
    return made
