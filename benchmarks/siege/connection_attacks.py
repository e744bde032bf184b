"""Attacks by connections: silent ones, ones that never read, requests one after another without waiting for answers.

They yield as those of attacks.py.
"""

import re
import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

from benchmarks.siege.target import LONG, Scale, Target
from nst.web.middleware.connection_limits import HEADER_SECONDS, UNREAD_SECONDS
from nst.web.serve import KEEP_ALIVE_SECONDS

UNREAD = (  # paths whose answers nobody reads, beside the events of a run
    "/api/v1/samples/lake.png",
    "/api/v1/styles/fast/starry-night.style",
    "/openapi.json",
    "/_dash-layout",
    "/api/v1/runs",
)
WINDOW = 2**12  # bytes that the system receives for a client that does not read
MOST_TAKEN = 32 * 10**6  # bytes of requests, before their answers are read
TAKEN_SECONDS = 2.0  # without a byte being taken, after which no more are sent
STOP = "/api/v1/runs/x/stop"  # there is no such run


def slow_connections(target: Target, scale: Scale) -> Iterator[str]:
    """Many connections that send nothing, or a byte a second."""
    with ExitStack() as stack:
        held = [stack.enter_context(target.connect()) for _ in range(scale.connections)]
        end = time.monotonic() + HEADER_SECONDS + 15
        open_ones = set(range(len(held)))
        while open_ones and time.monotonic() < end:
            open_ones -= {n for n in open_ones if _is_closed(held[n], b"G" if n % 2 else b"")}
            time.sleep(1)
        yield from (f"connection {n} was held" if n in open_ones else "" for n in range(len(held)))


def slow_readers(target: Target, scale: Scale) -> Iterator[str]:
    """Many connections whose answers are never read: events, pictures, files and pages; and requests without end."""
    run = target.studio.start_run(LONG)
    target.studio.follow(run, "epoch", 1)
    paths = (f"/api/v1/runs/{run}/stream", *UNREAD)
    with ExitStack() as stack:
        held: dict[int, str] = {}  # local port -> what was asked for
        for n in range(scale.connections):
            path = paths[n % len(paths)]
            reader = stack.enter_context(target.connect(WINDOW))
            reader.sendall(target.head(path) + b"\r\n")
            held[reader.getsockname()[1]] = path
            status = reader.recv(12)[9:]
            yield "" if status in (b"200", b"429", b"503") else f"{path} was answered with {status!r}"
        endless = stack.enter_context(target.connect(WINDOW))
        held[endless.getsockname()[1]] = "requests without end"
        taken = _bytes_taken(endless, (target.head("/_dash-layout") + b"\r\n") * 100)
        yield f"{taken / 1e6:.0f} MB of requests were taken before an answer was read" if taken >= MOST_TAKEN else ""
        stopped = target.send_json(f"/api/v1/runs/{run}/stop", {})
        yield "" if stopped.status == 202 else f"the run was not stopped: {stopped.status} {stopped.fault}"
        yield from held_connections(target, held, UNREAD_SECONDS + KEEP_ALIVE_SECONDS + 15)


def held_connections(target: Target, held: dict[int, str], seconds: float) -> Iterator[str]:
    """Whether the server closes the connections of these clients, by their ports, within some seconds."""
    end = time.monotonic() + seconds
    while (left := target.clients() & held.keys()) and time.monotonic() < end:
        time.sleep(1)
    for port, path in held.items():
        yield f"{path}: the connection is held for {seconds:.0f} s" if port in left else ""


def pipelines(target: Target, scale: Scale) -> Iterator[str]:
    """Requests sent at once over a connection, and such whose end servers may take for another."""
    known, unknown = target.head("/api/v1/health") + b"\r\n", target.head("/api/v1/runs/x") + b"\r\n"
    last = target.head("/api/v1/health") + b"Connection: close\r\n\r\n"
    pairs = scale.requests // 2
    found = _statuses(target, (known + unknown) * pairs + last)
    wanted = [b"200", b"404"] * pairs + [b"200"]
    yield "" if found == wanted else f"{len(wanted)} requests at once have {len(found)} answers, or in another order"
    post = target.head(STOP, "POST")
    hidden = target.head("/api/v1/samples") + b"\r\n"  # what must be no request
    in_body = post + b"Content-Length: %d\r\n\r\n" % len(hidden) + hidden
    for name, data, wanted in (
        ("a request in a body", in_body + last, [b"404", b"200"]),
        ("a request after the last one", last + hidden, [b"200"]),
        ("two lengths", post + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + hidden, [b"400"]),
        ("a list of lengths", post + b"Content-Length: 0, 5\r\n\r\n" + hidden, [b"400"]),
        ("a length below zero", post + b"Content-Length: -1\r\n\r\n" + hidden, [b"400"]),
        ("a length with a sign", post + b"Content-Length: +0\r\n\r\n" + hidden, [b"400"]),
        ("a space before a colon", post + b"Content-Length : 0\r\n\r\n" + hidden, [b"400"]),
        ("a folded header", post + b"Content-Length:\r\n\t0\r\n X: y\r\n\r\n" + hidden, [b"400"]),
        ("an unknown coding", post + b"Transfer-Encoding: xchunked\r\n\r\n" + hidden, [b"400"]),
        ("a chunk below zero", post + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n" + hidden, [b"400"]),
        ("a chunk of 2^80 bytes", post + b"Transfer-Encoding: chunked\r\n\r\n1" + b"0" * 20 + b"\r\n", [b"400"]),
        ("two hosts", target.head("/") + b"Host: there\r\n\r\n" + hidden, [b"400"]),
        ("a zero byte", target.head("/") + b"X: \0\r\n\r\n" + hidden, [b"400"]),
        ("no host", b"GET / HTTP/1.1\r\n\r\n" + hidden, [b"400"]),
    ):
        found = _statuses(target, data)
        yield "" if found == wanted else f"{name}: answered with {found}, not {wanted}"


def _statuses(target: Target, data: bytes) -> list[bytes]:
    """The statuses of the answers to `data`, until the other side closes the connection or says nothing for long."""
    received = bytearray()
    with target.connect() as connection, suppress(OSError):
        connection.sendall(data)
        while part := connection.recv(2**16):
            received += part
    return re.findall(rb"HTTP/1\.1 (\d{3}) ", received)


def _bytes_taken(connection: socket.socket, data: bytes) -> int:
    """How many bytes of `data`, again and again, the other side takes while nothing is read: `MOST_TAKEN` at most."""
    taken = 0
    connection.setblocking(False)
    with suppress(ConnectionError):  # closed, it takes no more
        while taken < MOST_TAKEN and select.select([], [connection], [], TAKEN_SECONDS)[1]:
            taken += connection.send(data)
    return taken


def _is_closed(connection: socket.socket, drip: bytes) -> bool:
    """Whether the other side has closed a connection; `drip` is sent first."""
    connection.settimeout(0.001)
    try:
        if drip:
            connection.sendall(drip)
        return connection.recv(1024) == b""
    except TimeoutError:
        return False
    except OSError:
        return True
