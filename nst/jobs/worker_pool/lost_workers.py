"""Workers of an embedded cluster that are gone for good, or hang.

A nanny gives up where its worker fails while it starts, and knows nothing of what its worker is doing.
"""

import logging
import time
from collections.abc import Collection
from contextlib import suppress

import psutil
from distributed import Status

from nst.jobs.worker_pool.workers import Workers

log = logging.getLogger(__name__)

MISSING_TIMEOUT = 30.0  # seconds for which workers may be missing


class NoWorker(ConnectionError):
    """An embedded cluster has lost all of its workers, or has none that gets ready."""


class LostWorkers:
    """Watches how many of the `wanted` workers of an embedded cluster are there, and replaces those lost or hanging.

    What the others paint goes on meanwhile.
    """

    def __init__(self, workers: Workers, wanted: int) -> None:
        assert workers.client is not None
        self._workers, self._cluster, self._wanted = workers, workers.client.cluster, wanted
        self._none_since: float | None = None  # when the last worker left, time.monotonic(); None while there is one
        self._some_missing_since: float | None = None  # the same of the first that left; None while all are there

    def check(self, count: int) -> None:
        """Note that `count` workers are there now.

        Raises NoWorker after `MISSING_TIMEOUT` seconds without any, and where one hangs and no other is ready.
        """
        now = time.monotonic()
        self._none_since = None if count else self._none_since or now
        self._some_missing_since = None if count >= self._wanted else self._some_missing_since or now
        if self._none_since and now - self._none_since > MISSING_TIMEOUT:
            raise NoWorker(f"none was there for {MISSING_TIMEOUT:g} s")
        if hanging := self._workers.hanging():
            if not self._workers.ready():
                raise NoWorker("the worker did not get ready in time")
            self._end(hanging)
        if self._some_missing_since and now - self._some_missing_since > MISSING_TIMEOUT:
            self._some_missing_since = now
            self._replace()

    def _end(self, addresses: Collection[str]) -> None:
        """End the processes of workers; their nannies start others."""
        for name, nanny in list(self._cluster.workers.items()):
            if nanny.pid and nanny.worker_address in addresses:
                log.warning("worker %s of %d was not ready in time; starting another", name, self._wanted)
                with suppress(psutil.NoSuchProcess):
                    psutil.Process(nanny.pid).kill()

    def _replace(self) -> None:
        """Have the cluster start another worker for each whose nanny has given up; returns at once."""
        nannies = self._cluster.workers
        lost = [name for name, nanny in list(nannies.items()) if nanny.status in (Status.closed, Status.failed)]
        for name in lost:
            log.warning("worker %s of %d is gone for good; starting another", name, self._wanted)
            nannies.pop(name, None)
        self._cluster.scale(self._wanted)
