"""Worker processes, reached over dask.distributed: runs go to them and come back as events.

The store keeps the queue of runs, also over restarts. One thread, the pool's, connects to the scheduler, handles what
scheduler and workers send, in its order, and gives runs to free workers (dispatcher.py). What runs in a worker is in
worker_tasks.py.
"""

import logging
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from distributed import Future

from nst.errors import Conflict, NstError
from nst.jobs.storage.store import Store
from nst.jobs.worker_pool import worker_tasks
from nst.jobs.worker_pool.cluster import connect, worker_niceness
from nst.jobs.worker_pool.dispatcher import LOST, Dispatcher
from nst.jobs.worker_pool.lost_workers import LostWorkers
from nst.jobs.worker_pool.weights_fetches import WeightsFetches
from nst.jobs.worker_pool.worker_slot import WorkerSlot
from nst.jobs.worker_pool.workers import Action, WorkerFunctions, Workers
from nst.options.settings import Settings
from nst.runs.events import Event, Fetching, Paused, Stopped
from nst.runs.run import Run

log = logging.getLogger(__name__)

MOST_FAILED_WARM_UPS = 3  # workers in a row that ended while they warmed up; the next one does without
POOL_CLOSE_TIMEOUT = 30.0  # seconds
SYNC_INTERVAL = 2.0  # seconds after which the scheduler is asked again for its workers
RETRY_INTERVAL = 2.0  # seconds between two attempts to reach a scheduler, or to start an embedded cluster
MOST_REBUILDS = 3  # in a row, after a first start, without a warm worker; the next one waits for a run to be submitted
RELEASE_TIMEOUT = 2.0  # seconds in which a worker must accept that its run is to stop


class Pool:
    """The workers of one queue.

    `prefetch` names an extractor whose weights the first warm worker of an embedded cluster downloads by itself, unless
    that is forbidden, or an earlier download was cancelled or refused (weights_fetches.py).
    """

    def __init__(self, settings: Settings, store: Store, functions: WorkerFunctions, prefetch: str) -> None:
        self._settings, self._store = settings, store
        self._actions: SimpleQueue[Action] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closing, self._woken = threading.Event(), threading.Event()
        self.workers = Workers(functions, worker_niceness(settings), self.post, self._on_disconnect)
        self.fetches = WeightsFetches(store.folder, self.workers)
        self._dispatcher = Dispatcher(store, self.workers, self.post)
        self._failed_warm_ups = 0  # in a row
        self._failed_clusters = 0  # in a row without a warm worker, embedded ones
        self._lost_workers: LostWorkers | None = None  # of an embedded cluster
        self._missing: set[str] = set()  # addresses of slots that the scheduler did not list when last asked
        self._error = ""  # why there is no warm worker
        self._info: dict[str, Any] = {}  # what the last warm-up returned
        self.prefetch = "" if settings.offline or settings.scheduler else prefetch

    def start(self) -> None:
        """Start the workers in the background. Raises Conflict at a second call."""
        with self.workers.lock:
            if self._thread is not None:
                raise Conflict("this queue was started before")
            self._thread = threading.Thread(target=self._serve, name="nst-pool", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the embedded cluster, and interrupt its runs; queued ones stay queued. Returns when that is done.

        May be called again.
        """
        self._closing.set()
        self.wake()
        if self._thread is not None:
            self._thread.join(POOL_CLOSE_TIMEOUT)
            if self._thread.is_alive():
                log.error("the queue did not close within %.0f s; its worker may still be there", POOL_CLOSE_TIMEOUT)

    def wake(self) -> None:
        """Have the thread dispatch new runs, for which it also starts workers again where it had given up."""
        self._woken.set()
        self.post(lambda: None)

    def post(self, action: Action) -> None:
        """Have the thread call `action`, holding the lock."""

        def locked() -> None:
            with self.workers.lock:
                action()

        self._actions.put(locked)

    # Queries and requests, from any thread ----------------------------------------------------------------------------

    def health(self) -> dict[str, Any]:
        """{"worker": "starting" | "warm" | "lost" | "closed"}, with "error" if need be, and what warm-up returned."""
        with self.workers.lock:
            if self.workers.status == "connecting":
                return {**self._info, "worker": "lost", "error": "the scheduler does not answer; trying again"}
            slots = self.workers.slots.values()
            warm = any(slot.warm for slot in slots)
            warming = any(not slot.ready for slot in slots)
            slow = self.workers.slow_start() if self._settings.scheduler else ""  # else it is ended
            trouble = "" if warm else slow or self._error
            state = "warm" if warm else "lost" if slow or (trouble and not warming) else "starting"
            error = {"error": trouble} if trouble else {}
            return {**self._info, "worker": "closed" if self._closing.is_set() else state, **error}

    def extractors(self) -> dict[str, Any]:
        """What the warm-up reported of the networks; {} before."""
        return dict(self._info.get("extractors", {}))

    def waiting(self) -> list[Run]:
        """The runs that wait for a worker, the next one first."""
        return self._dispatcher.waiting()

    def request(self, run_id: str, method: str, *arguments: Any, end: type[Stopped | Paused] | None = None) -> bool:
        """Call a method of the control of a run in its worker; False if no worker runs it.

        `end` is what the run is to end with: Stopped or Paused.
        """
        return self._dispatcher.request(run_id, method, *arguments, end=end)

    # The thread -------------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                with connect(self._settings, self._closing) as self.workers.client:
                    if not self._settings.scheduler:
                        self._lost_workers = LostWorkers(self.workers, self._settings.workers)
                    self._actions.put(self._synchronize)
                    self._work()
                    self._release()
            except Exception as error:
                if not self._closing.is_set():
                    self._recover(error)
        try:
            self._store.interrupt_running()
        except NstError as error:
            log.error("%s", error)

    def _recover(self, error: Exception) -> None:
        """Wait before the next attempt, also where what failed cannot be recorded: without its thread no run begins."""
        try:
            self._on_failure(error)
        except Exception:
            log.exception("a failure could not be recorded; trying again")
            self._closing.wait(RETRY_INTERVAL)

    def _on_failure(self, error: Exception) -> None:
        """Report why there is no scheduler or no worker, and wait before the next attempt."""
        reason = f"no worker could be started or reached: {error}"
        log.warning(reason, exc_info=not isinstance(error, OSError))
        self._failed_clusters += not self._settings.scheduler
        if self._failed_clusters <= MOST_REBUILDS:
            self._remove_all(reason + ("" if self._settings.scheduler else "; starting the workers again"))
            self._closing.wait(RETRY_INTERVAL)
            return
        reason = f"{reason}; {self._failed_clusters} attempts failed, the next one follows when a run is started"
        self._woken.clear()
        self._remove_all(reason)
        self._dispatcher.fail_waiting(reason)
        if not self._closing.is_set():
            self._woken.wait()
        self._failed_clusters, self._error = 0, ""

    def _work(self) -> None:
        """Call posted actions and dispatch runs until the pool closes. Raises ConnectionError without a scheduler."""
        due = time.monotonic() + SYNC_INTERVAL
        while not self._closing.is_set():
            try:
                with suppress(Empty):
                    self._actions.get(timeout=SYNC_INTERVAL)()
                if time.monotonic() >= due:  # also while messages follow each other quickly
                    due = time.monotonic() + SYNC_INTERVAL
                    self._synchronize()
                self._warm_up_stale()
                self._dispatcher.dispatch()
            except ConnectionError:
                raise
            except NstError as error:
                log.error("%s", error)
            except Exception:  # of one run or message; the others go on
                log.exception("the pool's thread continues after an error")

    def _synchronize(self) -> None:
        """Subscribe to the messages of scheduler and workers, and compare the slots with the scheduler's workers.

        Repeated, because Dask's client reconnects by itself and then has lost its subscriptions. A worker that the
        scheduler does not list twice in a row is lost; a message that it was removed counts at once.
        """
        client = self.workers.client
        assert client is not None
        if client.status == "closed":
            raise ConnectionError("the scheduler is gone")
        if client.status != "running":
            return
        client.subscribe_topic("all", lambda event: self.post(partial(self._on_scheduler_message, event[1])))
        client.subscribe_topic(self.workers.topic, lambda event: self.post(partial(self._on_worker_message, event[1])))
        try:
            there = self.workers.known_to_scheduler()
        except OSError:  # no answer; the next attempt or the client's status shows whether it is lost
            return
        if self._lost_workers:
            self._lost_workers.check(len(there))
        with self.workers.lock:
            missing = self.workers.slots.keys() - there.keys()
            for address in missing & self._missing:
                self._remove_worker(address)
            self._missing = missing - self._missing
            for address in there.keys() - self.workers.slots.keys():
                self._add_worker(address, gpu=there[address])

    def _release(self) -> None:
        """Unsubscribe, and have workers that outlive the pool stop their runs."""
        assert self.workers.client is not None
        with suppress(ValueError):  # closed before it had subscribed
            self.workers.client.unsubscribe_topic("all")
        for slot in self.workers.slots.values():
            if slot.run:
                self.workers.call(slot.address, worker_tasks.request, slot.lease, "stop").join(RELEASE_TIMEOUT)

    def _on_disconnect(self) -> None:
        self._remove_all("the connection to the scheduler was lost")

    def _remove_all(self, reason: str) -> None:
        with self.workers.lock:
            for address in list(self.workers.slots):
                self._remove_worker(address, reason)
            self._error = reason

    def _on_scheduler_message(self, message: Mapping[str, Any]) -> None:
        """Handle that a worker joined or left the scheduler."""
        address = message.get("worker", "")
        if message.get("action") == "add-worker" and address not in self.workers.slots:
            self._actions.put(self._synchronize)  # which also learns whether it has a graphics card
        elif message.get("action") == "remove-worker" and address in self.workers.slots:
            self._remove_worker(address)

    def _on_worker_message(self, message: Mapping[str, Any]) -> None:
        """Handle a message of worker_tasks.py."""
        slot = self.workers.slots.get(message["worker"])
        if "lease" in message:
            if slot and slot.lease == message["lease"]:
                self._dispatcher.on_event(slot, message)
        elif "fetching" in message:
            event = Event.from_wire(message["fetching"])
            assert isinstance(event, Fetching)
            self.fetches.update(event, message["worker"])
        elif "update" in message:
            self._info |= message["update"]
            for each in self.workers.slots.values():
                each.stale = True
        elif "error" in message:
            self._error = f"the worker could not get ready: {message['error']}"
        elif slot:
            slot.warm, self._info, self._error = True, message["info"], ""
            self._failed_warm_ups = self._failed_clusters = 0

    def _add_worker(self, address: str, gpu: bool) -> None:
        """Add a worker and warm it up, unless that has ended several workers in a row."""
        slot = self.workers.slots[address] = WorkerSlot(address, gpu, self._failed_clusters)
        if self._failed_warm_ups < MOST_FAILED_WARM_UPS:
            self._warm_up(slot)
        else:
            slot.ready = True

    def _remove_worker(self, address: str, reason: str = LOST) -> None:
        """Remove a worker that is gone: its downloads end, its run is queued again. Its nanny may start another."""
        slot = self.workers.slots.pop(address)
        self._error = "the worker ended unexpectedly" + ("" if slot.ready else " while it was getting ready")
        self._failed_warm_ups += reason == LOST and not (slot.ready or slot.hangs)  # what hung would hang in a run
        if slot.run:
            self._dispatcher.requeue(slot, reason)
        self.fetches.remove_worker(address, self._error)

    def _warm_up(self, slot: WorkerSlot) -> None:
        slot.stale = False
        arguments = self.workers.functions.warm_up, self.workers.topic, self.workers.niceness
        self.workers.submit_task(slot, self._on_warm_up_end, worker_tasks.warm_up, *arguments)

    def _warm_up_stale(self) -> None:
        """Warm up free workers again after weights were installed."""
        with self.workers.lock:
            for slot in self.workers.ready():
                if slot.stale and slot.task is None and self.workers.status == "running":
                    self._warm_up(slot)

    def _on_warm_up_end(self, slot: WorkerSlot, task: Future) -> None:
        slot.ready = True
        network = self.extractors().get(self.prefetch)
        if network and network["fetchable"] and self.fetches.may_start_automatically(self.prefetch):
            self.fetches.fetch_in(slot, self.prefetch)
