"""The downloads of weights in workers: their last events, and how earlier ones of the same folder ended.

fetches.json   {extractor: outcome of its last download}

A download that was cancelled or refused is not started automatically again, only on request.
"""

import json
import logging
import uuid
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from nst.atomic_write import atomic_write
from nst.errors import Busy
from nst.jobs.storage.run_files import FETCHES
from nst.jobs.worker_pool import worker_tasks
from nst.jobs.worker_pool.worker_slot import WorkerSlot
from nst.jobs.worker_pool.workers import Workers
from nst.runs.events import Fetching

log = logging.getLogger(__name__)


class Download(NamedTuple):
    """A download in progress."""

    worker: str  # its address
    fetch_id: str


class WeightsFetches:
    """The downloads of one pool; their outcomes are kept in `folder`.

    Any thread may call `last`, `fetch` and `cancel`, the pool's thread the rest, holding the lock of `workers`.
    """

    def __init__(self, folder: Path, workers: Workers) -> None:
        self._file, self._workers = folder / FETCHES, workers
        self._last: dict[str, Fetching] = {}
        self._in_progress: dict[str, Download] = {}
        self._outcomes: dict[str, str] = {}
        with suppress(OSError, ValueError, TypeError):  # there is no file, or it is damaged
            self._outcomes |= json.loads(self._file.read_text())

    @property
    def last(self) -> dict[str, Fetching]:
        """The last event of each download since the server started, by extractor."""
        with self._workers.lock:
            return dict(self._last)

    def fetch(self, name: str) -> None:
        """Download an extractor's weights in a worker, beside its run. Raises Busy without a worker."""
        with self._workers.lock:
            if name in self._in_progress:
                return
            ready = self._workers.ready()
            if not ready:
                raise Busy("no worker is there yet to fetch weights: try again in a moment")
            self.fetch_in(ready[0], name)

    def cancel(self, name: str) -> None:
        """Cancel a download and delete what it received; one that has ended stays as it is."""
        with self._workers.lock:
            if download := self._in_progress.get(name):
                self._save(name, "cancelled")  # which stays its outcome even if its worker is lost
                self._workers.call(download.worker, worker_tasks.cancel_fetch, download.fetch_id)

    def may_start_automatically(self, name: str) -> bool:
        """Whether the download may start unasked: this server has not begun it; the last one, if any, was "broken"."""
        return name not in self._last and self._outcomes.get(name, "broken") == "broken"

    def fetch_in(self, slot: WorkerSlot, name: str) -> None:
        """Have this worker download the weights of `name`."""
        self._last[name] = Fetching(name=name, received=0, size=0)
        self._in_progress[name] = download = Download(slot.address, uuid.uuid4().hex)
        self._save(name, "")
        arguments = name, download.fetch_id, self._workers.topic, self._workers.niceness
        self._workers.call(slot.address, worker_tasks.fetch_beside, self._workers.functions.fetch, *arguments)

    def update(self, event: Fetching, worker: str) -> None:
        """Record an event; dropped if the worker at that address has no such download."""
        download = self._in_progress.get(event.name)
        if download is None or download.worker != worker:
            return
        self._last[event.name] = event
        if event.done:
            del self._in_progress[event.name]
            self._save(event.name, event.outcome)

    def remove_worker(self, worker: str, error: str) -> None:
        """Record that the downloads of a lost worker were broken off."""
        for name in [name for name, download in self._in_progress.items() if download.worker == worker]:
            outcome = self._outcomes.get(name) or "broken"
            self.update(replace(self._last[name], outcome=outcome, error=error if outcome == "broken" else ""), worker)

    def _save(self, name: str, outcome: str) -> None:
        self._outcomes[name] = outcome
        if not outcome:
            del self._outcomes[name]
        try:
            with atomic_write(self._file) as part:
                part.write_text(json.dumps(self._outcomes))
        except OSError as error:
            log.warning("the outcome of a download cannot be saved: %s", error)
