"""Benchmarks that start studios of their own."""

import json
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest

from benchmarks import (
    kills,
    startup,
)
from benchmarks.outcome import NotMeasured
from benchmarks.siege import __main__ as siege
from benchmarks.siege import attacks
from benchmarks.siege.attacks import hostile_requests, load_settings
from benchmarks.siege.connection_attacks import held_connections, pipelines
from benchmarks.siege.full_disk import answers, fill, small_disk
from benchmarks.siege.hostile_files import LARGE, hostile_masks, hostile_pictures, hostile_styles, png_file, text_chunk
from benchmarks.siege.hostile_json import VALUES, hostile_bodies
from benchmarks.siege.target import Scale, Target
from benchmarks.studio import Studio, free_port, launched
from nst.options.style_options import StyleOptions
from nst.web.middleware.body_limit import SMALL_BODY
from nst.web.middleware.json_limit import check_json
from tests.benchmarks.conftest import Measure, Refuse

pytestmark = pytest.mark.timeout(600)  # some wait for workers that load TensorFlow, beside whatever else goes on


def test_startup_ends_with_a_warm_worker(measure: Measure) -> None:
    found = measure(startup.main, "--rounds", "1")
    assert 0 < found["python app.py to a page that answers"] < found["... to a warm worker"]


def test_startup_of_a_studio_that_ends_is_no_startup(refuse: Refuse, broken: Callable[[str], None]) -> None:
    broken("uvicorn")
    refuse(startup.main, "the studio ended with status 1: ImportError: uvicorn is damaged", "--rounds", "1")


def test_kills_are_survived(measure: Measure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kills, "MOST_LOST", 1000.0)  # how much is lost depends on what else the machine does
    began = time.monotonic()
    found = measure(kills.main, "--kills", "1", "--pause", "0.5", "--size", "64")
    assert 0 < found["work lost to a kill"] == found["most work lost to a kill"] < time.monotonic() - began
    [kept] = tmp_path.glob("*.json")
    assert json.loads(kept.read_text())["kills"]["conditions"]["kills"] == {"worker": 1, "server": 0}  # by its seed


@pytest.mark.parametrize(
    ("lost", "given", "words"),
    [
        ([1.0, 2.0, 12.5], ("--kills", "3"), "kills: a kill cost 12.5 s of painting, more than 10\n"),
        ([1.0], ("--kills", "2", "--minutes", "1e-6"), "kills: 1 of 2 kills were made in 1e-06 minutes\n"),
    ],
)
def test_kills_that_cost_too_much_or_are_too_few_fail(
    lost: list[float],
    given: tuple[str, ...],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Quick(kills.Trial):
        """A trial without servers, whose kills cost what is given."""

        def start(self) -> None: ...

        def end(self) -> None: ...

        def keep_busy(self) -> None: ...

        def check(self) -> None: ...

        def painting(self) -> str:
            return "a run"

        def kill(self, victim: str) -> list[float]:
            return [lost.pop(0)]

    monkeypatch.setattr(kills, "Trial", Quick)
    assert kills.main([*given, "--pause", "0.001", "--folder", str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert printed.err == words
    assert "most work lost to a kill" in printed.out


def test_the_work_that_is_lost_is_what_was_painted_since_the_last_checkpoint() -> None:
    started = {"kind": "started", "time": 100.0}
    epoch = {"kind": "epoch", "seconds": 5.0, "time": 105.0}
    kept = {"kind": "kept", "seconds": 3.0, "time": 103.5}
    assert kills.lost_seconds([started, kept, epoch], 106.0) == 3
    assert kills.lost_seconds([started, epoch], 106.0) == 6
    assert kills.lost_seconds([started, kept, epoch, {"kind": "started", "time": 110.0}], 112.0) == 2


def test_kills_of_a_worker_that_is_never_there_cost_nothing(refuse: Refuse, broken: Callable[[str], None]) -> None:
    broken("tensorflow")
    refuse(kills.main, "tensorflow is damaged", "--kills", "1")


# As app.py, but connections are closed after three seconds where it waits for fifteen and more.
IMPATIENT = """
import os
import runpy
import sys

sys.path.insert(0, os.getcwd())
from nst.web import serve
from nst.web.middleware.connection_limits import LimitedProtocol

if __name__ == "__main__":
    LimitedProtocol.header_seconds = LimitedProtocol.answered_seconds = LimitedProtocol.unread_seconds = 3.0
    serve.KEEP_ALIVE_SECONDS = 3
    runpy.run_path("app.py", run_name="__main__")
"""


@pytest.fixture(scope="module")
def besieged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio with a warm worker that soon closes connections; on a small disk where one can be mounted."""
    folder = tmp_path_factory.mktemp("besieged")
    program = folder / "impatient.py"
    program.write_text(IMPATIENT)
    with ExitStack() as stack:
        with suppress(NotMeasured):
            folder = stack.enter_context(small_disk())
        running, process = launched(folder, free_port(), str(program))
        try:
            running.seconds_until(running.worker_warm)
            yield running
        finally:
            process.terminate()
            process.wait(60)


def test_a_small_siege_is_withstood(measure: Measure, besieged: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(siege, "warm_studio", lambda address: nullcontext(besieged))
    few = ("--requests", "10", "--connections", "8", "--share", "0.04")
    quick = [name for name in siege.ATTACKS if name != "kills"]  # after each a worker loads TensorFlow; see above
    found = measure(siege.main, *few, "--only", *quick)
    tried = {name: found[f"{name}: tried"] for name in quick}
    assert {name for name in tried if found[f"{name}: failed"]} == set()
    least = {
        "strangers": 4,
        "pipelined requests": 10,
        "slow readers": 19,
        "slow connections": 8,
        "floods": 7,
    }
    assert {name: count for name, count in least.items() if tried[name] < count} == {}
    assert min(tried.values()) > 1
    assert found["strangers: /health meanwhile"] > 0
    assert found["strangers: the server's memory"] > 0


def test_the_page_loads_settings_of_a_picture_that_has_some(besieged: Studio) -> None:
    options = {"options": StyleOptions(strength=3.0).to_json()}
    picture = png_file(16, 16, bytes(49 * 16), text_chunk(json.dumps(options).encode()))
    answer = load_settings(Target(besieged), "lake.png", picture)
    assert (answer.status, b"The settings of lake.png are in the form" in answer.body) == (200, True)


def test_a_disk_that_gets_full_stops_no_studio(besieged: Studio) -> None:
    assert besieged.log
    if shutil.disk_usage(besieged.log.parent).total > 100 * 10**6:
        pytest.skip("no small disk: this user may not mount one")
    target = Target(besieged)
    assert [fill(target), answers(target, "while the disk is full")] == ["", ""]


def test_a_siege_that_is_not_withstood_fails_and_says_by_what(
    failing_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = SimpleNamespace(pid=os.getpid())
    monkeypatch.setattr(siege, "warm_studio", lambda address: nullcontext(Studio(failing_server, 0.0, ours)))  # type: ignore[arg-type]
    monkeypatch.setattr(siege, "HealthProbe", lambda target: nullcontext(SimpleNamespace(failures=[], latencies=[])))
    given = ("--requests", "3", "--only", "hostile requests", "--folder", str(tmp_path))
    assert siege.main(given) == 1
    *_, last = capsys.readouterr().err.splitlines()
    assert last == "siege: the studio did not hold against 7 of hostile requests"


def test_kills_while_the_worker_starts_come_first_and_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    pids = iter(range(99))

    class Told:
        """A studio that notes what happens to it."""

        def worker(self) -> SimpleNamespace:
            return SimpleNamespace(pid=next(pids), kill=lambda: told.append("kill"))

        def start_run(self, options: object) -> str:
            told.append("run")
            return "x"

        def follow(self, *given: object) -> list[dict[str, int]]:
            return [{"n": 1}]

        def send(self, *given: object) -> None: ...

    monkeypatch.setattr(attacks, "_is_warm_again", lambda target: told.append("warm") or "")
    monkeypatch.setattr(attacks.time, "sleep", lambda seconds: None)
    found = list(attacks.kills(Target(Told()), Scale(1, 1, 14, 0)))  # type: ignore[arg-type]
    assert told == ["kill"] * 14 + ["warm"] + ["run", "kill"] * 4 + ["warm"]
    assert found == [""] * (14 + 1 + 4 + 1)


def test_hostile_files_have_names_of_their_own_and_are_the_same_for_a_seed() -> None:
    def all_files() -> list[tuple[str, bytes]]:
        return [*hostile_pictures(Random(1)), *hostile_styles(Random(1)), *hostile_masks(Random(1))]

    files = all_files()
    names = {name for name, _ in files}
    assert len(names | {*LARGE}) == len(files) + len(LARGE)
    assert {"damaged AVIF 0", "damaged JPEG2000 0", "damaged PPM 0", "damaged mask 0"} <= names
    assert files == all_files()


def test_hostile_json_has_names_of_its_own_and_its_values_are_within_the_limits_of_structure() -> None:
    names = [name for name, _ in hostile_bodies()]
    assert len(set(names)) == len(names)
    for value in VALUES.values():
        check_json(b'{"options":' + value + b"}")
        assert len(value) < SMALL_BODY


FEW = Scale(requests=5, connections=2, kills=1, seed=0)


def test_what_a_server_does_not_hold_against_is_told(failing_server: str) -> None:
    target = Target(Studio(failing_server, 0.0))
    assert all("status 50" in each for each in hostile_requests(target, FEW))
    assert any("answered with [], not [b'404', b'200']" in each for each in pipelines(target, FEW))


def test_connections_that_a_server_does_not_close_are_told() -> None:
    ours = SimpleNamespace(pid=os.getpid())
    with socket.create_server(("127.0.0.1", 0)) as server:
        target = Target(Studio(f"http://127.0.0.1:{server.getsockname()[1]}", 0.0, ours))  # type: ignore[arg-type]
        with target.connect() as kept, target.connect() as closed:
            ports = {each.getsockname()[1]: name for each, name in ((kept, "/kept"), (closed, "/closed"))}
            first, second = server.accept()[0], server.accept()[0]
            with first:
                second.close()
                found = list(held_connections(target, ports, 0.0))
    assert found == ["/kept: the connection is held for 0 s", ""]
