"""Which run goes to which free worker, and what becomes of it: its events, its checkpoints, its worker's end."""

import logging
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from distributed import Future

from nst.errors import NotFound, NstError
from nst.jobs.storage.store import Store
from nst.jobs.worker_pool import worker_tasks
from nst.jobs.worker_pool.fair_order import fair_order
from nst.jobs.worker_pool.worker_slot import WorkerSlot
from nst.jobs.worker_pool.workers import Action, Workers
from nst.runs.events import Checkpointed, Continued, Event, Failed, Finished, Interrupted, Paused, Stopped
from nst.runs.run import Run, State

log = logging.getLogger(__name__)

LOST = "the worker that painted this run ended unexpectedly; it may have run out of memory"
MOST_LOST_WORKERS = 3  # workers that a run may lose in a row, without a new checkpoint in between, before it fails


class Dispatcher:
    """Gives the queued runs of a store to workers, one at a time to each.

    Any thread may call `waiting` and `request`, the pool's thread the rest; `post` has that thread call an action.
    """

    def __init__(self, store: Store, workers: Workers, post: Callable[[Action], None]) -> None:
        self._store, self._workers, self._post = store, workers, post
        self._incoming: Counter[str] = Counter()  # checkpoints that are being fetched, by run
        self._turns: dict[str, int] = {}  # by client, the number of its last run among all runs given to workers

    def waiting(self) -> list[Run]:
        """The runs that wait for a worker, the next one first."""
        with self._workers.lock:
            taken = {slot.run for slot in self._workers.slots.values()} | set(+self._incoming)
            return fair_order(self._store.active(), taken, self._turns)

    def dispatch(self) -> None:
        """Give every free worker the next run that it can paint. A run that cannot be sent fails; the next follows.

        Raises ConnectionError if the scheduler is gone.
        """
        free = [slot for slot in self._workers.ready() if slot.task is None and self._workers.status == "running"]
        waiting = self.waiting() if free else []
        for slot in sorted(free, key=lambda slot: slot.gpu):  # those without a graphics card first
            for run in [run for run in waiting if slot.gpu or not run.gpu]:
                waiting.remove(run)
                if self._start(slot, run.id):
                    break

    def _start(self, slot: WorkerSlot, run_id: str) -> bool:
        """Give a run to a worker; False if that is not possible."""
        with self._workers.lock:
            run = self._store.run(run_id)
            if run.state is not State.QUEUED:
                return False  # it was stopped a moment ago
            slot.run, slot.lease, slot.requested_end, slot.ended = run_id, uuid.uuid4().hex, None, False
            self._turns[run.client] = max(self._turns.values(), default=0) + 1
        try:
            job = self._store.job(run).to_wire()  # reads files: without the lock
            with self._workers.lock:
                arguments = self._workers.functions.execute, self._workers.topic, slot.lease, job
                self._workers.submit_task(slot, self._on_task_end, worker_tasks.execute, *arguments)
        except Exception as error:
            with self._workers.lock:
                slot.run, slot.task = "", None
                if self._workers.status != "running":
                    raise ConnectionError("the scheduler is gone") from error
                self._record(run_id, Failed(error=worker_tasks.describe_error(error)))
            return False
        return True

    def _on_task_end(self, slot: WorkerSlot, task: Future) -> None:
        if task.status == "error":
            self.requeue(slot, LOST)
        elif not slot.ended:
            self._record(slot.run, Failed(error="the run ended without a result"))
        slot.run = ""

    def requeue(self, slot: WorkerSlot, reason: str) -> None:
        """Queue the run of a lost worker again; it fails after `MOST_LOST_WORKERS` without a new checkpoint."""
        run = None
        with suppress(NstError):  # it may have been deleted
            run = self._store.run(slot.run)
        if run is None or run.state.rests or slot.ended:
            return
        if slot.requested_end:
            self._record(run.id, slot.requested_end(seconds=run.seconds))
        elif run.stalls >= MOST_LOST_WORKERS and not run.got_further:
            self._record(run.id, Failed(error=reason))
        else:
            self._record(run.id, Interrupted(error=reason), Continued(epochs=run.epochs))

    def on_event(self, slot: WorkerSlot, message: Mapping[str, Any]) -> None:
        """Record an event of a worker's run; a checkpoint is fetched first, by a thread."""
        event = Event.from_wire(message["event"])
        slot.ended = slot.ended or isinstance(event, Finished | Stopped | Paused | Failed)
        if "checkpoint" not in message:
            self._record(slot.run, event)
            return
        run_id, before = slot.run, slot.checkpoint_thread
        self._incoming[run_id] += 1

        def fetch() -> None:
            if before:
                before.join()  # an older checkpoint must not come last
            checkpoint = b""
            try:
                name = message["checkpoint"]
                checkpoint = self._workers.result_of(slot.address, worker_tasks.pop_checkpoint, name)
            except Exception as error:
                log.warning("a checkpoint could not be fetched from worker %s: %s", slot.address, error)
            event = Event.from_wire({**message["event"], "checkpoint": checkpoint})
            self._post(partial(self._on_checkpoint, run_id, event if checkpoint else None))

        slot.checkpoint_thread = threading.Thread(target=fetch, name="nst-checkpoint", daemon=True)
        slot.checkpoint_thread.start()

    def _on_checkpoint(self, run_id: str, event: Event | None) -> None:
        """Record a checkpoint; `event` is None where it could not be fetched, and the one before stays."""
        self._incoming[run_id] -= 1
        if event:
            self._record(run_id, event)

    def fail_waiting(self, reason: str) -> None:
        """Fail all runs that wait for a worker."""
        with self._workers.lock:
            for run in self.waiting():
                self._record(run.id, Failed(error=reason))

    def request(self, run_id: str, method: str, *arguments: Any, end: type[Stopped | Paused] | None = None) -> bool:
        """Call a method of the control of a run in its worker; False if no worker runs it.

        `end` is what the run is to end with: Stopped or Paused.
        """
        slot = self._workers.of_run(run_id)
        if slot is None or slot.ended:
            return False
        slot.requested_end = end or slot.requested_end
        self._workers.call(slot.address, worker_tasks.request, slot.lease, method, *arguments)
        return True

    def _record(self, run_id: str, *events: Event) -> None:
        """Record events; a run whose events cannot be recorded fails, unless it is a checkpoint alone."""
        try:
            self._store.append(run_id, *events)
        except NotFound:
            pass  # it was deleted
        except NstError as error:
            log.error("run %s: %s", run_id, error)
            if isinstance(events[0], Checkpointed):
                return
            with suppress(NstError):
                self._store.fail(run_id, str(error))
            if slot := self._workers.of_run(run_id):
                self._workers.call(slot.address, worker_tasks.request, slot.lease, "stop")
