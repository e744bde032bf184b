"""Limits of connections, over real sockets: the size of headers, and times."""

import asyncio
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import urlsplit

import httpx2
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from nst.web.middleware.body_limit import SMALL_BODY, BodyLimit
from nst.web.middleware.connection_limits import ANSWERED_SECONDS, LimitedProtocol
from nst.web.serve import MAX_HEADER_BYTES
from tests.web.sites import served
from tests.web.test_api import assert_error


class Impatient(LimitedProtocol):
    header_seconds, body_seconds, body_rate, answered_seconds, unread_seconds = 0.6, 0.6, 2000, 0.6, 0.6


FLOOD = 100 * MAX_HEADER_BYTES


def answering(before: float = 0, after: float = 0) -> ASGIApp:
    """An application that reads requests and answers 200, and waits some seconds before and after it reads."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(before)
        while (await receive()).get("more_body"):
            pass
        await asyncio.sleep(after)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    return application


def connect(address: str) -> socket.socket:
    place = urlsplit(address)
    return socket.create_connection((place.hostname, place.port), timeout=30)


def test_headers_without_end_are_refused_and_others_are_answered_meanwhile() -> None:
    sent = 0
    with served(answering()) as address, connect(address) as endless:
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
    with served(answering()) as address, connect(address) as endless:
        began, answer = time.monotonic(), b""
        with suppress(ConnectionResetError):
            endless.sendall(head)
            while part := endless.recv(2**16):
                answer += part
        assert time.monotonic() - began < 10
        assert answer.startswith(b"HTTP/1.1 400 ") or not answer  # a reset may come before it is read


def test_headers_of_some_kilobytes_are_served() -> None:
    with served(answering()) as address:
        assert httpx2.get(address, headers={"X-Filler": "x" * 30_000}).text == "ok"


# Time -----------------------------------------------------------------------------------------------------------------

HEAD = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 100000\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


def seconds_until_closed(connection: socket.socket, drip: bytes = b"") -> float:
    """Send `drip` byte by byte, one every 0.1 s, until the server closes the connection."""
    began = time.monotonic()
    connection.settimeout(0.1)
    with suppress(ConnectionResetError, BrokenPipeError):
        while time.monotonic() < began + 20:
            with suppress(TimeoutError):
                if not connection.recv(1000):
                    break
            connection.sendall(drip[:1])
            drip = drip[1:]
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("first", "drip"),
    [
        (b"", b""),
        (b"GET / HT", b""),
        (b"GET / HTTP/1.1\r\n", b"X-Slow: " + b"x" * 1000),
        (GET, b"GET / HTTP/1.1\r\nX-Slow: " + b"x" * 1000),
        (HEAD, b""),
        (GET + HEAD, b""),  # without waiting for the first answer
        (HEAD, b"x" * 1000),
        (HEAD + b"x" * 50_000, b""),  # at the rate it would have 25 seconds
    ],
)
def test_a_silent_or_slow_connection_is_closed(first: bytes, drip: bytes) -> None:
    with served(answering(), http=Impatient) as address, connect(address) as slow:
        slow.sendall(first)
        assert 0.5 < seconds_until_closed(slow, drip) < 10
        assert httpx2.get(address).text == "ok"


async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers before it has read the body."""
    await send({"type": "http.response.start", "status": 413, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"no"})


@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"])
def test_a_body_without_end_is_cut_off_some_time_after_the_answer(more: bytes) -> None:
    with served(refusing, http=Impatient) as address, connect(address) as endless:
        began = time.monotonic()
        endless.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000000000\r\n" + more + b"\r\n")
        with suppress(ConnectionResetError, BrokenPipeError):
            while time.monotonic() < began + 20:
                endless.sendall(b"x" * 65536)
        assert 0.5 < time.monotonic() - began < 10


LARGER = 32 * 2**20  # bytes of a body, more than the buffers of a connection hold
CHUNK = b"100000\r\n" + bytes(2**20) + b"\r\n"
TOO_LARGE = {
    "announced": (f"Content-Length: {LARGER}", bytes(LARGER)),
    "in parts": ("Transfer-Encoding: chunked", CHUNK * 32 + b"0\r\n\r\n"),
}


@pytest.mark.parametrize("connection", ["close", "keep-alive"])
@pytest.mark.parametrize("kind", TOO_LARGE)
def test_a_client_that_sends_too_large_a_body_first_and_then_reads_gets_the_answer(kind: str, connection: str) -> None:
    header, body = TOO_LARGE[kind]
    head = f"POST / HTTP/1.1\r\nHost: here\r\nConnection: {connection}\r\n{header}\r\n\r\n"
    with served(BodyLimit(answering(), lambda path: 100_000)) as address, connect(address) as client:
        client.sendall(head.encode() + body)
        answer = b""
        while not answer.endswith(b"}}"):
            part = client.recv(2**16)
            assert part, answer
            answer += part
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"the request is over its limit of 97 kB" in answer
        if connection == "close":
            assert client.recv(1) == b""


def test_bodies_in_flight_have_a_budget_together_which_requests_without_files_do_not_need() -> None:
    read, answer_now = threading.Event(), threading.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        if scope["path"] == "/slow":
            read.set()
            await asyncio.to_thread(answer_now.wait, 30)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    large = bytes(SMALL_BODY + 2000)
    site = BodyLimit(application, lambda path: 2 * SMALL_BODY, most_in_flight=3000)
    with served(site) as address, ThreadPoolExecutor(1) as pool:
        try:
            slow = pool.submit(httpx2.post, f"{address}/slow", content=large, timeout=30)
            assert read.wait(30)
            for _ in range(2):  # the first one refused takes nothing of the budget
                refused = httpx2.post(address, content=large)
                assert_error(refused, 503, "busy", "other requests with large files are being read")
                assert int(refused.headers["retry-after"]) > 0
                assert httpx2.post(address, content=bytes(SMALL_BODY + 1000)).text == "ok"
            assert httpx2.post(address, content=bytes(SMALL_BODY)).text == "ok"
        finally:
            answer_now.set()
        assert slow.result().text == "ok"
        assert httpx2.post(address, content=large).text == "ok"


def test_a_server_that_ends_does_not_wait_for_the_rest_of_a_body_that_was_answered() -> None:
    with served(refusing) as address, connect(address) as endless:
        endless.sendall(HEAD.replace(b"Host", b"Connection: close\r\nHost"))
        while not (part := endless.recv(1000)).endswith(b"no"):
            assert part
        began = time.monotonic()
    assert time.monotonic() - began < ANSWERED_SECONDS / 2


def test_a_body_that_keeps_the_rate_is_received_however_long_it_takes() -> None:
    class Patient(Impatient):
        body_seconds = 2.0  # during which this process may have to wait for a processor

    with served(answering(), http=Patient) as address, connect(address) as steady:
        steady.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 12500\r\n\r\n")
        for _ in range(25):
            steady.sendall(b"x" * 500)
            time.sleep(0.1)  # 5000 bytes a second
        assert steady.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_waits_for_a_slow_application_is_not_disconnected() -> None:
    with served(answering(after=2), http=Impatient) as address:
        assert httpx2.post(address, content=b"x", timeout=30).text == "ok"
    with served(answering(before=2), http=Impatient) as address:
        assert httpx2.post(address, content=b"x" * 5_000_000, timeout=30).text == "ok"


def test_an_idle_connection_is_closed() -> None:
    with served(answering(), timeout_keep_alive=1) as address, connect(address) as idle:
        idle.sendall(GET)
        assert idle.recv(1000).endswith(b"ok")
        assert 0.5 < seconds_until_closed(idle) < 10


LARGE = 50_000_000  # bytes, more than the buffers of a connection hold


@pytest.mark.parametrize("part", [LARGE, 100_000])  # of the answer, in one message
def test_a_client_that_does_not_read_its_answer_is_disconnected_and_one_that_reads_is_not(part: int) -> None:
    gone = threading.Event()

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(LARGE // part):
                await send({"type": "http.response.body", "body": bytes(part), "more_body": True})
            await send({"type": "http.response.body"})
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            gone.set()

    with served(large, http=Impatient) as address:
        assert len(httpx2.get(address, timeout=30).content) == LARGE
        gone.clear()
        with connect(address) as idle:
            idle.sendall(GET)
            assert gone.wait(30)


def test_a_request_for_a_websocket_is_answered_as_any_other_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with served(answering()) as address:
        headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "a" * 22 + "=="}
        assert httpx2.get(address, headers=headers | {"Sec-WebSocket-Version": "13"}).text == "ok"
    assert caplog.records == []
