"""A studio of our own for a benchmark: `python app.py` on a free port with an empty data folder, ended afterwards."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 120.0  # seconds


@dataclass(frozen=True)
class Studio:
    """A running server."""

    address: str
    data: Path
    started: float  # time.monotonic() just before its process was
    process: subprocess.Popen[bytes]

    def get(self, path: str) -> Any:
        """The JSON at a path, or None while there is no answer."""
        try:
            with urllib.request.urlopen(self.address + path, timeout=5) as answer:
                return json.load(answer)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return None

    def send(self, method: str, path: str, body: Any) -> Any:
        """The JSON that a request with a JSON body is answered."""
        headers = {"Content-Type": "application/json"}
        asked = urllib.request.Request(self.address + path, json.dumps(body).encode(), headers, method=method)
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return json.load(answer)

    def events(self, run: str, after: int = 0) -> list[dict[str, Any]]:
        """The events of a run, waited for a second if there is none yet."""
        return (self.get(f"/api/v1/runs/{run}/events?after={after}&wait=1") or {"events": []})["events"]

    def seconds_until(self, happened: Callable[[], Any]) -> float:
        """Seconds from the start of the process until `happened` answers true; asks fifty times a second."""
        while not happened():
            if self.process.poll() is not None:
                raise RuntimeError(f"the studio ended with status {self.process.returncode}")
            if time.monotonic() - self.started > PATIENCE:
                raise TimeoutError(f"the studio was not ready within {PATIENCE:.0f} s")
            time.sleep(0.02)
        return time.monotonic() - self.started

    def page_answers(self) -> bool:
        """Whether the page's layout, which it cannot be drawn without, is served."""
        return self.get("/_dash-layout") is not None

    def worker_warm(self) -> bool:
        """Whether a run would start at once."""
        return (self.get("/api/v1/health") or {}).get("worker") == "warm"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def surroundings(folder: str) -> dict[str, str]:
    """An environment without settings of this machine's own, and without VGG weights."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NST_")}
    return environment | {"NST_OFFLINE": "1", "KERAS_HOME": f"{folder}/keras", "TF_CPP_MIN_LOG_LEVEL": "3"}


@contextmanager
def studio() -> Iterator[Studio]:
    """A new studio; no VGG weights are in its sight, so that `auto` is the compact network everywhere."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        environment = surroundings(folder)
        command = [sys.executable, "app.py", "--port", str(port), "--data", f"{folder}/data"]
        started = time.monotonic()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        try:
            yield Studio(f"http://127.0.0.1:{port}", Path(folder) / "data", started, process)
        finally:
            process.terminate()
            process.wait(60)
