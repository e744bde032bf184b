"""The Dask cluster of a pool: an embedded one, of worker processes on this machine, or an existing scheduler."""

import asyncio
import copy
import logging
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import dask
from distributed import Client, LocalCluster, Security

from nst.options.settings import Settings
from nst.runs.humanize import GIGABYTE
from nst.runs.memory_budget import budget
from nst.runs.processors import usable_cores

CONNECT_TIMEOUT = 10.0  # seconds that an attempt to reach a scheduler may take
POLL_INTERVAL = 0.05  # seconds between two looks whether such an attempt has ended, or is to be cancelled
LOOP_TIMEOUT = 5.0  # seconds that the tasks of a client may take to end
WORKER_NICENESS = 10  # of embedded workers above that of this process, so that the page stays quick
GPU = "GPU"  # the Dask resource that a worker with a graphics card has one of

CONFIG = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.worker.profile.enabled": False,
    # Messages of each stream and topic, with their pictures, that Dask keeps for debugging; its default is 1000.
    "distributed.admin.low-level-log-length": 8,
    # A task holds two uploads; Dask would warn from 10 MB.
    "distributed.admin.large-graph-warning-threshold": "1 GB",
    "distributed.worker.preload": ["nst.jobs.worker_pool.worker_tasks"],  # its `dask_setup`
    # Dask would close a nanny whose worker takes more than 15 s to restart, as on a busy machine.
    "distributed.deploy.lost-worker-timeout": "1h",
    # HTTP is not encrypted, and any local account can connect: only Dask's list of routes, then empty, is left.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    # Dask would also set OMP_NUM_THREADS=1 and the like; the one task may use every core.
    "distributed.nanny.pre-spawn-environ": {"MALLOC_TRIM_THRESHOLD_": 65536},
}
# Options of a scheduler. Its HTTP server cannot be left out; it listens on any free port of the loopback address.
NO_DASHBOARD = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}


def configure_dask() -> None:
    """Apply CONFIG in this process; a copy of it, because Dask appends to lists."""
    dask.config.set(copy.deepcopy(CONFIG))


@contextmanager
def connect(settings: Settings, closing: threading.Event) -> Iterator[Client]:
    """A client of `settings.scheduler`, or, if that is empty, of an embedded cluster that ends with the block.

    Raises OSError if the scheduler cannot be reached, or if `closing` is set before it is.
    """
    configure_dask()
    if settings.scheduler:
        with _event_loop() as loop, _client_of(settings.scheduler, loop, closing) as client:
            yield client
    else:
        with _embedded_cluster(settings) as cluster, Client(cluster, set_as_default=False) as client:
            yield client


def _client_of(address: str, loop: asyncio.AbstractEventLoop, closing: threading.Event) -> Client:
    """A client on `loop`, connected: an attempt that can be cancelled, unlike that of a client with its own loop."""

    async def attempt() -> Client:
        client = Client(address, timeout=CONNECT_TIMEOUT, set_as_default=False, asynchronous=True)
        try:
            return await client
        except BaseException:
            await client.close()
            raise

    future = asyncio.run_coroutine_threadsafe(attempt(), loop)
    while not future.done():
        if closing.wait(POLL_INTERVAL):
            future.cancel()
            raise ConnectionAbortedError(f"the attempt to reach {address} was cancelled")
    return future.result()


@contextmanager
def _event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread of its own; its tasks are cancelled at the end."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        end = asyncio.Event()
        started.set_result((asyncio.get_running_loop(), end))
        await end.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="nst-dask", daemon=True)
    thread.start()
    loop, end = started.result()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(LOOP_TIMEOUT)


def _embedded_cluster(settings: Settings) -> LocalCluster:
    """Worker processes of one thread each, started by nannies, which replace one that ends.

    Whoever connects to one of their ports can run code, so each connection needs the certificate made here. Its key
    stays in memory, but for the moment in which Python's `ssl` loads it from a file in a folder of mode 0700.
    """
    os.environ.pop("NST_TOKEN", None)  # `settings` holds it, and worker processes inherit the environment
    return LocalCluster(
        security=Security.temporary(),
        n_workers=settings.workers,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        scheduler_kwargs=NO_DASHBOARD,
        memory_limit=0,  # none: Dask would pause the worker well before the system's
        silence_logs=logging.CRITICAL,
        env=_environment(settings),
    )


def worker_niceness(settings: Settings) -> int:
    """The niceness that workers must have at least; -20, which all have, for workers of a scheduler elsewhere."""
    return os.nice(0) + WORKER_NICENESS if hasattr(os, "nice") and not settings.scheduler else -20


def _environment(settings: Settings) -> dict[str, str]:
    """The environment of an embedded worker; several share the cores, and the memory unless it is given."""
    environment = {"NST_MEMORY": str(settings.memory), **({"NST_OFFLINE": "1"} if settings.offline else {})}
    if settings.workers == 1:
        return environment
    memory = settings.memory or budget() / GIGABYTE / settings.workers
    threads = str(max(1, usable_cores() // settings.workers))
    return environment | {
        "NST_MEMORY": str(memory),
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
    }
