"""Limits the size of request bodies, by their Content-Length and by the bytes that arrive, and of all together."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nst.errors import Busy
from nst.pictures.images import MAX_BYTES
from nst.styles.style_file import MOST_BYTES
from nst.web.problems import problem, problem_of

# Bytes of a body, which holds some more than its files.
PICTURE_BODY = MAX_BYTES * 4 // 3 + 2**20  # with one picture in base64
STYLE_BODY = MOST_BYTES + 2**20  # with a style file
SMALL_BODY = 2**20  # without files
LOGIN_BODY = 2**12  # with a token; sent by clients that are not logged in
# Of all requests in flight together, each from the end of its first SMALL_BODY on: those without files are answered
# whatever others send. To parse bodies takes some times as much memory.
MOST_IN_FLIGHT = 512 * 2**20


def limit_of(path: str) -> int:
    """Return how many bytes a body sent to `path` may have."""
    if path in ("/api/v1/runs", "/api/v1/stylize", "/api/v1/variations"):
        return 3 * PICTURE_BODY  # three of the largest pictures, or up to seven of a usual size
    if path in ("/api/v1/stylize/fast", "/_dash-update-component", "/api/v1/uploads"):
        return PICTURE_BODY
    if path == "/api/v1/styles/fast":
        return STYLE_BODY
    return LOGIN_BODY if path == "/login" else SMALL_BODY


def _size(limit: int) -> str:
    return f"{limit // 2**20} MB" if limit >= 2**20 else f"{limit // 2**10} kB"


class BodyLimit:
    """ASGI middleware that answers 413 to a body over its limit, and 503 to one over what is left for all in flight.

    The rest of such a body is not read. A body is in flight until its request was answered.
    """

    def __init__(
        self, app: ASGIApp, limit_of: Callable[[str], int] = limit_of, most_in_flight: int = MOST_IN_FLIGHT
    ) -> None:
        self.app, self.limit_of, self._budget = app, limit_of, _Budget(most_in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.limit_of(scope["path"])
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > limit:
            await _too_large(limit)(scope, receive, send)
            return
        body = _LimitedReceive(receive, limit, self._budget)
        started = False

        async def limited_send(message: Message) -> None:
            nonlocal started
            if started or body.refusal is None:  # the application's answer to a truncated body is dropped
                started = True
                await send(message)

        try:
            with suppress(_Refused, ClientDisconnect):  # a client that disconnects gets no answer
                await self.app(scope, body, limited_send)
        finally:
            body.release()
        if body.refusal is not None and not started:
            await body.refusal(scope, receive, send)


def _too_large(limit: int) -> Response:
    return problem(413, "too_large", f"the request is over its limit of {_size(limit)}")


@dataclass
class _Budget:
    """Bytes that the bodies in flight may still take together."""

    left: int


class _Refused(Exception):
    """A body is refused."""


class _LimitedReceive:
    """An ASGI `receive` that raises `_Refused` after more than `limit` bytes of body, or more than a budget has left.

    `refusal` is the answer then. `release` returns what was taken of the budget.
    """

    def __init__(self, receive: Receive, limit: int, budget: _Budget) -> None:
        self._receive, self._limit, self._budget = receive, limit, budget
        self._received = self._taken = 0  # bytes, in all and of the budget
        self.refusal: Response | None = None

    async def __call__(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        more = max(0, self._received - SMALL_BODY) - self._taken
        if self._received > self._limit:
            self.refusal = _too_large(self._limit)
        elif more > self._budget.left:
            self.refusal = problem_of(Busy("other requests with large files are being read: try again in a moment"))
        if self.refusal is not None:
            raise _Refused
        self._taken += more
        self._budget.left -= more
        return message

    def release(self) -> None:
        self._budget.left += self._taken
        self._taken = 0
