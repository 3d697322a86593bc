"""What all handlers share: authentication and authorisation, checked messages in and out, one shape of errors."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado.web import HTTPError

from jupyter_mlops.errors import MlopsError
from jupyter_mlops.server.errors import ApiError, from_error, from_status
from jupyter_mlops.server.identity import Identity, identify
from jupyter_mlops.server.messages import check

if TYPE_CHECKING:
    from jupyter_mlops.server.app import JupyterMlops
    from jupyter_mlops.server.paths import Root

__all__ = ["Handler", "executes"]

_MIB = 1024 * 1024
F = TypeVar("F", bound=Callable[..., Any])


def executes(method: F) -> F:
    """`authorized` for what starts or stops processes: an authoriser may let people look who must not do that."""
    return cast("F", cast("Any", authorized)(action="execute")(method))


class Handler(ExtensionHandlerMixin, APIHandler):
    """Base of the handlers. Each method of theirs is `authenticated` and `authorized`; a test looks."""

    auth_resource = "jupyter-mlops"
    max_body = _MIB  # bytes

    @property
    def app(self) -> JupyterMlops:
        """The extension."""
        return cast("JupyterMlops", self.extensionapp)

    @property
    def user(self) -> Identity:
        """Who asks."""
        return identify(self.current_user, self.identity_provider, self.app.identity)

    @property
    def root(self) -> Root:
        """The folder that the server shows."""
        return self.app.root

    # -- in -------------------------------------------------------------------------------------------------------------

    def message(self, family: str, name: str) -> dict[str, Any]:
        """The body of the request, as the schema `name` says.

        Raises
        ------
        ApiError
            413, 415, or 400 ``bad-message``.
        """
        body = self.request.body
        if len(body) > self.max_body:
            raise ApiError(
                413, "too-large", f"The request has {len(body) / _MIB:.1f} MiB; {self.max_body // _MIB} MiB are taken.",
                "Make it smaller, such as by clearing what was pasted into cells.",
            )  # fmt: skip
        kind = self.request.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if kind != "application/json":
            raise ApiError(415, "bad-message", f"The body has to be application/json, not {kind or 'of no type'}.")
        try:
            found = json.loads(body, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise ApiError(400, "bad-message", f"The body is no JSON: {str(error)[:200]}.") from None
        try:
            check(family, name, found)
        except RecursionError:
            raise ApiError(400, "bad-message", "The body is nested too deeply.") from None
        if family != "notebook" and not _can_be_kept(found):  # in a cell it is a syntax error, which is shown there
            raise ApiError(400, "bad-message", "The message holds half a character (a lone surrogate).", "Type the text anew.")
        return cast("dict[str, Any]", found)

    def text(self, name: str, default: str | None = "") -> str:
        """A parameter of the address; None as the default makes it necessary."""
        found = self.get_query_argument(name, default, strip=False)
        if found is None:
            raise ApiError(400, "bad-message", f"The address lacks {name}=.")
        return str(found)

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number of the address, from 0 on."""
        text = self.text(name, str(default))
        if not (text.isascii() and text.isdigit()) or len(text) > 12 or int(text) > most:
            raise ApiError(400, "bad-message", f"{name} has to be a number from 0 to {most}, not {text[:50]!r}.")
        return int(text)

    def flag(self, name: str, *, default: bool) -> bool:
        """A yes or no of the address."""
        text = self.text(name, str(default)).lower()
        if text not in ("0", "1", "false", "true"):
            raise ApiError(400, "bad-message", f"{name} has to be true or false, not {text[:50]!r}.")
        return text in ("1", "true")

    def notebook_path(self) -> Path:
        """The notebook that ``path=`` names."""
        return self.root.notebook(self.text("path", None))

    # -- out ------------------------------------------------------------------------------------------------------------

    def reply(self, message: Any, status: int = 200) -> None:
        """Answer with a message."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        try:
            text = json.dumps(message, allow_nan=False)
        except ValueError:  # JSON has no NaN, browsers refuse it
            text = json.dumps(_finite(message), allow_nan=False)
        self.finish(text)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """All errors have one shape, those of the Jupyter server itself too."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, MlopsError):
            error = from_error(error)
            self.set_status(error.status_code)
        if not isinstance(error, ApiError):
            said = error.log_message if isinstance(error, HTTPError) else None
            error = from_status(status_code, said, logged_in=bool(self.current_user))
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(error.as_dict()))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """What the page is told is no news for the server's log."""
        if isinstance(value, ApiError) and value.status_code < 500:
            self.log.debug("%s: %s", value.code, value.message)
        else:
            super().log_exception(typ, value, tb)

    def update_api_activity(self) -> None:
        """A page that asks for the state of things does not keep an idle server alive."""
        if self.request.method not in ("GET", "HEAD"):
            super().update_api_activity()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _can_be_kept(message: Any) -> bool:
    """Whether a file and a database take its texts: JSON can write halves of characters, UTF-8 cannot."""
    try:
        json.dumps(message, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value
