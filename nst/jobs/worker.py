"""What the queue has done in a worker process: warm up, paint, ask to stop, fetch weights.

A painter is handed over by name and imported here, never in the process of the web:

    execute(job, emit, stop_requested) -> None
        job: {"content": bytes, "style": bytes, "init": bytes | None, "options": StyleOptions.to_json()}
        emit(event): Started, Epochs, and one of Finished, Stopped, Failed; what it raises becomes Failed
        stop_requested() -> bool: asked after every step
    warm_up() -> plain values for the health report, as nst.runner's: "extractors" says which networks there are;
        "auto", "precision", "calibrations" and "memory" are what estimates need
    fetch(name, emit) -> None: Fetching events, the last one with `done`

They answer through Dask's event log, which keeps their order; the end of a task never overtakes it. Exceptions are put
in words here: to unpickle one could import TensorFlow where it must not be.
"""

import importlib
import json
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from distributed import Worker, get_worker

from nst.errors import NstError
from nst.events import Event, Failed, Fetching

_to_stop: set[str] = set()  # ids of runs


def dask_setup(worker: Worker) -> None:
    """Leave Ctrl-C, which a terminal sends to every process, to the server: it ends its worker itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def warm_up(function: str, topic: str, niceness: int) -> None:
    """Call `warm_up` and send what it returns as "info", or why it failed as "trouble"."""
    worker = get_worker()
    _step_back(niceness)
    try:
        _send_info(worker, function, topic)
    except Exception as error:
        worker.log_event(topic, {"worker": worker.address, "trouble": in_words(error)})


def paint(function: str, topic: str, run_id: str, job: dict[str, Any]) -> None:
    """Call `execute` and send its events."""
    worker = get_worker()

    def emit(event: Event) -> None:
        worker.log_event(topic, {"worker": worker.address, "run": run_id, "event": event.to_wire()})

    try:
        _named(function)(job, emit, lambda: run_id in _to_stop)
    except Exception as error:
        emit(Failed(in_words(error)))
    finally:
        _to_stop.discard(run_id)


def ask_to_stop(run_id: str) -> None:
    """Let `stop_requested` say so from now on, also to a run that is still on its way."""
    _to_stop.add(run_id)


def fetch_aside(
    function: str, name: str, warm_up: str, topic: str, niceness: int, dask_worker: Worker | None = None
) -> None:
    """Call `fetch` in a thread beside the painting; before its end is told, "info" is sent anew.

    `dask_worker` is given by Dask to what it runs beside a task.
    """
    assert dask_worker is not None

    def emit(event: Fetching) -> None:
        if event.done and not event.error:
            _send_info(dask_worker, warm_up, topic)
        dask_worker.log_event(topic, {"worker": dask_worker.address, "fetching": event.to_wire()})

    def fetch() -> None:
        _step_back(niceness)
        try:
            _named(function)(name, emit)
        except Exception as error:
            emit(Fetching(name, 0, 0, done=True, error=in_words(error)))

    threading.Thread(target=fetch, name=f"fetch-{name}", daemon=True).start()


def _step_back(niceness: int) -> None:
    """Be at least so nice: on Linux this thread and those it starts, so that the worker itself goes on answering."""
    if hasattr(os, "nice"):  # there is none on Windows
        os.nice(max(0, niceness - os.nice(0)))


def _send_info(worker: Worker, warm_up: str, topic: str) -> None:
    info = json.loads(json.dumps(_named(warm_up)()))  # refuses what is not plain
    worker.log_event(topic, {"worker": worker.address, "info": info})


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
