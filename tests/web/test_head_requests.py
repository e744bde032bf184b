"""HEAD requests, which are answered as GET requests without the body; and scripts that Dash does not have."""

import httpx2
import pytest
from fastapi.testclient import TestClient

from tests.web.sites import served
from tests.web.test_api import ENDLESS, assert_error, follow, start


@pytest.mark.parametrize(
    "path",
    ["/", "/gallery", "/docs", "/openapi.json", "/assets/theme.css", "/api/v1/options", "/api/v1/samples"],
)
def test_a_head_request_gets_the_status_and_headers_of_a_get_request(client: TestClient, path: str) -> None:
    plain = {"Accept-Encoding": "identity"}  # a page has a new nonce each time, which changes its compressed length
    head, get = client.head(path, headers=plain), client.get(path, headers=plain)
    assert (head.status_code, head.content) == (200, b"")
    changing = {"date", "transfer-encoding"}
    assert {name: value for name, value in head.headers.items() if name not in changing} == {
        name: value for name, value in get.headers.items() if name not in changing
    }


def test_a_head_request_for_something_unknown_is_not_found(client: TestClient) -> None:
    assert client.head("/api/v1/nothing").status_code == 404
    assert client.head("/api/v1/runs/x/stop").headers["allow"] == "POST"


def test_a_head_request_is_answered_over_a_socket_and_does_not_wait_for_a_stream(client: TestClient) -> None:
    run_id = start(client, options=ENDLESS)
    with served(client.app) as address, httpx2.Client(timeout=30) as connection:
        for path in ("/api/v1/options", f"/api/v1/runs/{run_id}/stream", "/"):
            answer = connection.head(address + path)
            assert (answer.status_code, answer.content) == (200, b"")
    client.post(f"/api/v1/runs/{run_id}/stop")
    follow(client, run_id)


@pytest.mark.parametrize("path", ["os/os.py", "dash/no-such.js"])
def test_a_script_that_dash_does_not_have_is_not_found(client: TestClient, path: str) -> None:
    assert_error(client.get(f"/_dash-component-suites/{path}"), 404, "not_found", path.rpartition("/")[2])
