"""The state of the server, read once for all pages that wait for another one."""

import asyncio
from dataclasses import dataclass
from typing import Any

from nst.jobs.queue import Queue
from nst.jobs.storage.store import Store
from nst.options.settings import Settings
from nst.runs.run import Run
from nst.web.service.runs import Runs


@dataclass(frozen=True)
class ServerState:
    """The state of the worker, networks, downloads and queue."""

    common: dict[str, Any]  # what every client sees of it, as plain values
    runs: tuple[Run, ...]  # that are painted, then those that wait, the next one first

    def position(self, run_id: str) -> int | None:
        """The position in the queue of a run that waits or is painted, from 1 on."""
        return next((position for position, run in enumerate(self.runs, 1) if run.id == run_id), None)

    def of(self, client: str) -> dict[str, Any]:
        """What a client sees, "" for all, as plain values that can be compared."""
        queue = [
            [run.id, str(run.state), number] for number, run in enumerate(self.runs, 1) if client in ("", run.client)
        ]
        return {**self.common, "queue": queue}


class ServerStates:
    """Reads the state in a thread: the queue's lock is held while a frame or a checkpoint is written.

    Whoever comes while it is read shares the next reading with all others who do, so that pages that wait hold one
    thread together. No state is older than the call that returns it.
    """

    def __init__(self, settings: Settings, store: Store, queue: Queue, runs: Runs) -> None:
        self._settings, self._store, self._queue, self._runs = settings, store, queue, runs
        self._turn = asyncio.Lock()
        self._next: asyncio.Task[ServerState] | None = None  # a reading that has not begun

    async def now(self) -> ServerState:
        """Return the state."""
        if self._next is None or self._next.done():
            self._next = asyncio.create_task(self._read_in_turn())
        return await asyncio.shield(self._next)

    async def _read_in_turn(self) -> ServerState:
        async with self._turn:
            self._next = None
            return await asyncio.to_thread(self._read)

    def _read(self) -> ServerState:
        health = self._queue.health()
        common = {
            "worker": health["worker"],
            "error": health.get("error", ""),
            "networks": self._queue.extractors(),
            "created": self._store.created_count(),
            "fetching": {name: event.to_json() for name, event in self._queue.fetching.items()},
            "shared": self._settings.many,
            "gpu": self._queue.has_gpu,
        }
        return ServerState(common, tuple(self._runs.queue_of("")))
