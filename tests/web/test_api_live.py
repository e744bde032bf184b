"""Streams of events, and clients that disconnect, over real sockets."""

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from fastapi.testclient import TestClient

from nst.web.api import events
from tests.jobs.runs import wait_until
from tests.web.sites import served
from tests.web.test_api import ENDLESS, QUICK, assert_error, body, follow, start


@pytest.fixture(scope="module")
def address(client: TestClient) -> Iterator[str]:
    """The site of `client` behind a real server."""
    with served(client.app) as address:
        yield address


def streamed(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Events of a stream: {"id", "event", "data"}, or {"comment"}."""
    event: dict[str, Any] = {}
    for line in lines:
        if not line:
            yield event
            event = {}
            continue
        name, _, value = line.partition(": ")
        event[name or "comment"] = json.loads(value) if name == "data" else value


def test_a_stream_sends_every_event_and_ends_with_the_run(client: TestClient, address: str) -> None:
    run_id = start(client)
    with httpx2.stream("GET", f"{address}/api/v1/runs/{run_id}/stream", timeout=30) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        assert "content-encoding" not in answer.headers  # compression would hold events back
        found = list(streamed(answer.iter_lines()))
    events = follow(client, run_id)
    assert [event["data"] for event in found] == events
    assert [(event["id"], event["event"]) for event in found] == [(str(each["n"]), each["kind"]) for each in events]


def test_a_stream_resumes_after_the_last_event(client: TestClient, address: str) -> None:
    run_id = start(client)
    last = follow(client, run_id)[-1]["n"]
    path = f"{address}/api/v1/runs/{run_id}/stream"
    for asked in ({"headers": {"Last-Event-ID": "3"}}, {"params": {"after": 3}}):
        found = streamed(iter(httpx2.get(path, **asked).text.splitlines()))
        assert [event["id"] for event in found] == [str(n) for n in range(4, last + 1)]
    again = httpx2.get(path, headers={"Last-Event-ID": str(last)})
    assert (again.status_code, again.content) == (204, b"")
    answer = client.get(f"/api/v1/runs/{run_id}/stream", headers={"Last-Event-ID": "x"})
    assert_error(answer, 422, "invalid", field="last-event-id")


def test_a_stream_without_events_sends_comments(
    client: TestClient, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "KEEPALIVE_SECONDS", 0.05)
    first, second = start(client, options=ENDLESS), start(client)
    with httpx2.stream("GET", f"{address}/api/v1/runs/{second}/stream?after=1", timeout=30) as answer:
        assert next(streamed(answer.iter_lines())) == {"comment": "ping"}
    for run_id in (second, first):
        client.post(f"/api/v1/runs/{run_id}/stop")


def test_a_hundred_streams_hold_no_thread(client: TestClient, address: str) -> None:
    run_id = start(client, options=ENDLESS)
    connections = []
    for _ in range(100):
        connection = opened(address)
        connection.sendall(f"GET /api/v1/runs/{run_id}/stream HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
        connections.append(connection)
    assert client.get(f"/api/v1/runs/{run_id}/frames").status_code == 200  # which needs a thread
    assert httpx2.get(f"{address}/api/v1/runs/{run_id}", timeout=10).status_code == 200
    for connection in connections:
        connection.close()
    client.post(f"/api/v1/runs/{run_id}/stop")


def opened(address: str) -> socket.socket:
    place = urlsplit(address)
    return socket.create_connection((place.hostname, place.port), timeout=30)


def stylize(address: str, text: bytes) -> socket.socket:
    connection = opened(address)
    head = f"POST /api/v1/stylize HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(text)}\r\n\r\n"
    connection.sendall(head.encode() + text)
    return connection


def test_the_run_of_a_client_that_disconnects_is_stopped(client: TestClient, address: str) -> None:
    seed = 31_337
    with stylize(address, json.dumps(body(options=ENDLESS | {"seed": seed})).encode()):
        [found] = wait_until(lambda: client.get("/api/v1/runs", params={"words": str(seed)}).json()["runs"])
        run_id = found["id"]
        client.get(f"/api/v1/runs/{run_id}/events?after=1&wait=10")
        assert client.get(f"/api/v1/runs/{run_id}").json()["state"] in ("queued", "running")
    assert follow(client, run_id)[-1]["kind"] == "stopped"


def test_a_client_that_waits_gets_its_picture(address: str) -> None:
    answer = httpx2.post(f"{address}/api/v1/stylize", json=body(options=QUICK), headers={"Accept": "image/png"})
    assert answer.content[:4] == b"\x89PNG"
