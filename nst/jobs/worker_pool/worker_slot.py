"""One worker process as the pool sees it."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from distributed import Future

from nst.runs.events import Paused, Stopped

WARM_UP_TIMEOUT = 180.0  # seconds after which a worker hangs whose first warm-up has not ended


@dataclass
class WorkerSlot:
    """What is known of a worker, and what it was given to do."""

    address: str
    gpu: bool = False  # it has a graphics card
    rebuilds: int = 0  # of the cluster before it joined, in a row
    since: float = field(default_factory=time.monotonic)  # when it joined, s
    ready: bool = False  # its warm-up has ended, with or without an error
    warm: bool = False  # its warm-up has ended without an error
    stale: bool = False  # weights were installed after its warm-up, which would have measured them
    task: Future | None = None  # the warm-up or the run; Dask drops a task of which no Future is held
    run: str = ""  # the id of its run, "" if none
    lease: str = ""  # names this assignment of the run: messages of an earlier one are dropped
    requested_end: type[Stopped | Paused] | None = None  # what was requested of the run
    ended: bool = False  # the worker has reported the end of the run
    checkpoint_thread: threading.Thread | None = None  # fetches its newest checkpoint
    beside_counts: Counter[str] = field(default_factory=Counter)  # calls beside its run in progress, by client

    @property
    def hangs(self) -> bool:
        """Its first warm-up has not ended in time: a slow machine has more at each attempt."""
        return not self.ready and time.monotonic() - self.since > WARM_UP_TIMEOUT * 2**self.rebuilds
