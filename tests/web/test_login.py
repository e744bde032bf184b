import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI, WebSocket
from fastapi.testclient import TestClient
from httpx2 import Response
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Message
from starlette.websockets import WebSocketDisconnect

from nst.jobs.store import Store
from nst.options.settings import Settings
from nst.web.factory import create_app
from nst.web.middleware.body_limit import LOGIN_BODY, BodyLimit
from nst.web.middleware.login import COOKIE, LASTS, Guesses, Login, is_session, new_session, own_path, session_key
from nst.web.middleware.origin_check import OriginCheck
from tests.web.sites import queue_of
from tests.web.test_api import told

TOKEN = "open-sesame-open"
BEARER = {"Authorization": f"Bearer {TOKEN}"}

modest = settings(max_examples=200, deadline=None, derandomize=True)


async def at_once(seconds: float) -> None:
    """A rest that takes no time."""


def door(token: str = TOKEN, scheme: str = "http") -> TestClient:
    """A small site behind a door, with the guard and the limit that stand before it in the studio."""
    server = FastAPI()
    server.add_middleware(Login, token=token, rest=at_once)
    server.add_middleware(BodyLimit)
    server.add_middleware(OriginCheck, host="127.0.0.1", any_name=True)
    for path in ("/", "/docs", "/api/v1/runs", "/assets/theme.css", "/_dash-layout"):
        server.add_api_route(path, lambda: "inside", methods=["GET", "POST"])
    server.add_api_route("/api/v1/health", lambda: {"status": "ok", "worker": "warm"})

    @server.websocket("/_dash-ws-callback")
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("inside")
        await socket.close()

    return TestClient(server, base_url=f"{scheme}://localhost", follow_redirects=False)


@pytest.fixture
def client() -> TestClient:
    return door()


def log_in(client: TestClient, token: str = TOKEN, following: str = "") -> Response:
    return client.post("/login", params={"next": following} if following else {}, data={"token": token})


@pytest.mark.parametrize(
    "path", ["/api/v1/runs", "/api/v1/unheard-of", "/api/", "/openapi.json", "/_dash-layout", "/_dash-update-component"]
)
def test_a_program_without_the_token_gets_401_in_the_one_shape(client: TestClient, path: str) -> None:
    for method in ("GET", "POST"):
        answer = client.request(method, path)
        told(answer, 401, "unauthorized", "Authorization: Bearer TOKEN")
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("path", "following"),
    [
        ("/", "/"),
        ("/docs", "/docs"),
        ("/?run=abc&at=2", "/%3Frun%3Dabc%26at%3D2"),
        ("//evil.example", "//evil.example"),
    ],
)
def test_a_person_without_a_session_is_led_to_the_door(client: TestClient, path: str, following: str) -> None:
    answer = client.get(f"http://localhost{path}")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/login?next={following}"


def test_a_person_who_sends_something_without_a_session_is_told_so(client: TestClient) -> None:
    told(client.post("/"), 401, "unauthorized")


def test_the_token_opens_everything_to_a_program(client: TestClient) -> None:
    for path in ("/", "/api/v1/runs", "/_dash-layout"):
        assert client.get(path, headers=BEARER).json() == "inside"
    assert client.post("/api/v1/runs", headers={"Authorization": f"bearer  {TOKEN} "}).json() == "inside"
    assert "set-cookie" not in client.get("/", headers=BEARER).headers


@pytest.mark.parametrize(
    "given", [f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer", "Bearer ", f"Basic {TOKEN}", TOKEN, "Bearer ключ"]
)
def test_anything_but_the_token_opens_nothing(client: TestClient, given: str) -> None:
    told(client.get("/api/v1/runs", headers={"Authorization": given.encode()}), 401, "unauthorized")


def test_a_token_may_have_any_letters() -> None:
    token = "пароль-из-букв-à"
    client = door(token)
    assert client.get("/api/v1/runs", headers={"Authorization": f"Bearer {token}".encode()}).status_code == 200
    assert log_in(client, token).status_code == 303
    assert client.get("/").json() == "inside"


def test_who_logs_in_is_led_on_with_a_session_that_does_not_tell_the_token(client: TestClient) -> None:
    answer = log_in(client, f" {TOKEN}\n", "/?run=abc")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?run=abc")
    cookie = answer.headers["set-cookie"]
    assert TOKEN not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    assert f"Max-Age={LASTS}" in cookie
    assert client.get("/api/v1/runs").json() == client.get("/").json() == "inside"
    assert client.get("/login?next=/docs").headers["location"] == "/docs"


def test_a_session_made_over_https_stays_there() -> None:
    assert "Secure" in log_in(door(scheme="https")).headers["set-cookie"]


@pytest.mark.parametrize(
    "following", ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", ""]
)
def test_the_door_leads_nowhere_else(client: TestClient, following: str) -> None:
    assert log_in(client, following=following).headers["location"] == "/"


@modest
@given(st.text(st.sampled_from("/\\.:@%?#\t\n\r e\x00")))
def test_a_path_of_ours_begins_with_one_slash_and_has_nothing_that_browsers_drop_or_turn(text: str) -> None:
    path = own_path(text)
    assert path in (text, "/")
    assert path.startswith("/")
    assert not path.startswith("//")
    assert not set(path) & set("\\\t\n\r\x00 ")


def test_a_wrong_token_brings_the_page_again_with_a_sentence(client: TestClient) -> None:
    plain = client.get("/login?next=/docs")
    assert plain.status_code == 200
    assert 'role="alert"' not in plain.text
    assert 'action="/login?next=/docs"' in plain.text
    assert plain.headers["cache-control"] == "no-store"
    answer = log_in(client, "<wrong>", "/docs")
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert re.search(r'role="alert">[^<]+token', answer.text)
    assert 'action="/login?next=/docs"' in answer.text
    assert "<wrong>" not in answer.text


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"token", b"token=%FF", b"other=1", b"--x\r\n"])
def test_a_form_that_makes_no_sense_is_a_wrong_token(client: TestClient, body: bytes) -> None:
    assert client.post("/login", content=body).status_code == 401


def test_a_form_is_small(client: TestClient) -> None:
    told(log_in(client, "x" * LOGIN_BODY), 413, "too_large", "4 kB")


def test_who_hangs_up_while_logging_in_causes_no_trouble(client: TestClient) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-length", b"30")]
    scope = {"type": "http", "method": "POST", "path": "/login", "query_string": b"", "headers": headers}
    asyncio.run(client.app(scope, receive, send))
    assert sent == []


def test_a_page_elsewhere_logs_nobody_in_or_out(client: TestClient) -> None:
    for path in ("/login", "/logout"):
        answer = client.post(path, data={"token": TOKEN}, headers={"Origin": "http://evil.example"})
        told(answer, 403, "forbidden", "`Origin`")


def test_what_comes_after_next_is_quoted_in_the_page(client: TestClient) -> None:
    assert "<script>alert" not in client.get('/login?next=/"><script>alert(1)</script>').text


def test_who_logs_out_has_no_session(client: TestClient) -> None:
    log_in(client)
    answer = client.post("/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert client.get("/").status_code == 303


def test_another_token_ends_all_sessions(client: TestClient) -> None:
    log_in(client)
    other = door("another-open-sesame")
    other.cookies.set(COOKIE, client.cookies[COOKIE])
    assert other.get("/").status_code == 303


def test_a_session_lasts_thirty_days_and_cannot_be_made_longer() -> None:
    key, now = session_key(TOKEN), 1_000_000.0
    session = new_session(key, now)
    assert is_session(session, key, now + 30 * 24 * 3600 - 1)
    assert not is_session(session, key, now + 30 * 24 * 3600)
    ends, signature = session.split(".")
    for forged in (f"{int(ends) + 1}.{signature}", signature, f".{signature}", f"{ends}.", "", ".", "x.y", f"{ends}.é"):
        assert not is_session(forged, key, now)
    assert not is_session(session, session_key(TOKEN + "x"), now)


def test_what_the_door_itself_needs_is_open_and_health_says_no_more_than_that(client: TestClient) -> None:
    assert client.get("/assets/theme.css").json() == "inside"
    assert client.get("/api/v1/health").json() == {"status": "ok"}
    assert client.get("/api/v1/health", headers=BEARER).json() == {"status": "ok", "worker": "warm"}


def test_a_websocket_needs_the_token_or_a_session(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("ws://localhost/_dash-ws-callback"):
        pass
    with client.websocket_connect("ws://localhost/_dash-ws-callback", headers=BEARER) as socket:
        assert socket.receive_text() == "inside"
    log_in(client)
    with client.websocket_connect("ws://localhost/_dash-ws-callback") as socket:
        assert socket.receive_text() == "inside"


def test_wrong_tokens_make_an_address_wait_ever_longer_up_to_a_bound() -> None:
    rests: list[float] = []

    async def rest(seconds: float) -> None:
        rests.append(seconds)

    async def guess() -> None:
        guesses = Guesses(TOKEN, rest)
        for _ in range(8):
            assert await guesses.right(b"wrong", "10.0.0.1") is False
        assert rests == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0]
        assert await guesses.right(b"wrong", "10.0.0.2") is False
        assert rests[-1] == 0.25
        assert await guesses.right(TOKEN.encode(), "10.0.0.1") is True
        assert await guesses.right(b"wrong", "10.0.0.1") is False
        assert rests[-1] == 0.25

    asyncio.run(guess())


def test_tokens_of_one_address_are_looked_at_one_by_one_and_only_so_many_wait() -> None:
    async def guess() -> None:
        rested = asyncio.Event()
        guesses = Guesses(TOKEN, lambda seconds: rested.wait())
        waiting = [asyncio.create_task(guesses.right(b"wrong", "10.0.0.1"))]
        waiting += [
            asyncio.create_task(guesses.right(TOKEN.encode(), "10.0.0.1")) for _ in range(Guesses.MOST_WAITING - 1)
        ]
        await asyncio.sleep(0)
        assert await guesses.right(TOKEN.encode(), "10.0.0.1") is None
        assert not any(task.done() for task in waiting)
        assert await guesses.right(TOKEN.encode(), "10.0.0.2") is True
        rested.set()
        assert await asyncio.gather(*waiting) == [False] + [True] * (Guesses.MOST_WAITING - 1)
        assert await guesses.right(TOKEN.encode(), "10.0.0.1") is True

    asyncio.run(guess())


def test_only_so_many_addresses_are_remembered() -> None:
    async def guess() -> None:
        guesses = Guesses(TOKEN, at_once)
        for number in range(Guesses.REMEMBERED + 5):
            await guesses.right(b"wrong", f"address {number}")
        assert len(guesses._guessers) == Guesses.REMEMBERED
        assert "address 0" not in guesses._guessers

    asyncio.run(guess())


def test_who_guesses_too_much_at_once_is_told_to_wait(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Guesses, "MOST_WAITING", 0)
    told(client.get("/api/v1/runs", headers=BEARER), 429, "too_many", "Wait a minute")
    answer = log_in(client)
    assert answer.status_code == 429
    assert 'role="alert"' in answer.text


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[TestClient]:
    """The whole studio with a token and many clients; its worker is never started."""
    settings = Settings(data=tmp_path, token=TOKEN, many=True)
    store = Store(settings.data)
    yield TestClient(
        create_app(settings, store, queue_of(settings, store)), base_url="http://studio.example", follow_redirects=False
    )
    store.close()


def test_the_studio_has_a_door(studio: TestClient) -> None:
    told(studio.get("/api/v1/runs"), 401, "unauthorized")
    told(studio.post("/_dash-update-component", json={}), 401, "unauthorized")
    assert studio.get("/").headers["location"] == "/login?next=/"
    page = studio.get("/login").text
    for asset in re.findall(r'/assets/[^"]+', page):
        assert studio.get(asset).status_code == 200
    assert log_in(studio).status_code == 303
    assert studio.get("/api/v1/runs").status_code == 200
    assert "nst studio" in studio.get("/").text


def test_the_studio_tells_clients_apart_at_the_door_already(studio: TestClient) -> None:
    studio.get("/")
    client = studio.cookies["nst-client"]
    log_in(studio)
    assert studio.get("/api/v1/runs").headers["nst-client"] == client
