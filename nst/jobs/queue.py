"""The line of runs, and what may be asked of a run that waits, is painted, or rests."""

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any

from nst.errors import Busy, Conflict, InputError, NstError, TooMany
from nst.jobs import worker_tasks
from nst.jobs.pool import Pool
from nst.runs.events import Continued, Fetching, Paused, Steered, Stopped
from nst.runs.run import Run, State

log = logging.getLogger(__name__)

MOST_INSTANT = 8  # pictures that are asked for and not there yet
MOST_EACH = 4  # of those, of one client


class Queue(Pool):
    """Hands the store's queued runs to workers: clients take turns, and each one's runs go in order of arrival.

    `execute`, `warm_up`, `fetch` and `instant` are named as "module:function" and called in the worker: see worker.py;
    `wanted` is as in `Pool`.
    """

    def check_room(self, client: str = "") -> None:
        """Raises Busy if too many runs wait already, TooMany if too many of `client`. Ask before a run is made."""
        line, most = self.line(), self._settings.waiting
        if len(line) >= most:
            raise Busy(f"at most {most} runs may wait, and {len(line)} do: try again when some have been painted")
        mine, most = sum(run.client == client for run in line), self._settings.waiting_each
        if client and mine >= most:
            raise TooMany(f"at most {most} runs of yours may wait, and {mine} do: try again when some were painted")

    @property
    def has_gpu(self) -> bool:
        """Some worker has a graphics card."""
        with self._lock:
            return any(slot.gpu for slot in self._slots.values())

    @property
    def hands(self) -> int:
        """How many workers paint, or could."""
        with self._lock:
            return sum(slot.ready for slot in self._slots.values())

    def paint_at_once(self, job: Mapping[str, Any], client_id: str = "", asked_by: str = "") -> dict[str, Any]:
        """What a worker paints of `job` in one pass, beside its run; see nst/worker/fast_runner.py.

        What `asked_by` asked for before is given up if it waits. Raises InputError, and Busy; TooMany if as many of
        `client_id` are being painted.
        """
        with self._lock:
            client, ready = self._client, [(at, slot) for at, slot in self._slots.items() if slot.ready]
            if client is None or not ready:
                raise Busy("no worker is there yet to paint: try again in a moment")
            if sum(slot.at_once.total() for _, slot in ready) >= MOST_INSTANT:
                raise Busy(f"{MOST_INSTANT} pictures are being painted at once already: try again in a moment")
            if client_id and sum(slot.at_once[client_id] for _, slot in ready) >= MOST_EACH:
                raise TooMany(f"{MOST_EACH} pictures of yours are being painted at once: try again in a moment")
            address, slot = min(ready, key=lambda each: (each[1].at_once.total(), each[1].task is not None))
            slot.at_once[client_id] += 1
        try:
            found = client.run(worker_tasks.call_aside, self._instant, dict(job), asked_by, workers=[address])[address]
        except Exception as error:  # Dask raises whatever the loss of a worker, or of the scheduler, comes as
            log.warning("worker %s did not paint at once: %s", address, error)
            raise NstError("the worker was lost while it painted; a smaller picture needs less memory") from error
        finally:
            with self._lock:
                slot.at_once -= Counter([client_id])  # which forgets who has none left
        if found.get("overtaken"):
            raise Busy("a newer wish came before this one was painted")
        if "error" in found:
            raise (InputError if found["fault"] else NstError)(found["error"])
        return found

    def submit(self, run: Run) -> None:
        """Let a run of the store be painted when its turn comes. Raises Conflict if it is not queued."""
        if run.state is not State.QUEUED:
            raise Conflict(f"run {run.id} is {run.state}: only a queued run can be submitted")
        self._wake()

    def position(self, run_id: str) -> int | None:
        """0 if a run is being painted, 1 if it is next, and so on; None if it rests. Raises NotFound."""
        if self._store.run(run_id).state.rests:
            return None
        line = [run.id for run in self.line()]
        return line.index(run_id) + 1 if run_id in line else 0

    def stop(self, run_id: str) -> None:
        """Stop a run: at once if it waits, else after the step it is at. One that was stopped before stays so.

        Raises NotFound, and Conflict if it ended otherwise.
        """
        with self._lock:
            run = self._store.run(run_id)
            if run.state.ended and run.state is not State.STOPPED:
                raise Conflict(f"run {run_id} cannot be stopped: it is {run.state}")
            if not self._ask(run_id, Stopped, "stop"):
                self._store.append(run_id, Stopped(run.seconds))

    def pause(self, run_id: str) -> None:
        """Put a run aside, as `stop`, to be resumed; its worker is free for the next one. Raises NotFound, Conflict."""
        with self._lock:
            run = self._store.run(run_id)
            if run.state is State.PAUSED:
                return
            if run.state.ended:
                raise Conflict(f"run {run_id} cannot be paused: it is {run.state}")
            if not self._ask(run_id, Paused, "pause"):
                self._store.append(run_id, Paused(run.seconds))

    def resume(self, run_id: str, more: int = 0) -> None:
        """Let a run that rests go on, for `more` epochs than it was to have. Raises NotFound, Conflict."""
        with self._lock:
            run = self._store.run(run_id)
            if not run.state.rests:
                raise Conflict(f"run {run_id} cannot be continued: it is {run.state}")
            if run.state is State.FINISHED and more < 1:
                raise Conflict(f"run {run_id} is finished: say how many more epochs to paint")
            self._store.append(run_id, Continued(run.epochs + more))
            self._wake()

    def steer(self, run_id: str, changes: Mapping[str, Any]) -> None:
        """Change live options, which were checked: from the next step on. Raises NotFound, Conflict."""
        with self._lock:
            run = self._store.run(run_id)
            if run.state.ended:
                raise Conflict(f"run {run_id} cannot be steered: it is {run.state}; continue it, or branch from it")
            if not self._ask(run_id, None, "steer", dict(changes)):
                self._store.append(run_id, Steered((run.kept or 0) + 1, run.epoch, dict(changes)))

    @property
    def fetching(self) -> dict[str, Fetching]:
        """The downloads of weights since the server is up, by extractor, each as it stands."""
        with self._lock:
            return self._fetches.now

    def fetch_weights(self, name: str) -> None:
        """Download an extractor's weights on a worker, beside its painting; `fetching` tells. Raises Busy."""
        with self._lock:
            if self._fetches.going(name):
                return
            ready = [address for address, slot in self._slots.items() if slot.ready]
            if not ready:
                raise Busy("no worker is there yet to fetch weights: try again in a moment")
            self._fetch_by(ready[0], name)

    def cancel_fetch(self, name: str) -> None:
        """End a download, and forget what it brought; one that has ended stays as it is."""
        with self._lock:
            if going := self._fetches.going(name):
                self._fetches.cancel(name)
                self._tell(going[0], worker_tasks.cancel_fetch, going[1])
