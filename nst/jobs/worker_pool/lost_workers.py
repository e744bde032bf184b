"""Workers of an embedded cluster that are gone for good: a nanny gives up where its worker fails while it starts."""

import logging
import time

from distributed import Client, Status

log = logging.getLogger(__name__)

TIMEOUT = 30.0  # seconds for which workers may be missing


class NoWorker(ConnectionError):
    """An embedded cluster has lost all of its workers."""


class LostWorkers:
    """Watches how many of the `wanted` workers of a client's embedded cluster are there, and replaces lost ones.

    What the others paint goes on meanwhile.
    """

    def __init__(self, client: Client, wanted: int) -> None:
        self._cluster, self._wanted = client.cluster, wanted
        self._seen_at = self._complete_at = time.monotonic()  # when some worker was there, and when all were

    def check(self, count: int) -> None:
        """Note that `count` workers are there now. Raises NoWorker after `TIMEOUT` seconds without any."""
        now = time.monotonic()
        if count:
            self._seen_at = now
        if count >= self._wanted:
            self._complete_at = now
        if now - self._seen_at > TIMEOUT:
            raise NoWorker(f"none was there for {TIMEOUT:g} s")
        if now - self._complete_at > TIMEOUT:
            self._complete_at = now
            self._replace()

    def _replace(self) -> None:
        """Have the cluster start another worker for each whose nanny has given up; returns at once."""
        nannies = self._cluster.workers
        lost = [name for name, nanny in list(nannies.items()) if nanny.status in (Status.closed, Status.failed)]
        for name in lost:
            log.warning("worker %s of %d is gone for good; starting another", name, self._wanted)
            nannies.pop(name, None)
        self._cluster.scale(self._wanted)
