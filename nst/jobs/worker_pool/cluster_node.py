"""The nodes of a Dask cluster of several machines: its scheduler, and the workers that join it.

Each is one process that a person or a service starts and ends, with the configuration of the embedded cluster. The
caller says whether there is a graphics card: TensorFlow is not used here.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from distributed import Nanny, Scheduler

from nst.errors import NstError, OptionError
from nst.jobs.worker_pool.cluster import GPU, NO_DASHBOARD, configure_dask

WORKER_CLOSE_TIMEOUT = 2.0  # seconds in which a worker without a scheduler must end; its run is resumed elsewhere
JOIN_TIMEOUT = 60.0  # seconds that one attempt to join may take
JOIN_INTERVAL = 1.0  # seconds between two attempts


def check_address(address: str) -> None:
    """Raise OptionError unless `address` is tcp://host:port or tls://host:port."""
    scheme, _, place = address.partition("://")
    host, _, port = place.rpartition(":")
    if scheme not in ("tcp", "tls") or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise OptionError(f"a scheduler's address must be tcp://host:port or tls://host:port, got {address!r}")


def serve_scheduler(address: str) -> None:
    """Run a scheduler that listens at `address`, until SIGINT or SIGTERM. Raises NstError if it cannot."""
    _configure()
    _run(_schedule(address))


def join(address: str, name: str | None = None, gpu: bool = False) -> None:
    """Run a worker of the scheduler at `address`, whenever that can be reached, until SIGINT or SIGTERM.

    Args:
        address: as for `check_address`; tls:// needs Dask's own settings of certificates.
        name: the worker's unique name at the scheduler; None has Dask make one.
        gpu: whether to announce the resource GPU=1, for runs that demand a graphics card.

    Raises:
        NstError: an error that would not pass, as where settings of TLS are missing. Others are printed, and joining
            is tried again.
    """
    _configure()
    _print(f"looking for the scheduler at {address}")
    _run(_keep_joined(address, name, {GPU: 1.0} if gpu else {}))


def _configure() -> None:
    """Configure Dask, and silence its log, here and in the worker process: this module prints what users need."""
    configure_dask()
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    os.environ["DASK_LOGGING__DISTRIBUTED"] = "critical"


class _Nanny(Nanny):
    """A nanny that does not wait for a run whose worker has lost the scheduler: no one would receive its result."""

    def close_gracefully(self, reason: str = "") -> None:
        super().close_gracefully(reason)
        self.loop.add_callback(self.close, timeout=WORKER_CLOSE_TIMEOUT, reason=reason)


async def _schedule(address: str) -> None:
    try:
        scheduler = await Scheduler(host=address, **NO_DASHBOARD)
    except Exception as error:
        raise NstError(f"cannot listen at {address}: {_root(error)}") from error
    try:
        _print(f"scheduler at {scheduler.address}")
        await scheduler.finished()
    finally:
        await scheduler.close()


async def _keep_joined(address: str, name: str | None, resources: dict[str, float]) -> None:
    """Join, and join again whenever the scheduler was lost."""
    printed = ""
    while True:
        try:
            await _join_once(address, name, resources)
            printed = ""
        except OSError as error:
            if str(error) != printed:
                _print(f"cannot join {address} yet: {error}")
            printed = str(error)
        await asyncio.sleep(JOIN_INTERVAL)


async def _join_once(address: str, name: str | None, resources: dict[str, float]) -> None:
    """Run a worker until the scheduler is lost. Raises OSError, and NstError if another attempt would fail, too."""
    options = {"nthreads": 1, "memory_limit": 0, "death_timeout": JOIN_TIMEOUT}
    try:
        nanny = _Nanny(address, name=name, resources=resources, **options)
    except Exception as error:
        raise NstError(f"cannot join {address}: {error}") from error
    try:
        await nanny
        _print(f"worker {nanny.worker_address} of {address}" + (", with a graphics card" if resources else ""))
        await nanny.finished()
        _print(f"the scheduler at {address} is gone or has dropped this worker, which joins again when it can")
    except Exception as error:
        reason = _root(error)
        if isinstance(reason, TypeError):  # settings of TLS that are missing
            raise NstError(f"cannot join {address}: {reason}") from error
        raise OSError(str(reason)) from error
    finally:
        await nanny.close(timeout=WORKER_CLOSE_TIMEOUT)


def _root(error: BaseException) -> BaseException:
    """The first cause of an error, which Dask wraps."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _print(line: str) -> None:
    print(f"nst: {line}", file=sys.stderr, flush=True)


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine until it ends, or a signal cancels it."""

    async def run() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(task.cancel))
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())
