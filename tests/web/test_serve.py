"""The server as a process: its start, its end, and its errors on the command line."""

import asyncio
import logging
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
import webbrowser
from contextlib import AbstractContextManager, closing, suppress
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from nst.jobs.storage.store import Store
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions
from nst.web.serve import _Server, addresses, build, serve
from tests.jobs.runs import wait_until
from tests.server_process import server_process
from tests.web.sites import picture, served

ROOT = Path(__file__).resolve().parents[2]


def app(*arguments: str, **environment: str) -> AbstractContextManager[subprocess.Popen[str]]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return server_process([sys.executable, "app.py", *arguments], env={**os.environ, "CI": "1", **environment}, **pipes)


def test_the_server_prints_its_address_answers_and_ends_at_ctrl_c(tmp_path: Path) -> None:
    # No scheduler runs at that address: the page is served all the same, without starting a worker.
    with app("--port", "0", NST_DATA=str(tmp_path), NST_SCHEDULER="tcp://127.0.0.1:9") as process:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found
        with urllib.request.urlopen(found[0], timeout=30) as answer:
            assert b"nst studio" in answer.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_the_server_starts_without_a_standard_output(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = ["sh", "-c", f'exec "$0" app.py --port {port} >&-', sys.executable]
    environment = {**os.environ, "CI": "1", "NST_DATA": str(tmp_path), "NST_SCHEDULER": "tcp://127.0.0.1:9"}
    with server_process(command, env=environment) as process:
        health = ""
        while not health:
            assert process.poll() is None
            with suppress(OSError):
                health = urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/health", timeout=30).read().decode()
            time.sleep(0.1)
        if sys.platform == "linux":
            assert os.readlink(f"/proc/{process.pid}/fd/1") == os.devnull
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_server_and_its_worker_ends_both_without_output(tmp_path: Path, end: int) -> None:
    with app("--port", "0", NST_DATA=str(tmp_path)) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[4]
        if end == signal.SIGTERM:  # before the worker is ready
            wait_until(lambda: psutil.Process(process.pid).children(recursive=True))
        else:
            wait_until(lambda: b'"warm"' in urllib.request.urlopen(f"{url}/api/v1/health", timeout=30).read())
        os.killpg(process.pid, end) if end == signal.SIGINT else process.send_signal(end)
        assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 0


def test_a_request_that_the_shutdown_interrupts_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    asked = asyncio.Event()

    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        asked.set()
        await asyncio.Event().wait()

    async def story() -> None:
        config = uvicorn.Config(never, port=0, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
        server, listener = _Server(config), socket.create_server(("127.0.0.1", 0))
        with listener:
            serving = asyncio.create_task(server.serve([listener]))
            _, writer = await asyncio.open_connection(*listener.getsockname())
            writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            await asyncio.wait_for(asked.wait(), 30)
            server.should_exit = True
            await asyncio.wait_for(serving, 30)
            writer.close()

    asyncio.run(story())
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_what_the_server_keeps_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with app("--port", "0", NST_DATA=str(data), NST_SCHEDULER="tcp://127.0.0.1:9") as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[4]
        answer = httpx2.post(f"{url}/api/v1/uploads", files={"file": ("a.png", picture())}, timeout=30)
        assert answer.status_code == 201
        modes = {str(path.relative_to(data)): path.stat().st_mode & 0o077 for path in (data, *data.rglob("*"))}
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert any(name.startswith("uploads/") for name in modes)
    assert [name for name, of_others in modes.items() if of_others] == []


def test_a_lost_database_beside_its_runs_is_one_clear_line(tmp_path: Path) -> None:
    store = Store(tmp_path)
    upload = store.put_upload(picture())
    store.create(StyleOptions(), upload, upload)
    store.close()
    for path in tmp_path.glob("studio.sqlite*"):
        path.unlink()
    with app("--port", "0", NST_DATA=str(tmp_path)) as process:
        errors = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert errors.count("\n") == 1
    assert "`nst store repair` records them again" in errors


@pytest.mark.parametrize(
    ("host", "urls"),
    [
        ("127.0.0.1", ["http://127.0.0.1:80"]),
        ("192.168.0.7", ["http://192.168.0.7:80"]),
        ("::1", ["http://[::1]:80"]),
        ("0.0.0.0", ["http://127.0.0.1:80", f"http://{socket.gethostname()}:80"]),
        ("::", ["http://[::1]:80", f"http://{socket.gethostname()}:80"]),
    ],
)
def test_the_links_that_are_printed_lead_to_the_studio(host: str, urls: list[str]) -> None:
    assert addresses(host, 80) == urls


def test_the_link_with_the_token_that_was_made_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = threading.Event()
    links = []

    def note(link: str) -> None:
        links.append(link)
        opened.set()

    monkeypatch.setattr(webbrowser, "open", note)
    monkeypatch.setattr("nst.web.serve._listen", lambda settings: socket.create_server(("127.0.0.1", 0)))
    monkeypatch.setattr(_Server, "run", lambda server, sockets: setattr(server, "started", opened.wait(30)))
    monkeypatch.setattr(signal, "signal", lambda *arguments: None)
    before = os.umask(0o022)
    try:
        serve(Settings(host="0.0.0.0", port=0, data=tmp_path, scheduler="tcp://127.0.0.1:9"), open_browser=True)
    finally:
        os.umask(before)
    assert re.fullmatch(rf"http://127\.0\.0\.1:\d+/login\?token={(tmp_path / 'token').read_text().strip()}", links[0])


def test_uvicorn_alone_says_what_the_server_lacks(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import app; app.server"]
    environment = {**os.environ, "NST_DATA": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == [
        "nst: this server has no limits of connections and no lock on its data folder, which `nst serve` has"
    ]


def test_a_port_that_is_taken_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with app("--port", port, NST_DATA=str(tmp_path)) as process:
            out, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out == ""
    assert errors.count("\n") == 1
    assert port in errors
    assert "--port" in errors


def test_a_folder_that_another_studio_has_is_one_clear_line(tmp_path: Path) -> None:
    scheduler = {"NST_DATA": str(tmp_path), "NST_SCHEDULER": "tcp://127.0.0.1:9"}
    with app("--port", "0", **scheduler) as first:
        assert first.stdout is not None
        assert "http" in first.stdout.readline()
        with app("--port", "0", **scheduler) as second:
            errors = second.communicate(timeout=60)[1]
        first.send_signal(signal.SIGINT)
    assert second.returncode == 1
    assert errors.count("\n") == 1
    assert str(tmp_path) in errors
    assert "--data" in errors


def test_a_studio_whose_folder_is_deleted_ends_with_one_clear_line(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with app("--port", "0", NST_DATA=str(data), NST_SCHEDULER="tcp://127.0.0.1:9") as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[4]
        assert urllib.request.urlopen(f"{url}/api/v1/runs", timeout=30).status == 200
        shutil.rmtree(data)
        errors = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert f"the data folder {data} was deleted or replaced while the studio used it" in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert not data.exists()


def test_a_folder_that_cannot_be_used_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with app("--port", "0", NST_DATA=str(tmp_path / "file" / "data")) as process:
        errors = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert errors.count("\n") == 1
    assert str(tmp_path) in errors


def test_an_application_that_cannot_start_ends_the_program(tmp_path: Path) -> None:
    Store(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "studio.sqlite")) as database, database:
        database.execute("INSERT INTO runs (id, state, run) VALUES ('x', 'running', 'damaged')")
    with app("--port", "0", NST_DATA=str(tmp_path)) as process:
        errors = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert errors.startswith("nst: the studio could not start: JSONDecodeError")
    assert errors.count("\n") == 1


def test_app_py_has_the_flags_of_nst_serve() -> None:
    with app("--help") as process:
        help = process.communicate(timeout=60)[0]
    assert process.returncode == 0
    for flag in ("--port", "--data", "--open, --no-open"):
        assert flag in help


def test_a_studio_that_others_can_reach_prints_a_link_with_its_token(tmp_path: Path) -> None:
    host = socket.gethostname()  # a name, of which the studio does not know that only this machine reaches it
    try:
        local = socket.gethostbyname(host).startswith("127.")
    except OSError:
        local = False
    if not local:
        pytest.skip("the name of this machine is no name of its loopback address")
    settings = {"NST_DATA": str(tmp_path), "NST_SCHEDULER": "tcp://127.0.0.1:9", "NST_TOKEN": ""}
    with app("--host", host, "--port", "0", **settings) as process:
        assert process.stdout is not None
        process.stdout.readline()
        link = process.stdout.readline().split()[-1]
        answer = httpx2.get(link)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert "nst-session" in answer.headers["set-cookie"]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert link.endswith((tmp_path / "token").read_text().strip())


def test_a_token_is_required_and_never_printed(tmp_path: Path) -> None:
    token = "open-sesame-open"
    settings = {"NST_DATA": str(tmp_path), "NST_SCHEDULER": "tcp://127.0.0.1:9", "NST_TOKEN": token}
    with app("--port", "0", **settings) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        url = said.split()[4]
        assert httpx2.get(f"{url}/api/v1/options").status_code == 401
        assert httpx2.get(f"{url}/api/v1/options", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert token not in said + out + errors


@pytest.mark.parametrize("trusted", [False, True])
def test_only_a_named_proxy_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: bool) -> None:
    if trusted:
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", "127.0.0.1")
    else:
        monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    site = build(Settings(data=tmp_path, token="open-sesame-open", scheduler="tcp://127.0.0.1:9"))
    with closing(site.state.service.store), served(site) as address:
        headers = {"X-Forwarded-Proto": "https"}
        answer = httpx2.post(f"{address}/login", data={"token": "open-sesame-open"}, headers=headers)
    assert answer.status_code == 303
    assert ("Secure" in answer.headers["set-cookie"]) is trusted


def test_app_py_fetches_vgg19_unless_it_is_offline_or_has_a_scheduler(tmp_path: Path) -> None:
    def wanted(**settings: Any) -> str:
        service = build(Settings(data=tmp_path, **settings)).state.service
        service.store.close()
        return service.queue.pool.prefetch

    assert wanted() == "vgg19"
    assert wanted(offline=True) == wanted(scheduler="tcp://127.0.0.1:9") == ""
    assert Settings.read().offline  # so that no server of these tests downloads anything


@pytest.mark.parametrize("port", ["many", "70000"])
def test_a_bad_port_is_one_clear_line(port: str) -> None:
    with app("--port", port) as process:
        errors = process.communicate(timeout=60)[1]
    assert process.returncode == 2
    assert errors.count("\n") == 1
    assert port in errors
