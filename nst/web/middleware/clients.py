"""Who asks, where several people share a studio: each browser, or program, is a client with an id of its own.

The id is a secret between a client and the studio: who has it sees that client's runs. It names nobody.
"""

import re
from contextvars import ContextVar
from uuid import uuid4

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from nst.web.problems import problem

COOKIE = "nst-client"
HEADER = "NST-Client"  # for programs, which keep no cookies
LASTS = 365 * 24 * 3600  # seconds after the page was last opened

_current: ContextVar[str] = ContextVar("client", default="")


def current_client() -> str:
    """The client whose request is being answered, in a Dash callback too; "" where everyone is the one user."""
    return _current.get()


def client_of(request: HTTPConnection) -> str:
    """The client that asks; "" where everyone is the one user."""
    return getattr(request.state, "client", "")


class Clients:
    """ASGI middleware that tells the clients apart, by a header or a cookie, and gives an id to who has none."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        named, kept = asked.headers.get(HEADER, ""), _id(asked.cookies.get(COOKIE, ""))
        if named and not _id(named):
            await _refuse(scope, receive, send, named)
            return
        client = _id(named) or kept or uuid4().hex
        fresh = not named and (not kept or scope["path"] in ("/", "/instant", "/gallery"))  # the page renews its cookie

        async def signed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[HEADER] = client
                if fresh:
                    headers.append("Set-Cookie", _cookie(client, secure=scope["scheme"] == "https"))
            await send(message)

        scope.setdefault("state", {})["client"] = client
        before = _current.set(client)
        try:
            await self.app(scope, receive, signed)
        finally:
            _current.reset(before)


def _id(text: str) -> str:
    """A client's id as it is written here, "" if `text` is none."""
    return text.lower() if re.fullmatch("[0-9a-fA-F]{32}", text) else ""


def _cookie(client: str, secure: bool) -> str:
    answer = Response()
    answer.set_cookie(COOKIE, client, max_age=LASTS, path="/", httponly=True, secure=secure, samesite="lax")
    return answer.headers["set-cookie"]


async def _refuse(scope: Scope, receive: Receive, send: Send, named: str) -> None:
    if scope["type"] == "http":
        message = f"`{HEADER}` must be 32 hex digits, got {named[:80]!r}"
        await problem(422, "invalid", message, HEADER)(scope, receive, send)
    else:
        await WebSocketClose()(scope, receive, send)
