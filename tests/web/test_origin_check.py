import pytest
from fastapi import FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from nst.web.middleware.origin_check import OriginCheck
from tests.web.test_api import assert_error

OWN = "localhost:8050"


def site(listens_on: str, any_name: bool = False) -> TestClient:
    server = FastAPI()
    server.add_middleware(OriginCheck, host=listens_on, any_name=any_name)
    server.add_api_route("/", lambda: "ok", methods=["GET", "POST"])

    @server.websocket("/")
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("ok")
        await socket.close()

    return TestClient(server)


@pytest.mark.parametrize("host", [OWN, "LOCALHOST", "127.0.0.1:8050", "[::1]:8050"])
@pytest.mark.parametrize("listens_on", ["127.0.0.1", "localhost", "::1", "0.0.0.0", "studio.example"])
def test_names_of_this_machine_are_always_accepted(listens_on: str, host: str) -> None:
    assert site(listens_on).post("/", headers={"Host": host, "Origin": f"http://{host}"}).status_code == 200


@pytest.mark.parametrize(
    ("listens_on", "host", "welcome"),
    [
        ("127.0.0.1", "evil.example", False),
        ("127.0.0.1", "127.0.0.1.evil.example:8050", False),
        ("127.0.0.1", "192.168.0.7:8050", False),
        ("127.0.0.1", "[::1", False),
        ("127.0.0.1", "", False),
        ("0.0.0.0", "192.168.0.7:8050", True),
        ("0.0.0.0", "evil.example", False),
        ("::", "[2001:db8::7]:8050", True),
        ("studio.example", "Studio.example:8050", True),
    ],
)
def test_other_names_are_refused(listens_on: str, host: str, welcome: bool) -> None:
    answer = site(listens_on).get("/", headers={"Host": host})
    if welcome:
        assert answer.status_code == 200
    else:
        assert_error(answer, 403, "forbidden", "`Host`", repr(host))


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:8051", "http://localhost", "null"])
def test_a_page_of_another_site_may_get_but_not_post(origin: str) -> None:
    headers = {"Host": OWN, "Origin": origin}
    assert_error(site("127.0.0.1").post("/", headers=headers), 403, "forbidden", "`Origin`", origin)
    assert site("127.0.0.1").get("/", headers=headers).status_code == 200


def test_a_program_without_an_origin_is_accepted() -> None:
    assert site("127.0.0.1").post("/", headers={"Host": OWN}).status_code == 200


@pytest.mark.parametrize("site_of_it", ["cross-site", "same-site"])
def test_without_an_origin_the_fetch_site_is_checked(site_of_it: str) -> None:
    headers = {"Host": OWN, "Sec-Fetch-Site": site_of_it}
    assert_error(site("127.0.0.1").post("/", headers=headers), 403, "forbidden", "`Sec-Fetch-Site`", site_of_it)
    assert site("127.0.0.1").get("/", headers=headers).status_code == 200


@pytest.mark.parametrize("site_of_it", ["same-origin", "none"])
def test_an_own_page_may_post(site_of_it: str) -> None:
    headers = {"Host": OWN, "Sec-Fetch-Site": site_of_it}
    assert site("127.0.0.1").post("/", headers=headers).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:8051", "null"])
def test_a_page_of_another_site_opens_no_websocket(origin: str) -> None:
    own = {"Host": OWN, "Origin": f"http://{OWN}"}
    with site("127.0.0.1").websocket_connect("/", headers=own) as socket:
        assert socket.receive_text() == "ok"
    with (
        pytest.raises(WebSocketDisconnect),
        site("127.0.0.1").websocket_connect("/", headers={"Host": OWN, "Origin": origin}),
    ):
        pass


@pytest.mark.parametrize("listens_on", ["127.0.0.1", "0.0.0.0"])
def test_with_a_token_any_name_is_accepted_but_no_post_of_another_site(listens_on: str) -> None:
    studio = site(listens_on, any_name=True)
    headers = {"Host": "studio.example", "Origin": "https://studio.example"}
    assert studio.post("/", headers=headers).status_code == 200
    assert_error(studio.post("/", headers=headers | {"Origin": "https://evil.example"}), 403, "forbidden", "`Origin`")


def test_forwarded_headers_are_ignored() -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": OWN}
    assert_error(site("127.0.0.1").get("/", headers=headers), 403, "forbidden", "`Host`")


def test_the_studio_checks_origins(client: TestClient) -> None:
    assert_error(client.post("/api/v1/runs", headers={"Origin": "http://evil.example"}), 403, "forbidden")
    assert_error(client.get("/", headers={"Host": "evil.example"}), 403, "forbidden")
