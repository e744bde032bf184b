"""Functions that the pool calls in a worker process: warm up, run a job, change a run, fetch weights.

What they call is named as text, "module:function", and imported here, never in the process of the web:

    execute(job, emit, control) -> None
        job: a StyleJob. emit(event): Started, Epochs, Checkpointed, Steered, and one of Finished, Stopped, Paused,
        Failed; an exception becomes Failed. control: a nst.runs.control.Control, to be read after every step.
    warm_up() -> plain values for the health report, as nst.worker.runner's: "extractors" lists the networks; "auto",
        "precision", "calibrations" and "memory" are what estimates need
    fetch(name, emit, stop) -> plain values: what is new in the answer of `warm_up`
        emit(event): Fetching, while it goes on; the last event is made here, from the exception if there is one.
        stop: a threading.Event; once it is set, `fetch` must raise Cancelled soon.
    apply_style(job) -> list of FastPicture
        job: a FastJob.
    diagnose(job) -> plain values
        job: a DiagnosisJob.

Messages go through Dask's event log, which keeps their order; the end of a task never overtakes them. A checkpoint may
be as large as fifty frames, and the log keeps copies: it is held here until the pool fetches it. Errors are sent as
text: to unpickle an exception could import TensorFlow into the process of the web.
"""

import asyncio
import importlib
import itertools
import json
import os
import signal
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from distributed import Worker, get_worker

from nst.errors import Cancelled, InputError, NstError, Unfetched
from nst.lru_cache import LruCache
from nst.runs.control import Control
from nst.runs.events import Event, Failed, Fetching
from nst.runs.job import DiagnosisJob, FastJob, StyleJob

_controls: dict[str, Control] = {}  # by lease
_fetch_stops: dict[str, threading.Event] = {}  # by fetch id
_checkpoints: dict[str, bytes] = {}  # not fetched yet, oldest first
MOST_CHECKPOINTS = 3  # held; older ones are dropped
_beside_executor = ThreadPoolExecutor(1, "nst-beside")
MOST_CALLERS = 256  # remembered
_call_numbers, _last_calls = itertools.count(), LruCache[str, int](MOST_CALLERS)  # the last call of each caller


def dask_setup(worker: Worker) -> None:
    """Ignore Ctrl-C, which a terminal sends to every process: the server ends its workers itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def warm_up(function: str, topic: str, niceness: int) -> None:
    """Call `warm_up` and send what it returns as "info", or why it failed as "error"."""
    worker = get_worker()
    _lower_priority(niceness)
    try:
        worker.log_event(topic, {"worker": worker.address, "info": _plain(_named(function)())})
    except Exception as error:
        worker.log_event(topic, {"worker": worker.address, "error": describe_error(error)})


def execute(function: str, topic: str, lease: str, job: Mapping[str, Any]) -> None:
    """Call `execute` with the job of that wire form, and send its events under `lease`."""
    worker = get_worker()
    key = worker.get_current_task()
    control = _controls.setdefault(lease, Control())
    # Dask drops a task that it cannot interrupt when its client or its scheduler is lost.
    control.abandoned = lambda: getattr(worker.state.tasks.get(key), "state", "cancelled") == "cancelled"

    def emit(event: Event) -> None:
        wire = event.to_wire()
        message = {"worker": worker.address, "lease": lease, "event": wire}
        if checkpoint := wire.pop("checkpoint", b""):
            message["checkpoint"] = _hold_checkpoint(checkpoint)
        worker.log_event(topic, message)

    try:
        _named(function)(StyleJob.from_wire(job), emit, control)
    except Exception as error:
        emit(Failed(error=describe_error(error)))
    finally:
        del _controls[lease]


def request(lease: str, method: str, *arguments: Any) -> None:
    """Call "stop", "pause" or "steer" of a run's control; the run may not have begun yet."""
    getattr(_controls.setdefault(lease, Control()), method)(*arguments)


def _hold_checkpoint(checkpoint: bytes) -> str:
    """The name under which `pop_checkpoint` returns it."""
    while len(_checkpoints) >= MOST_CHECKPOINTS:
        del _checkpoints[next(iter(_checkpoints))]
    name = uuid.uuid4().hex
    _checkpoints[name] = checkpoint
    return name


def pop_checkpoint(name: str) -> bytes:
    """A checkpoint that is held here, which then is no longer; b"" if it was dropped."""
    return _checkpoints.pop(name, b"")


async def apply_style_beside(function: str, job: Mapping[str, Any], caller: str = "") -> dict[str, Any]:
    """Call `apply_style` with the job of that wire form in a thread beside the run, one call after the other.

    Returns {"pictures": wire forms}; {"error": one line, "input": whether it is an InputError} if it fails; or
    {"superseded": True} if `caller`, unless "", made a newer call before this one began.
    """
    number = next(_call_numbers)
    _last_calls.put(caller, number)

    def call() -> dict[str, Any]:
        if caller and (_last_calls.get(caller) or 0) > number:
            return {"superseded": True}
        return {"pictures": [picture.to_wire() for picture in _named(function)(FastJob.from_wire(job))]}

    return await _call_beside(call)


async def diagnose_beside(function: str, job: Mapping[str, Any]) -> dict[str, Any]:
    """Call `diagnose` with the job of that wire form in the thread of `apply_style_beside`.

    Returns {"found": what it returns}, or an error as `apply_style_beside`.
    """
    return await _call_beside(lambda: {"found": _plain(_named(function)(DiagnosisJob.from_wire(job)))})


async def _call_beside(call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `call` returns in a thread beside the run; {"error": one line, "input": whose fault} if it fails."""
    try:
        loop = asyncio.get_running_loop()  # must not be blocked while TensorFlow is imported
        return await loop.run_in_executor(_beside_executor, call)
    except Exception as error:
        return {"error": describe_error(error), "input": isinstance(error, InputError)}


def fetch_beside(
    function: str, name: str, fetch_id: str, topic: str, niceness: int, dask_worker: Worker | None = None
) -> None:
    """Call `fetch` in a thread beside the run; send its events, and what it returns as "update".

    Dask gives `dask_worker` to functions that it calls outside a task.
    """
    assert dask_worker is not None
    stop, last = _fetch_stops.setdefault(fetch_id, threading.Event()), Fetching(name=name, received=0, size=0)

    def send(**content: Any) -> None:
        dask_worker.log_event(topic, {"worker": dask_worker.address, **content})

    def emit(event: Fetching) -> None:
        nonlocal last
        last = event
        send(fetching=event.to_wire())

    def end(outcome: str, error: str = "") -> None:
        send(fetching=replace(last, outcome=outcome, error=error).to_wire())

    def fetch() -> None:
        _lower_priority(niceness)
        try:
            send(update=_plain(_named(function)(name, emit, stop)))
            end("installed")
        except Cancelled:
            end("cancelled")
        except Unfetched as error:
            end("broken" if error.passing else "refused", error.brief)
        except Exception as error:
            end("refused", describe_error(error))
        finally:
            del _fetch_stops[fetch_id]

    threading.Thread(target=fetch, name=f"fetch-{name}", daemon=True).start()


def cancel_fetch(fetch_id: str) -> None:
    """Cancel a download; the request for it may not have arrived yet."""
    _fetch_stops.setdefault(fetch_id, threading.Event()).set()


def _lower_priority(niceness: int) -> None:
    """Raise the niceness to that value, on Linux of this thread and those it starts: the worker's own stay quick."""
    if hasattr(os, "nice"):  # there is none on Windows
        os.nice(max(0, niceness - os.nice(0)))


def _plain(values: Any) -> Any:
    """`values` by way of JSON, which refuses what is not plain."""
    return json.loads(json.dumps(values))


def _named(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


def describe_error(error: Exception) -> str:
    """One line; with the name of the error's class, unless its message is meant for users."""
    message = str(error).strip().partition("\n")[0]
    if isinstance(error, NstError) and message:
        return message
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
