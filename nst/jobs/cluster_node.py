"""A Dask cluster of machines, from the machines' side: its scheduler, and the workers that join it.

Each is one process that a person or a service starts and ends, with the configuration that our own cluster has. Whether
there is a graphics card is for the caller to say: this file knows no TensorFlow.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import dask
from distributed import Nanny, Scheduler

from nst.errors import NstError, OptionError
from nst.jobs.cluster import CONFIG, NO_DASHBOARD

GPU: dict[str, float] = {"GPU": 1}  # the resource of a worker with a graphics card: one run at a time
GRACE = 2.0  # seconds that a worker without a scheduler has to end; its run goes on elsewhere
PATIENCE = 60.0  # seconds that one try to join may take
PAUSE = 1.0  # seconds between two tries


def check_address(address: str) -> None:
    """Raises OptionError unless it is tcp://host:port or tls://host:port."""
    scheme, _, slot = address.partition("://")
    host, _, port = slot.rpartition(":")
    if scheme not in ("tcp", "tls") or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise OptionError(f"a scheduler's address must be tcp://host:port or tls://host:port, got {address!r}")


def serve_scheduler(address: str) -> None:
    """Be the scheduler that listens at `address`, until SIGINT or SIGTERM. Raises NstError if it cannot."""
    _prepare()
    _run(_schedule(address))


def join(address: str, name: str | None = None, gpu: bool = False) -> None:
    """Be a worker of the scheduler at `address`, whenever that is there, until SIGINT or SIGTERM.

    Args:
        address: as `check_address` wants it; tls:// needs Dask's own settings of certificates.
        name: what the scheduler calls it, no other worker's; one of Dask's making by default.
        gpu: announces the resource GPU=1, for runs that ask for it.

    Raises:
        NstError: there is no hope, as where settings of TLS are missing. What may pass is said, and tried again.
    """
    _prepare()
    _say(f"looking for the scheduler at {address}")
    _run(_join_again_and_again(address, name, GPU if gpu else {}))


def _prepare() -> None:
    """Configure Dask, and leave what is to be said to us, here and in the worker process."""
    dask.config.set(CONFIG)
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    os.environ["DASK_LOGGING__DISTRIBUTED"] = "critical"


class _Member(Nanny):
    """A nanny that waits for no painting once its worker has lost the scheduler: nobody would hear of it."""

    def close_gracefully(self, reason: str = "") -> None:
        super().close_gracefully(reason)
        self.loop.add_callback(self.close, timeout=GRACE, reason=reason)


async def _schedule(address: str) -> None:
    try:
        scheduler = await Scheduler(host=address, **NO_DASHBOARD)
    except Exception as error:
        raise NstError(f"cannot listen at {address}: {_root(error)}") from error
    try:
        _say(f"scheduler at {scheduler.address}")
        await scheduler.finished()
    finally:
        await scheduler.close()


async def _join_again_and_again(address: str, name: str | None, resources: dict[str, float]) -> None:
    """Join, and once the scheduler is lost wait for it to come back."""
    said = ""
    while True:
        try:
            await _join_once(address, name, resources)
            said = ""
        except OSError as error:
            if str(error) != said:
                _say(f"cannot join {address} yet: {error}")
            said = str(error)
        await asyncio.sleep(PAUSE)


async def _join_once(address: str, name: str | None, resources: dict[str, float]) -> None:
    """Be a worker until the scheduler is lost. Raises OSError if it cannot be now, NstError if it never will."""
    try:
        nanny = _Member(address, nthreads=1, name=name, memory_limit=0, resources=resources, death_timeout=PATIENCE)
    except Exception as error:
        raise NstError(f"cannot join {address}: {error}") from error
    try:
        await nanny
        _say(f"worker {nanny.worker_address} of {address}" + (", with a graphics card" if resources else ""))
        await nanny.finished()
        _say(f"the scheduler at {address} is gone or let go of this worker, which joins again when it can")
    except Exception as error:
        reason = _root(error)
        if isinstance(reason, TypeError):  # settings of TLS that are missing
            raise NstError(f"cannot join {address}: {reason}") from error
        raise OSError(str(reason)) from error
    finally:
        await nanny.close(timeout=GRACE)


def _root(error: BaseException) -> BaseException:
    """What was behind an error of Dask's, which wraps them."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _say(line: str) -> None:
    print(f"nst: {line}", file=sys.stderr, flush=True)


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Until it raises, or is asked to end by a signal, for which it may tidy up."""

    async def run() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(task.cancel))
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())
