"""How large a request's body may be, held on the wire: by the length it announces, and again while it comes in."""

from collections.abc import Callable
from contextlib import suppress

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nst.pictures.images import MAX_BYTES
from nst.styles.style_file import MOST_BYTES
from nst.web.problems import problem

PICTURE = MAX_BYTES * 4 // 3 + 2**20  # one picture in base64, and what is around it
STYLE = MOST_BYTES + 2**20  # a style file, and what is around it
SMALL = 2**20  # a request without pictures
LOGIN = 2**12  # a token, from anybody


def limit_of(path: str) -> int:
    """Bytes that a body sent to `path` may have."""
    if path in ("/api/v1/runs", "/api/v1/stylize"):
        return 3 * PICTURE  # content, style, and one to start from
    if path in ("/api/v1/stylize/fast", "/_dash-update-component"):
        return PICTURE
    if path == "/api/v1/styles/fast":
        return STYLE
    return LOGIN if path == "/login" else SMALL


def _size(limit: int) -> str:
    return f"{limit // 2**20} MB" if limit >= 2**20 else f"{limit // 2**10} kB"


class BodyLimit:
    """ASGI middleware that answers 413 to a body over its limit, without reading the rest of it."""

    def __init__(self, app: ASGIApp, limit_of: Callable[[str], int] = limit_of) -> None:
        self.app, self.limit_of = app, limit_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.limit_of(scope["path"])
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        answer = problem(413, "too_large", f"the request is over its limit of {_size(limit)}")
        if announced.isdigit() and int(announced) > limit:
            await answer(scope, receive, send)
            return
        body = _Counted(receive, limit)
        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            if started or not body.exceeded:  # what the application makes of a body cut off is not sent
                started = True
                await send(message)

        with suppress(_Exceeded, ClientDisconnect):  # who hangs up while sending is told nothing
            await self.app(scope, body, guarded)
        if body.exceeded and not started:
            await answer(scope, receive, send)


class _Exceeded(Exception):
    """A body went over its limit."""


class _Counted:
    """`receive`, which raises once more than `limit` bytes have come."""

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
