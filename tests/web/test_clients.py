import asyncio
import re
from typing import Any

import pytest
from dash import Dash, Input, Output, html
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from nst.web.current_client import current_client
from nst.web.middleware.clients import CLIENT_COOKIE, COOKIE_SECONDS, HEADER, Clients, client_of
from tests.web.test_api import assert_error

ANN, BOB = "a" * 32, "b" * 32


def site(many: bool = True, scheme: str = "http") -> TestClient:
    """A small site that answers the client's id, by a route in a thread, an async one, and a callback of Dash."""
    server = FastAPI()
    if many:
        server.add_middleware(Clients)

    @server.get("/threaded")
    def threaded(request: Request) -> list[str]:
        return [client_of(request), current_client()]

    @server.get("/awaited")
    async def awaited(request: Request) -> list[str]:
        return [client_of(request), await asyncio.to_thread(current_client)]

    page = Dash("tiny", server=server, websocket_callbacks=True)
    page.layout = html.Div([html.Button(id="button"), html.P(id="who")])

    @page.callback(Output("who", "children"), Input("button", "n_clicks"))
    async def who(clicks: int) -> str:
        await asyncio.sleep(0)
        assert current_client() == await asyncio.to_thread(current_client)
        return current_client()

    return TestClient(server, base_url=f"{scheme}://localhost")


CLICK = {
    "output": "who.children",
    "outputs": {"id": "who", "property": "children"},
    "inputs": [{"id": "button", "property": "n_clicks", "value": 1}],
    "changedPropIds": ["button.n_clicks"],
    "state": [],
}


def asked(client: TestClient, **headers: str) -> str:
    """The client's id, on which every part of the site agrees."""
    found = [*client.get("/threaded", headers=headers).json(), *client.get("/awaited", headers=headers).json()]
    callback = client.post("/_dash-update-component", json=CLICK, headers=headers)
    found.append(callback.json()["response"]["who"]["children"])
    assert len(set(found)) == 1
    return found[0]


def test_without_sharing_there_are_no_client_ids() -> None:
    client = site(many=False)
    assert asked(client) == ""
    assert current_client() == ""
    assert not client.cookies


def test_a_browser_keeps_its_client_id() -> None:
    client = site()
    answer = client.get("/threaded")
    cookie = answer.headers["set-cookie"]
    known = client.cookies[CLIENT_COOKIE]
    assert re.fullmatch("[0-9a-f]{32}", known)
    assert answer.headers[HEADER] == known
    assert answer.json() == [known, known]
    for word in ("HttpOnly", "SameSite=lax", "Path=/", f"Max-Age={COOKIE_SECONDS}"):
        assert word in cookie
    assert "Secure" not in cookie
    assert asked(client) == known
    assert "set-cookie" not in client.get("/threaded").headers


def test_two_browsers_are_two_clients() -> None:
    client = site()
    first = client.get("/threaded").json()
    client.cookies.clear()
    assert client.get("/threaded").json() != first


def test_the_page_renews_its_cookie_and_nothing_else_does() -> None:
    client = site()
    client.cookies.set(CLIENT_COOKIE, ANN)
    assert f"{CLIENT_COOKIE}={ANN};" in client.get("/").headers["set-cookie"]
    assert "set-cookie" not in client.get("/_dash-layout").headers


def test_a_cookie_made_over_https_is_secure() -> None:
    assert "Secure" in site(scheme="https").get("/threaded").headers["set-cookie"]


@pytest.mark.parametrize("damaged", ["", "x", "g" * 32, "a" * 31, "a" * 33, "../../etc/passwd", "a" * 32 + "%0a"])
def test_a_cookie_that_is_no_id_is_replaced(damaged: str) -> None:
    answer = site().get("/threaded", headers={"Cookie": f"{CLIENT_COOKIE}={damaged}"})
    assert re.fullmatch("[0-9a-f]{32}", answer.json()[0])
    assert f"{CLIENT_COOKIE}={answer.json()[0]};" in answer.headers["set-cookie"]


def test_the_header_of_a_program_takes_precedence_over_the_cookie() -> None:
    client = site()
    client.cookies.set(CLIENT_COOKIE, BOB)
    answer = client.get("/threaded", headers={HEADER: ANN.upper()})
    assert answer.json() == [ANN, ANN]
    assert answer.headers[HEADER] == ANN
    assert "set-cookie" not in answer.headers
    assert asked(client, **{HEADER: ANN}) == ANN


@pytest.mark.parametrize("damaged", ["ann", "g" * 32, ANN + "a", f"{ANN} {ANN}"])
def test_a_header_that_is_no_id_is_refused_rather_than_replaced(damaged: str) -> None:
    client = site()
    assert_error(
        client.get("/threaded", headers={HEADER: damaged}), 422, "invalid", "32 hex digits", repr(damaged), field=HEADER
    )
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(
            "ws://localhost/_dash-ws-callback", headers={HEADER: damaged, "Origin": "http://localhost"}
        ),
    ):
        pass


def test_requests_at_the_same_time_do_not_mix_their_clients() -> None:
    met = asyncio.Barrier(2)
    found: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await met.wait()
        found[dict(scope["headers"])[b"nst-client"].decode()] = (scope["state"]["client"], current_client())

    async def both() -> None:
        clients = Clients(app)
        scope = {"type": "http", "path": "/", "scheme": "http"}
        await asyncio.gather(
            *(clients({**scope, "headers": [(b"nst-client", who.encode())]}, None, None) for who in (ANN, BOB))
        )

    asyncio.run(both())
    assert found == {ANN: (ANN, ANN), BOB: (BOB, BOB)}


def test_a_callback_over_a_websocket_knows_its_client() -> None:
    client = site()
    client.cookies.set(CLIENT_COOKIE, ANN)
    with client.websocket_connect("ws://localhost/_dash-ws-callback", headers={"Origin": "http://localhost"}) as socket:
        socket.send_json({"type": "callback_request", "requestId": "1", "rendererId": "r", "payload": CLICK})
        assert ANN in socket.receive_text()
