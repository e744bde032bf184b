"""Benchmarks with workers of their own."""

from collections.abc import Callable

import pytest

from benchmarks import (
    memory,
    wire,
    workers,
)
from tests.benchmarks.conftest import Measure, Refuse

pytestmark = pytest.mark.timeout(600)  # some wait for workers that load TensorFlow, beside whatever else goes on


def test_memory_is_the_workers(measure: Measure) -> None:
    found = measure(memory.main, "--runs", "2", "--size", "64", "--steps", "1")
    assert found["most after any run"] > 100
    assert "growth" not in found  # which is told from the sixth run on


def test_memory_of_a_worker_that_cannot_paint_is_no_figure(refuse: Refuse, broken: Callable[[str], None]) -> None:
    broken("tensorflow")
    refuse(memory.main, "tensorflow is damaged", "--runs", "1", "--size", "64")


def test_workers_are_two_against_one(measure: Measure) -> None:
    found = measure(workers.main, "--runs", "2", "--rounds", "1", "--size", "64", "--epochs", "1")
    assert found["two workers against one"] == pytest.approx(found["two workers"] / found["one worker"], rel=1e-3)


def test_workers_that_cannot_paint_have_no_rate(refuse: Refuse, broken: Callable[[str], None]) -> None:
    broken("tensorflow")
    refuse(workers.main, "a run is failed", "--runs", "1", "--rounds", "1", "--size", "64", "--epochs", "1")


def test_wire_counts_bytes(measure: Measure) -> None:
    found = measure(wire.main, "--size", "64", "--epochs", "10", "--seconds", "0.2")
    assert found["an epoch, worker to scheduler"] >= found["a frame, JPEG"]


def test_wire_without_a_cluster_has_no_bytes(refuse: Refuse, broken: Callable[[str], None]) -> None:
    broken("distributed")
    refuse(wire.main, "distributed is damaged", "--size", "64")
