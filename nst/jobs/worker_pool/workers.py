"""The worker processes that a pool is connected to, and the calls that it makes in them."""

import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from distributed import Client, Future

from nst.jobs.worker_pool.cluster import GPU
from nst.jobs.worker_pool.worker_slot import WorkerSlot
from nst.runs.humanize import roughly

log = logging.getLogger(__name__)

ANSWER_TIMEOUT = 5.0  # seconds that the scheduler has to list its workers

Action = Callable[[], None]
OnEnd = Callable[[WorkerSlot, Future], None]


@dataclass(frozen=True)
class WorkerFunctions:
    """What workers call, as "module:function"; worker_tasks.py describes each."""

    execute: str = "nst.worker.runner:execute"
    warm_up: str = "nst.worker.runner:warm_up"
    fetch: str = "nst.worker.weights_fetcher:fetch"
    apply_style: str = "nst.worker.fast_runner:execute"
    diagnose: str = "nst.worker.diagnosis_runner:execute"


class Workers:
    """A slot for each worker of a scheduler, and what they all share.

    Args:
        functions: what they call.
        niceness: of their processes, at least.
        post: has the pool's thread call an action, holding `lock`.
        on_disconnect: called when the connection to the scheduler was lost.
    """

    def __init__(
        self, functions: WorkerFunctions, niceness: int, post: Callable[[Action], None], on_disconnect: Action
    ) -> None:
        self.functions, self.niceness, self._post, self._on_disconnect = functions, niceness, post, on_disconnect
        self.topic = f"nst-{uuid.uuid4().hex}"  # of their messages in Dask's event log
        self.lock = threading.RLock()  # over the slots, and over the moves of runs between store and workers
        self.slots: dict[str, WorkerSlot] = {}  # by address
        self.client: Client | None = None

    @property
    def status(self) -> str:
        """Of the connection to the scheduler: "running", "connecting", "closed", or "" before the first."""
        return self.client.status if self.client else ""

    def ready(self) -> list[WorkerSlot]:
        """The workers whose warm-up has ended."""
        with self.lock:
            return [slot for slot in self.slots.values() if slot.ready]

    def hanging(self) -> list[str]:
        """The addresses of workers that hang."""
        with self.lock:
            return [slot.address for slot in self.slots.values() if slot.hangs]

    def slow_start(self) -> str:
        """That a worker hangs, for those who started it; "" if none does."""
        with self.lock:
            since = min((self.slots[address].since for address in self.hanging()), default=None)
        if since is None:
            return ""
        time_passed = roughly(60 * ((time.monotonic() - since) // 60))
        return f"the worker has been starting for {time_passed}; its log may show why, else end it and start it again"

    def of_run(self, run_id: str) -> WorkerSlot | None:
        """The worker that was given a run."""
        with self.lock:
            return next((slot for slot in self.slots.values() if slot.run == run_id), None)

    def known_to_scheduler(self) -> dict[str, bool]:
        """Whether each worker of the scheduler has a graphics card, by address. Raises OSError without an answer.

        The scheduler itself is asked: `Client.scheduler_info` returns a cache, which a periodic update of Dask's
        replaces by one without workers.
        """
        assert self.client is not None
        answer = self.client.sync(self.client.scheduler.identity, n_workers=-1, callback_timeout=ANSWER_TIMEOUT)
        return {address: bool(worker["resources"].get(GPU)) for address, worker in answer["workers"].items()}

    def submit_task(self, slot: WorkerSlot, on_end: OnEnd, function: Callable[..., None], *arguments: Any) -> None:
        """Make `function(*arguments)` the task of a worker; the pool's thread calls `on_end` once it has ended."""
        assert self.client is not None
        slot.task = self.client.submit(function, *arguments, workers=[slot.address], pure=False, retries=0)
        slot.task.add_done_callback(lambda task: self._post(partial(self._task_ended, slot, task, on_end)))

    def _task_ended(self, slot: WorkerSlot, task: Future, on_end: OnEnd) -> None:
        if self.slots.get(slot.address) is slot and slot.task == task:  # else the worker is gone, and was removed
            slot.task, task = None, slot.task
            if task.cancelled():  # by Dask, when it loses the scheduler
                self._on_disconnect()
            else:
                on_end(slot, task)

    def result_of(self, address: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a short function in a worker now, beside its task; raises whatever Dask raises if that fails."""
        assert self.client is not None
        return self.client.run(function, *arguments, workers=[address])[address]

    def call(self, address: str, function: Callable[..., None], *arguments: Any) -> threading.Thread:
        """Call a short function in a worker from a thread; an error, as of a worker that is gone, is logged."""

        def call() -> None:
            try:
                self.result_of(address, function, *arguments)
            except Exception as error:
                log.warning("worker %s could not be called for %s: %s", address, function.__name__, error)

        thread = threading.Thread(target=call, name=f"nst-{function.__name__}", daemon=True)
        thread.start()
        return thread
