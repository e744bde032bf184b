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
        self._none_since: float | None = None  # when the last worker left, time.monotonic(); None while there is one
        self._some_missing_since: float | None = None  # the same of the first that left; None while all are there

    def check(self, count: int) -> None:
        """Note that `count` workers are there now. Raises NoWorker after `TIMEOUT` seconds without any."""
        now = time.monotonic()
        self._none_since = None if count else self._none_since or now
        self._some_missing_since = None if count >= self._wanted else self._some_missing_since or now
        if self._none_since and now - self._none_since > TIMEOUT:
            raise NoWorker(f"none was there for {TIMEOUT:g} s")
        if self._some_missing_since and now - self._some_missing_since > TIMEOUT:
            self._some_missing_since = now
            self._replace()

    def _replace(self) -> None:
        """Have the cluster start another worker for each whose nanny has given up; returns at once."""
        nannies = self._cluster.workers
        lost = [name for name, nanny in list(nannies.items()) if nanny.status in (Status.closed, Status.failed)]
        for name in lost:
            log.warning("worker %s of %d is gone for good; starting another", name, self._wanted)
            nannies.pop(name, None)
        self._cluster.scale(self._wanted)
