"""Limits the size of request bodies, by their Content-Length and by the bytes that arrive."""

from collections.abc import Callable
from contextlib import suppress

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nst.pictures.images import MAX_BYTES
from nst.styles.style_file import MOST_BYTES
from nst.web.problems import problem

# Bytes of a body, which holds some more than its files.
PICTURE_BODY = MAX_BYTES * 4 // 3 + 2**20  # with one picture in base64
STYLE_BODY = MOST_BYTES + 2**20  # with a style file
SMALL_BODY = 2**20  # without files
LOGIN_BODY = 2**12  # with a token; sent by clients that are not logged in


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
    """ASGI middleware that answers 413 to a body over its limit, without reading the rest."""

    def __init__(self, app: ASGIApp, limit_of: Callable[[str], int] = limit_of) -> None:
        self.app, self.limit_of = app, limit_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.limit_of(scope["path"])
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        answer = problem(413, "too_large", f"the request is over its limit of {_size(limit)}")
        if announced.isdigit() and int(announced) > limit:
            await answer(scope, receive, send)
            return
        body = _LimitedReceive(receive, limit)
        started = False

        async def limited_send(message: Message) -> None:
            nonlocal started
            if started or not body.exceeded:  # the application's answer to a truncated body is dropped
                started = True
                await send(message)

        with suppress(_Exceeded, ClientDisconnect):  # a client that disconnects gets no answer
            await self.app(scope, body, limited_send)
        if body.exceeded and not started:
            await answer(scope, receive, send)


class _Exceeded(Exception):
    """A body exceeded its limit."""


class _LimitedReceive:
    """An ASGI `receive` that raises `_Exceeded` after more than `limit` bytes of body."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive, self._left = receive, limit

    @property
    def exceeded(self) -> bool:
        return self._left < 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self.exceeded:
            raise _Exceeded
        return message
