"""Worker processes, reached over dask.distributed: runs go to them and come back as events.

The store holds the line, over restarts too: a queued run is handed over as soon as a worker is ready and free, one at a
time to each. One thread does that, and writes down what workers say in their order. What runs in the worker is in
worker.py; the painter itself is known by name alone.
"""

import logging
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from distributed import Client, Future

from nst.errors import Conflict, NotFound, NstError
from nst.jobs import worker_tasks
from nst.jobs.cluster import NICENESS, connect
from nst.jobs.fair_order import fair_order
from nst.jobs.store import Store
from nst.jobs.weights_fetches import WeightsFetches
from nst.jobs.worker_slot import WorkerSlot, tell
from nst.options.settings import Settings
from nst.runs.events import Continued, Event, Failed, Fetching, Finished, Interrupted, Kept, Paused, Stopped
from nst.runs.run import Run, State

log = logging.getLogger(__name__)

LOST = "the worker that painted this run ended unexpectedly; it may have run out of memory"
LOSSES = 3  # workers that a run may lose in a row, without a checkpoint in between, and be taken up again
WARM_UPS = 3  # a worker that ends this often in a row while it warms up is no longer asked to
PATIENCE = 30.0  # seconds that closing may take
GPU = "GPU"  # the Dask resource of a worker with a graphics card
PAUSE = 2.0  # seconds between two looks at a silent scheduler, or two tries to reach one


class Pool:
    """The workers of one queue, each with its run. One thread does all that is not asked from outside.

    `execute`, `warm_up`, `fetch` and `instant` are named as "module:function" and called in the worker: see worker.py.
    `wanted` is an extractor whose weights the first worker of our own that is warm fetches by itself, where it can and
    nothing in the store's folder says that it should not: see fetches.py.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        execute: str = "nst.worker.runner:execute",
        warm_up: str = "nst.worker.runner:warm_up",
        fetch: str = "nst.worker.weights_fetcher:fetch",
        instant: str = "nst.worker.fast_runner:paint",
        wanted: str = "",
    ) -> None:
        self._settings, self._store = settings, store
        self._execute, self._warm_up, self._fetch, self._instant = execute, warm_up, fetch, instant
        self._niceness = 0 if settings.scheduler else NICENESS
        self._topic = f"nst-{uuid.uuid4().hex}"
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = threading.RLock()  # over all below
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._client: Client | None = None
        self._slots: dict[str, WorkerSlot] = {}  # by address
        self._arriving: Counter[str] = Counter()  # checkpoints on their way, by run
        self._served: dict[str, int] = {}  # by client, the number of its last turn
        self._lost_warming = 0  # in a row
        self._trouble = ""  # why there is no warm worker
        self._info: dict[str, Any] = {}  # what the last warm-up returned
        self._wanted = "" if settings.offline or settings.scheduler else wanted
        self._fetches = WeightsFetches(store.folder)

    def start(self) -> None:
        """Bring the workers up, behind the caller's back; may be called once."""
        with self._lock:
            if self._thread is not None:
                raise Conflict("this queue was started before")
            self._thread = threading.Thread(target=self._serve, name="nst-queue", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the workers of our own, and interrupt what they paint; the line waits for the next start.

        Returns when that is done. May be called again.
        """
        self._closing.set()
        self._wake()
        if self._thread is not None:
            self._thread.join(PATIENCE)
            if self._thread.is_alive():
                log.error("the queue did not close within %.0f s; its worker may still be there", PATIENCE)

    # What is known of them --------------------------------------------------------------------------------------------

    def health(self) -> dict[str, Any]:
        """{"worker": "starting" | "warm" | "lost" | "closed"}, with "error" if need be, and what warm-up returned."""
        with self._lock:
            if self._client is not None and self._client.status == "connecting":
                return {**self._info, "worker": "lost", "error": "the scheduler does not answer; trying again"}
            warm = any(slot.warm for slot in self._slots.values())
            warming = any(not slot.ready for slot in self._slots.values())
            state = "warm" if warm else "lost" if self._trouble and not warming else "starting"
            error = {"error": self._trouble} if self._trouble and not warm else {}
            return {**self._info, "worker": "closed" if self._closing.is_set() else state, **error}

    def extractors(self) -> dict[str, Any]:
        """What warm-up said of the networks; {} until it did."""
        return dict(self._info.get("extractors", {}))

    def _fetch_by(self, address: str, name: str) -> None:
        """Have a worker download an extractor's weights."""
        ticket = self._fetches.begin(name, address)
        self._tell(address, worker_tasks.fetch_aside, self._fetch, name, ticket, self._topic, self._niceness)

    def line(self) -> list[Run]:
        """The runs that wait, the next one first."""
        with self._lock:
            taken = {slot.run for slot in self._slots.values()} | set(+self._arriving)
            return fair_order(self._store.active(), taken, self._served)

    # Their own thread -------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                with connect(self._settings) as self._client:
                    self._inbox.put(self._look_round)
                    self._work()
                    self._leave()
            except Exception as error:
                trouble = f"no worker could be started or reached: {error}"
                log.warning(trouble, exc_info=not isinstance(error, OSError))
                self._lose_all(trouble)
                self._closing.wait(PAUSE)
        try:
            self._store.interrupt_running()
        except NstError as error:
            log.error("%s", error)

    def _wake(self) -> None:
        """Have the thread look after the line, or see that the queue was closed."""
        self._inbox.put(lambda: None)

    def _work(self) -> None:
        """Do what comes in, until the queue is closed or, raising ConnectionError, the scheduler is gone."""
        while not self._closing.is_set():
            try:
                job = self._inbox.get(timeout=PAUSE)
            except Empty:
                job = self._look_round
            try:
                with self._lock:
                    job()
                self._dispatch()
            except ConnectionError:
                raise
            except Exception:  # the other runs must not suffer from it
                log.exception("the queue stumbled")

    def _look_round(self) -> None:
        """Subscribe to what the scheduler and the workers say, and see who is there.

        Done again and again, because Dask's client reconnects by itself, and has then forgotten its subscriptions.
        """
        assert self._client is not None
        if self._client.status == "closed":
            raise ConnectionError("the scheduler is gone")
        if self._client.status != "running":
            return
        self._client.subscribe_topic("all", lambda event: self._inbox.put(partial(self._on_cluster, event[1])))
        self._client.subscribe_topic(self._topic, lambda event: self._inbox.put(partial(self._on_worker, event[1])))
        there = set(self._client.scheduler_info()["workers"])
        for address in self._slots.keys() - there:
            self._give_up(address)
        for address in there - self._slots.keys():
            self._welcome(address)

    def _leave(self) -> None:
        """Let go of the workers, and have them let go of their runs."""
        assert self._client is not None
        with suppress(ValueError):  # closed before it had subscribed
            self._client.unsubscribe_topic("all")
        for address, slot in self._slots.items():
            if slot.run:
                self._tell(address, worker_tasks.ask, slot.ticket, "stop").join(PAUSE)

    def _lose_all(self, trouble: str) -> None:
        with self._lock:
            for address in list(self._slots):
                self._give_up(address, trouble)
            self._trouble = trouble

    def _on_cluster(self, message: Mapping[str, Any]) -> None:
        """A word of the scheduler: a worker came or went."""
        address = message.get("worker", "")
        if message.get("action") == "add-worker" and address not in self._slots:
            self._welcome(address)
        elif message.get("action") == "remove-worker" and address in self._slots:
            self._give_up(address)

    def _on_worker(self, message: Mapping[str, Any]) -> None:
        """A word of worker.py."""
        slot = self._slots.get(message["worker"])
        if "ticket" in message:
            if slot and slot.ticket == message["ticket"]:
                self._on_painter(message["worker"], slot, message)
        elif "fetching" in message:
            event = Event.from_wire(message["fetching"])
            assert isinstance(event, Fetching)
            self._fetches.hear(event, message["worker"])
        elif "news" in message:
            self._info |= message["news"]
            for each in self._slots.values():
                each.stale = True
        elif "trouble" in message:
            self._trouble = f"the worker could not get ready: {message['trouble']}"
        elif slot:
            slot.warm, self._info, self._trouble, self._lost_warming = True, message["info"], "", 0

    def _on_painter(self, address: str, slot: WorkerSlot, message: Mapping[str, Any]) -> None:
        """An event of the run that a worker has; a checkpoint is taken first, by a thread."""
        event = Event.from_wire(message["event"])
        slot.told_end = slot.told_end or isinstance(event, Finished | Stopped | Paused | Failed)
        if "aside" not in message:
            self._write(slot.run, event)
            return
        assert self._client is not None
        run_id, client, before = slot.run, self._client, slot.taking
        self._arriving[run_id] += 1

        def take() -> None:
            if before:
                before.join()  # an older checkpoint must not come last
            try:
                taken = client.run(worker_tasks.take, message["aside"], workers=[address])[address]
            except Exception as error:
                log.warning("worker %s did not give out a checkpoint: %s", address, error)
                taken = b""
            kept = Event.from_wire({**message["event"], "checkpoint": taken})
            self._inbox.put(partial(self._arrived, run_id, kept if taken else None))

        slot.taking = threading.Thread(target=take, name="nst-take", daemon=True)
        slot.taking.start()

    def _arrived(self, run_id: str, kept: Event | None) -> None:
        """A checkpoint was taken, or cannot be: an older one will have to do."""
        self._arriving[run_id] -= 1
        if kept:
            self._write(run_id, kept)

    def _welcome(self, address: str) -> None:
        """Warm a new worker up, unless that has killed its predecessors."""
        assert self._client is not None
        slot = self._slots[address] = WorkerSlot(address)
        slot.gpu = bool(self._client.scheduler_info()["workers"].get(address, {}).get("resources", {}).get(GPU))
        if self._lost_warming < WARM_UPS:
            self._have_warmed(address)
        else:
            slot.ready = True

    def _have_warmed(self, address: str) -> None:
        """Make warming up the task of a worker."""
        self._slots[address].stale = False
        self._hand_over(address, self._warmed, worker_tasks.warm_up, self._warm_up, self._topic, self._niceness)

    def _give_up(self, address: str, reason: str = LOST) -> None:
        """A worker is gone: its downloads end, its run goes on with another. Dask's nanny, or its owner, brings one."""
        slot = self._slots.pop(address)
        self._trouble = "the worker ended unexpectedly" + ("" if slot.ready else " while it was getting ready")
        self._lost_warming += not slot.ready
        if slot.run:
            self._take_back(slot, reason)
        self._fetches.give_up(address, self._trouble)

    def _take_back(self, slot: WorkerSlot, reason: str) -> None:
        """Put a run whose worker is gone into the line again, unless it has lost many and got nowhere."""
        run = None
        with suppress(NstError):  # it may have been deleted
            run = self._store.run(slot.run)
        if run is None or run.state.rests or slot.told_end:
            return
        if slot.asked:
            self._write(run.id, slot.asked(run.seconds))  # type: ignore[call-arg]
        elif run.stalls >= LOSSES and not run.got_further:
            self._write(run.id, Failed(reason))
        else:
            self._write(run.id, Interrupted(reason), Continued(run.epochs))

    def _dispatch(self) -> None:
        """Give every free worker the run whose turn it is; one that cannot be handed over fails: the next then.

        A worker that is stale warms up again first.
        """
        assert self._client is not None
        reached = self._client.status == "running"
        free = [(at, slot) for at, slot in self._slots.items() if reached and slot.ready and slot.task is None]
        with self._lock:
            for address in [at for at, slot in free if slot.stale]:
                self._have_warmed(address)
        free = [(at, slot) for at, slot in free if slot.task is None]
        line = self.line() if free else []
        for address, slot in sorted(free, key=lambda item: item[1].gpu):  # the plain ones first
            for run in [run for run in line if slot.gpu or not run.gpu]:
                line.remove(run)
                if self._give(address, slot, run.id):
                    break

    def _give(self, address: str, slot: WorkerSlot, run_id: str) -> bool:
        """Whether the run is with the worker now. Raises ConnectionError if there is no scheduler to send it by."""
        assert self._client is not None
        with self._lock:
            run = self._store.run(run_id)
            if run.state is not State.QUEUED:
                return False  # it was stopped a moment ago
            slot.run, slot.ticket, slot.asked, slot.told_end = run_id, uuid.uuid4().hex, None, False
            self._served[run.client] = max(self._served.values(), default=0) + 1
        try:
            job = self._store.job(run)  # reads files, for which nobody should have to wait
            with self._lock:
                self._hand_over(
                    address, self._painted, worker_tasks.paint, self._execute, self._topic, slot.ticket, job
                )
        except Exception as error:
            with self._lock:
                slot.run, slot.task = "", None
                if self._client.status != "running":
                    raise ConnectionError("the scheduler is gone") from error
                self._write(run_id, Failed(worker_tasks.in_words(error)))
            return False
        return True

    def _hand_over(
        self, address: str, done: Callable[[WorkerSlot, Future], None], function: Callable[..., None], *given: Any
    ) -> None:
        """Make `function(*given)` the task of a worker; `done` is called once it is over."""
        assert self._client is not None
        slot = self._slots[address]
        slot.task = self._client.submit(function, *given, workers=[address], pure=False, retries=0)
        slot.task.add_done_callback(lambda task: self._inbox.put(partial(self._over, address, task, done)))

    def _over(self, address: str, task: Future, done: Callable[[WorkerSlot, Future], None]) -> None:
        slot = self._slots.get(address)
        if slot is None or slot.task != task:
            return  # the worker is gone, and everything is said
        if task.cancelled():  # by Dask, when it loses the scheduler
            self._lose_all("the connection to the scheduler was lost")
            return
        slot.task, task = None, slot.task
        done(slot, task)

    def _warmed(self, slot: WorkerSlot, task: Future) -> None:
        slot.ready = True
        network = self.extractors().get(self._wanted)
        if network and network["fetchable"] and self._fetches.due(self._wanted):
            self._fetch_by(slot.address, self._wanted)

    def _painted(self, slot: WorkerSlot, task: Future) -> None:
        if task.status == "error":
            self._take_back(slot, LOST)
        elif not slot.told_end:
            self._write(slot.run, Failed("the painter ended without a result"))
        slot.run = ""

    def _write(self, run_id: str, *events: Event) -> None:
        """Keep events; a run whose story cannot be kept has failed. It can do without a checkpoint."""
        try:
            self._store.append(run_id, *events)
        except NotFound:
            pass  # it was deleted
        except NstError as error:
            log.error("run %s: %s", run_id, error)
            if isinstance(events[0], Kept):
                return
            with suppress(NstError):
                self._store.fail(run_id, str(error))
            for address, slot in self._slots.items():
                if slot.run == run_id:
                    self._tell(address, worker_tasks.ask, slot.ticket, "stop")

    def _tell(self, address: str, function: Callable[..., None], *given: Any) -> threading.Thread:
        assert self._client is not None
        return tell(self._client, address, function, *given)

    def _ask(self, run_id: str, for_end: type[Event] | None, wish: str, *given: Any) -> bool:
        """Have the worker that has a run hear a wish; False if none has it."""
        found = next(((address, slot) for address, slot in self._slots.items() if slot.run == run_id), None)
        if found is None or found[1].told_end:
            return False
        address, slot = found
        slot.asked = for_end or slot.asked
        self._tell(address, worker_tasks.ask, slot.ticket, wish, *given)
        return True
