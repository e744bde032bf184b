"""What the workers of the queue's tests call, named as text as the real functions are."""

import itertools
import json
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from nst.errors import Cancelled, InputError, Unfetched, WeightsError
from nst.jobs.worker_pool import worker_tasks
from nst.runs.control import Control
from nst.runs.events import Checkpointed, Epoch, Event, Fetching, Finished, Paused, Started, Steered, Stopped
from nst.runs.job import StyleJob
from tests.epochs import epoch_event
from tests.jobs.ending_worker import FILE

Emit = Callable[[Event], None]


def epoch(n: int, image: bytes = b"\xff\xd8 a frame") -> Epoch:
    return epoch_event(n, width=8, height=6, seconds=float(n), seconds_left=1.0, image=image)


def started(job: StyleJob) -> Started:
    epochs = int(job.options.epochs)
    return Started(
        extractor="compact",
        note=repr([job.content, job.style, job.init]),
        width=8,
        height=6,
        epochs=epochs,
        steps=10 * epochs,
    )


def paint(job: StyleJob, emit: Emit, control: Control) -> None:
    """All epochs without a pause; 60 kB a frame."""
    emit(started(job))
    for n in range(int(job.options.epochs) + 1):
        emit(epoch(n, n.to_bytes(2) * 30_000))
    emit(Finished(seconds=1.0, image=b"a result"))


def paint_until_stopped(job: StyleJob, emit: Emit, control: Control) -> None:
    emit(started(job))
    emit(epoch(0))
    while not control.stop_requested:
        time.sleep(0.005)
    emit(Stopped(seconds=2.0, image=b"what there is"))


def run_by_seed(job: StyleJob, emit: Emit, control: Control) -> None:
    """The run's seed chooses one of RUNNERS, so that one queue serves many tests."""
    RUNNERS[job.options.seed](job, emit, control)


def raise_input_error(job: StyleJob, emit: Emit, control: Control) -> None:
    emit(started(job))
    raise InputError("`size` must be smaller\nand a second line")


def raise_unpicklable(job: StyleJob, emit: Emit, control: Control) -> None:
    raise OSError("oh", threading.Lock())


def emit_nothing(job: StyleJob, emit: Emit, control: Control) -> None:
    pass


def emit_what_cannot_be_sent(job: StyleJob, emit: Emit, control: Control) -> None:
    emit(Started(extractor=object(), note="", width=1, height=1, epochs=1, steps=1))  # type: ignore[arg-type]


def skip_the_start(job: StyleJob, emit: Emit, control: Control) -> None:
    emit(Finished(seconds=1.0))
    paint_until_stopped(job, emit, control)


def paint_with_checkpoints(job: StyleJob, emit: Emit, control: Control) -> None:
    """Answers every request: a step an epoch, a checkpoint with its number after each.

    It kills its process at epoch 2 where the style is "deadly", or "deadly once" and there was no checkpoint. By then
    the event of epoch 2 and the checkpoint of epoch 1, which is sent after it, were received: it is sent twice, and the
    second one is asked for when the first one is there.
    """
    epochs = job.epochs or int(job.options.epochs)
    begun = int(job.checkpoint or (job.first if job.start else 0))
    note = json.dumps({"steered": [changes for _, changes in job.steered], "start": bool(job.start)})
    emit(
        Started(
            extractor="compact",
            note=note,
            width=8,
            height=6,
            epochs=epochs,
            steps=epochs,
            epoch=begun,
            resumed=bool(job.checkpoint),
        )
    )
    dies = job.style == b"deadly" or (job.style == b"deadly once" and begun < 1)
    for n in range(begun, epochs + 1):
        if n > begun or not job.checkpoint:
            emit(epoch(n))
        if n == 2 and dies:
            for _ in range(2):
                emit(Checkpointed(step=1, seconds=1.0, checkpoint=b"1"))
            while worker_tasks._checkpoints:  # the second one was not asked for yet
                time.sleep(0.005)
            os.kill(os.getpid(), signal.SIGKILL)
        if control.stop_requested:
            emit(Stopped(seconds=float(n), image=b"what there is"))
            return emit(Checkpointed(step=n, seconds=float(n), checkpoint=b"%d" % n))
        if control.pause_requested:
            emit(Paused(seconds=float(n), image=b"what there is"))
            return emit(Checkpointed(step=n, seconds=float(n), checkpoint=b"%d" % n))
        if changes := control.take_changes():
            emit(Steered(step=n + 1, epoch=n, changes=changes))
        if not dies:
            emit(Checkpointed(step=n, seconds=float(n), checkpoint=b"%d" % n))
        while job.options.strength == HOLDS and n == 1 and not (control.stop_requested or control.pause_requested):
            time.sleep(0.005)
            if changes := control.take_changes():
                emit(Steered(step=n + 1, epoch=n, changes=changes))
    emit(Finished(seconds=float(epochs), image=b"a result"))
    return emit(Checkpointed(step=epochs, seconds=float(epochs), checkpoint=b"%d" % epochs))


HOLDS = 7.0  # with this strength, `paint_with_checkpoints` waits after epoch 1 for a request to pause or stop

RUNNERS = (
    paint,
    paint_until_stopped,
    raise_input_error,
    raise_unpicklable,
    emit_nothing,
    emit_what_cannot_be_sent,
    skip_the_start,
    paint_with_checkpoints,
)

_installed = {"compact"}
_warm_ups = itertools.count(1)


def warm_up() -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "nice": os.nice(0),
        "offline": os.environ.get("NST_OFFLINE", ""),
        "extractors": extractors(),
        "warm_ups": next(_warm_ups),
    }


def extractors() -> dict[str, Any]:
    names = {"vgg19", "vgg16", "missing", "away", "endless"} | _installed
    return {name: {"installed": name in _installed, "fetchable": name not in _installed} for name in names}


def warm_up_and_raise() -> dict[str, Any]:
    raise ImportError("there is no such network\nin this worker")


def warm_up_for_ever() -> dict[str, Any]:
    threading.Event().wait()
    return {}


def warm_up_while_told() -> dict[str, Any]:
    """Hangs if the file exists that the environment names."""
    return warm_up_for_ever() if Path(os.environ[FILE]).exists() else warm_up()


def warm_up_but_one() -> dict[str, Any]:
    """The first one to delete that file hangs."""
    with suppress(FileNotFoundError):
        Path(os.environ[FILE]).unlink()
        return warm_up_for_ever()
    return warm_up()


def warm_up_and_die() -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def fetch(name: str, emit: Callable[[Fetching], None], stop: threading.Event) -> dict[str, Any]:
    """By its name: there is none, the network is down, it takes until it is cancelled, or it is installed."""
    if name == "missing":
        raise WeightsError("there are no weights for 'missing'")
    if name == "away":
        raise Unfetched("could not download http://there/: [Errno 111] refused", "there is no connection", passing=True)
    for received in (0, 50, 100):
        emit(Fetching(name=name, received=received, size=100))
    if name == "endless":
        stop.wait()
        raise Cancelled("the download was cancelled")
    _installed.add(name)
    return {"extractors": extractors()}


def fetch_and_die(name: str, emit: Callable[[Fetching], None], stop: threading.Event) -> dict[str, Any]:
    emit(Fetching(name=name, received=1, size=100))
    os.kill(os.getpid(), signal.SIGKILL)
    return {}
