"""The queue of runs: what may be requested of a run that waits, is painted, or has ended."""

import itertools
import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

from nst.errors import Busy, Conflict, InputError, NstError, TooMany
from nst.jobs.storage.arrival_order import exchange
from nst.jobs.storage.store import Store
from nst.jobs.worker_pool import worker_tasks
from nst.jobs.worker_pool.pool import Pool
from nst.jobs.worker_pool.worker_slot import WorkerSlot
from nst.jobs.worker_pool.workers import WorkerFunctions
from nst.lru_cache import LruCache
from nst.options.settings import Settings
from nst.runs.events import Continued, Fetching, Paused, Steered, Stopped
from nst.runs.job import DiagnosisJob, FastJob, FastPicture
from nst.runs.run import Run, State

log = logging.getLogger(__name__)

MOST_FAST = 8  # jobs of pictures in one pass that are in progress
MOST_FAST_EACH = 4  # of those, of one client
MOST_STEERED = 1000  # runs whose last changes are remembered, more than there are workers


class Queue:
    """Has the workers of a pool paint the store's queued runs, in an order that is fair to each client.

    `functions` and `prefetch` are as in `Pool`.
    """

    def __init__(
        self, settings: Settings, store: Store, functions: WorkerFunctions | None = None, prefetch: str = ""
    ) -> None:
        self._settings, self._store = settings, store
        self.pool = Pool(settings, store, functions or WorkerFunctions(), prefetch)
        self._steering_numbers = itertools.count(1)  # requests may overtake each other on their way to a worker
        self._requested = LruCache[str, Mapping[str, Any]](MOST_STEERED)  # last values of live options, by run

    def start(self) -> None:
        """Start the pool in the background. Raises Conflict at a second call."""
        self.pool.start()

    def close(self) -> None:
        """Close the pool; see `Pool.close`. May be called again."""
        self.pool.close()

    def health(self) -> dict[str, Any]:
        """What `Pool.health` reports."""
        return self.pool.health()

    def extractors(self) -> dict[str, Any]:
        """What the warm-up reported of the networks; {} before."""
        return self.pool.extractors()

    @property
    def has_gpu(self) -> bool:
        """Whether some worker has a graphics card."""
        with self.pool.workers.lock:
            return any(slot.gpu for slot in self.pool.workers.slots.values())

    @property
    def ready_count(self) -> int:
        """How many workers paint, or could."""
        return len(self.pool.workers.ready())

    # Runs -------------------------------------------------------------------------------------------------------------

    def waiting(self) -> list[Run]:
        """The runs that wait for a worker, the next one first."""
        return self.pool.waiting()

    def check_capacity(self, client: str = "", count: int = 1) -> None:
        """Check that `count` runs may be added to those that wait. Raises Busy, TooMany for too many of `client`."""
        more = "" if count == 1 else f", so {count} more are too many"
        waiting, most = self.waiting(), self._settings.waiting
        if (many := len(waiting)) + count > most:
            raise Busy(f"at most {most} runs may wait, and {many} do{more}: try again when some have been painted")
        own, most = sum(run.client == client for run in waiting), self._settings.waiting_each
        if client and own + count > most:
            rule = f"at most {most} runs of yours may wait, and {own} do{more}"
            raise TooMany(f"{rule}: try again when some were painted")

    def submit(self, run: Run) -> None:
        """Submit a run of the store, to be painted in its turn. Raises Conflict if it is not queued."""
        if run.state is not State.QUEUED:
            raise Conflict(f"run {run.id} is {run.state}: only a queued run can be submitted")
        self.pool.wake()

    def position(self, run_id: str) -> int | None:
        """0 if a run is being painted, 1 if it is next, and so on; None if it ended or is paused. Raises NotFound."""
        if self._store.run(run_id).state.rests:
            return None
        waiting = [run.id for run in self.waiting()]
        return waiting.index(run_id) + 1 if run_id in waiting else 0

    def move(self, run_id: str, places: int) -> None:
        """Move a waiting run by `places` among those of its client; below 0 is sooner. Raises NotFound, Conflict."""
        with self.pool.workers.lock:
            run = self._store.run(run_id)
            own = [each.id for each in self.waiting() if each.client == run.client]
            if run_id not in own:
                raise Conflict(f"run {run_id} cannot be moved: it does not wait, it is {run.state}")
            at = own.index(run_id)
            passed = own[at + 1 : at + 1 + places] if places > 0 else own[max(0, at + places) : at][::-1]
            for other in passed:
                exchange(self._store.database, run_id, other)

    def stop(self, run_id: str) -> None:
        """Stop a run: at once if it waits, else after its current step. A stopped run stays stopped.

        Raises NotFound, and Conflict if it ended otherwise.
        """
        with self.pool.workers.lock:
            run = self._store.run(run_id)
            if run.state.ended and run.state is not State.STOPPED:
                raise Conflict(f"run {run_id} cannot be stopped: it is {run.state}")
            if not self.pool.request(run_id, "stop", end=Stopped):
                self._store.append(run_id, Stopped(seconds=run.seconds))

    def pause(self, run_id: str) -> None:
        """Pause a run, at once if it waits, else after its current step. Raises NotFound, Conflict."""
        with self.pool.workers.lock:
            run = self._store.run(run_id)
            if run.state is State.PAUSED:
                return
            if run.state.ended:
                raise Conflict(f"run {run_id} cannot be paused: it is {run.state}")
            if not self.pool.request(run_id, "pause", end=Paused):
                self._store.append(run_id, Paused(seconds=run.seconds))

    def resume(self, run_id: str, more: int = 0) -> None:
        """Queue a paused or ended run again, to be painted to `run.epochs + more`. Raises NotFound, Conflict."""
        with self.pool.workers.lock:
            run = self._store.run(run_id)
            if not run.state.rests:
                raise Conflict(f"run {run_id} cannot be continued: it is {run.state}")
            if run.state is State.FINISHED and more < 1:
                raise Conflict(f"run {run_id} is finished: say how many more epochs to paint")
            self._store.append(run_id, Continued(epochs=run.epochs + more))
            self.pool.wake()

    def steer(self, run_id: str, changes: Mapping[str, Any], in_force: Collection[str] = ()) -> bool:
        """Change live options, which were checked, from the next step on; False if nothing changes.

        `in_force` are the names of values that the run has, as far as its worker has reported: these are left out, but
        for those that the last request changes. Raises NotFound, Conflict.
        """
        with self.pool.workers.lock:
            run = self._store.run(run_id)
            if run.state.ended:
                raise Conflict(f"run {run_id} cannot be steered: it is {run.state}; continue it, or branch from it")
            before = self._requested.get(run_id) or {}
            made = {n: value for n, value in changes.items() if n not in in_force or before.get(n, value) != value}
            if not made:
                return False
            if not self.pool.request(run_id, "steer", made, next(self._steering_numbers)):
                self._store.append(run_id, Steered(step=(run.kept or 0) + 1, epoch=run.epoch, changes=made))
            self._requested.put(run_id, {**before, **made})
            return True

    # Pictures in one pass ---------------------------------------------------------------------------------------------

    def apply_style(self, job: FastJob, client: str = "", caller: str = "") -> list[FastPicture]:
        """The pictures of a job, made by a worker beside its run, in the order of the job's requests.

        A newer call of the same `caller`, a page or "", replaces one that has not begun. Raises InputError; Busy
        without a worker, with too many jobs in progress, or when replaced; TooMany with too many of `client`.
        """
        functions = self.pool.workers.functions
        found = self._call_beside(client, worker_tasks.apply_style_beside, functions.apply_style, job.to_wire(), caller)
        if found.get("superseded"):
            raise Busy("a newer request came before this picture was painted")
        return [FastPicture(**picture) for picture in found["pictures"]]

    def diagnose(self, job: DiagnosisJob, client: str = "") -> dict[str, Any]:
        """The losses of a job's picture, computed by a worker beside its run. Raises as `apply_style`."""
        functions = self.pool.workers.functions
        found = self._call_beside(client, worker_tasks.diagnose_beside, functions.diagnose, job.to_wire())
        return dict(found["found"])

    def _call_beside(self, client: str, task: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
        """What a task returns in a worker beside its run. Raises InputError, NstError, Busy, TooMany."""
        workers = self.pool.workers
        with workers.lock:
            slot = self._slot_for_call(client)
            slot.beside_counts[client] += 1
        try:
            found: dict[str, Any] = workers.result_of(slot.address, task, *arguments)
        except Exception as error:  # Dask raises various errors when the worker or the scheduler is lost
            log.warning("worker %s did not answer %s: %s", slot.address, task.__name__, error)
            raise NstError("the worker was lost while it painted; a smaller picture needs less memory") from error
        finally:
            with workers.lock:
                slot.beside_counts -= Counter([client])  # which removes counts of 0
        if "error" in found:
            raise (InputError if found["input"] else NstError)(found["error"])
        return found

    def _slot_for_call(self, client: str) -> WorkerSlot:
        """The ready worker with the fewest such jobs, a free one first. Raises Busy, TooMany."""
        ready = self.pool.workers.ready()
        if not ready:
            raise Busy("no worker is there yet to paint: try again in a moment")
        if sum(slot.beside_counts.total() for slot in ready) >= MOST_FAST:
            raise Busy(f"{MOST_FAST} pictures are being painted at once already: try again in a moment")
        if client and sum(slot.beside_counts[client] for slot in ready) >= MOST_FAST_EACH:
            raise TooMany(f"{MOST_FAST_EACH} pictures of yours are being painted at once: try again in a moment")
        return min(ready, key=lambda slot: (slot.beside_counts.total(), slot.task is not None))

    # Weights ----------------------------------------------------------------------------------------------------------

    @property
    def fetching(self) -> dict[str, Fetching]:
        """The downloads of weights since the server started, by extractor, each with its last event."""
        return self.pool.fetches.last

    def fetch_weights(self, name: str) -> None:
        """Download an extractor's weights in a worker, beside its run. Raises Busy without a worker."""
        self.pool.fetches.fetch(name)

    def cancel_fetch(self, name: str) -> None:
        """Cancel a download and delete what it received; one that has ended stays as it is."""
        self.pool.fetches.cancel(name)
