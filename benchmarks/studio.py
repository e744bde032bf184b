"""Studios for benchmarks: one that is running already, or `python app.py` on a free port, ended afterwards."""

import base64
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psutil

from benchmarks.outcome import NotMeasured, Warmth
from benchmarks.pictures import soft_colors

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 300.0  # seconds
ENDINGS = ("finished", "stopped", "failed")  # events after which a run tells no more by itself


class NoAnswer(NotMeasured):
    """Nobody answers at an address, or not yet."""


@dataclass(frozen=True)
class Studio:
    """A running server."""

    address: str
    started: float  # time.monotonic() just before its process was
    process: subprocess.Popen[bytes] | None = None  # None for a studio that was running already
    log: Path | None = None  # its standard error; None without a process
    warmth: Warmth = field(default_factory=Warmth)

    def get(self, path: str) -> Any:
        """The JSON at a path. Raises NotMeasured unless it is answered with 2xx, NoAnswer if it is not at all."""
        return json.loads(self.fetch(path))

    def fetch(self, path: str) -> bytes:
        """The body at a path. Raises as `get` does."""
        return self._asked(urllib.request.Request(self.address + path))

    def send(self, method: str, path: str, body: Any) -> Any:
        """The JSON that a request with a JSON body is answered. Raises as `get` does."""
        headers = {"Content-Type": "application/json"}
        asked = urllib.request.Request(self.address + path, json.dumps(body).encode(), headers, method=method)
        return json.loads(self._asked(asked))

    def start_run(self, options: dict[str, Any], seed: int = 0) -> str:
        """The id of a new run of these options; `seed` chooses its pictures. Raises as `get` does."""
        content, style = (base64.b64encode(soft_colors(random.Random(seed + n))).decode() for n in range(2))
        return str(self.send("POST", "/api/v1/runs", {"content": content, "style": style, "options": options})["id"])

    def _asked(self, request: urllib.request.Request) -> bytes:
        what = f"{request.get_method()} {request.selector}"
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            said = _message(error.read().decode(errors="replace"))
            raise NotMeasured(f"{what} was answered with {error.code}: {said}") from error
        except (OSError, HTTPException) as error:
            raise NoAnswer(f"{what} was not answered: {error}") from error

    def events(self, run: str, after: int = 0) -> list[dict[str, Any]]:
        """The events of a run after that number, waited for a second if there is none yet."""
        return self.get(f"/api/v1/runs/{run}/events?after={after}&wait=1")["events"]

    def follow(self, run: str, kind: str, count: int = 1, after: int = 0) -> list[dict[str, Any]]:
        """The events of a run after number `after`, once `count` of them are of that kind.

        Raises NotMeasured, with the run's own error, if it ends otherwise or there is no news for `PATIENCE` seconds.
        """
        events: list[dict[str, Any]] = []
        heard = time.monotonic()
        while True:
            if ended := next((event for event in events if event["kind"] in ENDINGS and event["kind"] != kind), None):
                said = ended.get("error", "")
                raise NotMeasured(f"the run {ended['kind']} instead of `{kind}`{f': {said}' if said else ''}")
            if sum(event["kind"] == kind for event in events) >= count:
                return events
            news = self.events(run, events[-1]["n"] if events else after)
            heard = time.monotonic() if news else heard
            if time.monotonic() - heard > PATIENCE:
                raise NotMeasured(f"the run told nothing for {PATIENCE:.0f} s instead of `{kind}`")
            events += news

    def seconds_until(self, happened: Callable[[], Any]) -> float:
        """Seconds from the start of the process until `happened` answers true; asks fifty times a second.

        Raises NotMeasured if the process ends, or `happened` does, or it takes more than `PATIENCE` seconds.
        """
        while not answered(happened):
            if self.process is not None and self.process.poll() is not None:
                raise NotMeasured(self._ended(self.process.returncode))
            if time.monotonic() - self.started > PATIENCE:
                raise NotMeasured(f"the studio was not ready within {PATIENCE:.0f} s")
            time.sleep(0.02)
        return time.monotonic() - self.started

    def page_answers(self) -> bool:
        """Whether the page's layout, which it cannot be drawn without, is served."""
        return bool(self.get("/_dash-layout"))

    def worker_warm(self) -> bool:
        """Whether a run would start at once. Raises NotMeasured if there is no worker for long."""
        return self.warmth(self.get("/api/v1/health"))

    def worker(self) -> psutil.Process | None:
        """The process that paints, also while it starts; None without one."""
        assert self.process
        return worker_below(self.process.pid)

    def end(self) -> None:
        """End the process as its user would. Raises NotMeasured unless it exits with 0."""
        if self.process is not None:
            self.process.terminate()
            if status := self.process.wait(60):
                raise NotMeasured(self._ended(status))

    def _ended(self, status: int) -> str:
        said = self.log.read_text(errors="replace").strip().splitlines() if self.log else []
        return f"the studio ended with status {status}: {said[-1] if said else 'it said nothing'}"


def _message(body: str) -> str:
    """What an answer that is no success says, in one line."""
    with suppress(ValueError, TypeError, KeyError):
        return str(json.loads(body)["error"]["message"])
    return " ".join(body.split())[:200]


def answered(happened: Callable[[], Any]) -> Any:
    """What `happened` answers; false while nobody answers at all."""
    try:
        return happened()
    except NoAnswer:
        return False


def worker_below(pid: int) -> psutil.Process | None:
    """The newest process that a nanny of Dask below the process `pid` spawned; None without one."""
    below = psutil.Process(pid).children(recursive=True)
    spawned = [child for child in below if "spawn_main" in " ".join(_command_line(child))]
    return max(spawned, key=psutil.Process.create_time, default=None)


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it has ended
        return []


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def clean_environment(folder: str) -> dict[str, str]:
    """An environment without settings of this machine's own, and without VGG weights."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NST_")}
    return environment | {"NST_OFFLINE": "1", "KERAS_HOME": f"{folder}/keras", "TF_CPP_MIN_LOG_LEVEL": "3"}


@contextmanager
def studio(address: str = "", folder: Path | None = None) -> Iterator[Studio]:
    """The studio at `address`; without one, a new studio over the data in `folder`, by default none.

    A new one finds no VGG weights, so that `auto` is the compact network on every machine.
    """
    if address:
        yield Studio(address.rstrip("/"), time.monotonic())
        return
    with tempfile.TemporaryDirectory() as empty:
        new, process = launched(folder or Path(empty), free_port())
        try:
            yield new
        except BaseException:
            process.terminate()
            process.wait(60)
            raise
        new.end()


@contextmanager
def warm_studio(address: str) -> Iterator[Studio]:
    """As `studio`, once a worker is warm. Raises NotMeasured if none gets warm."""
    with studio(address) as running:
        running.seconds_until(running.worker_warm)
        yield running


def launched(folder: Path, port: int, program: str = "app.py") -> tuple[Studio, subprocess.Popen[bytes]]:
    """(a studio that was just started, its process), over the data that `folder` holds or will hold.

    `program` takes the place of app.py; it has its command line.
    """
    command = [sys.executable, program, "--port", str(port), "--data", f"{folder}/data"]
    log, started = folder / "log", time.monotonic()
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, cwd=ROOT, env=clean_environment(str(folder)), stdout=subprocess.DEVNULL, stderr=said
        )
    return Studio(f"http://127.0.0.1:{port}", started, process, log), process
