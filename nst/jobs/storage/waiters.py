"""Coroutines that wait until something happens to a run, woken by any thread."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Waiter:
    """Waits on the event loop that it was made on."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    async def woken(self) -> None:
        """Return once `wake` was called since the last time."""
        await self._event.wait()
        self._event.clear()

    def wake(self) -> None:
        """End the wait; from any thread."""
        with suppress(RuntimeError):  # the loop was closed, and nothing waits there any more
            self._loop.call_soon_threadsafe(self._event.set)


class Waiters:
    """The waiters of all runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiters: dict[str, set[Waiter]] = {}  # by run

    def __len__(self) -> int:
        return sum(len(waiters) for waiters in self._waiters.values())

    @contextmanager
    def waiter(self, run_id: str) -> Iterator[Waiter]:
        """A waiter of a run, for the block."""
        waiter = Waiter()
        with self._lock:
            self._waiters.setdefault(run_id, set()).add(waiter)
        try:
            yield waiter
        finally:
            with self._lock:
                self._waiters[run_id].discard(waiter)
                if not self._waiters[run_id]:
                    del self._waiters[run_id]

    def wake(self, run_id: str) -> None:
        """Wake those who wait for a run."""
        with self._lock:
            for waiter in self._waiters.get(run_id, ()):
                waiter.wake()

    def wake_all(self) -> None:
        """Wake those who wait for any run."""
        for run_id in list(self._waiters):
            self.wake(run_id)
