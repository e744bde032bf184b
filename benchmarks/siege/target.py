"""What an attack knows of the studio that it attacks, and how it talks to it."""

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psutil

from benchmarks.studio import Studio

ANSWER_SECONDS = 30.0  # in which every request must be answered
HEALTH_SECONDS = 0.2  # between two looks at /health


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

    def connect(self) -> socket.socket:
        return socket.create_connection(self.place, timeout=ANSWER_SECONDS)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """The answer to a request, whatever it is."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.studio.address + path, body, named, method=method)
        began = time.monotonic()
        try:
            with urllib.request.urlopen(request, timeout=2 * ANSWER_SECONDS) as answer:
                status, found = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, found = error.code, error.read()
        except (OSError, HTTPException, ValueError) as error:
            status, found = 0, str(error).encode()
        return Answer(status, found, time.monotonic() - began)

    def send_file(self, path: str, data: bytes, name: str) -> Answer:
        """The answer to a form with this file."""
        mark = uuid4().hex
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = head.encode() + data + f"\r\n--{mark}--\r\n".encode()
        return self.ask("POST", path, body, Content_Type=f"multipart/form-data; boundary={mark}")

    def send_json(self, path: str, body: Any) -> Answer:
        return self.ask("POST", path, json.dumps(body).encode(), Content_Type="application/json")


class HealthProbe:
    """Asks for /health again and again in a thread, while something else goes on."""

    def __init__(self, target: Target) -> None:
        self._target, self._ended = target, threading.Event()
        self.latencies: list[float] = []  # ms
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
