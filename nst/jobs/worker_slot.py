"""A worker process as the queue sees it, and how it is told something."""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from distributed import Client, Future

from nst.runs.events import Event

log = logging.getLogger(__name__)


@dataclass
class WorkerSlot:
    """What is known of one worker, and what it has."""

    address: str
    ready: bool = False  # its warm-up is over, well or not
    warm: bool = False
    task: Future | None = None  # the warm-up or the run; Dask drops what nobody holds
    run: str = ""  # the id of the run it has, "" if none
    ticket: str = ""  # of this hand-over: what still comes of an earlier one is dropped
    asked: type[Event] | None = None  # Stopped or Paused, if the run was asked for that
    told_end: bool = False  # the painter has said how the run ended
    gpu: bool = False
    taking: threading.Thread | None = None  # takes its newest checkpoint
    stale: bool = False  # new weights are there, which its warm-up did not see
    at_once: Counter[str] = field(default_factory=Counter)  # by client, pictures it paints in one pass, beside its run


def tell(client: Client, address: str, function: Callable[..., None], *given: Any) -> threading.Thread:
    """Have a worker call a short function now, while its task goes on. One that is gone need not hear it."""

    def call() -> None:
        try:
            client.run(function, *given, workers=[address])
        except Exception as error:
            log.warning("worker %s did not hear %s: %s", address, function.__name__, error)

    thread = threading.Thread(target=call, name=f"nst-{function.__name__}", daemon=True)
    thread.start()
    return thread
