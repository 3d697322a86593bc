"""Errors in one shape, messages against their schemas, users, forms of services."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.auth.identity import IdentityProvider, PasswordIdentityProvider, User
from tornado.web import authenticated

import jupyter_mlops.errors as own
from jupyter_mlops.errors import MlopsError
from jupyter_mlops.server.app import JupyterMlops
from jupyter_mlops.server.errors import ApiError, from_error, from_status
from jupyter_mlops.server.identity import identify
from jupyter_mlops.server.messages import check, definitions
from jupyter_mlops.server.routes import ROUTES
from jupyter_mlops.server.service_form import row_schema
from tests.messages import check_message

MADE_UP = User("0d7a0cfeb1ca401c90f392f41ba3451d", "Anonymous Io")


def test_every_error_of_ours_has_a_code_of_its_own() -> None:
    codes = {name: getattr(own, name).code for name in own.__all__}
    assert len(set(codes.values())) == len(codes) and "internal" not in codes.values()
    assert (codes["TrackingError"], codes["CellFailedError"], codes["MlopsError"]) == ("tracking", "cell-failed", "failed")


@pytest.mark.parametrize("name", own.__all__)
def test_every_error_of_ours_is_an_answer(name: str) -> None:
    error: MlopsError = getattr(own, name)("It is so. Do that.")
    answer = from_error(error)
    assert (answer.code, answer.message) == (error.code, "It is so. Do that.")
    check_message("status", "ErrorMessage", answer.as_dict())


@pytest.mark.parametrize(
    ("name", "status"),
    [("TrackingError", 503), ("ConflictError", 409), ("EditedError", 409), ("NotFoundError", 404), ("ForbiddenError", 403),
     ("UsageError", 400), ("ParameterError", 400), ("ParityError", 422), ("MlopsError", 422)],
)  # fmt: skip
def test_statuses(name: str, status: int) -> None:
    assert from_error(getattr(own, name)("so")).status_code == status


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 418, 500, 502])
@pytest.mark.parametrize("message", [None, "100% wrong %s"])
def test_errors_of_jupyter_have_the_same_shape(status: int, message: str | None) -> None:
    for logged_in in (True, False):
        answer = from_status(status, message, logged_in=logged_in)
        check_message("status", "ErrorMessage", answer.as_dict())
        assert status < 500 or "wrong" not in answer.message  # what was not expected is not told


def test_a_message_is_refused_with_its_place() -> None:
    with pytest.raises(ApiError, match=r"at \$\.after|at \$") as refused:
        check("jobs", "JobRequest", {"kind": "convert", "path": 7})
    assert refused.value.code == "bad-message" and refused.value.status_code == 400
    with pytest.raises(ApiError) as long:
        check("notebook", "NotebookRequest", {"path": "a.ipynb", "language": "python", "cells": "x" * 100_000})
    assert len(long.value.message) < 500
    check("jobs", "JobRequest", {"kind": "run", "path": "a.ipynb", "parameters": {}})


@pytest.mark.parametrize("family", ["jobs", "models", "notebook", "runs", "services", "status"])
def test_the_schemas_are_schemas(family: str) -> None:
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(definitions(family))


def test_every_method_of_every_handler_is_guarded() -> None:
    guarded = authenticated(lambda self: None).__code__
    seen = 0
    for _, handler in ROUTES:
        for method in ("get", "post", "put", "patch", "delete", "head"):
            for cls in handler.__mro__[:2]:
                if method in vars(cls):
                    function: Any = vars(cls)[method]
                    assert function.__code__ is guarded, f"{cls.__name__}.{method} is not @authenticated"
                    assert function.__wrapped__.__module__ != "tornado.web" and hasattr(function.__wrapped__, "__wrapped__"), (
                        f"{cls.__name__}.{method} is not @authorized"
                    )
                    seen += 1
    assert seen >= 20


class OfAHub(IdentityProvider):
    """As JupyterHub's: it knows its users."""

    async def get_user(self, handler: Any) -> User | None:
        """The hub's user."""
        return User("ada")


@pytest.mark.parametrize(
    ("user", "provider", "rule", "expected"),
    [
        (MADE_UP, IdentityProvider(), "auto", None),
        (MADE_UP, PasswordIdentityProvider(), "auto", None),
        (MADE_UP, OfAHub(), "auto", MADE_UP.username),
        (User("ada"), OfAHub(), "auto", "ada"),
        (User("ada"), IdentityProvider(), "auto", "ada"),
        (MADE_UP, IdentityProvider(), "provider", MADE_UP.username),
        (User("ada"), OfAHub(), "system", None),
    ],
)
def test_who_asks(user: User, provider: IdentityProvider, rule: str, expected: str | None) -> None:
    assert identify(user, provider, rule).username == (expected or getpass.getuser())


def test_the_name_that_is_shown() -> None:
    assert identify(User("ada", "Ada Lovelace"), OfAHub()).as_dict() == {"username": "ada", "name": "Ada Lovelace"}


def test_the_form_is_complete_in_itself() -> None:
    ref = "#/components/schemas/"
    document = {
        "paths": {"/predict": {"post": {"requestBody": {"content": {"application/json": {"schema": {
            "anyOf": [{"$ref": f"{ref}Row"}, {"type": "array", "items": {"$ref": f"{ref}Row"}}]
        }}}}}}},
        "components": {"schemas": {
            "Row": {"type": "object", "properties": {"a": {"type": "number"}, "b": {"$ref": f"{ref}Part"}}},
            "Part": {"type": "array", "items": {"$ref": f"{ref}Leaf"}},
            "Leaf": {"type": "string"},
            "Other": {"type": "null"},
        }},
    }  # fmt: skip
    assert row_schema(document) == {
        "type": "object", "properties": {"a": {"type": "number"}, "b": {"$ref": "#/$defs/Part"}},
        "$defs": {"Part": {"type": "array", "items": {"$ref": "#/$defs/Leaf"}}, "Leaf": {"type": "string"}},
    }  # fmt: skip
    assert row_schema({}) is None and row_schema({"paths": []}) is None


@pytest.mark.parametrize(
    ("variable", "configured", "expected"),
    [
        (None, "", "sqlite:////books/mlflow.db"),
        ("sqlite:///own.db", "", "sqlite:////books/own.db"),  # where the notebook's kernel would look for it
        ("sqlite:////else/own.db", "", "sqlite:////else/own.db"),
        ("http://away:5000", "", "http://away:5000"),
        ("http://away:5000", "http://here:5000", "http://here:5000"),
    ],
)
def test_the_store_is_that_of_the_notebook(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, configured: str, expected: str
) -> None:
    if variable is None:
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    else:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", variable)
    assert JupyterMlops(tracking_uri=configured).tracking_uri_of(Path("/books")) == expected
