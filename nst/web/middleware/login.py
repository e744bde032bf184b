"""The door of a studio with a token: who brings neither the token nor a session's cookie gets no further than /login.

A session is the second at which it ends and a signature of that, made with a key that is derived from the token: it is
kept nowhere here, and another token ends them all. /logout takes the cookie away; a copy of it would go on working.
"""

import asyncio
import hmac
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from html import escape
from urllib.parse import parse_qsl, quote

from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from nst.web.pages.html_page import html_page
from nst.web.problems import problem

Rest = Callable[[float], Awaitable[object]]  # waits so many seconds

COOKIE = "nst-session"
LASTS = 30 * 24 * 3600  # seconds
HEALTH = "/api/v1/health"
PROGRAMS = ("/api/", "/openapi.json", "/_dash-")  # paths that no person opens
CHALLENGE = {"WWW-Authenticate": "Bearer"}
WRONG = "That is not this studio’s token. It is the NST_TOKEN that the studio was started with."
CROWDED = "Too many wrong tokens came from your address. Wait a minute, then try again."

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
{trouble}
<button class="btn btn-primary" type="submit">Log in</button>
</form>
</main>"""


class Login:
    """ASGI middleware that asks for the token, serves /login and /logout, and leaves open /assets and a bare health."""

    def __init__(self, app: ASGIApp, token: str, rest: Rest = asyncio.sleep) -> None:
        self.app, self._key, self._guesses = app, session_key(token), Guesses(token, rest)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope.get("path", "")
        if scope["type"] == "lifespan" or path.startswith("/assets/"):
            await self.app(scope, receive, send)
        elif scope["type"] == "http" and path == "/login":
            await (await self._login(Request(scope, receive)))(scope, receive, send)
        elif scope["type"] == "http" and path == "/logout" and scope["method"] == "POST":
            await _logout()(scope, receive, send)
        else:
            refusal = await self._refusal(HTTPConnection(scope))
            if refusal is None:
                await self.app(scope, receive, send)
            elif scope["type"] == "http":
                await refusal(scope, receive, send)
            else:
                await WebSocketClose()(scope, receive, send)

    async def _refusal(self, asked: HTTPConnection) -> Response | None:
        """What is answered to who may not come in, None to who may."""
        if self._knows(asked):
            return None
        scheme, _, given = asked.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            right = await self._guesses.right(given.strip(" \t").encode("latin-1"), _address(asked))
            if right is None:
                return problem(429, "too_many", CROWDED)
            if right:
                return None
        path = asked.scope["path"]
        if path == HEALTH:
            return JSONResponse({"status": "ok"})  # that it runs is no secret: what watches over it needs no token
        if path.startswith(PROGRAMS) or asked.scope.get("method") not in ("GET", "HEAD"):
            answer = problem(401, "unauthorized", "give the studio's token as `Authorization: Bearer TOKEN`")
            answer.headers.update(CHALLENGE)
            return answer
        query = asked.scope["query_string"].decode("latin-1")
        wanted = f"{path}?{query}" if query else path
        return RedirectResponse(f"/login?next={quote(wanted, safe='/')}", 303)

    async def _login(self, request: Request) -> Response:
        """The page, or what comes of the token that was sent from it."""
        following = own_path(request.query_params.get("next", "/"))
        if request.method != "POST":
            return RedirectResponse(following, 303) if self._knows(request) else _page(following)
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        right = await self._guesses.right(form.get("token", "").strip().encode(), _address(request))
        if right is None:
            return _page(following, 429, CROWDED)
        if not right:
            return _page(following, 401, WRONG)
        answer = RedirectResponse(following, 303)
        # Lax, not Strict: a link to a run, from a mail or a chat, opens for who is logged in. What changes something
        # is never a GET, and such requests from other pages bring no cookie, nor pass the guard.
        session, secure = new_session(self._key, time.time()), request.scope["scheme"] == "https"
        answer.set_cookie(COOKIE, session, max_age=LASTS, path="/", httponly=True, secure=secure, samesite="lax")
        return answer

    def _knows(self, asked: HTTPConnection) -> bool:
        return is_session(asked.cookies.get(COOKIE, ""), self._key, time.time())


# Sessions -------------------------------------------------------------------------------------------------------------


def session_key(token: str) -> bytes:
    """The key that signs the sessions of a studio with that token."""
    return hmac.digest(token.encode(), b"nst session", "sha256")


def new_session(key: bytes, now: float) -> str:
    """A session from `now` on, in seconds since 1970: what its cookie holds."""
    ends = str(int(now) + LASTS)
    return f"{ends}.{_signature(key, ends)}"


def is_session(value: str, key: bytes, now: float) -> bool:
    """Whether a cookie's value is a session that was signed with `key` and has not ended."""
    ends, _, signature = value.partition(".")
    return hmac.compare_digest(signature.encode(), _signature(key, ends).encode()) and now < int(ends)


def _signature(key: bytes, ends: str) -> str:
    return hmac.digest(key, ends.encode(), "sha256").hex()


# Guesses --------------------------------------------------------------------------------------------------------------


@dataclass
class _Guesser:
    """An address that gives tokens."""

    wrong: int = 0
    waiting: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Guesses:
    """Looks at the tokens that an address gives one after another, and rests after a wrong one: ever longer."""

    FIRST, LONGEST = 0.25, 5.0  # seconds of rest
    MOST_WAITING = 10  # tokens of one address
    REMEMBERED = 1000  # addresses

    def __init__(self, token: str, rest: Rest = asyncio.sleep) -> None:
        self._token, self._rest = token.encode(), rest
        self._guessers: dict[str, _Guesser] = {}  # who gave a token last comes last

    async def right(self, given: bytes, address: str) -> bool | None:
        """Whether `given` is the token; None if it was not looked at, as too many others wait."""
        guesser = self._guessers.pop(address, None) or _Guesser()
        self._guessers[address] = guesser
        if len(self._guessers) > self.REMEMBERED:
            del self._guessers[next(iter(self._guessers))]
        if guesser.waiting >= self.MOST_WAITING:
            return None
        guesser.waiting += 1
        try:
            async with guesser.turn:
                right = hmac.compare_digest(given, self._token)
                guesser.wrong = 0 if right else guesser.wrong + 1
                if not right:
                    await self._rest(min(self.FIRST * 2.0 ** (guesser.wrong - 1), self.LONGEST))
                return right
        finally:
            guesser.waiting -= 1


# Pages ----------------------------------------------------------------------------------------------------------------


def own_path(path: str) -> str:
    """`path` if it leads to a page of this server, "/" if it might lead elsewhere."""
    return path if re.fullmatch(r"/(?![/\\])[^\\\x00-\x20\x7f]*", path) else "/"


def _page(following: str, status: int = 200, trouble: str = "") -> HTMLResponse:
    page = PAGE.format(
        query="" if following == "/" else escape(f"?next={quote(following, safe='/')}"),
        trouble=f'<p class="field-error" id="trouble" role="alert">{escape(trouble)}</p>' if trouble else "",
        described=' aria-invalid="true" aria-describedby="trouble"' if trouble else "",
    )
    return HTMLResponse(
        html_page("log in", page, "login"), status, {"Cache-Control": "no-store"} | (CHALLENGE if status == 401 else {})
    )


def _logout() -> Response:
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
    return answer


def _address(asked: HTTPConnection) -> str:
    """Where a request comes from, as far as the connection says."""
    return asked.client.host if asked.client else ""
