"""Which pages may ask: the studio listens to its own only, at its own address.

A browser lets every web page send requests to this machine. The Origin header gives away the page of another site; the
Host header gives away another name that was made to point here (DNS rebinding). Where a token is asked for, any name
will do: under another name than ours a browser brings no session of ours. Then a proxy that passes Host on may stand in
front; what it forwards besides (X-Forwarded-...) is not read here.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from nst.web.problems import problem

LOCAL = {"localhost", "127.0.0.1", "::1"}
SAFE = {"GET", "HEAD", "OPTIONS"}  # a WebSocket's handshake has no method here, and is not safe
OWN_PAGE = {"", "same-origin", "none"}  # Sec-Fetch-Site of requests that no other page sent


class OriginCheck:
    """ASGI middleware that answers 403 to strangers. `host` is the address that the server listens on."""

    def __init__(self, app: ASGIApp, host: str, any_name: bool = False) -> None:
        self.app, self._known, self._any_name = app, LOCAL | {host.lower()}, any_name
        self._any_address = not loopback(host)  # of this machine, which may have many

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
        site = headers.get(b"sec-fetch-site", b"").decode("latin-1").lower()
        name = _name(host)
        if not (self._any_name or name in self._known or (self._any_address and _address(name))):
            return f"`Host` must be an address of this server, got {host[:80]!r}"
        if scope.get("method") in SAFE:
            return ""
        if origin and origin.partition("://")[2] != host:
            return f"`Origin` must be a page of this server, got {origin[:80]!r}"
        if not origin and site not in OWN_PAGE:
            return f"`Sec-Fetch-Site` must be same-origin, got {site[:80]!r}"
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


def loopback(host: str) -> bool:
    """Whether only this machine reaches an address to listen on; of a name but localhost nobody knows."""
    return host.lower() == "localhost" or (_address(host) and ip_address(host).is_loopback)
