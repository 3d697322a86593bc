"""One POST route as a plain ASGI application: body with a limit, answer, errors, numbers."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from service.errors import Problem, RequestError, encode_problems
from service.metrics import ROUTES
from service.state import State

log = logging.getLogger(__name__)

JSON = (b"content-type", b"application/json")

Handler = Callable[[Scope, bytes], Awaitable[bytes]]


class Endpoint:
    """Reads the body, calls `handle` and sends what it returns.

    Parameters
    ----------
    route
        Its name in the metrics; None is not counted.
    handle
        Takes scope and body, returns JSON; raises `RequestError` for what it cannot answer.
    operation
        Its OpenAPI operation object: request body and responses.
    encode_error
        Body of an answer that refuses the request.
    """

    def __init__(
        self,
        state: State,
        route: str | None,
        handle: Handler,
        operation: dict[str, Any],
        encode_error: Callable[[RequestError], bytes] = encode_problems,
    ) -> None:
        self.operation = operation
        self._state = state
        self._metrics = state.metrics
        self._route = None if route is None else ROUTES.index(route)
        self._handle = handle
        self._encode_error = encode_error
        self._max_body = state.config.max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = perf_counter()
        if self._route is not None:
            self._metrics.started()
        status = 500
        try:
            try:
                if not self._state.loaded:
                    raise RequestError(503, Problem((), "the model is not loaded", "not_ready"))
                message = await receive()
                body: bytes = message.get("body", b"")
                if message.get("more_body") or len(body) > self._max_body:
                    body = await self._rest(scope, body, message, receive)
                answer = await self._handle(scope, body)
                status = 200
            except RequestError as error:
                status, answer = error.status, self._encode_error(error)
            except Exception:
                log.exception("a request to %s failed", scope["path"])
                failed = Problem((), "the service failed; its log says why", "internal_error")
                answer = self._encode_error(RequestError(status, failed))
            await send(_head(status, len(answer), scope.get("request_id")))
            await send({"type": "http.response.body", "body": answer})
        finally:
            if self._route is not None:
                self._metrics.finished(self._route, status, perf_counter() - started)

    async def _rest(self, scope: Scope, body: bytes, message: Message, receive: Receive) -> bytes:
        """A body that comes in pieces, or is too large. It is never held beyond the limit."""
        for name, value in scope["headers"]:
            if name == b"content-length" and int(value) > self._max_body:
                raise self._too_large()
        pieces, size = [body], len(body)
        while size <= self._max_body and message.get("more_body"):
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestError(400, Problem(("body",), "the body ended early", "disconnected"))
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
        if size > self._max_body:
            raise self._too_large()
        return b"".join(pieces)

    def _too_large(self) -> RequestError:
        why = f"the body is larger than {self._max_body} bytes"
        return RequestError(413, Problem(("body",), why, "too_large"))


def _head(status: int, length: int, request_id: str | None) -> Message:
    headers = [JSON, (b"content-length", b"%d" % length)]
    if request_id is not None:  # where the body has no room for it
        headers.append((b"x-request-id", request_id.encode("latin-1")))
    if status == 413:  # the rest of the body is not read
        headers.append((b"connection", b"close"))
    return {"type": "http.response.start", "status": status, "headers": headers}
