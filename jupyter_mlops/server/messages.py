"""Messages against their JSON Schemas (`schema/api/*.yaml`), which the frontend's types are generated from, too."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from jupyter_mlops.server.errors import ApiError

__all__ = ["check", "definitions"]

_SHOWN = 200  # characters of a value in a message


@cache
def definitions(family: str) -> dict[str, Any]:
    """The schemas of a family of messages (``jobs``, ``models``, ``monitoring``, ``notebook``, ``runs``, ``services``, ``status``)."""
    import yaml

    text = (files("jupyter_mlops.schema") / "api" / f"{family}.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@cache
def _validator(family: str, name: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": definitions(family)["$defs"]})


def check(family: str, name: str, message: Any) -> None:
    """Refuse a message that is not as its schema says.

    Raises
    ------
    ApiError
        400 ``bad-message``, with the first place that is wrong.
    """
    from jsonschema.exceptions import best_match

    found = best_match(_validator(family, name).iter_errors(message))
    if found is not None:
        raise ApiError(
            400, "bad-message", f"The message is no {name}: {_sentence(found)}.",
            "Update jupyter-mlops, so that the server and the page are of one version, and reload the page.",
        )  # fmt: skip


def _sentence(error: Any) -> str:
    text = (
        error.message if len(error.message) <= _SHOWN else f"{error.message[: _SHOWN // 2]} ... {error.message[-_SHOWN // 2 :]}"
    )
    return f"at {error.json_path}: {text}"
