"""A queue of our own with its workers and its store, for benchmarks that need no server."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.outcome import NotMeasured, Warmth, must_finish
from nst.jobs.queue import Queue
from nst.jobs.storage.store import Store
from nst.jobs.worker_pool.workers import WorkerFunctions
from nst.options.settings import Settings
from nst.options.style_options import StyleOptions
from nst.runs.run import Run, State

PATIENCE = 600.0  # seconds that some runs may take


@dataclass(frozen=True)
class LocalQueue:
    """A queue and the store of its runs."""

    store: Store
    queue: Queue
    warmth: Warmth = field(default_factory=Warmth)

    def paint(self, options: StyleOptions, content: bytes, style: bytes, count: int = 1) -> int:
        """Have the same run painted `count` times; how many were painted at the same time, at most.

        Raises NotMeasured, with a run's own error, unless all finish.
        """
        ids, most = [self._submit(options, content, style) for _ in range(count)], 0

        def ended() -> bool:
            nonlocal most
            runs = self._runs(ids)
            most = max(most, sum(run.state is State.RUNNING for run in runs))
            return all(run.state.ended for run in runs)

        self.wait_until(ended)
        for run in self._runs(ids):
            must_finish("a run", run.state, run.error)
        return most

    def wait_until(self, happened: Callable[[], bool]) -> None:
        """Return once `happened()` is true. Raises NotMeasured if that takes too long, or no worker is left."""
        end = time.monotonic() + PATIENCE
        while not happened():
            self.warm()
            if time.monotonic() > end:
                raise NotMeasured(f"the queue was not there within {PATIENCE:.0f} s")
            time.sleep(0.02)

    def warm(self) -> bool:
        """Whether a run would start at once. Raises NotMeasured if there is no worker for long."""
        return self.warmth(self.queue.health())

    def _submit(self, options: StyleOptions, content: bytes, style: bytes) -> str:
        run = self.store.create(options, self.store.put_upload(content), self.store.put_upload(style))
        self.queue.submit(run)
        return run.id

    def _runs(self, ids: list[str]) -> list[Run]:
        return [self.store.run(run_id) for run_id in ids]


@contextmanager
def local_queue(settings: Settings, **names: str) -> Iterator[LocalQueue]:
    """A queue by these settings over a store of its own, with a warm worker; `names` are painters' (see Queue)."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        queue = Queue(settings, store, WorkerFunctions(**names))
        queue.start()
        try:
            yield LocalQueue(store, queue)
        finally:
            queue.close()
            store.close()
