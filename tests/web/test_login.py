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
from itsdangerous import TimestampSigner
from starlette.types import Message
from starlette.websockets import WebSocketDisconnect

from nst.jobs.storage.maintenance import back_up
from nst.jobs.storage.store import Store
from nst.options.settings import Settings
from nst.web.factory import create_app
from nst.web.middleware.body_limit import LOGIN_BODY, BodyLimit
from nst.web.middleware.login import SESSION_COOKIE, SESSION_SECONDS, Login, Sessions, TokenCheck, own_path
from nst.web.middleware.origin_check import OriginCheck
from tests.web.sites import queue_of
from tests.web.test_api import assert_error

TOKEN = "open-sesame-open"
BEARER = {"Authorization": f"Bearer {TOKEN}"}

modest = settings(max_examples=200, deadline=None, derandomize=True)


async def no_delay(seconds: float) -> None:
    """Does not wait."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """What the sessions of a site depend on."""
    return tmp_path / "sessions"


def site(file: Path, token: str = TOKEN, scheme: str = "http") -> TestClient:
    """A small site behind a login, with the checks that come before it in the studio."""
    server = FastAPI()
    server.add_middleware(Login, token=token, file=file, sleep=no_delay)
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
def client(file: Path) -> TestClient:
    return site(file)


def log_in(client: TestClient, token: str = TOKEN, following: str = "") -> Response:
    return client.post("/login", params={"next": following} if following else {}, data={"token": token})


@pytest.mark.parametrize(
    "path", ["/api/v1/runs", "/api/v1/unheard-of", "/api/", "/openapi.json", "/_dash-layout", "/_dash-update-component"]
)
def test_a_program_without_the_token_gets_401(client: TestClient, path: str) -> None:
    for method in ("GET", "POST"):
        answer = client.request(method, path)
        assert_error(answer, 401, "unauthorized", "Authorization: Bearer TOKEN")
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
def test_a_page_without_a_session_redirects_to_the_login(client: TestClient, path: str, following: str) -> None:
    answer = client.get(f"http://localhost{path}")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/login?next={following}"


def test_a_post_without_a_session_gets_401(client: TestClient) -> None:
    assert_error(client.post("/"), 401, "unauthorized")


def test_a_program_with_the_token_may_request_everything(client: TestClient) -> None:
    for path in ("/", "/api/v1/runs", "/_dash-layout"):
        assert client.get(path, headers=BEARER).json() == "inside"
    assert client.post("/api/v1/runs", headers={"Authorization": f"bearer  {TOKEN} "}).json() == "inside"
    assert "set-cookie" not in client.get("/", headers=BEARER).headers


@pytest.mark.parametrize(
    "given", [f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer", "Bearer ", f"Basic {TOKEN}", TOKEN, "Bearer ключ"]
)
def test_a_wrong_authorization_gets_401(client: TestClient, given: str) -> None:
    assert_error(client.get("/api/v1/runs", headers={"Authorization": given.encode()}), 401, "unauthorized")


def test_a_token_may_have_letters_of_any_alphabet(file: Path) -> None:
    token = "пароль-из-букв-à"
    client = site(file, token)
    assert client.get("/api/v1/runs", headers={"Authorization": f"Bearer {token}".encode()}).status_code == 200
    assert log_in(client, token).status_code == 303
    assert client.get("/").json() == "inside"


def test_a_login_redirects_with_a_session_that_does_not_contain_the_token(client: TestClient) -> None:
    answer = log_in(client, f" {TOKEN}\n", "/?run=abc")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?run=abc")
    cookie = answer.headers["set-cookie"]
    assert TOKEN not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie
    assert f"Max-Age={SESSION_SECONDS}" in cookie
    assert client.get("/api/v1/runs").json() == client.get("/").json() == "inside"
    assert client.get("/login?next=/docs").headers["location"] == "/docs"


def test_a_link_with_the_token_opens_a_session_and_one_with_another_does_not(client: TestClient) -> None:
    answer = client.get("/login", params={"token": "not-the-token-at-all"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    answer = client.get("/login", params={"token": TOKEN, "next": "/gallery"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/gallery")
    assert TOKEN not in answer.headers["set-cookie"]
    assert client.get("/").json() == "inside"


def test_the_cookie_of_a_session_made_over_https_is_secure(file: Path) -> None:
    assert "Secure" in log_in(site(file, scheme="https")).headers["set-cookie"]


@pytest.mark.parametrize(
    "following", ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", ""]
)
def test_a_login_redirects_to_this_server_only(client: TestClient, following: str) -> None:
    assert log_in(client, following=following).headers["location"] == "/"


@modest
@given(st.text(st.sampled_from("/\\.:@%?#\t\n\r e\x00")))
def test_an_own_path_begins_with_one_slash_and_has_nothing_that_browsers_drop_or_replace(text: str) -> None:
    path = own_path(text)
    assert path in (text, "/")
    assert path.startswith("/")
    assert not path.startswith("//")
    assert not set(path) & set("\\\t\n\r\x00 ")


def test_a_wrong_token_shows_the_page_again_with_an_error(client: TestClient) -> None:
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
def test_a_malformed_form_is_a_wrong_token(client: TestClient, body: bytes) -> None:
    assert client.post("/login", content=body).status_code == 401


def test_the_login_form_has_a_small_size_limit(client: TestClient) -> None:
    assert_error(log_in(client, "x" * LOGIN_BODY), 413, "too_large", "4 kB")


def test_a_client_that_disconnects_during_the_login_causes_no_error(client: TestClient) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-length", b"30")]
    scope = {"type": "http", "method": "POST", "path": "/login", "query_string": b"", "headers": headers}
    asyncio.run(client.app(scope, receive, send))
    assert sent == []


def test_a_page_of_another_site_cannot_log_in_or_out(client: TestClient) -> None:
    for path in ("/login", "/logout", "/logout/everywhere"):
        answer = client.post(path, data={"token": TOKEN}, headers={"Origin": "http://evil.example"})
        assert_error(answer, 403, "forbidden", "`Origin`")


def test_the_next_address_is_escaped_in_the_page(client: TestClient) -> None:
    assert "<script>alert" not in client.get('/login?next=/"><script>alert(1)</script>').text


def test_a_logout_removes_the_session(client: TestClient) -> None:
    log_in(client)
    answer = client.post("/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert client.get("/").status_code == 303


def test_a_logout_everywhere_ends_all_sessions_also_after_a_restart(file: Path) -> None:
    client, other = (site(file) for _ in range(2))
    log_in(client)
    copy = client.cookies[SESSION_COOKIE]
    assert_error(other.post("/logout/everywhere"), 401, "unauthorized")
    assert client.get("/").json() == "inside"
    answer = client.post("/logout/everywhere")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    for each in (client, site(file)):
        each.cookies.set(SESSION_COOKIE, copy)
        assert each.get("/").status_code == 303
        each.cookies.clear()
        log_in(each)
        assert each.get("/").json() == "inside"


@pytest.mark.parametrize("ended", [False, True])
def test_a_start_with_a_restored_backup_or_without_the_file_ends_all_sessions(tmp_path: Path, ended: bool) -> None:
    folder, target = tmp_path / "data", tmp_path / "copy"
    Store(folder).close()
    file = folder / "sessions"
    before = Sessions(TOKEN, file)
    session = before.new()
    assert Sessions(TOKEN, file).is_valid(session)  # after a restart, too
    if ended:
        before.end_all()
    back_up(folder, target)
    file.unlink()
    for started in (Sessions(TOKEN, target / "sessions"), Sessions(TOKEN, file)):
        assert not started.is_valid(session)
        assert started.is_valid(started.new())
    assert Sessions(TOKEN, file).is_valid(Sessions(TOKEN, file).new())


def test_another_token_ends_all_sessions(client: TestClient, file: Path) -> None:
    log_in(client)
    other = site(file, "another-open-sesame")
    other.cookies.set(SESSION_COOKIE, client.cookies[SESSION_COOKIE])
    assert other.get("/").status_code == 303


def test_a_session_lasts_thirty_days_and_cannot_be_prolonged(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def at(day: float) -> None:
        monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda signer: int(1_000_000 + day * 24 * 3600))

    at(0)
    sessions = Sessions(TOKEN, file)
    session = sessions.new()
    for day, valid in ((0, True), (30, True), (30.001, False), (-1, False)):
        at(day)
        assert sessions.is_valid(session) is valid
    at(20)
    text, began, signature = session.split(".")
    _, later, other = sessions.new().split(".")
    assert later != began
    for forged in (f"{text}.{later}.{signature}", f"{text}.{began}.{other}", f"x.{began}.{signature}", signature, ""):
        assert not sessions.is_valid(forged)
    for forged in (".", "..", "x.y", f"{text}.{began}.", f"{text}.{began}.é", "1702592000.0123abcd"):
        assert not sessions.is_valid(forged)
    assert not Sessions(TOKEN + "x", file).is_valid(session)


def test_assets_and_a_short_health_answer_need_no_token(client: TestClient) -> None:
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


def test_the_answers_to_wrong_tokens_take_ever_longer_up_to_a_bound() -> None:
    delays: list[float] = []

    async def sleep(seconds: float) -> None:
        delays.append(seconds)

    async def guess() -> None:
        check = TokenCheck(TOKEN, sleep).check
        for _ in range(8):
            assert await check(b"wrong", "10.0.0.1") is False
        assert delays == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0]
        assert await check(b"wrong", "10.0.0.2") is False
        assert delays[-1] == 0.25
        assert await check(TOKEN.encode(), "10.0.0.1") is True
        assert len(delays) == 9
        assert await check(b"wrong", "10.0.0.1") is False
        assert delays[-1] == 5.0

    asyncio.run(guess())


def test_wrong_tokens_of_one_address_wait_for_each_other_and_only_so_many_wait() -> None:
    async def guess() -> None:
        over, delays = asyncio.Event(), list[float]()

        async def sleep(seconds: float) -> None:
            delays.append(seconds)
            await over.wait()

        check = TokenCheck(TOKEN, sleep).check
        waiting = [asyncio.create_task(check(b"wrong", "10.0.0.1")) for _ in range(TokenCheck.MAX_WAITING)]
        await asyncio.sleep(0)
        assert await check(b"wrong", "10.0.0.1") is None
        assert delays == [0.25]
        assert not any(task.done() for task in waiting)
        over.set()
        assert await asyncio.gather(*waiting) == [False] * TokenCheck.MAX_WAITING

    asyncio.run(guess())


def test_the_right_token_is_accepted_at_once_while_its_address_guesses_wrong_ones() -> None:
    async def guess() -> None:
        check = TokenCheck(TOKEN, lambda seconds: asyncio.Event().wait()).check
        waiting = [asyncio.create_task(check(b"wrong", "10.0.0.1")) for _ in range(TokenCheck.MAX_WAITING)]
        await asyncio.sleep(0)
        assert await check(b"wrong", "10.0.0.1") is None
        assert await asyncio.wait_for(check(TOKEN.encode(), "10.0.0.1"), 10) is True
        for task in waiting:
            task.cancel()

    asyncio.run(guess())


def test_only_so_many_addresses_are_remembered() -> None:
    async def guess() -> None:
        tokens = TokenCheck(TOKEN, no_delay)
        for number in range(TokenCheck.MAX_ADDRESSES + 5):
            await tokens.check(b"wrong", f"address {number}")
        held = [tokens._guessers.get(f"address {number}") is not None for number in range(TokenCheck.MAX_ADDRESSES + 5)]
        assert held == [False] * 5 + [True] * TokenCheck.MAX_ADDRESSES

    asyncio.run(guess())


def test_too_many_wrong_tokens_at_once_are_refused_but_the_right_one_is_not(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TokenCheck, "MAX_WAITING", 0)
    assert_error(
        client.get("/api/v1/runs", headers={"Authorization": "Bearer wrong"}), 429, "too_many", "Wait a minute"
    )
    answer = log_in(client, "wrong")
    assert answer.status_code == 429
    assert 'role="alert"' in answer.text
    assert client.get("/api/v1/runs", headers=BEARER).status_code == 200
    assert log_in(client).status_code == 303


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[TestClient]:
    """The whole application with a token and shared by clients; its worker is never started."""
    settings = Settings(data=tmp_path, token=TOKEN, many=True)
    store = Store(settings.data)
    yield TestClient(
        create_app(settings, store, queue_of(settings, store)), base_url="http://studio.example", follow_redirects=False
    )
    store.close()


def test_the_studio_requires_a_login(studio: TestClient) -> None:
    assert_error(studio.get("/api/v1/runs"), 401, "unauthorized")
    assert_error(studio.post("/_dash-update-component", json={}), 401, "unauthorized")
    assert studio.get("/").headers["location"] == "/login?next=/"
    page = studio.get("/login").text
    for asset in re.findall(r'/assets/[^"]+', page):
        assert studio.get(asset).status_code == 200
    assert log_in(studio).status_code == 303
    assert studio.get("/api/v1/runs").status_code == 200
    assert "nst studio" in studio.get("/").text


def test_the_studio_identifies_clients_before_the_login(studio: TestClient) -> None:
    studio.get("/")
    client = studio.cookies["nst-client"]
    log_in(studio)
    assert studio.get("/api/v1/runs").headers["nst-client"] == client
