"""Benchmarks with workers of their own."""

import json
import os
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from benchmarks import (
    memory,
    wire,
    workers,
)
from nst.options.style_options import StyleOptions
from tests.benchmarks.conftest import Measure, Refuse

pytestmark = pytest.mark.timeout(600)  # some wait for workers that load TensorFlow, beside whatever else goes on


def test_memory_is_the_workers(measure: Measure) -> None:
    found = measure(memory.main, "--runs", "2", "--size", "64", "--steps", "1")
    assert found["most after any run"] > 100
    assert "growth" not in found  # which is told from the sixth run on


def test_memory_of_a_worker_that_cannot_paint_is_no_figure(refuse: Refuse, broken: Callable[[str], None]) -> None:
    broken("tensorflow")
    refuse(memory.main, "tensorflow is damaged", "--runs", "1", "--size", "64")


@pytest.mark.parametrize(
    ("cores", "words"), [(2, "2 cores are too few for the aim"), (4, "aim: at least 1.8 times, met")]
)
def test_workers_are_two_against_one(
    cores: int,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    painted: dict[int, list[int]] = {1: [], 2: []}

    class Quick:
        """A queue whose runs take no time."""

        def __init__(self, workers: int) -> None:
            self.workers, self.warm = workers, lambda: True

        def wait_until(self, happened: Callable[[], bool]) -> None:
            assert happened()

        def paint(self, options: StyleOptions, content: bytes, style: bytes, count: int) -> int:
            painted[self.workers].append(count)
            return min(count, self.workers)

    monkeypatch.setattr(workers, "cold", lambda count: nullcontext(Quick(count)))
    monkeypatch.setattr(workers, "seconds", lambda work: 6 / work())
    assert workers.main(["--runs", "4", "--rounds", "2", "--folder", str(tmp_path)]) == 0
    assert words in capsys.readouterr().out
    [path] = tmp_path.glob("*.json")
    found = {number["name"]: number["median"] for number in json.loads(path.read_text())["workers"]["numbers"]}
    assert found == {"one worker": 40, "two workers": 80, "two workers against one": 2}
    assert painted == {1: [1, 4, 4], 2: [2, 4, 4]}


def test_workers_that_cannot_paint_have_no_rate(refuse: Refuse, broken: Callable[[str], None]) -> None:
    broken("tensorflow")
    refuse(workers.main, "a run is failed", "--runs", "1", "--rounds", "1", "--size", "64", "--epochs", "1")


def test_wire_counts_bytes(measure: Measure) -> None:
    found = measure(wire.main, "--size", "64", "--epochs", "10", "--seconds", "0.2")
    assert found["an epoch, worker to scheduler"] >= found["a frame, JPEG"]


def test_wire_without_a_cluster_has_no_bytes(refuse: Refuse, broken: Callable[[str], None]) -> None:
    broken("distributed")
    refuse(wire.main, "distributed is damaged", "--size", "64")
