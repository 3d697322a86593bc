"""One shape for all errors that the browser gets (`ErrorMessage`), and what of this package's own errors becomes which."""

from __future__ import annotations

from typing import Any

from tornado.web import HTTPError

from jupyter_mlops.errors import MlopsError

__all__ = ["ApiError", "from_code", "from_error", "from_status"]

# Code of an error of ours -> HTTP status.
_STATUS_OF = {
    "conflict": 409, "edited": 409, "output": 409, "not-found": 404, "forbidden": 403, "notebook": 400, "parameter": 400, "usage": 400,
    "data": 503, "environment": 503, "kernel": 503, "missing-package": 503, "tracking": 503,
}  # fmt: skip
_REFUSED = 422  # the others: what was asked for was understood and cannot be done
# What Jupyter's own server says: HTTP status -> code, message, what to do next.
_STATUSES: dict[int, tuple[str, str, str | None]] = {
    400: ("bad-message", "The request cannot be read.", None),
    401: ("unauthenticated", "Nobody is logged in.", "Reload the page and log in."),
    403: ("forbidden", "This is not allowed.", "Ask whoever runs this Jupyter server."),
    404: ("not-found", "There is nothing at this address.", "Update jupyter-mlops and reload the page."),
    405: ("method", "This address does not take such a request.", "Update jupyter-mlops and reload the page."),
    413: ("too-large", "The request is too large.", None),
}
_LOGIN = ("unauthenticated", "Nobody is logged in, or the login has ended.", "Reload the page and log in again.")
_XSRF = ("xsrf", "The request does not carry this server's XSRF token, so it may come from another site.", "Reload the page.")
_INTERNAL = ("internal", "The server met an error that it did not expect.", "The server's log has the details.")


class ApiError(HTTPError):
    """An answer in the shape `ErrorMessage`."""

    def __init__(self, status: int, code: str, message: str, fix: str | None = None) -> None:
        super().__init__(status, message)
        self.code = code
        self.message = message
        self.fix = fix

    def as_dict(self) -> dict[str, Any]:
        """The message."""
        return {"code": self.code, "message": self.message, "fix": self.fix}


def from_error(error: MlopsError) -> ApiError:
    """The answer to one of this package's own errors. Its message ends with what to do."""
    return from_code(error.code, str(error))


def from_code(code: str, message: str) -> ApiError:
    """The same for an error of another process."""
    return ApiError(_STATUS_OF.get(code, _REFUSED), code, message)


def from_status(status: int, message: str | None, *, logged_in: bool) -> ApiError:
    """The answer to an error of the Jupyter server itself."""
    fix: str | None
    if status == 403 and not logged_in:
        code, text, fix = _LOGIN
    elif status == 403 and "xsrf" in (message or "").lower():
        code, text, fix = _XSRF
    elif status in _STATUSES:
        code, said, fix = _STATUSES[status]
        text = message if message and status not in (404, 405) else said
    elif status < 500:
        code, text, fix = "refused", message or "The request was refused.", None
    else:
        code, text, fix = _INTERNAL
    return ApiError(status, code, text, fix)
