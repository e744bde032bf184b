"""Lets browsers keep assets whose address changes with their content: Dash's `?m=<time>`, or a version in the name."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CACHED = "public, max-age=31536000, immutable"  # a year


class CachedAssets:
    """ASGI middleware that adds the header to assets with such an address."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or not _has_version(scope):
            await self.app(scope, receive, send)
            return

        async def send_cached(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                MutableHeaders(scope=message)["Cache-Control"] = CACHED
            await send(message)

        await self.app(scope, receive, send_cached)


def _has_version(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.startswith("/assets/plotly/") or (path.startswith("/assets/") and scope["query_string"][:2] == b"m=")
