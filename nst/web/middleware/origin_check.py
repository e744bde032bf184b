"""Refuses requests that pages of other sites make a browser send.

A browser lets every web page send requests to this machine. The Origin header shows that a request came from a page of
another site; the Host header shows that it used another name which resolves to this machine (DNS rebinding). With a
token, any name is accepted: a browser sends the session's cookie only to the name under which it was set. So a proxy
may be in front that passes the Host header on. X-Forwarded-... headers are not read here.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from nst.web.problems import problem

LOCAL = {"localhost", "127.0.0.1", "::1"}
SAFE = {"GET", "HEAD", "OPTIONS"}  # methods; the handshake of a WebSocket has none in its scope, and is not safe
OWN_PAGE = {"", "same-origin", "none"}  # values of Sec-Fetch-Site that pages of other sites cannot cause


class OriginCheck:
    """ASGI middleware that answers 403 to such requests. `host` is the address that the server listens on."""

    def __init__(self, app: ASGIApp, host: str, any_name: bool = False) -> None:
        self.app, self._known, self._any_name = app, LOCAL | {host.lower()}, any_name
        self._any_address = not is_loopback(host)  # then any IP address may be one of this machine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        error = "" if scope["type"] == "lifespan" else self._error(scope)
        if not error:
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await problem(403, "forbidden", error)(scope, receive, send)
        else:
            await WebSocketClose()(scope, receive, send)

    def _error(self, scope: Scope) -> str:
        """Return why a request is refused, "" if it is not."""
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1").lower()
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        site = headers.get(b"sec-fetch-site", b"").decode("latin-1").lower()
        name = _name(host)
        if not (self._any_name or name in self._known or (self._any_address and _is_address(name))):
            return f"`Host` must be an address of this server, got {host[:80]!r}"
        if scope.get("method") in SAFE:
            return ""
        if origin and origin.partition("://")[2] != host:
            return f"`Origin` must be a page of this server, got {origin[:80]!r}"
        if not origin and site not in OWN_PAGE:
            return f"`Sec-Fetch-Site` must be same-origin, got {site[:80]!r}"
        return ""


def _name(host: str) -> str:
    """Return a Host header without its port and the brackets of an IPv6 address; "" if it is not valid."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    """Return whether `name` is an IP address."""
    try:
        return bool(ip_address(name))
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Return whether an address to listen on is reached from this machine only; False for names but "localhost"."""
    return host.lower() == "localhost" or (_is_address(host) and ip_address(host).is_loopback)
