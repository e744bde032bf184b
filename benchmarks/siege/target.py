"""What an attack knows of the studio that it attacks, and how it talks to it."""

import json
import math
import random
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import psutil

from benchmarks.studio import Studio

T = TypeVar("T")
ANSWER_SECONDS = 30.0  # in which every request must be answered
HEALTH_SECONDS = 0.2  # between two looks at /health
QUICK = {"extractor": "compact", "size": 64, "epochs": 2, "steps_per_epoch": 5}
LONG = {"extractor": "compact", "size": 128, "epochs": 1000, "steps_per_epoch": 5}


@dataclass(frozen=True)
class Scale:
    """How much is tried, and the seed of what is random."""

    requests: int
    connections: int
    kills: int
    seed: int
    share: float = 1.0  # of the hostile files and bodies

    def some(self, tried: Iterable[T]) -> Iterator[T]:
        """The share of the things that is tried: the first, and others at even distances."""
        return (each for n, each in enumerate(tried) if math.ceil((n + 1) * self.share) > math.ceil(n * self.share))

    def random(self) -> random.Random:
        return random.Random(self.seed)


@dataclass(frozen=True)
class Answer:
    """What a request was answered with; status 0 if it was not."""

    status: int
    body: bytes
    seconds: float

    @property
    def fault(self) -> str:
        """Why this answer to a hostile request is none that a studio may give, "" if it may."""
        if self.status == 0:
            return f"no answer: {self.body.decode()}"
        if self.seconds > ANSWER_SECONDS:
            return f"answered after {self.seconds:.0f} s"
        if self.status >= 500 and self.status not in (503, 507):
            return f"status {self.status}: {self.body[:200]!r}"
        return self._fault_of_message() if self.status >= 400 else ""

    def _fault_of_message(self) -> str:
        try:
            message = str(json.loads(self.body)["error"]["message"])
        except (ValueError, KeyError, TypeError):
            return ""  # a page, or the web server's own word
        return "the error has several lines" if "\n" in message or "Traceback" in message else ""


@dataclass(frozen=True)
class Target:
    """A studio of our own."""

    studio: Studio

    @property
    def place(self) -> tuple[str, int]:
        parts = urlsplit(self.studio.address)
        assert parts.hostname
        assert parts.port
        return parts.hostname, parts.port

    @property
    def process(self) -> psutil.Process:
        assert self.studio.process
        return psutil.Process(self.studio.process.pid)

    def connect(self, window: int = 0) -> socket.socket:
        """A connection; `window`: bytes that the system receives before they are read, 0 for as many as it likes."""
        connection = socket.socket()
        if window:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        connection.settimeout(ANSWER_SECONDS)
        connection.connect(self.place)
        return connection

    def clients(self) -> set[int]:
        """The ports of the clients whose connections the server has open."""
        found = self.process.net_connections("tcp")
        return {each.raddr.port for each in found if each.raddr and each.laddr.port == self.place[1]}

    def head(self, path: str, method: str = "GET") -> bytes:
        """The first lines of a request, without the empty one that ends them."""
        return f"{method} {path} HTTP/1.1\r\nHost: {self.place[0]}\r\n".encode()

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """The answer to a request, whatever it is."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = HTTPConnection(*self.place, timeout=2 * ANSWER_SECONDS)
        began = time.monotonic()
        try:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            status, found = answer.status, answer.read()
        except (OSError, HTTPException, ValueError) as error:
            status, found = 0, str(error).encode()
        finally:
            connection.close()
        return Answer(status, found, time.monotonic() - began)

    def send_file(self, path: str, data: bytes, name: str) -> Answer:
        """The answer to a form with this file."""
        mark = uuid4().hex
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = head.encode() + data + f"\r\n--{mark}--\r\n".encode()
        return self.ask("POST", path, body, Content_Type=f"multipart/form-data; boundary={mark}")

    def send_json(self, path: str, body: Any) -> Answer:
        return self.ask("POST", path, json.dumps(body).encode(), Content_Type="application/json")


Attack = Callable[[Target, Scale], Iterator[str]]


class HealthProbe:
    """Asks for /health again and again in a thread, and looks at the server's memory, while something else goes on."""

    def __init__(self, target: Target) -> None:
        self._target, self._ended = target, threading.Event()
        self.latencies: list[float] = []  # ms
        self.memory: list[float] = []  # MB
        self.failures: list[str] = []
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "HealthProbe":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join(3 * ANSWER_SECONDS)

    def _look(self) -> None:
        while not self._ended.wait(HEALTH_SECONDS):
            answer = self._target.ask("GET", "/api/v1/health")
            self.latencies.append(1000 * answer.seconds)
            if answer.status != 200:
                self.failures.append(f"/health was answered with {answer.status}: {answer.body[:100]!r}")
            self.memory.append(self._target.process.memory_info().rss / 1e6)
