"""Limits the structure of JSON bodies before they are parsed: 40 MB of `{},{},` would take gigabytes of memory."""

import asyncio
import json
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nst.web.problems import problem

MOST_NESTED = 64  # of arrays and objects inside each other
MOST_TOKENS = 100_000  # brackets, commas and quotes; the gallery sends eight for each card that it shows
TOKEN = re.compile(rb'["\[\]{},]')
PATHS = ("/api/", "/_dash-")  # prefixes of paths whose bodies are parsed; Dash also parses those sent to PAGE
PAGE = "/"
FORMS = {  # paths that take forms, too: request_parsing.py parses short fields of them, with check_json
    "/api/v1/runs",
    "/api/v1/stylize",
    "/api/v1/stylize/fast",
    "/api/v1/styles/fast",
    "/api/v1/uploads",
}
CALLBACKS = "/_dash-update-component"


def check_json(text: bytes) -> None:
    """Raise ValueError if JSON text is nested too deeply, has too many values, or is not in UTF-8, as JSON must be.

    Any other error is not noticed. What is in strings does not count, and is skipped quickly.
    """
    encoding = json.detect_encoding(text)  # which a parser reads it in: quotes are other bytes in UTF-16 and UTF-32
    if not encoding.startswith("utf-8"):
        raise ValueError(f"it must be UTF-8, got {encoding}")
    levels = tokens = position = 0
    in_string = False
    while True:
        if in_string:
            found = text.find(b'"', position)
            before = text[position:found]
            in_string = (len(before) - len(before.rstrip(b"\\"))) % 2 == 1  # that quote is escaped
        else:
            token = TOKEN.search(text, position)
            found = token.start() if token else -1
            character = token[0] if token else b""
            in_string = character == b'"'
            levels += (character in (b"[", b"{")) - (character in (b"]", b"}"))
        if found < 0:
            return
        position, tokens = found + 1, tokens + 1
        if levels > MOST_NESTED:
            raise ValueError(f"it is nested too deeply: in more than {MOST_NESTED} levels")
        if tokens > MOST_TOKENS:
            raise ValueError(f"it has more than {MOST_TOKENS} brackets, commas and quotes")


class JsonLimit:
    """ASGI middleware that answers 400 to a JSON body over the limits, and 415 to a callback of Dash in no JSON.

    Every body is taken for JSON, whatever its method and type, but a form where a route takes one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if not _may_have_json(scope):
            await self.app(scope, receive, send)
            return
        type = _type(scope)
        if scope["path"] == CALLBACKS and not type.startswith("application/json"):
            rule = f"`Content-Type` must be application/json, got {type[:80]!r}"
            await problem(415, "unsupported_media_type", rule, "Content-Type")(scope, receive, send)
            return
        body = await _read(receive)
        if body is None:
            return  # nobody waits for an answer
        try:
            if body:
                await asyncio.to_thread(check_json, body)
        except ValueError as error:
            await problem(400, "malformed", f"the body cannot be read as JSON: {error}")(scope, receive, send)
            return
        messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        await self.app(scope, replay, send)


def _may_have_json(scope: Scope) -> bool:
    if scope["type"] != "http" or not (scope["path"] == PAGE or scope["path"].startswith(PATHS)):
        return False
    return scope["path"] not in FORMS or not _type(scope).lower().startswith("multipart/form-data")


def _type(scope: Scope) -> str:
    return dict(scope["headers"]).get(b"content-type", b"").decode("latin-1")


async def _read(receive: Receive) -> bytes | None:
    """Return the body; None if the client disconnected before its end."""
    parts, more = [], True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)
