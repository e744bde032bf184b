"""Who may ask: the studio listens to pages of its own only, at its own address.

A browser lets every web page send requests to this machine. The Origin header gives away the page of another site; the
Host header gives away another name that was made to point here (DNS rebinding).
"""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from nst.web.problems import problem

LOCAL = {"localhost", "127.0.0.1", "::1"}
SAFE = {"GET", "HEAD", "OPTIONS"}


class Guard:
    """ASGI middleware that answers 403 to strangers. `host` is the address that the server listens on."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        self.app, self._known = app, LOCAL | {host.lower()}
        self._any_address = not _loopback(host)  # of this machine, which may have many

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        trouble = "" if scope["type"] == "lifespan" else self._trouble(scope)
        if not trouble:
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await problem(403, "forbidden", trouble)(scope, receive, send)
        else:
            await WebSocketClose()(scope, receive, send)

    def _trouble(self, scope: Scope) -> str:
        """Why a request is refused, "" if it is not."""
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1").lower()
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        name = _name(host)
        if name not in self._known and not (self._any_address and _address(name)):
            return f"`Host` must be an address of this server, got {host[:80]!r}"
        if origin and scope.get("method") not in SAFE and origin.partition("://")[2] != host:
            return f"`Origin` must be a page of this server, got {origin[:80]!r}"
        return ""


def _name(host: str) -> str:
    """A Host header without its port, and without the brackets of an IPv6 address; "" if it is no host."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _address(name: str) -> bool:
    """Whether `name` is an IP address."""
    try:
        return bool(ip_address(name))
    except ValueError:
        return False


def _loopback(host: str) -> bool:
    return host.lower() == "localhost" or (_address(host) and ip_address(host).is_loopback)
