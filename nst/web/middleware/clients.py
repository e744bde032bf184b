"""Identifies clients, where several people share a studio: each browser or program has an id.

An id is random and secret: whoever knows it can see and change the client's runs.
"""

import re
from uuid import uuid4

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from nst.web.current_client import CLIENT
from nst.web.problems import problem

CLIENT_COOKIE = "nst-client"
HEADER = "NST-Client"  # for programs, which have no cookies
PAGES = ("/", "/instant", "/vary", "/gallery", "/compare", "/learn")  # paths that renew the cookie
COOKIE_SECONDS = 365 * 24 * 3600  # of validity after the page was last opened


def client_of(request: HTTPConnection) -> str:
    """Return the id of the client that sent `request`; "" if the studio is not shared."""
    return getattr(request.state, "client", "")


class Clients:
    """ASGI middleware that reads the id from a header or a cookie, and gives a new one to a client without."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        from_header, from_cookie = request.headers.get(HEADER, ""), _id(request.cookies.get(CLIENT_COOKIE, ""))
        if from_header and not _id(from_header):
            await _refuse(scope, receive, send, from_header)
            return
        client = _id(from_header) or from_cookie or uuid4().hex
        # Opening a page renews the cookie.
        set_cookie = not from_header and (not from_cookie or scope["path"] in PAGES)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[HEADER] = client
                if set_cookie:
                    headers.append("Set-Cookie", _cookie(client, secure=scope["scheme"] == "https"))
            await send(message)

        scope.setdefault("state", {})["client"] = client
        before = CLIENT.set(client)
        try:
            await self.app(scope, receive, send_with_id)
        finally:
            CLIENT.reset(before)


def _id(text: str) -> str:
    """Return an id in lower case, "" if `text` is not one."""
    return text.lower() if re.fullmatch("[0-9a-fA-F]{32}", text) else ""


def _cookie(client: str, secure: bool) -> str:
    answer = Response()
    answer.set_cookie(
        CLIENT_COOKIE, client, max_age=COOKIE_SECONDS, path="/", httponly=True, secure=secure, samesite="lax"
    )
    return answer.headers["set-cookie"]


async def _refuse(scope: Scope, receive: Receive, send: Send, given: str) -> None:
    if scope["type"] == "http":
        message = f"`{HEADER}` must be 32 hex digits, got {given[:80]!r}"
        await problem(422, "invalid", message, HEADER)(scope, receive, send)
    else:
        await WebSocketClose()(scope, receive, send)
