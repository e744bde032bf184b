"""Limits of connections, over real sockets: the size of headers."""

import socket
import time
from contextlib import suppress
from urllib.parse import urlsplit

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from nst.web.serve import MAX_HEADER_BYTES
from tests.web.sites import served

FLOOD = 100 * MAX_HEADER_BYTES


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the request, and answers 200."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def connect(address: str) -> socket.socket:
    place = urlsplit(address)
    return socket.create_connection((place.hostname, place.port), timeout=30)


def test_headers_without_end_are_refused_and_others_are_answered_meanwhile() -> None:
    sent = 0
    with served(application) as address, connect(address) as endless:
        endless.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n")
        with suppress(ConnectionResetError, BrokenPipeError):
            while sent < FLOOD:
                endless.sendall(b"X-Filler: " + b"x" * 1000 + b"\r\n")
                sent += 1012
                if sent % (16 * 1012) == 0:
                    assert httpx2.get(address, timeout=5).text == "ok"
    assert sent < FLOOD


@pytest.mark.parametrize("head", [b"GET /" + b"x" * 100_000, b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000])
def test_a_line_without_end_is_refused_and_the_connection_is_closed(head: bytes) -> None:
    with served(application) as address, connect(address) as endless:
        began, answer = time.monotonic(), b""
        with suppress(ConnectionResetError):
            endless.sendall(head)
            while part := endless.recv(2**16):
                answer += part
        assert time.monotonic() - began < 10
        assert answer.startswith(b"HTTP/1.1 400 ") or not answer  # a reset may come before it is read


def test_headers_of_some_kilobytes_are_served() -> None:
    with served(application) as address:
        assert httpx2.get(address, headers={"X-Filler": "x" * 30_000}).text == "ok"
