"""Painters for the queue's tests, handed over by name as the real one is."""

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from nst.errors import InputError, WeightsError
from nst.events import Epoch, Event, Fetching, Finished, Losses, Started, Stopped

Emit = Callable[[Event], None]
Job = dict[str, Any]


def epoch(n: int, image: bytes = b"\xff\xd8 a frame") -> Epoch:
    return Epoch(n, 10 * n, Losses(3.0, 1.0, 1.5, 0.5), 8, 6, float(n), 10.0, 1.0, image)


def started(job: Job) -> Started:
    epochs = job["options"]["epochs"]
    return Started("compact", repr([job["content"], job["style"], job["init"]]), 8, 6, epochs, 10 * epochs)


def paint(job: Job, emit: Emit, stop_requested: Callable[[], bool]) -> None:
    """All epochs, as fast as they go; 60 kB a frame."""
    emit(started(job))
    for n in range(job["options"]["epochs"] + 1):
        emit(epoch(n, n.to_bytes(2) * 30_000))
    emit(Finished(1.0, b"a result"))


def paint_until_stopped(job: Job, emit: Emit, stop_requested: Callable[[], bool]) -> None:
    emit(started(job))
    emit(epoch(0))
    while not stop_requested():
        time.sleep(0.005)
    emit(Stopped(2.0, b"what there is"))


def paint_by_seed(job: Job, emit: Emit, stop_requested: Callable[[], bool]) -> None:
    """One queue, many painters: the run's seed chooses."""
    PAINTERS[job["options"]["seed"]](job, emit, stop_requested)


def raise_input_error(job: Job, emit: Emit, stop_requested: Callable[[], bool]) -> None:
    emit(started(job))
    raise InputError("`size` must be smaller\nand a second line")


def raise_unpicklable(job: Job, emit: Emit, stop_requested: Callable[[], bool]) -> None:
    raise OSError("oh", threading.Lock())


def say_nothing(job: Job, emit: Emit, stop_requested: Callable[[], bool]) -> None:
    pass


def say_what_cannot_be_sent(job: Job, emit: Emit, stop_requested: Callable[[], bool]) -> None:
    emit(Started(object(), "", 1, 1, 1, 1))  # type: ignore[arg-type]


def skip_the_start(job: Job, emit: Emit, stop_requested: Callable[[], bool]) -> None:
    emit(Finished(1.0))
    paint_until_stopped(job, emit, stop_requested)


PAINTERS = (
    paint,
    paint_until_stopped,
    raise_input_error,
    raise_unpicklable,
    say_nothing,
    say_what_cannot_be_sent,
    skip_the_start,
)

_installed = {"compact"}


def warm_up() -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "nice": os.nice(0),
        "offline": os.environ.get("NST_OFFLINE", ""),
        "extractors": dict.fromkeys(_installed, True),
    }


def warm_up_and_raise() -> dict[str, Any]:
    raise ImportError("there is no such network\nin this worker")


def warm_up_and_die() -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def fetch(name: str, emit: Emit) -> None:
    if name == "missing":
        raise WeightsError("there are no weights for 'missing'")
    for received in (0, 50, 100):
        emit(Fetching(name, received, 100))
    _installed.add(name)
    emit(Fetching(name, 100, 100, done=True))


def fetch_and_die(name: str, emit: Emit) -> None:
    emit(Fetching(name, 1, 100))
    os.kill(os.getpid(), signal.SIGKILL)
