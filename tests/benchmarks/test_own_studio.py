"""Benchmarks that start studios of their own."""

import os
import socket
from collections.abc import Callable
from random import Random
from types import SimpleNamespace

import pytest

from benchmarks import (
    kills,
    startup,
)
from benchmarks.siege.__main__ import main as siege
from benchmarks.siege.attacks import hostile_requests
from benchmarks.siege.connection_attacks import held_connections, pipelines
from benchmarks.siege.hostile_files import hostile_pictures, hostile_styles
from benchmarks.siege.hostile_json import VALUES, hostile_bodies
from benchmarks.siege.target import Scale, Target
from benchmarks.studio import Studio
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


def test_kills_are_survived(measure: Measure) -> None:
    found = measure(kills.main, "--kills", "1", "--pause", "0.5", "--size", "64")  # by its seed, the worker
    assert 0 <= found["work lost to a kill"] == found["most work lost to a kill"]


def test_kills_of_a_worker_that_is_never_there_cost_nothing(refuse: Refuse, broken: Callable[[str], None]) -> None:
    broken("tensorflow")
    refuse(kills.main, "tensorflow is damaged", "--kills", "1")


def test_a_siege_tells_what_was_tried_and_what_failed(measure: Measure) -> None:
    found = measure(siege, "--only", "strangers", "pipelined requests")
    assert found["strangers: tried"] >= 4  # two ways into the scheduler and into the worker
    assert found["pipelined requests: tried"] > 10
    assert found["strangers: failed"] == found["pipelined requests: failed"] == 0
    assert found["strangers: /health meanwhile"] > 0
    assert found["strangers: the server's memory"] > 0


def test_hostile_files_have_names_of_their_own_and_are_the_same_for_a_seed() -> None:
    files = [*hostile_pictures(Random(1)), *hostile_styles(Random(1))]
    assert len({name for name, _ in files}) == len(files)
    assert files == [*hostile_pictures(Random(1)), *hostile_styles(Random(1))]


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
