"""What the queue has done in a worker process: warm up, paint, ask something of a painting, fetch weights.

A painter is handed over by name and imported here, never in the process of the web:

    execute(job, emit, control) -> None
        job: {"content": bytes, "style": bytes, "init": bytes | None, "options": StyleOptions.to_json()}; and of a
            run that does not begin at its beginning: "epochs": int of the whole run, if it was prolonged;
            "steered": [{"step", "changes"}], live options changed so far; "checkpoint": bytes to go on from;
            "start": bytes of a JPEG frame to branch from, after epoch "first"; "seconds": float, painted before
        emit(event): Started, Epochs, Kept, Steered, and one of Finished, Stopped, Paused, Failed; what it raises
            becomes Failed
        control: a nst.runs.control.Control, to be looked at after every step
    warm_up() -> plain values for the health report, as nst.worker.runner's: "extractors" says which networks there are;
        "auto", "precision", "calibrations" and "memory" are what estimates need
    fetch(name, emit, stop) -> plain values: what is new in the answer of `warm_up`
        emit(event): Fetching, as it goes on; its end is told here: how, by what `fetch` raises
        stop: a threading.Event; once it is set, `fetch` is to raise Cancelled soon
    instant(job) -> plain values: what nst.worker.fast_runner.paint says, beside the painting

They answer through Dask's event log, which keeps their order; the end of a task never overtakes it. A checkpoint, which
may be as large as fifty frames, is put aside for the queue to take: the log keeps copies. Exceptions are put in words
here: to unpickle one could import TensorFlow where it must not be.
"""

import asyncio
import importlib
import itertools
import json
import os
import signal
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from distributed import Worker, get_worker

from nst.errors import Cancelled, InputError, NstError, Unfetched
from nst.runs.control import Control
from nst.runs.events import Event, Failed, Fetching

_controls: dict[str, Control] = {}  # by ticket
_stops: dict[str, threading.Event] = {}  # of downloads, by ticket
_aside: dict[str, bytes] = {}  # checkpoints on their way, oldest first
_one_at_a_time = ThreadPoolExecutor(1, "nst-aside")
_turns, _newest = itertools.count(), dict[str, int]()  # the last turn of who asked for a call beside the painting
MOST_ASIDE = 3  # what nobody came for is dropped
REMEMBERED = 256  # of those who asked


def dask_setup(worker: Worker) -> None:
    """Leave Ctrl-C, which a terminal sends to every process, to the server: it ends its worker itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def warm_up(function: str, topic: str, niceness: int) -> None:
    """Call `warm_up` and send what it returns as "info", or why it failed as "trouble"."""
    worker = get_worker()
    _step_back(niceness)
    try:
        worker.log_event(topic, {"worker": worker.address, "info": _plain(_named(function)())})
    except Exception as error:
        worker.log_event(topic, {"worker": worker.address, "trouble": in_words(error)})


def paint(function: str, topic: str, ticket: str, job: dict[str, Any]) -> None:
    """Call `execute` and send its events under `ticket`, the hand-over's own name."""
    worker = get_worker()
    key = worker.get_current_task()
    control = _controls.setdefault(ticket, Control())
    # Its client, or its scheduler, went away: Dask lets a task go that it cannot interrupt.
    control.abandoned = lambda: getattr(worker.state.tasks.get(key), "state", "cancelled") == "cancelled"

    def emit(event: Event) -> None:
        wire = event.to_wire()
        message = {"worker": worker.address, "ticket": ticket, "event": wire}
        if checkpoint := wire.pop("checkpoint", b""):
            message["aside"] = _put_aside(checkpoint)
        worker.log_event(topic, message)

    try:
        _named(function)(job, emit, control)
    except Exception as error:
        emit(Failed(in_words(error)))
    finally:
        del _controls[ticket]


def ask(ticket: str, wish: str, *given: Any) -> None:
    """Call a method of a painting's control: "stop", "pause" or "steer"; also of one that is still on its way."""
    getattr(_controls.setdefault(ticket, Control()), wish)(*given)


def _put_aside(checkpoint: bytes) -> str:
    """The name under which `take` gives it out, once."""
    while len(_aside) >= MOST_ASIDE:
        del _aside[next(iter(_aside))]
    name = uuid.uuid4().hex
    _aside[name] = checkpoint
    return name


def take(name: str) -> bytes:
    """A checkpoint that was put aside, b"" if it is no longer there."""
    return _aside.pop(name, b"")


async def call_aside(function: str, job: dict[str, Any], asked_by: str = "") -> dict[str, Any]:
    """What `function(job)` returns, called beside the painting, one call after the other.

    {"error": in words, "fault": whether what was given is to blame} if it fails; {"overtaken": True} if `asked_by`, who
    is somebody unless "", asked anew before its turn came.
    """
    turn = next(_turns)
    _newest.pop(asked_by, None)
    _newest[asked_by] = turn
    if len(_newest) > REMEMBERED:
        del _newest[next(iter(_newest))]

    def call() -> Any:
        if asked_by and _newest.get(asked_by, turn) > turn:
            return {"overtaken": True}
        return _named(function)(job)

    try:
        loop = asyncio.get_running_loop()  # which must not wait while TensorFlow is imported
        found: dict[str, Any] = await loop.run_in_executor(_one_at_a_time, call)
    except Exception as error:
        return {"error": in_words(error), "fault": isinstance(error, InputError)}
    return found


def fetch_aside(
    function: str, name: str, ticket: str, topic: str, niceness: int, dask_worker: Worker | None = None
) -> None:
    """Call `fetch` in a thread beside the painting, and send its events and what it returns, as "news".

    `ticket` is this download's own name; `dask_worker` is given by Dask to what it runs beside a task.
    """
    assert dask_worker is not None
    stop, last = _stops.setdefault(ticket, threading.Event()), Fetching(name, 0, 0)

    def send(**what: Any) -> None:
        dask_worker.log_event(topic, {"worker": dask_worker.address, **what})

    def emit(event: Fetching) -> None:
        nonlocal last
        last = event
        send(fetching=event.to_wire())

    def end(outcome: str, error: str = "") -> None:
        send(fetching=replace(last, outcome=outcome, error=error).to_wire())

    def fetch() -> None:
        _step_back(niceness)
        try:
            send(news=_plain(_named(function)(name, emit, stop)))
            end("installed")
        except Cancelled:
            end("cancelled")
        except Unfetched as error:
            end("broken" if error.passing else "refused", error.brief)
        except Exception as error:
            end("refused", in_words(error))
        finally:
            del _stops[ticket]

    threading.Thread(target=fetch, name=f"fetch-{name}", daemon=True).start()


def cancel_fetch(ticket: str) -> None:
    """End a download, also one that is still on its way here."""
    _stops.setdefault(ticket, threading.Event()).set()


def _step_back(niceness: int) -> None:
    """Be at least so nice: on Linux this thread and those it starts, so that the worker itself goes on answering."""
    if hasattr(os, "nice"):  # there is none on Windows
        os.nice(max(0, niceness - os.nice(0)))


def _plain(values: Any) -> Any:
    """`values` by way of JSON, which refuses what is not plain."""
    return json.loads(json.dumps(values))


def _named(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


def in_words(error: Exception) -> str:
    """One line; the name of the error too, unless its message is meant for users."""
    message = str(error).strip().partition("\n")[0]
    if isinstance(error, NstError) and message:
        return message
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
