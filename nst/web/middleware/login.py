"""Access control of a studio with a token: requests need the token, or the cookie of a session that it opened.

A session is a signed timestamp. Its key is derived from the token and from a file of random bytes, so that another
token or a new file ends all sessions. /logout removes the cookie, of which a copy stays valid; /logout/everywhere
writes a new file, and so does a start without one: after a deletion, or in a backup that was restored, which lacks it.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from urllib.parse import parse_qsl, quote

from itsdangerous import BadSignature, TimestampSigner
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from nst.atomic_write import atomic_write
from nst.lru_cache import LruCache
from nst.web.pages.html_page import html_page
from nst.web.problems import problem

Sleep = Callable[[float], Awaitable[object]]  # waits so many seconds

SESSION_COOKIE = "nst-session"
SESSION_SECONDS = 30 * 24 * 3600
HEALTH = "/api/v1/health"
PROGRAM_PATHS = ("/api/", "/openapi.json", "/_dash-")  # prefixes of paths that are not opened as pages
CHALLENGE = {"WWW-Authenticate": "Bearer"}
WRONG_TOKEN = (
    "That is not this studio’s token. It is the NST_TOKEN that the studio was started with, or the one it printed then."
)
TOO_MANY_WRONG = "Too many wrong tokens came from your address. Wait a minute, then try again."

PAGE = """<main>
<svg viewBox="0 0 64 28" aria-hidden="true">
<path d="M5 21c13-2 12-16 24-16s11 13 30 6" pathLength="1"/>
<path d="M7 13c9-1 10-8 20-9" pathLength="1"/>
<path d="M33 24c9 0 14-4 25-5" pathLength="1"/>
</svg>
<h1><span class="wordmark">nst</span> studio</h1>
<p>This studio is private. Its token lets you in.</p>
<form method="post" action="/login{query}">
<input type="text" name="username" value="nst studio" autocomplete="username" hidden>
<label for="token">Token</label>
<input class="form-control" type="password" id="token" name="token" required autofocus
autocomplete="current-password" autocapitalize="off" spellcheck="false"{described}>
{error}
<button class="btn btn-primary" type="submit">Log in</button>
</form>
</main>"""


class Login:
    """ASGI middleware that requires the token, and serves /login, /logout and /logout/everywhere.

    `file` is what sessions depend on beside the token. /assets, which the login page needs, and a short answer of the
    health route need no token.
    """

    def __init__(self, app: ASGIApp, token: str, file: Path, sleep: Sleep = asyncio.sleep) -> None:
        self.app, self._sessions, self._token = app, Sessions(token, file), TokenCheck(token, sleep)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        path = scope.get("path", "")
        if scope["type"] == "lifespan" or path.startswith("/assets/"):
            await self.app(scope, receive, send)
        elif scope["type"] == "http" and path == "/login":
            await (await self._login(Request(scope, receive)))(scope, receive, send)
        elif scope["type"] == "http" and path == "/logout" and scope["method"] == "POST":
            await _logout()(scope, receive, send)
        else:
            refusal = await self._refusal(HTTPConnection(scope))
            if refusal is None and path == "/logout/everywhere" and scope.get("method") == "POST":
                await asyncio.to_thread(self._sessions.end_all)
                await _logout()(scope, receive, send)
            elif refusal is None:
                await self.app(scope, receive, send)
            elif scope["type"] == "http":
                await refusal(scope, receive, send)
            else:
                await WebSocketClose()(scope, receive, send)

    async def _refusal(self, request: HTTPConnection) -> Response | None:
        """Return the answer to a request without token and session, None for any other."""
        if self._has_session(request):
            return None
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            right = await self._token.check(given.strip(" \t").encode("latin-1"), _address(request))
            if right is None:
                return problem(429, "too_many", TOO_MANY_WRONG)
            if right:
                return None
        path = request.scope["path"]
        if path == HEALTH:
            return JSONResponse({"status": "ok"})  # for monitoring, which needs no token to see that the server runs
        if path.startswith(PROGRAM_PATHS) or request.scope.get("method") not in ("GET", "HEAD"):
            answer = problem(401, "unauthorized", "give the studio's token as `Authorization: Bearer TOKEN`")
            answer.headers.update(CHALLENGE)
            return answer
        query = request.scope["query_string"].decode("latin-1")
        following = f"{path}?{query}" if query else path
        return RedirectResponse(f"/login?next={quote(following, safe='/')}", 303)

    async def _login(self, request: Request) -> Response:
        """Answer /login: the page, or the result of the token that was sent from it."""
        following = own_path(request.query_params.get("next", "/"))
        given: str | None
        if request.method == "POST":
            given = dict(parse_qsl((await request.body()).decode(errors="replace"))).get("token", "")
        elif self._has_session(request):
            return RedirectResponse(following, 303)
        else:
            given = request.query_params.get("token")  # of the link that the server prints
        if given is None:
            return _page(following)
        right = await self._token.check(given.strip().encode(), _address(request))
        if right is None:
            return _page(following, 429, TOO_MANY_WRONG)
        if not right:
            return _page(following, 401, WRONG_TOKEN)
        answer = RedirectResponse(following, 303)
        session, secure = self._sessions.new(), request.scope["scheme"] == "https"
        # Lax rather than Strict: a link to a run in a mail or a chat then opens without another login. Requests that
        # change something are never GET: from other sites they bring no Lax cookie, and the origin check refuses them.
        answer.set_cookie(
            SESSION_COOKIE, session, max_age=SESSION_SECONDS, path="/", httponly=True, secure=secure, samesite="lax"
        )
        return answer

    def _has_session(self, request: HTTPConnection) -> bool:
        return self._sessions.is_valid(request.cookies.get(SESSION_COOKIE, ""))


class Sessions:
    """Makes and checks the sessions of a studio with `token`, the values of their cookies.

    `file` is read once, and written where there is none; what it holds is no secret.
    """

    def __init__(self, token: str, file: Path) -> None:
        self._token, self._file = token.encode(), file
        self._set_signer(file.read_bytes() if file.exists() else secrets.token_bytes(16))
        if not file.exists():
            with suppress(OSError):  # as on a full disk: these sessions end with this server
                self.end_all()

    def end_all(self) -> None:
        """End every session, now and after a restart. Raises OSError if that cannot be recorded."""
        era = secrets.token_bytes(16)
        with atomic_write(self._file) as part:
            part.write_bytes(era)
        self._set_signer(era)

    def _set_signer(self, era: bytes) -> None:
        key = hmac.digest(self._token, b"nst session" + era, "sha256")
        self._signer = TimestampSigner(key, digest_method=hashlib.sha256)

    def new(self) -> str:
        """Return a session that begins now."""
        return self._signer.sign("session").decode()

    def is_valid(self, value: str) -> bool:
        """Return whether a cookie's value is a session that has not ended."""
        try:
            self._signer.unsign(value, max_age=SESSION_SECONDS)
        except BadSignature:  # of which an expired one is a kind
            return False
        return True


@dataclass
class _Guesser:
    """An address that sent wrong tokens."""

    wrong: int = 0  # tokens so far
    waiting: int = 0  # requests with a wrong token
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class TokenCheck:
    """Compares tokens with the right one, and delays the answers to wrong ones: one after another, each longer."""

    FIRST_DELAY, LONGEST_DELAY = 0.25, 5.0  # seconds
    MAX_WAITING = 10  # wrong tokens of one address
    MAX_ADDRESSES = 1000  # that are remembered

    def __init__(self, token: str, sleep: Sleep = asyncio.sleep) -> None:
        self._token, self._sleep = token.encode(), sleep
        self._guessers = LruCache[str, _Guesser](self.MAX_ADDRESSES)  # by address

    async def check(self, given: bytes, address: str) -> bool | None:
        """Return whether `given` is the token, at once if it is; None if too many wrong ones of `address` wait."""
        if hmac.compare_digest(given, self._token):
            return True
        guesser = self._guessers.get_or_make(address, _Guesser)
        if guesser.waiting >= self.MAX_WAITING:
            return None
        guesser.waiting += 1
        try:
            async with guesser.turn:
                guesser.wrong += 1
                await self._sleep(min(self.FIRST_DELAY * 2.0 ** (guesser.wrong - 1), self.LONGEST_DELAY))
                return False
        finally:
            guesser.waiting -= 1


def own_path(path: str) -> str:
    """Return `path` if it leads to a page of this server, "/" if it may lead elsewhere."""
    return path if re.fullmatch(r"/(?![/\\])[^\\\x00-\x20\x7f]*", path) else "/"


def _page(following: str, status: int = 200, error: str = "") -> HTMLResponse:
    page = PAGE.format(
        query="" if following == "/" else escape(f"?next={quote(following, safe='/')}"),
        error=f'<p class="field-error" id="error" role="alert">{escape(error)}</p>' if error else "",
        described=' aria-invalid="true" aria-describedby="error"' if error else "",
    )
    headers = {"Cache-Control": "no-store"} | (CHALLENGE if status == 401 else {})
    return HTMLResponse(html_page("log in", page, "login"), status, headers)


def _logout() -> Response:
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="lax")
    return answer


def _address(request: HTTPConnection) -> str:
    """The client's address as far as the connection shows it."""
    return request.client.host if request.client else ""
