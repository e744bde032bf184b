"""Benchmarks that start studios of their own."""

from collections.abc import Callable
from random import Random

import pytest

from benchmarks import (
    kills,
    startup,
)
from benchmarks.siege.__main__ import main as siege
from benchmarks.siege.attacks import Scale, hostile_requests
from benchmarks.siege.hostile_files import hostile_pictures, hostile_styles
from benchmarks.siege.target import Target
from benchmarks.studio import Studio
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
    found = measure(siege, "--only", "strangers")
    assert found["strangers: tried"] >= 4  # two ways into the scheduler and into the worker
    assert found["strangers: failed"] == 0
    assert found["strangers: /health meanwhile"] > 0


def test_hostile_files_have_names_of_their_own_and_are_the_same_for_a_seed() -> None:
    files = [*hostile_pictures(Random(1)), *hostile_styles(Random(1))]
    assert len({name for name, _ in files}) == len(files)
    assert files == [*hostile_pictures(Random(1)), *hostile_styles(Random(1))]


def test_what_a_server_does_not_hold_against_is_told(failing_server: str) -> None:
    target, scale = Target(Studio(failing_server, 0.0)), Scale(requests=5, connections=2, kills=1, seed=0)
    assert all("status 50" in each for each in hostile_requests(target, scale))
